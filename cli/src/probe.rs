//! `pushoff probe`: what a server, or a proxy before it, does to each technique, and how to mend what is wrong.

mod words;

use std::ffi::OsString;
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use futures_util::future::join_all;
use pushoff_loadgen::{Course, Examined, Finding, Listening, Url, examine, find, is_stream, listen};
use pushoff_model::foreign::{SENTENCE, shown};
use pushoff_model::target::{self, Target};
use pushoff_model::{Client, Transport};

use crate::arguments::ProbeOptions;
use crate::pinning::{Cpus, GeneratorCpus};
use crate::{Exit, runtime, survey, targets, terminal};

/// For how long a stream is listened to where nobody says.
const LISTEN: Duration = Duration::from_secs(10);
/// Heartbeats are this many times as far apart as the silence that is tried.
const QUIET: u32 = 4;

/// What was found at one server or URL.
struct Probed {
    /// What it is.
    says: String,
    rows: Vec<Row>,
}

/// The result for one technique.
struct Row {
    technique: &'static str,
    found: Found,
    course: Option<Course>,
}

/// What a server offers by it.
enum Found {
    Offered { first_message: Duration, resumes: bool },
    NotDescribed,
    Wrong { reason: String },
    /// Nothing was published.
    Listened,
}

pub(crate) fn probe(options: &ProbeOptions, json: bool) -> anyhow::Result<Exit> {
    let cpus = Cpus::take(true, GeneratorCpus::Half)?;
    let asked: Vec<&OsString> = [Some(&options.target), options.proxied.as_ref()].into_iter().flatten().collect();
    let probed = runtime::build(cpus.allowed)?
        .block_on(join_all(asked.iter().map(|text| probed(text, options, &cpus))))
        .into_iter()
        .collect::<anyhow::Result<Vec<_>>>()?;
    let probed = compared(probed);
    let text = if json { words::json(&probed)? } else { words::text(&probed, options.idle) };
    let is_wrong = probed.iter().flat_map(|probed| &probed.rows).any(Row::is_wrong);
    Ok(terminal::result(&text).and(if is_wrong { Exit::CellFailed } else { Exit::Done }))
}

impl Row {
    fn is_wrong(&self) -> bool {
        matches!(self.found, Found::Wrong { .. }) || self.course.as_ref().is_some_and(Course::is_wrong)
    }
}

/// The transports that a target describes.
pub(crate) fn spoken(target: &Target) -> Vec<Transport> {
    Transport::ALL.into_iter().filter(|&transport| target.speaks(transport)).collect()
}

/// Listens to a URL that answers with a stream, and publishes to any other.
async fn probed(text: &OsString, options: &ProbeOptions, cpus: &Cpus) -> anyhow::Result<Probed> {
    if let Some(url) = stream(text, options).await? {
        return listened(url, options).await;
    }
    ensure!(
        options.listen.is_none() && !options.http2,
        "--listen and --http2 are for a URL with a path that is listened to, and messages are published to {}",
        target::redacted(&text.to_string_lossy())
    );
    let target = targets::asked(std::slice::from_ref(text))?.remove(0);
    let heartbeat = options.idle.map(|idle| idle * QUIET);
    let context = || format!("looking at {}", target.name);
    let mut served = survey::begin_with(&target, cpus, heartbeat).await.with_context(context)?;
    let examined =
        examine(&served.server, &spoken(&target), Client::Library, options.idle.unwrap_or_default()).await;
    let says = survey::says(&target, &served);
    if examined.iter().any(|it| it.finding.verdict.is_err())
        && let Some(death) = served.death().await
    {
        terminal::remark(&format!("{}: {death}", target.name));
    }
    served.end().await;
    Ok(Probed { says, rows: Transport::ALL.into_iter().map(|transport| row(transport, &examined)).collect() })
}

/// A URL that is to be listened to: it has a path, and its answer is a stream, unless somebody says that it is one.
async fn stream(text: &OsString, options: &ProbeOptions) -> anyhow::Result<Option<Url>> {
    let Some(text) = text.to_str().filter(|text| text.find("://").is_some_and(|at| !text[..at].contains('='))) else {
        return Ok(None);
    };
    let (before, query) = text.split_once('?').map_or((text, None), |(before, query)| (before, Some(query)));
    let address = target::address(before).map_err(|problem| anyhow!(problem))?;
    if address.base.is_empty() && query.is_none() && options.listen.is_none() {
        return Ok(None);
    }
    find(&address).await.with_context(|| format!("looking at {}", target::redacted(text)))?;
    let url: Url = text.parse().with_context(|| format!("reading the URL {}", target::redacted(text)))?;
    let is_stream = options.listen.is_some() || query.is_some() || is_stream(&url, options.http2).await?;
    if !is_stream {
        let shown = target::redacted(text);
        terminal::remark(&format!(
            "{shown} answers with no stream, so it is taken for a server that speaks pushoff's wire contract (--listen 10s \
             listens to it all the same)"
        ));
    }
    Ok(is_stream.then_some(url))
}

async fn listened(url: Url, options: &ProbeOptions) -> anyhow::Result<Probed> {
    let name = target::redacted(url.as_str());
    let (listen_for, idle) = (options.listen.unwrap_or(LISTEN), options.idle.unwrap_or_default());
    let what = Listening { url, http2: options.http2, listen: listen_for, idle };
    let heard = listen(&what).await.with_context(|| format!("listening to {name}"))?;
    let technique = if heard.kind.contains("event-stream") { "event stream" } else { "lines" };
    let head = if heard.head.is_empty() { String::new() } else { format!(": {}", heard.head) };
    Ok(Probed {
        says: format!("{name}{head}"),
        rows: vec![Row { technique, found: Found::Listened, course: Some(heard.course) }],
    })
}

/// What shows only beside the first of two.
fn compared(mut all: Vec<Probed>) -> Vec<Probed> {
    if let [direct, proxied] = &mut all[..] {
        for row in &mut proxied.rows {
            let same = direct.rows.iter().find(|direct| direct.technique == row.technique || direct.found.is_listened());
            if let (Some(course), Some(direct)) = (&mut row.course, same.and_then(|direct| direct.course.as_ref())) {
                course.beside(direct);
            }
        }
    }
    all
}

impl Found {
    const fn is_listened(&self) -> bool {
        matches!(self, Self::Listened)
    }
}

fn row(transport: Transport, examined: &[Examined]) -> Row {
    let examined = examined.iter().find(|examined| examined.finding.transport == transport);
    let found = match examined.map(|it| &it.finding.verdict) {
        None => Found::NotDescribed,
        Some(Ok(offer)) => Found::Offered { first_message: offer.first_message, resumes: offer.resumes },
        // The row names the transport already.
        Some(Err(_)) => {
            let reason = examined.map(|it| &it.finding).and_then(Finding::without_its_transport).unwrap_or_default();
            Found::Wrong { reason: shown(reason, SENTENCE * 3) }
        }
    };
    Row { technique: transport.name(), found, course: examined.and_then(|it| it.course.clone()) }
}
