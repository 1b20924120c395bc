//! Publishing by `POST`: one payload or a batch of lines, checked whole before any message is appended.

use std::collections::VecDeque;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, StatusCode};
use pushoff_model::{Cursor, Topic};
use serde::Serialize;
use tokio::task::{spawn_blocking, yield_now};

use crate::http::{Head, Problem, Response};
use crate::hub::{Payload, PayloadError, Retention, Run, Unpublished};
use crate::limits;
use crate::memory::{self, Lease, OutOfMemory};
use crate::state::Server;
use crate::stats::Via;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Chosen here: room for every kind of unique id, within what NATS counts for a message.
const LONGEST_KEY: usize = 128;

/// The media type of a body.
#[derive(Clone, Copy, Debug)]
enum Media {
    /// `application/json`: one payload.
    Json,
    /// `application/x-ndjson`: one payload a line.
    Ndjson,
}

/// The response to a publish: the cursor of the message, or of the last one.
#[derive(Serialize)]
struct Published {
    id: Cursor,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
}

/// A `POST /topics/{topic}` that was admitted by its head.
#[derive(Debug)]
pub(crate) struct Publication {
    topic: Topic,
    media: Media,
    limit: usize,
    /// Where the store is outside the process; boxed because each connection has the room for it.
    outside: Option<Box<Outside>>,
}

/// What a publish to a store outside the process has besides.
#[derive(Debug)]
struct Outside {
    /// The publisher's name for the publish, by which a retry is known.
    key: Option<String>,
}

impl Publication {
    /// Checks the token, the media type and the length of a publish.
    pub(crate) fn admit(server: &Server, head: &Head<'_>, topic: Topic) -> Result<Self, Problem> {
        authorize(server, head)?;
        let media = media(head)?;
        let limit = match media {
            Media::Json => server.config.max_payload,
            Media::Ndjson => server.config.max_batch.max(server.config.max_payload),
        };
        let outside = if server.hub.is_outside() { Some(Box::new(Outside { key: key(head)? })) } else { None };
        let publication = Self { topic, media, limit, outside };
        let announced = head.text(&CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
        if announced.is_some_and(|length| length > limit as u64) {
            Err(publication.too_long())
        } else {
            Ok(publication)
        }
    }

    /// The longest body, in bytes.
    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    /// The problem for a body beyond the limit, which is not read.
    pub(crate) fn too_long(&self) -> Problem {
        let detail = format!("this body is longer than the {} bytes that are taken", self.limit);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail).closing()
    }

    /// Whether a body of that length can be checked without letting other tasks run.
    pub(crate) const fn is_quick(&self, length: usize) -> bool {
        self.outside.is_none() && self.is_short(length)
    }

    /// Leases what the messages of a batch take until the log has them: a place and an allocation each.
    fn room(&self, server: &Server, body: &[u8]) -> Result<Option<Lease>, OutOfMemory> {
        match self.media {
            Media::Json => Ok(None),
            Media::Ndjson => {
                let lines = body.iter().filter(|&&byte| byte == b'\n').count() + 1;
                let messages = lines.min(server.hub.retention().messages);
                server.memory.incoming.lease(messages * memory::MESSAGE).map(Some).ok_or(OutOfMemory)
            }
        }
    }

    const fn is_short(&self, length: usize) -> bool {
        matches!(self.media, Media::Json) && length <= limits::LONG_PAYLOAD
    }

    /// Publishes a body that [is quick](Self::is_quick).
    pub(crate) fn append(self, server: &Server, body: &[u8]) -> Response {
        let published = short(body, self.limit).and_then(|run| {
            let count = run.count();
            let id = server.hub.publish_run(&self.topic, run)?;
            server.stats.published(Via::Post, count);
            Ok(self.published(id, count))
        });
        published.unwrap_or_else(Problem::into_response)
    }

    /// Publishes a body, all or none, and lets other tasks run while the body is checked, and while a store outside the
    /// process is waited for.
    pub(crate) async fn append_in_turns(self, server: &Server, body: Bytes) -> Response {
        let Ok(_room) = self.room(server, &body) else { return Problem::from(OutOfMemory).into_response() };
        let run = match self.media {
            Media::Json if self.is_short(body.len()) => short(&body, self.limit),
            Media::Json => long(body, self.limit).await,
            Media::Ndjson => batch(&body, server.config.max_payload, server.hub.retention()).await,
        };
        let published = async {
            let run = run?;
            let count = run.count();
            let key = self.outside.as_ref().and_then(|outside| outside.key.as_deref());
            let (new, id) = server.hub.publish_and_wait(&self.topic, run, key).await;
            server.stats.published(Via::Post, new);
            Ok(self.published(id?, count))
        };
        published.await.unwrap_or_else(Problem::into_response)
    }

    fn published(&self, id: Cursor, count: u64) -> Response {
        let published = match self.media {
            Media::Json => Published { id, count: None },
            Media::Ndjson => Published { id, count: Some(count) },
        };
        // Serializing a cursor and a number cannot fail.
        let body = serde_json::to_vec(&published).unwrap_or_default();
        Response { status: StatusCode::CREATED, ..Response::text("application/json", body) }
    }
}

/// `DELETE /topics/{topic}`: ends a topic. A topic without messages begins complete, so that late subscribers
/// learn of the end too.
pub(crate) fn complete(server: &Server, topic: &Topic) -> Result<Response, Problem> {
    server.hub.complete(topic)?;
    Ok(Response::bare(StatusCode::NO_CONTENT))
}

/// The same, and waits for a store outside the process.
pub(crate) async fn complete_and_wait(server: &Server, topic: &Topic) -> Result<Response, Problem> {
    server.hub.complete_and_wait(topic).await?;
    Ok(Response::bare(StatusCode::NO_CONTENT))
}

/// The `Idempotency-Key` of a publish: a string as RFC 9651 §3.3.3 writes it, with or without its quotes. Source: the
/// draft draft-ietf-httpapi-idempotency-key-header.
fn key(head: &Head<'_>) -> Result<Option<String>, Problem> {
    let Some(given) = head.field(&IDEMPOTENCY_KEY) else { return Ok(None) };
    let quoted = given.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    let key = quoted.unwrap_or(given);
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !b"\"\\".contains(byte);
    match std::str::from_utf8(key) {
        Ok(key) if (1..=LONGEST_KEY).contains(&key.len()) && key.as_bytes().iter().all(is_plain) => {
            Ok(Some(key.to_owned()))
        }
        Ok(_) | Err(_) => {
            Err(Problem::bad_request("an Idempotency-Key is 1 to 128 visible ASCII characters, in quotes or not"))
        }
    }
}

/// Checks the publish token, where the server has one. Source: RFC 6750 §2.1.
pub(crate) fn authorize(server: &Server, head: &Head<'_>) -> Result<(), Problem> {
    let Some(token) = &server.config.publish_token else { return Ok(()) };
    let given = head.field(&AUTHORIZATION).unwrap_or_default();
    match given.split_at_checked("Bearer ".len()) {
        Some((scheme, given)) if scheme.eq_ignore_ascii_case(b"Bearer ") && is_same(given, token.as_bytes()) => Ok(()),
        Some(_) | None => Err(Problem::unauthorized()),
    }
}

/// Compares in a time that depends on the lengths alone, so that a token cannot be guessed byte by byte.
fn is_same(given: &[u8], token: &[u8]) -> bool {
    let differences = given.iter().zip(token).fold(0, |differences, (one, other)| differences | (one ^ other));
    given.len() == token.len() && differences == 0
}

fn media(head: &Head<'_>) -> Result<Media, Problem> {
    let unsupported = |detail: &'static str| Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail);
    if head.field(&CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"identity")) {
        return Err(unsupported("a body is taken as it is, without Content-Encoding"));
    }
    let content_type = head.text(&CONTENT_TYPE).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "application/json" => Ok(Media::Json),
        "application/x-ndjson" => Ok(Media::Ndjson),
        _ => Err(unsupported("publish application/json, or application/x-ndjson with one payload a line")),
    }
}

/// One payload, checked at once.
fn short(body: &[u8], limit: usize) -> Result<Run, Problem> {
    Ok(Run { skipped: 0, newest: vec![Payload::parse(body, limit)?] })
}

/// One long payload, checked on a blocking thread.
async fn long(body: Bytes, limit: usize) -> Result<Run, Problem> {
    match spawn_blocking(move || Payload::parse(&body, limit)).await {
        Ok(checked) => Ok(Run { skipped: 0, newest: vec![checked?] }),
        Err(_) => Err(Problem::unavailable("the server is going away")),
    }
}

/// One payload a line. LF or CR LF ends a line, the end of the body the last one; blank lines are skipped. Only
/// messages that the log would keep are copied.
pub(crate) async fn batch(bytes: &[u8], limit: usize, retention: Retention) -> Result<Run, Problem> {
    let (mut newest, mut skipped, mut work) = (VecDeque::new(), 0, 0);
    for (index, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        work += weight_of(line);
        if work > limits::TURN {
            yield_now().await;
            work = 0;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if newest.len() >= retention.messages {
            newest.pop_front();
            skipped += 1;
        }
        newest.push_back(Payload::check(line, limit).map_err(|error| refused(&error, Some(index + 1)))?);
    }
    let mut kept = Vec::with_capacity(newest.len());
    for payload in newest {
        work += weight_of(payload.as_bytes());
        if work > limits::TURN {
            yield_now().await;
            work = 0;
        }
        kept.push(payload.keep());
    }
    if kept.is_empty() {
        Err(Problem::bad_request("a batch has at least one payload"))
    } else {
        Ok(Run { skipped, newest: kept })
    }
}

/// The work of checking a line, in bytes.
const fn weight_of(line: &[u8]) -> usize {
    line.len() + 32
}

fn refused(error: &PayloadError, line: Option<usize>) -> Problem {
    let status = match error {
        PayloadError::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        PayloadError::NotUtf8(_) | PayloadError::NotJson { .. } => StatusCode::BAD_REQUEST,
    };
    let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
    Problem::new(status, format!("{place}{error}"))
}

impl From<PayloadError> for Problem {
    fn from(error: PayloadError) -> Self {
        refused(&error, None)
    }
}

impl From<Unpublished> for Problem {
    fn from(error: Unpublished) -> Self {
        match error {
            Unpublished::Complete(_) => Self::gone(error.to_string()),
            Unpublished::Reused => Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
            Unpublished::TooManyTopics { .. }
            | Unpublished::NoRoom
            | Unpublished::Store(_)
            | Unpublished::Partly { .. } => Self::unavailable(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::head;

    const RETENTION: Retention = Retention { messages: 3, bytes: 1000 };

    #[tokio::test]
    async fn a_batch_is_all_or_none_and_names_the_line() {
        let run = batch(b"1\r\n\n{\"a\":2}\n\"last\"", 100, RETENTION).await.unwrap();
        let lines: Vec<_> = run.newest.iter().map(Payload::as_bytes).collect();
        assert_eq!(lines, [b"1" as &[u8], b"{\"a\":2}", b"\"last\""]);
        let problem = batch(b"1\n\n{2}\n", 100, RETENTION).await.unwrap_err();
        assert_eq!(problem.status(), StatusCode::BAD_REQUEST);
        assert!(format!("{problem:?}").contains("line 3: "), "{problem:?}");
        let too_long = batch(b"1\n123\n", 2, RETENTION).await.unwrap_err();
        assert_eq!(too_long.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(batch(b"\n \n", 2, RETENTION).await.unwrap_err().status(), StatusCode::BAD_REQUEST);
    }

    #[test]
    fn a_token_is_compared_whole() {
        assert!(is_same(b"secret", b"secret"));
        for wrong in [b"" as &[u8], b"secre", b"secrets", b"Secret"] {
            assert!(!is_same(wrong, b"secret"));
        }
    }

    #[test]
    fn a_media_type_may_have_parameters_and_any_case() {
        for (content_type, is_known) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/x-ndjson", true),
            ("text/plain", false),
            ("application/jsonp", false),
            ("", false),
        ] {
            assert_eq!(status(&format!("Content-Type: {content_type}\r\n")) == 200, is_known, "{content_type}");
        }
        assert_eq!(status(""), 415);
        assert_eq!(status("Content-Type: application/json\r\nContent-Encoding: gzip\r\n"), 415);
    }

    fn status(fields: &str) -> u16 {
        let request = format!("POST / HTTP/1.1\r\nHost: t\r\n{fields}\r\n");
        head::with(&request, |head| media(head).map_or_else(|problem| problem.status().as_u16(), |_| 200))
    }

    #[tokio::test]
    async fn only_messages_that_the_log_keeps_are_copied_and_earlier_ones_are_counted() {
        let run = batch(b"1\n2\n3\n4\n5", 10, RETENTION).await.unwrap();
        let newest: Vec<_> = run.newest.iter().map(Payload::as_bytes).collect();
        assert_eq!((run.skipped, newest), (2, vec![b"3" as &[u8], b"4", b"5"]));
        assert_eq!(batch(b"x\n2\n3\n4\n5", 10, RETENTION).await.unwrap_err().status(), StatusCode::BAD_REQUEST);
    }

    #[tokio::test]
    async fn other_tasks_run_while_a_batch_is_checked() {
        let body = b"1\n".repeat(1 << 19);
        let mut turns = 0;
        let others = async {
            loop {
                turns += 1;
                yield_now().await;
            }
        };
        tokio::select! {
            biased;
            run = batch(&body, 10, RETENTION) => assert_eq!(run.unwrap().skipped, (1 << 19) - 3),
            () = others => {}
        }
        let least = body.len() / 2 * weight_of(b"1") / limits::TURN;
        assert!(turns >= least / 2, "{turns} turns of {least}");
    }

    proptest! {
        #[test]
        fn the_payloads_of_a_batch_are_its_lines(strings in proptest::collection::vec(any::<String>(), 1..20)) {
            let lines: Vec<_> = strings.iter().map(|text| serde_json::to_string(text).unwrap()).collect();
            let all = Retention { messages: usize::MAX, bytes: usize::MAX };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let run = runtime.block_on(batch(lines.join("\n").as_bytes(), usize::MAX, all)).unwrap();
            let payloads: Vec<_> = run.newest.iter().map(|payload| payload.as_bytes().to_vec()).collect();
            prop_assert_eq!(payloads, lines.iter().map(|line| line.clone().into_bytes()).collect::<Vec<_>>());
        }
    }
}
