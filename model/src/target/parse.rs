//! A target's TOML: every key is checked where it stands, and a wrong one is named by its line.

mod values;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use serde::Deserialize;
use toml::Spanned;

use super::address::{address, redacted};
use super::template::{Template, Variable};
use super::{Complete, Dialect, Newcomers, Others, Parts, Place, Pointer, Publish, Target, Technique, Units};
use crate::file::{FileError, Source, read_text};
use crate::transport::Transport;

/// The longest name.
const MAX_NAME_BYTES: usize = 32;

/// Fields by their names, or what is said by where.
type Table = BTreeMap<String, Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    name: Spanned<String>,
    url: Option<Spanned<String>>,
    start: Option<Spanned<Vec<String>>>,
    raw_tcp: Option<Spanned<String>>,
    #[serde(default)]
    headers: Table,
    #[serde(default)]
    newcomers: NewcomersKey,
    #[serde(default)]
    others: OthersKey,
    publish: PublishTable,
    complete: Option<CompleteTable>,
    metrics: Option<MetricsTable>,
    #[serde(default)]
    message: PartsTable,
    short_polling: Option<Spanned<TechniqueTable>>,
    long_polling: Option<Spanned<TechniqueTable>>,
    http_streaming: Option<Spanned<TechniqueTable>>,
    sse: Option<Spanned<TechniqueTable>>,
    websocket: Option<Spanned<TechniqueTable>>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum NewcomersKey {
    #[default]
    Kept,
    Live,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OthersKey {
    #[default]
    Ignore,
    Refuse,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PublishTable {
    method: Option<Spanned<String>>,
    path: Spanned<String>,
    #[serde(default)]
    headers: Table,
    body: Option<Spanned<String>>,
    batch: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompleteTable {
    method: Option<Spanned<String>>,
    path: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricsTable {
    path: Spanned<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartsTable {
    payload: Option<Spanned<String>>,
    id: Option<Spanned<String>>,
    missed: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TechniqueTable {
    path: Spanned<String>,
    #[serde(default)]
    headers: Table,
    #[serde(default)]
    begin: Table,
    #[serde(default)]
    resume: Table,
    units: Option<Spanned<UnitsKey>>,
    array: Option<Spanned<String>>,
    payload: Option<Spanned<String>>,
    id: Option<Spanned<String>>,
    missed: Option<Spanned<String>>,
    missed_event: Option<Spanned<String>>,
    hello: Option<Spanned<String>>,
    speaks: Option<Spanned<String>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum UnitsKey {
    Lines,
    Texts,
    Whole,
    Array,
}

/// Whether a target may be called so.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.len() <= MAX_NAME_BYTES && text.bytes().all(allowed)
}

/// Reads and parses a target file.
///
/// # Errors
/// When it cannot be read or is wrong.
pub fn read(path: &Path) -> Result<Target, FileError> {
    parse(&read_text(path)?, path)
}

/// Parses a target's TOML; a command that it names is started in the folder of `path`.
///
/// # Errors
/// When it is wrong.
pub fn parse(text: &str, path: &Path) -> Result<Target, FileError> {
    let source = Source { text, path };
    source.target(source.parsed()?)
}

impl Source<'_> {
    fn target(self, file: File) -> Result<Target, FileError> {
        let name = file.name.get_ref();
        if !is_name(name) {
            let problem = format!("`name` is {name:?}: 1 to {MAX_NAME_BYTES} of the characters A-Z a-z 0-9 - _");
            return Err(self.wrong(file.name.span(), problem));
        }
        let place = self.place(file.url.as_ref(), file.start.as_ref())?;
        let raw_tcp = file.raw_tcp.as_ref().map(|address| self.socket(address)).transpose()?;
        let mut techniques = BTreeMap::new();
        for (transport, table) in [
            (Transport::ShortPolling, file.short_polling),
            (Transport::LongPolling, file.long_polling),
            (Transport::HttpStreaming, file.http_streaming),
            (Transport::Sse, file.sse),
            (Transport::WebSocket, file.websocket),
        ] {
            if let Some(table) = table {
                let at = table.span();
                let technique = self.technique(transport, table.into_inner(), &file.message, at)?;
                techniques.insert(transport, technique);
            }
        }
        if techniques.is_empty() {
            let problem = "no technique is described: add at least one of `[short-polling]`, `[long-polling]`, \
                           `[http-streaming]`, `[sse]`, `[websocket]`";
            return Err(self.wrong(0..0, problem.into()));
        }
        let dialect = Dialect {
            fields: self.fields(&file.headers)?,
            newcomers: match file.newcomers {
                NewcomersKey::Kept => Newcomers::Kept,
                NewcomersKey::Live => Newcomers::Live,
            },
            others: match file.others {
                OthersKey::Ignore => Others::Ignore,
                OthersKey::Refuse => Others::Refuse,
            },
            publish: self.publish(&file.publish)?,
            complete: file.complete.as_ref().map(|complete| self.complete(complete)).transpose()?,
            metrics: file.metrics.as_ref().map(|metrics| self.path(&metrics.path, &[])).transpose()?,
            techniques,
        };
        Ok(Target {
            name: name.clone(),
            place,
            others: Vec::new(),
            raw_tcp,
            dialect: Arc::new(dialect),
            text: self.text.into(),
        })
    }

    fn place(self, url: Option<&Spanned<String>>, start: Option<&Spanned<Vec<String>>>) -> Result<Place, FileError> {
        match (url, start) {
            (Some(url), Some(_)) => {
                Err(self.wrong(url.span(), "`url` and `start` exclude each other: keep one".into()))
            }
            (Some(url), None) => {
                address(url.get_ref()).map(Place::At).map_err(|problem| self.wrong(url.span(), problem))
            }
            (None, Some(start)) if start.get_ref().first().is_none_or(String::is_empty) => Err(self
                .wrong(start.span(), "`start` is a command and its arguments, e.g. [\"./serve\", \"--quiet\"]".into())),
            (None, Some(start)) => {
                let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
                let folder = folder.map_or_else(|| ".".into(), Path::to_owned);
                Ok(Place::Started { command: start.get_ref().clone(), folder })
            }
            (None, None) => Ok(Place::Unsaid),
        }
    }

    fn socket(self, address: &Spanned<String>) -> Result<SocketAddr, FileError> {
        let socket = address.get_ref().parse().ok().filter(|socket: &SocketAddr| socket.port() > 0);
        socket.ok_or_else(|| {
            let problem = format!(
                "`raw-tcp` is {}: an IP address and a port from 1 to 65535, e.g. 127.0.0.1:9000",
                redacted(address.get_ref())
            );
            self.wrong(address.span(), problem)
        })
    }

    fn publish(self, table: &PublishTable) -> Result<Publish, FileError> {
        let mut fields = self.fields(&table.headers)?;
        if fields.iter().all(|(name, _)| name != CONTENT_TYPE) {
            fields.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
        }
        let spoken = [Variable::Topic, Variable::Payload, Variable::Quoted];
        let body = match &table.body {
            Some(body) => self.template("body", body, &spoken)?,
            None => Template::parse("{payload}"),
        };
        if !body.variables().any(|variable| matches!(variable, Variable::Payload | Variable::Quoted)) {
            let at = table.body.as_ref().map_or(0..0, Spanned::span);
            return Err(self.wrong(at, "`body` holds neither {payload} nor {quoted}: no message would be in it".into()));
        }
        let batch = table.batch.as_ref().map(|batch| self.value("batch", batch)).transpose()?;
        let method = self.method(table.method.as_ref(), Method::POST)?;
        Ok(Publish { method, path: self.path(&table.path, &[Variable::Topic])?, fields, body, batch })
    }

    fn complete(self, table: &CompleteTable) -> Result<Complete, FileError> {
        let method = self.method(table.method.as_ref(), Method::DELETE)?;
        Ok(Complete { method, path: self.path(&table.path, &[Variable::Topic])? })
    }

    fn technique(
        self,
        transport: Transport,
        table: TechniqueTable,
        all: &PartsTable,
        at: std::ops::Range<usize>,
    ) -> Result<Technique, FileError> {
        let misplaced = |key: Option<std::ops::Range<usize>>, name: &str| match key {
            Some(at) => Err(self.wrong(at, format!("`{name}` means nothing for {transport}: remove this line"))),
            None => Ok(()),
        };
        if transport != Transport::WebSocket {
            misplaced(table.hello.as_ref().map(Spanned::span), "hello")?;
            misplaced(table.speaks.as_ref().map(Spanned::span), "speaks")?;
        }
        if transport != Transport::Sse {
            misplaced(table.missed_event.as_ref().map(Spanned::span), "missed-event")?;
        }
        let units = self.units(transport, &table, at)?;
        // What an event holds beside its id is its payload, unless its own table says more.
        let is_event = transport == Transport::Sse;
        let part = |own: &Option<Spanned<String>>, all: &Option<Spanned<String>>| {
            let key = own.as_ref().or(all.as_ref().filter(|_| !is_event));
            key.map(|pointer| self.pointer(pointer)).transpose()
        };
        let mut path_of = vec![Variable::Topic];
        if transport == Transport::LongPolling {
            path_of.push(Variable::Wait);
        }
        let spoken = [Variable::Topic, Variable::Payload, Variable::Quoted];
        let parts = Parts {
            payload: part(&table.payload, &all.payload)?.unwrap_or_default(),
            id: part(&table.id, &all.id)?,
            missed: part(&table.missed, &all.missed)?,
        };
        Ok(Technique {
            path: self.path(&table.path, &path_of)?,
            fields: self.fields(&table.headers)?,
            begin: self.said(&table.begin)?,
            resume: self.said(&table.resume)?,
            units,
            parts,
            hello: table
                .hello
                .map(|hello| self.template("hello", &hello, &[Variable::Topic, Variable::Id]))
                .transpose()?,
            speaks: table.speaks.map(|speaks| self.template("speaks", &speaks, &spoken)).transpose()?,
        })
    }

    fn units(
        self,
        transport: Transport,
        table: &TechniqueTable,
        at: std::ops::Range<usize>,
    ) -> Result<Units, FileError> {
        let key = table.units.as_ref();
        let allowed: &[UnitsKey] = match transport {
            Transport::ShortPolling | Transport::LongPolling => {
                &[UnitsKey::Lines, UnitsKey::Texts, UnitsKey::Whole, UnitsKey::Array]
            }
            Transport::HttpStreaming => &[UnitsKey::Lines, UnitsKey::Texts],
            Transport::Sse | Transport::WebSocket | Transport::RawTcp => &[],
        };
        if let Some(key) = key.filter(|key| !allowed.contains(key.get_ref())) {
            let problem = if allowed.is_empty() {
                format!("`units` means nothing for {transport}: remove this line")
            } else {
                "a stream's `units` are \"lines\" or \"texts\"".to_owned()
            };
            return Err(self.wrong(key.span(), problem));
        }
        match (transport, key.map(|key| *key.get_ref()), &table.array) {
            (Transport::Sse, ..) => {
                Ok(Units::Events { missed: table.missed_event.as_ref().map(|event| event.get_ref().clone()) })
            }
            (Transport::WebSocket | Transport::RawTcp, ..) => Ok(Units::Frames),
            (_, Some(UnitsKey::Array), Some(array)) => self.pointer(array).map(Units::Array),
            (_, Some(UnitsKey::Array), None) => Ok(Units::Array(Pointer::default())),
            (_, _, Some(array)) => Err(self.wrong(
                array.span(),
                "`array` says where, with `units = \"array\"`: add that, or remove this line".into(),
            )),
            (_, Some(UnitsKey::Lines), None) => Ok(Units::Lines),
            (_, Some(UnitsKey::Texts), None) => Ok(Units::Texts),
            (_, Some(UnitsKey::Whole), None) => Ok(Units::Whole),
            (_, None, None) => {
                let problem = format!("{transport} needs `units`: what separates messages, e.g. units = \"lines\"");
                Err(self.wrong(at, problem))
            }
        }
    }
}

#[cfg(test)]
mod tests;
