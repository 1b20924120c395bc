//! `pushoff probe`: what a server, or a proxy before it, does to each technique, and how to mend what is wrong.

mod words;

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use futures_util::future::join_all;
use pushoff_loadgen::{Course, Examined, Finding, Listening, examine, is_stream, listen};
use pushoff_model::foreign::{SENTENCE, shown};
use pushoff_model::target::{self, Target};
use pushoff_model::{Client, Http, Transport};

use crate::arguments::ProbeOptions;
use crate::interrupt::on_interrupt;
use crate::pinning::{Cpus, GeneratorCpus};
use crate::{Exit, preflight, runtime, targets, terminal};

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
    Offered {
        first_message: Duration,
        resumes: bool,
    },
    NotDescribed,
    Wrong {
        reason: String,
    },
    /// Nothing was published.
    Listened,
}

pub(crate) fn probe(options: &ProbeOptions, json: bool) -> anyhow::Result<Exit> {
    let cpus = Cpus::take(true, GeneratorCpus::Half)?;
    let asked: Vec<&OsString> = [Some(&options.target), options.proxied.as_ref()].into_iter().flatten().collect();
    targets::ensure_trust_matters(&options.trust, &targets_of(&asked, options)?)?;
    let runtime = runtime::build(cpus.allowed)?;
    // A server that was started ends when what waits for it is dropped.
    let interrupted = on_interrupt()?;
    let all = join_all(asked.iter().map(|text| probed(text, options, &cpus)));
    let Some(probed) = runtime.block_on(interrupted.run_until_cancelled(all)) else {
        terminal::remark("interrupted: what was found so far is not told");
        return Ok(Exit::Interrupted);
    };
    let probed = probed.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
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

/// The servers of a probe, those of URLs that are listened to among them.
fn targets_of(asked: &[&OsString], options: &ProbeOptions) -> anyhow::Result<Vec<Arc<Target>>> {
    let target = |text: &&OsString| {
        Ok(match path_of(text, options)? {
            Some((origin, _)) => targets::asked(&[origin.into()])?.remove(0),
            None => targets::asked(std::slice::from_ref(*text))?.remove(0),
        })
    };
    asked.iter().map(target).collect()
}

/// Listens to a URL that answers with a stream, and publishes to any other.
async fn probed(text: &OsString, options: &ProbeOptions, cpus: &Cpus) -> anyhow::Result<Probed> {
    match path_of(text, options)? {
        Some((origin, path)) => {
            let target = targets::asked(&[origin.into()])?.remove(0);
            let http = if options.http2 { Http::Two } else { Http::One };
            let served = preflight::begin(&target, cpus, &options.trust.anchor(), http, None).await?;
            let what = Listening {
                server: served.server,
                target: path.to_owned(),
                listen: options.listen.unwrap_or(LISTEN),
                idle: options.idle.unwrap_or_default(),
            };
            let name = target::redacted(&text.to_string_lossy());
            let context = || format!("listening to {name}");
            let is_said = options.listen.is_some() || path.contains('?');
            if is_said || is_stream(&what).await.with_context(context)? {
                return listened(&what, &name).await.with_context(context);
            }
            terminal::remark(&format!(
                "{name} answers with no stream, so it is taken for a server that speaks pushoff's wire contract \
                 (--listen 10s listens to it all the same)"
            ));
        }
        None => ensure!(
            options.listen.is_none() && !options.http2,
            "--listen and --http2 are for a URL with a path, which is listened to; messages are published to {}",
            target::redacted(&text.to_string_lossy())
        ),
    }
    published(text, options, cpus).await
}

/// Origin, and path with query, of a URL with a path: one that may be listened to.
fn path_of<'a>(text: &'a OsString, options: &ProbeOptions) -> anyhow::Result<Option<(&'a str, &'a str)>> {
    let Some(text) = text.to_str() else { return Ok(None) };
    let Some(scheme_ends) = text.find("://").filter(|&at| !text[..at].contains('=')) else { return Ok(None) };
    // Whatever is wrong with it, a password above all, is told without a query.
    let address = target::address(text.split('?').next().unwrap_or_default()).map_err(|problem| anyhow!(problem))?;
    if address.base.is_empty() && !text.contains('?') && options.listen.is_none() {
        return Ok(None);
    }
    let begins = text[scheme_ends + 3..].find(['/', '?']).map_or(text.len(), |at| scheme_ends + 3 + at);
    let (origin, path) = text.split_at(begins);
    Ok(Some((origin, if path.is_empty() { "/" } else { path })))
}

/// Publishes to a server, and listens by each technique.
async fn published(text: &OsString, options: &ProbeOptions, cpus: &Cpus) -> anyhow::Result<Probed> {
    let target = targets::asked(std::slice::from_ref(text))?.remove(0);
    let heartbeat = options.idle.map(|idle| idle * QUIET);
    let context = || format!("looking at {}", target.name);
    let mut served =
        preflight::begin(&target, cpus, &options.trust.anchor(), Http::One, heartbeat).await.with_context(context)?;
    let idle = options.idle.unwrap_or_default();
    let examined = examine(&served.server, &spoken(&target), Client::Library, idle).await;
    let says = preflight::says(&target, &served);
    if examined.iter().any(|it| it.finding.verdict.is_err())
        && let Some(death) = served.death().await
    {
        terminal::remark(&format!("{}: {death}", target.name));
    }
    served.end().await;
    Ok(Probed { says, rows: Transport::ALL.into_iter().map(|transport| row(transport, &examined)).collect() })
}

async fn listened(what: &Listening, name: &str) -> anyhow::Result<Probed> {
    let heard = listen(what).await?;
    let technique = match heard.kind.as_str() {
        "" => "stream",
        kind if kind.contains("event-stream") => "event stream",
        _ => "lines",
    };
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
            let same =
                direct.rows.iter().find(|direct| direct.technique == row.technique || direct.found.is_listened());
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
