//! The query of a subscription: where to start, and how the transport behaves.
//!
//! A parameter that the transport does not have is refused, and so is a repeated one: a misspelt `?after=` must
//! not start a subscriber elsewhere unnoticed.

use std::str::FromStr;
use std::time::Duration;

use http::HeaderName;
use pushoff_model::{Cursor, Start, Transport};

use crate::http::{Head, Problem};
use crate::limits;

/// The field with the client's last cursor; in a poll's response, the next cursor. Source: WHATWG HTML §9.2.4.
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The parameters of a subscription.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query {
    /// Where to start.
    pub(crate) start: Start,
    /// The most messages in a poll's response, at least 1.
    pub(crate) limit: usize,
    /// How long a long poll may wait.
    pub(crate) wait: Duration,
    /// How an event stream ends.
    pub(crate) mode: Mode,
    /// How long an `EventSource` that polls waits between two polls.
    pub(crate) interval: Duration,
    /// Whether a WebSocket also subscribes.
    pub(crate) subscribe: bool,
}

/// When an event stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Never.
    Streaming,
    /// After the first batch.
    LongPolling,
    /// At once.
    ShortPolling,
}

impl Query {
    /// The parameters of a request.
    pub(crate) fn parse(head: &Head<'_>, transport: Transport) -> Result<Self, Problem> {
        let mut query = Self {
            start: Start::Now,
            limit: limits::POLL_MESSAGES,
            wait: limits::WAIT,
            mode: Mode::Streaming,
            interval: limits::RETRY,
            subscribe: true,
        };
        let known = known(transport);
        let mut seen = [false; MOST];
        for (name, value) in form_urlencoded::parse(head.query.as_bytes()) {
            let place = known.iter().position(|it| *it == name).ok_or_else(|| unknown(&name, transport, known))?;
            if std::mem::replace(&mut seen[place], true) {
                return Err(Problem::bad_request(format!("the query parameter `{name}` is given twice")));
            }
            query.set(&name, &value).ok_or_else(|| wrong(&name, &value))?;
        }
        let is_given = |name: &&str| known.iter().position(|it| it == name).is_some_and(|at| seen[at]);
        if let Some(name) = query.meaningless(transport).iter().find(|name| is_given(name)) {
            let modes =
                if *name == "wait" { "`mode=long-polling`" } else { "`mode=long-polling` and `mode=short-polling`" };
            let detail = format!("the query parameter `{name}` is only for {modes}: set `mode`, or remove `{name}`");
            return Err(Problem::bad_request(detail));
        }
        if let Some(cursor) = last_event_id(head)? {
            query.start = Start::After(cursor);
        }
        Ok(query)
    }

    /// The parameters without a meaning in the event stream's mode.
    const fn meaningless(&self, transport: Transport) -> &'static [&'static str] {
        match (transport, self.mode) {
            (Transport::Sse, Mode::Streaming) => &["limit", "wait", "interval"],
            (Transport::Sse, Mode::ShortPolling) => &["wait"],
            (_, Mode::Streaming | Mode::LongPolling | Mode::ShortPolling) => &[],
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "after" => self.start = value.parse().ok()?,
            "limit" => self.limit = number(value).filter(|&limit| limit > 0)?,
            "wait" => self.wait = seconds(value).filter(|&wait| wait <= limits::LONGEST_WAIT)?,
            "interval" => self.interval = milliseconds(value).filter(|&gap| gap <= limits::LONGEST_INTERVAL)?,
            "mode" => {
                self.mode = match value {
                    "streaming" => Mode::Streaming,
                    "long-polling" => Mode::LongPolling,
                    "short-polling" => Mode::ShortPolling,
                    _ => return None,
                }
            }
            "subscribe" => self.subscribe = value.parse().ok()?,
            _ => return None,
        }
        Some(())
    }
}

/// The most parameters that a transport has.
const MOST: usize = 5;

/// The parameters of a transport.
const fn known(transport: Transport) -> &'static [&'static str] {
    match transport {
        Transport::ShortPolling => &["after", "limit"],
        Transport::LongPolling => &["after", "limit", "wait"],
        Transport::HttpStreaming | Transport::RawTcp => &["after"],
        Transport::Sse => &["after", "mode", "limit", "wait", "interval"],
        Transport::WebSocket => &["after", "subscribe"],
    }
}

fn unknown(name: &str, transport: Transport, known: &[&str]) -> Problem {
    let known = known.join(", ");
    Problem::bad_request(format!("{transport} has no query parameter `{name}`: it has {known}"))
}

/// Parses digits. Rust's own parser would accept a sign.
fn number<N: FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Seconds, whole or with a fraction.
fn seconds(text: &str) -> Option<Duration> {
    let decimal = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    decimal.then(|| text.parse().ok()).flatten().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

/// Whole milliseconds, at least 1.
fn milliseconds(text: &str) -> Option<Duration> {
    number(text).filter(|&milliseconds| milliseconds > 0).map(Duration::from_millis)
}

fn wrong(name: &str, value: &str) -> Problem {
    let allowed = match name {
        "after" => "a cursor such as 5f3a9c21-42, or `start`",
        "limit" => "a number of messages, from 1 to 18446744073709551615",
        "wait" => "a number of seconds, 0 to 120",
        "interval" => "a number of milliseconds, 1 to 3600000",
        "mode" => "streaming, long-polling or short-polling",
        _ => "true or false",
    };
    Problem::bad_request(format!("the query parameter `{name}` is {allowed}, not `{value}`"))
}

/// The cursor in `Last-Event-ID`; `None` where the field is empty, or missing as in a first `EventSource`
/// request.
fn last_event_id(head: &Head<'_>) -> Result<Option<Cursor>, Problem> {
    let Some(value) = head.field(&LAST_EVENT_ID).filter(|value| !value.is_empty()) else { return Ok(None) };
    let cursor = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    let wrong = || Problem::bad_request("the field `Last-Event-ID` is a cursor such as 5f3a9c21-42");
    cursor.map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use pushoff_model::Epoch;

    use super::*;
    use crate::http::head;

    fn parse(query: &str, last_event_id: Option<&str>) -> Result<Query, Problem> {
        parse_for(Transport::Sse, query, last_event_id)
    }

    fn parse_for(transport: Transport, query: &str, last_event_id: Option<&str>) -> Result<Query, Problem> {
        let last = last_event_id.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        let request = format!("GET /topics/t/{transport}{query} HTTP/1.1\r\nHost: t\r\n{last}\r\n");
        head::with(&request, |head| Query::parse(head, transport))
    }

    const CURSOR: Cursor = Cursor { epoch: Epoch(0x5f3a_9c21), sequence: 42 };

    #[test]
    fn a_subscription_starts_now_unless_told() {
        assert_eq!(parse("", None).unwrap().start, Start::Now);
        assert_eq!(parse("?after=start", None).unwrap().start, Start::Oldest);
        assert_eq!(parse("?after=5f3a9c21-42", None).unwrap().start, Start::After(CURSOR));
        assert_eq!(parse("", Some("")).unwrap().start, Start::Now);
    }

    #[test]
    fn the_header_wins_over_the_query() {
        let query = parse("?after=5f3a9c21-7", Some("5f3a9c21-42")).unwrap();
        assert_eq!(query.start, Start::After(CURSOR));
    }

    #[test]
    fn allowed_parameters_are_parsed() {
        let query = parse("?limit=7&wait=0.5&mode=long-polling&interval=250", None).unwrap();
        assert_eq!((query.limit, query.wait), (7, Duration::from_millis(500)));
        assert_eq!((query.mode, query.interval), (Mode::LongPolling, Duration::from_millis(250)));
        assert!(!parse_for(Transport::WebSocket, "?subscribe=false", None).unwrap().subscribe);
        assert_eq!(parse_for(Transport::LongPolling, "?wait=120", None).unwrap().wait, limits::LONGEST_WAIT);
        assert_eq!(parse_for(Transport::LongPolling, "?wait=0", None).unwrap().wait, Duration::ZERO);
    }

    #[test]
    fn a_wrong_value_is_refused_by_the_parameters_name() {
        for wrong in [
            "after=nonsense",
            "after=",
            "limit=0",
            "limit=-1",
            "limit=+1",
            "limit=",
            "wait=121",
            "wait=-1",
            "wait=inf",
            "wait=.",
            "wait=",
            "interval=0",
            "interval=1.5",
            "interval=3600001",
            "mode=poll",
            "subscribe=true",
            "afer=start",
        ] {
            let problem = parse(&format!("?{wrong}"), None).unwrap_err();
            let (name, _) = wrong.split_once('=').unwrap();
            assert!(format!("{problem:?}").contains(&format!("`{name}`")), "{wrong}: {problem:?}");
        }
        assert!(parse("", Some("start")).is_err());
    }
    #[test]
    fn an_unknown_parameter_and_a_repeated_one_are_refused() {
        let values = [
            ("after", "start"),
            ("limit", "1"),
            ("wait", "1"),
            ("mode", "streaming"),
            ("interval", "1"),
            ("subscribe", "true"),
            ("afer", "start"),
        ];
        for transport in Transport::ALL {
            for (name, value) in values {
                let is_known = known(transport).contains(&name);
                let mode = if transport == Transport::Sse && name != "mode" { "&mode=long-polling" } else { "" };
                assert_eq!(
                    parse_for(transport, &format!("?{name}={value}{mode}"), None).is_ok(),
                    is_known,
                    "{transport} {name}"
                );
                assert!(parse_for(transport, &format!("?{name}={value}&{name}={value}"), None).is_err());
            }
            assert!(known(transport).len() <= MOST);
        }
        for wrong in ["limit=1", "wait=1", "interval=1", "mode=streaming&limit=1", "mode=short-polling&wait=1"] {
            assert!(parse(&format!("?{wrong}"), None).is_err(), "{wrong}");
        }
        assert!(parse("?mode=short-polling&limit=1&interval=1", None).is_ok());
    }
}
