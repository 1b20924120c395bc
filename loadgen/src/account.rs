//! Processor time and memory as servers report them of their own processes, for servers on another machine.
//!
//! Prometheus's client libraries tell it by the same names in every language, and pushoff's server does. Source: "Process
//! metrics" in Prometheus's guide "Writing client libraries".

use std::sync::Once;
use std::time::Duration;

use futures_util::future::try_join_all;
use http::HeaderMap;
use reqwest::{Client, Url};
use tracing::warn;

use crate::bounded::bounded_body;

/// How long an answer is waited for. Chosen here: far beyond a scrape of a server that is not overloaded.
const WITHIN: Duration = Duration::from_secs(2);
/// The longest answer that is read, in bytes. Chosen here: some thousand times pushoff's own.
const LONGEST: usize = 4 << 20;

/// By how many seconds a start may move without being another. Chosen here: boot is told in whole seconds.
const MOVED_S: f64 = 2.0;

/// Of a run's many readings, the first that fails is told.
static TOLD: Once = Once::new();

/// The addresses at which the servers of a run report what their processes use.
#[derive(Debug)]
pub struct Account {
    /// The client that asks.
    pub(crate) client: Client,
    /// The URL of each server that shares a log, with the fields of the request.
    pub(crate) places: Vec<(Url, HeaderMap)>,
}

/// The reports of all servers at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told(pub(crate) Vec<Itself>);

/// A server's report of its process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Itself {
    /// Processor time since it started.
    pub(crate) cpu_ns: u64,
    /// Memory.
    pub(crate) resident_bytes: u64,
    /// When it started, in seconds since 1970, if it says so.
    pub(crate) started: Option<f64>,
}

impl Itself {
    /// Whether it is the process that it was. Clients that add the moment of boot anew each time move with the clock.
    fn is_still(&self, earlier: &Self) -> bool {
        match (self.started, earlier.started) {
            (Some(now), Some(then)) => (now - then).abs() < MOVED_S,
            (now, then) => now == then,
        }
    }
}

impl Told {
    /// The processor time of all since an earlier moment; `None` where one was started again since.
    pub(crate) fn cpu_ns_since(&self, earlier: &Self) -> Option<u64> {
        let both = self.0.iter().zip(&earlier.0);
        both.map(|(now, then)| now.cpu_ns.checked_sub(then.cpu_ns).filter(|_| now.is_still(then))).sum()
    }

    /// The memory of all.
    pub(crate) fn resident_bytes(&self) -> u64 {
        self.0.iter().map(|it| it.resident_bytes).sum()
    }
}

impl Account {
    /// Asks them all now; `None` where one does not answer, or does not say enough.
    pub(crate) async fn read(&self) -> Option<Told> {
        let all = try_join_all(self.places.iter().map(|place| self.ask(place))).await;
        let tell = |(url, why): &(Url, String)| warn!(%url, why, "the server does not say what its process uses");
        all.inspect_err(|said| TOLD.call_once(|| tell(said))).ok().map(Told)
    }

    async fn ask(&self, (url, fields): &(Url, HeaderMap)) -> Result<Itself, (Url, String)> {
        let asked = async {
            let request = self.client.get(url.clone()).headers(fields.clone()).timeout(WITHIN);
            let mut response = request.send().await?.error_for_status()?;
            bounded_body(&mut response, LONGEST).await
        };
        let body = asked.await.map_err(|error| (url.clone(), error.to_string()))?;
        let text = body.as_deref().and_then(|body| str::from_utf8(body).ok());
        text.and_then(parse).ok_or_else(|| (url.clone(), "its processor time or its memory is missing".to_owned()))
    }
}

/// The metrics of a text format, each over all of its labels: workers of one server.
fn parse(text: &str) -> Option<Itself> {
    let sum = |wanted: &str| {
        let values = text.lines().filter_map(|line| {
            let rest = line.strip_prefix(wanted)?;
            let value = match rest.strip_prefix('{') {
                Some(labels) => labels.rsplit_once('}')?.1,
                None => rest.strip_prefix([' ', '\t'])?,
            };
            value
                .split_ascii_whitespace()
                .next()?
                .parse::<f64>()
                .ok()
                .filter(|value| value.is_finite() && *value >= 0.0)
        });
        values.reduce(|sum, value| sum + value)
    };
    let cpu_ns = Duration::try_from_secs_f64(sum("process_cpu_seconds_total")?).ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size in bytes, not below zero")]
    let resident_bytes = sum("process_resident_memory_bytes")? as u64;
    let started = sum("process_start_time_seconds");
    Some(Itself { cpu_ns: pushoff_model::time::nanos(cpu_ns), resident_bytes, started })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metrics_are_found_among_others_with_and_without_labels() {
        let text = "# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.\n\
                    # TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 1.25\n\
                    process_cpu_seconds_total_of_others 99\nprocess_resident_memory_bytes 5.0e6 1700000000000\n\
                    process_start_time_seconds 1.5\n";
        let itself = Itself { cpu_ns: 1_250_000_000, resident_bytes: 5_000_000, started: Some(1.5) };
        assert_eq!(parse(text), Some(itself));
        let workers = "process_cpu_seconds_total{worker=\"1\",of=\"a } b\"} 1\nprocess_cpu_seconds_total{worker=\"2\"} 2\n\
                       process_resident_memory_bytes{worker=\"1\"} 7\n";
        assert_eq!(parse(workers), Some(Itself { cpu_ns: 3_000_000_000, resident_bytes: 7, started: None }));
    }

    #[test]
    fn a_server_that_was_started_again_says_nothing_of_the_time_before() {
        let told = |all: [(u64, f64); 2]| {
            let itself = |(cpu_ns, started)| Itself { cpu_ns, resident_bytes: 1, started: Some(started) };
            Told(all.map(itself).to_vec())
        };
        let earlier = told([(10, 1.0), (20, 1.0)]);
        assert_eq!(told([(15, 1.0), (20, 1.0)]).cpu_ns_since(&earlier), Some(5));
        assert_eq!(told([(15, 2.0), (20, 1.0)]).cpu_ns_since(&earlier), Some(5), "a clock was set");
        assert_eq!(told([(50, 1.0), (2, 1.0)]).cpu_ns_since(&earlier), None, "however much the other one used");
        assert_eq!(told([(15, 1.0), (30, 4.0)]).cpu_ns_since(&earlier), None, "however much it has used since");
        assert_eq!(earlier.resident_bytes(), 2);
    }

    #[test]
    fn what_lacks_one_of_them_or_says_nonsense_says_nothing() {
        assert_eq!(parse("process_cpu_seconds_total 1.25\n"), None);
        assert_eq!(parse("process_cpu_seconds_total NaN\nprocess_resident_memory_bytes 1\n"), None);
        assert_eq!(parse("process_cpu_seconds_total 1e300\nprocess_resident_memory_bytes 1\n"), None);
        assert_eq!(parse("<html>"), None);
        assert_eq!(parse(""), None);
    }
}
