//! A server that is to be measured: where it is and how it is spoken to. Parsed once from TOML,
//! valid ever after.
//!
//! `docs/TARGETS.md` describes every key. Our own wire contract is written in the same words, in
//! `targets/pushoff.toml`: a server of somebody else's is no special case.

mod address;
mod parse;
mod template;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, Method};

use crate::file::FileError;
use crate::transport::Transport;
use crate::wire::Wire;

pub use address::{Address, address, lacks_its_scheme, redacted};
pub use parse::{is_name, parse, read};
pub use template::{Template, Variable};

/// The targets that come with pushoff: name and TOML, our own first. The others are set up as
/// `scripts/peers` does it.
pub const BUILT_IN: [(&str, &str); 3] = [
    ("pushoff", include_str!("../../targets/pushoff.toml")),
    ("nchan", include_str!("../../targets/nchan.toml")),
    ("node-ws", include_str!("../../targets/node-ws.toml")),
];

/// The name of our own dialect, and of the server that speaks it.
pub const OURS: &str = "pushoff";

/// The built-in target of that name, if there is one.
///
/// # Errors
/// When the built-in file is wrong, which a test rules out.
#[must_use]
pub fn built_in(name: &str) -> Option<Result<Target, FileError>> {
    let (name, text) = BUILT_IN.into_iter().find(|(built_in, _)| *built_in == name)?;
    Some(parse(text, &PathBuf::from(format!("targets/{name}.toml"))))
}

/// A server to be measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What reports call it: letters, digits, `-`, `_`.
    pub name: String,
    /// Where it is to be found.
    pub place: Place,
    /// Where else it is: servers that share a log with it, and are one with it.
    pub others: Vec<Address>,
    /// Where it speaks pushoff's raw TCP, if it does.
    pub raw_tcp: Option<SocketAddr>,
    /// How it is spoken to.
    pub dialect: Arc<Dialect>,
    /// The TOML that it was parsed from, for an agent that has not got the file.
    pub text: Arc<str>,
}

/// Where a server is to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nobody has said yet.
    Unsaid,
    /// It runs already.
    At(Address),
    /// It is started for each trial, and says on its first line of output where it listens.
    Started {
        /// The command and its arguments.
        command: Vec<String>,
        /// The folder that it is started in.
        folder: PathBuf,
    },
}

/// How a server is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Fields that every request carries.
    pub fields: Vec<Field>,
    /// What one who subscribes for the first time gets.
    pub newcomers: Newcomers,
    /// What is to be thought of messages that are not the generator's.
    pub others: Others,
    /// How a message is published.
    pub publish: Publish,
    /// How a topic is completed, where it can be.
    pub complete: Option<Complete>,
    /// Where the server says what its process uses, in Prometheus's text format, if it does: for one whose processes
    /// cannot be seen.
    pub metrics: Option<Template>,
    /// The techniques that the server has.
    pub techniques: BTreeMap<Transport, Technique>,
}

/// A field of a request, e.g. `Authorization`.
pub type Field = (HeaderName, HeaderValue);

/// What one who subscribes for the first time gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Newcomers {
    /// What the topic keeps: a message that was published before greets all who come.
    #[default]
    Kept,
    /// What is published from then on: the greeting is published when all are there, and again
    /// until all have heard it.
    Live,
}

/// What is to be thought of messages that are not the generator's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Others {
    /// Nothing: the server says more than was published, such as a greeting of its own.
    #[default]
    Ignore,
    /// That the server is wrong: there is nobody else to publish.
    Refuse,
}

/// How a message is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// Usually `POST`.
    pub method: Method,
    /// Where to, from `{topic}`.
    pub path: Template,
    /// Fields that publishing takes beside those of every request, the content type among them.
    pub fields: Vec<Field>,
    /// The body, from `{payload}`, `{quoted}` (the payload as a JSON string) and `{topic}`.
    pub body: Template,
    /// The content type of several payloads in one request, a line each; absent where a request
    /// holds one.
    pub batch: Option<HeaderValue>,
}

/// How a topic is completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complete {
    /// Usually `DELETE`.
    pub method: Method,
    /// Of what, from `{topic}`.
    pub path: Template,
}

/// How a server speaks one technique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Technique {
    /// Where to, from `{topic}`, and `{wait}` (seconds) for long polling.
    pub path: Template,
    /// Fields that it takes beside those of every request.
    pub fields: Vec<Field>,
    /// What one says who has no message yet.
    pub begin: Vec<Said>,
    /// What one says who has.
    pub resume: Vec<Said>,
    /// What separates messages.
    pub units: Units,
    /// Where the parts of a message are.
    pub parts: Parts,
    /// WebSocket: what is to be sent first, from `{topic}` and `{id}`.
    pub hello: Option<Template>,
    /// WebSocket: what a client sends to publish on its own connection, from `{payload}`,
    /// `{quoted}` and `{topic}`; absent where it cannot.
    pub speaks: Option<Template>,
}

/// Something that a request says of where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Where it is said.
    pub place: SaidIn,
    /// What, from `{id}` (of the last message) and `{Field-Name}` (of the last response); left
    /// out while one of them is not known.
    pub value: Template,
}

/// Where a request says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaidIn {
    /// In a field of its head.
    Field(HeaderName),
    /// In a parameter of its query.
    Query(String),
}

/// What separates messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Units {
    /// A line each.
    Lines,
    /// JSON texts, one after another.
    Texts,
    /// A response holds one.
    Whole,
    /// A response is JSON, and here in it is an array of them.
    Array(Pointer),
    /// Events of an event stream. One of this type says how many messages were missed.
    Events {
        /// The type of event, where there is such a one.
        missed: Option<String>,
    },
    /// Text frames.
    Frames,
}

/// Where the parts of a message are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// What was published. Where a JSON string is found, its text is meant.
    pub payload: Pointer,
    /// The message's id. An event's own is not looked for here.
    pub id: Option<Pointer>,
    /// How many were missed, in what is no message.
    pub missed: Option<Pointer>,
}

/// A place in a JSON text (RFC 6901): the names to follow; none is the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pointer(pub Vec<String>);

impl Dialect {
    /// How the server speaks a technique, where it does.
    #[must_use]
    pub fn technique(&self, transport: Transport) -> Option<&Technique> {
        self.techniques.get(&transport)
    }
}

impl Target {
    /// Whether it can be reached on a wire: over TLS where its address says so or it is our own server, in the clear
    /// where its address does not.
    #[must_use]
    pub const fn is_reached(&self, wire: Wire) -> bool {
        match &self.place {
            Place::Unsaid => true,
            Place::At(address) => address.is_tls == wire.tls,
            Place::Started { .. } => !wire.tls,
        }
    }

    /// Whether a transport can be measured on it.
    #[must_use]
    pub fn speaks(&self, transport: Transport) -> bool {
        match transport {
            Transport::RawTcp => self.raw_tcp.is_some() || (self.is_ours() && !matches!(self.place, Place::At(_))),
            Transport::ShortPolling
            | Transport::LongPolling
            | Transport::HttpStreaming
            | Transport::Sse
            | Transport::WebSocket => self.dialect.technique(transport).is_some(),
        }
    }

    /// Whether it speaks our own wire contract: what its bytes must be is known.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.name == OURS
    }
}
