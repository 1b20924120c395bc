//! The WebSocket handshake. Source: RFC 6455 §4.2.

use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::http::{Head, Problem, Response, Version};

const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");

/// RFC 6455 §4.2.1. Says which version arrived: whoever asked through a proxy has no other way to learn it.
const OVER_HTTP_1_1: &str = "over HTTP/1.1, and this request came as HTTP/1.0";

/// The 101 for a handshake, or the 200 for one over HTTP/2 (RFC 8441 §5). The server accepts no subprotocol; the caller
/// answers offers of extensions.
pub(super) fn accept(head: &Head<'_>) -> Result<Response, Problem> {
    let is_http2 = match head.version {
        Version::Old | Version::One => false,
        Version::Two => return Err(upgrade_required("over HTTP/2 it is asked for by CONNECT (RFC 8441)")),
        Version::TwoTunnel => true,
    };
    let is_old = head.version == Version::Old;
    let is_asked = is_http2 || head.lists(&CONNECTION, "upgrade") && head.lists(&UPGRADE, "websocket");
    if !is_asked {
        let asks = "a request for it says `Connection: Upgrade` and `Upgrade: websocket`";
        let detail = if !is_old { asks.to_owned() } else { format!("{asks}, {OVER_HTTP_1_1}") };
        return Err(upgrade_required(&detail));
    }
    if is_old {
        return Err(Problem::bad_request(format!("a handshake is made {OVER_HTTP_1_1}")));
    }
    if head.text(&SEC_WEBSOCKET_VERSION).map(str::trim) != Some("13") {
        return Err(upgrade_required("the version of the protocol is 13 (RFC 6455)"));
    }
    if is_http2 {
        return Ok(Response::bare(StatusCode::OK));
    }
    let mut keys = head.every(&SEC_WEBSOCKET_KEY).map(<[u8]>::trim_ascii);
    let key = keys.next().filter(|key| is_key(key) && keys.next().is_none());
    let key = key.ok_or_else(|| Problem::bad_request("`Sec-WebSocket-Key` is 16 bytes in base64 (RFC 6455 §4.1)"))?;
    let accept = HeaderValue::try_from(derive_accept_key(key))
        .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(Response::bare(StatusCode::SWITCHING_PROTOCOLS)
        .with(CONNECTION, HeaderValue::from_static("Upgrade"))
        .with(UPGRADE, WEBSOCKET)
        .with(SEC_WEBSOCKET_ACCEPT, accept))
}

/// Whether `key` is 16 bytes in base64: 22 digits and the padding.
fn is_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == 24 && key.ends_with(b"==") && key[..22].iter().all(is_digit)
}

/// The 426 for a request that is no handshake; says what a handshake needs.
fn upgrade_required(detail: &str) -> Problem {
    Problem::new(StatusCode::UPGRADE_REQUIRED, format!("this resource is a WebSocket: {detail}"))
        .with(UPGRADE, WEBSOCKET)
        .with(CONNECTION, HeaderValue::from_static("upgrade"))
        .with(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::head;

    fn status(fields: &str) -> u16 {
        let request = format!("GET /chat HTTP/1.1\r\nHost: server.example.com\r\n{fields}\r\n");
        head::with(&request, |head| accept(head).map_or_else(|problem| problem.status(), |response| response.status))
            .as_u16()
    }

    const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

    #[test]
    fn the_specifications_own_handshake_is_answered_with_its_key() {
        // RFC 6455 §1.3.
        let request =
            format!("GET /chat HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{KEY}\r\n");
        let response = head::with(&request, |head| accept(head).unwrap());
        assert_eq!(response.status, StatusCode::SWITCHING_PROTOCOLS);
        let key = response.fields.iter().find(|(name, _)| *name == SEC_WEBSOCKET_ACCEPT);
        assert_eq!(key.unwrap().1, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_list_field_may_have_more_members_on_one_line_or_on_several() {
        for fields in [
            "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n",
            "Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n",
            "Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n",
            "Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n",
        ] {
            assert_eq!(status(&format!("{fields}{KEY}")), 101, "{fields}");
        }
    }

    #[test]
    fn a_handshake_that_came_as_http_1_0_learns_so() {
        for (fields, status) in [("", 426), ("Connection: upgrade\r\nUpgrade: websocket\r\n", 400)] {
            let request = format!("GET /chat HTTP/1.0\r\nHost: t\r\n{fields}{KEY}\r\n");
            let problem = head::with(&request, |head| accept(head).unwrap_err());
            assert_eq!(problem.status(), status, "{fields}");
            let body = problem.into_response().body;
            assert!(str::from_utf8(&body).unwrap().contains("came as HTTP/1.0"), "{body:?}");
        }
    }

    #[test]
    fn a_request_that_is_no_handshake_learns_what_a_handshake_needs() {
        let asked = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
        let version = "Sec-WebSocket-Version: 13\r\n";
        assert_eq!(status(""), 426);
        assert_eq!(status(&format!("Connection: Upgrade\r\nUpgrade: websockets\r\n{KEY}")), 426);
        assert_eq!(status(&format!("Connection: keep-alive\r\nUpgrade: websocket\r\n{KEY}")), 426);
        assert_eq!(status(&format!("{asked}{}", KEY.replace("13", "8"))), 426);
        for key in ["", "short", "!GhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ==="] {
            assert_eq!(status(&format!("{asked}{version}Sec-WebSocket-Key: {key}\r\n")), 400, "{key}");
        }
        assert_eq!(status(&format!("{asked}{version}")), 400);
        assert_eq!(status(&format!("{asked}{KEY}{KEY}")), 400);
    }
}
