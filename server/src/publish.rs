//! Publishing by request: one payload or a batch of lines, checked whole before any is appended.

use http::StatusCode;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use pushoff_model::{Cursor, Topic};
use serde::Serialize;

use crate::http::head::Head;
use crate::http::problem::Problem;
use crate::http::response::Response;
use crate::hub::{Complete, TooManyTopics};
use crate::payload::{Payload, PayloadError};
use crate::server::Server;
use crate::stats::Via;

/// What a body holds.
#[derive(Clone, Copy, Debug)]
enum Media {
    /// `application/json`: one payload.
    Json,
    /// `application/x-ndjson`: one payload a line.
    Ndjson,
}

/// What a publisher is told: the cursor of its message, or of its last.
#[derive(Serialize)]
struct Published {
    id: Cursor,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
}

/// A `POST /topics/{topic}` that was let in and lacks only its body.
#[derive(Debug)]
pub(crate) struct Publication {
    topic: Topic,
    media: Media,
    limit: usize,
}

impl Publication {
    /// Judges a publish by its head.
    pub(crate) fn admit(server: &Server, head: &Head<'_>, topic: Topic) -> Result<Self, Problem> {
        authorize(server, head)?;
        let media = media(head)?;
        let limit = match media {
            Media::Json => server.config.max_payload,
            Media::Ndjson => server.config.max_batch.max(server.config.max_payload),
        };
        let publication = Self { topic, media, limit };
        let announced = head.text(&CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
        if announced.is_some_and(|length| length > limit as u64) {
            Err(publication.too_long())
        } else {
            Ok(publication)
        }
    }

    /// How long the body may be.
    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    /// What is said of a body beyond the limit, which is not read.
    pub(crate) fn too_long(&self) -> Problem {
        let detail = format!("this body is longer than the {} bytes that are taken", self.limit);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail).closing()
    }

    /// Appends what the body holds, all or none.
    pub(crate) fn append(self, server: &Server, body: &[u8]) -> Response {
        self.published(server, body).unwrap_or_else(Problem::into_response)
    }

    fn published(self, server: &Server, body: &[u8]) -> Result<Response, Problem> {
        let payloads = match self.media {
            Media::Json => vec![Payload::parse(body, self.limit)?],
            Media::Ndjson => batch(body, server.config.max_payload)?,
        };
        let count = payloads.len() as u64;
        let last = server.hub.topic(&self.topic)?.append_all(payloads)?;
        let id = last.ok_or_else(|| Problem::bad_request("a batch has at least one payload"))?;
        server.stats.published(Via::Post, count);
        let published = match self.media {
            Media::Json => Published { id, count: None },
            Media::Ndjson => Published { id, count: Some(count) },
        };
        // A cursor and a number: there is nothing in them that JSON could not say.
        let body = serde_json::to_vec(&published).unwrap_or_default();
        Ok(Response { status: StatusCode::CREATED, ..crate::http::text("application/json", body) })
    }
}

/// `DELETE /topics/{topic}`: says that no more will come. A topic that nobody has asked for before
/// begins complete, so that whoever comes late learns of it too.
pub(crate) fn complete(server: &Server, head: &Head<'_>, topic: &Topic) -> Result<Response, Problem> {
    authorize(server, head)?;
    server.hub.topic(topic)?.complete();
    Ok(Response::bare(StatusCode::NO_CONTENT))
}

/// Whether a request carries the publish token, where there is one. Source: RFC 6750 §2.1.
pub(crate) fn authorize(server: &Server, head: &Head<'_>) -> Result<(), Problem> {
    let Some(token) = &server.config.publish_token else { return Ok(()) };
    let given = head.field(&AUTHORIZATION).unwrap_or_default();
    match given.split_at_checked("Bearer ".len()) {
        Some((scheme, given)) if scheme.eq_ignore_ascii_case(b"Bearer ") && is_same(given, token.as_bytes()) => Ok(()),
        Some(_) | None => Err(Problem::unauthorized()),
    }
}

/// Compares in a time that depends on the lengths alone, so that a token cannot be found out byte
/// by byte.
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

/// One payload a line. A line ends with LF or CR LF, the last one need not; blank lines are none.
fn batch(bytes: &[u8], limit: usize) -> Result<Vec<Payload>, Problem> {
    bytes
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .enumerate()
        .filter(|(_, line)| !line.iter().all(u8::is_ascii_whitespace))
        .map(|(index, line)| Payload::parse(line, limit).map_err(|error| refused(&error, Some(index + 1))))
        .collect()
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

impl From<Complete> for Problem {
    fn from(error: Complete) -> Self {
        Self::gone(error.to_string())
    }
}

impl From<TooManyTopics> for Problem {
    fn from(error: TooManyTopics) -> Self {
        Self::unavailable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use proptest::prelude::*;

    use super::*;
    use crate::http::head::fields;

    #[test]
    fn a_batch_is_all_or_none_and_names_the_line() {
        let lines = batch(b"1\r\n\n{\"a\":2}\n\"last\"", 100).unwrap();
        let lines: Vec<_> = lines.iter().map(Payload::as_bytes).collect();
        assert_eq!(lines, [b"1" as &[u8], b"{\"a\":2}", b"\"last\""]);
        let problem = batch(b"1\n\n{2}\n", 100).unwrap_err();
        assert_eq!(problem.status(), StatusCode::BAD_REQUEST);
        assert!(format!("{problem:?}").contains("line 3: "), "{problem:?}");
        assert_eq!(batch(b"1\n123\n", 2).unwrap_err().status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert!(batch(b"\n \n", 2).unwrap().is_empty());
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
            let parts = Request::post("/").header(CONTENT_TYPE, content_type).body(()).unwrap().into_parts().0;
            assert_eq!(media(&Head::of(&parts, &fields(&parts.headers))).is_ok(), is_known, "{content_type}");
        }
        let parts = Request::new(()).into_parts().0;
        assert_eq!(media(&Head::of(&parts, &[])).map(|_| ()).unwrap_err().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }

    proptest! {
        #[test]
        fn the_payloads_of_a_batch_are_its_lines(strings in proptest::collection::vec(any::<String>(), 0..20)) {
            let lines: Vec<_> = strings.iter().map(|text| serde_json::to_string(text).unwrap()).collect();
            let payloads = batch(lines.join("\n").as_bytes(), usize::MAX).unwrap();
            let payloads: Vec<_> = payloads.iter().map(|payload| payload.as_bytes().to_vec()).collect();
            prop_assert_eq!(payloads, lines.iter().map(|line| line.clone().into_bytes()).collect::<Vec<_>>());
        }
    }
}
