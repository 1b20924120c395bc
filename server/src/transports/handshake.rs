//! The WebSocket handshake, and how a WebSocket ends. Sources: RFC 6455 §4.2 and §7.4.1.

use http::header::{CONNECTION, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::create_response;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Utf8Bytes};

use crate::http::head::Head;
use crate::http::problem::Problem;
use crate::http::response::Response;

/// The 101 that answers a handshake.
pub(super) fn accept(head: &Head<'_>) -> Result<Response, Problem> {
    create_response(&head.to_request()).map(Response::from).map_err(|error| refused(&error))
}

/// A request that is no handshake is told what would be one.
fn refused(error: &Error) -> Problem {
    let detail = format!("this resource is a WebSocket: {error}");
    let wants_upgrade = matches!(
        error,
        Error::Protocol(
            ProtocolError::MissingConnectionUpgradeHeader
                | ProtocolError::MissingUpgradeWebSocketHeader
                | ProtocolError::MissingSecWebSocketVersionHeader
        )
    );
    if wants_upgrade {
        Problem::new(StatusCode::UPGRADE_REQUIRED, detail)
            .with(UPGRADE, HeaderValue::from_static("websocket"))
            .with(CONNECTION, HeaderValue::from_static("upgrade"))
            .with(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
    } else {
        Problem::bad_request(detail)
    }
}

/// The close that answers what went wrong with the frames that came in; `None` where the
/// connection itself is gone.
pub(super) fn close_for(error: &Error) -> Option<CloseFrame> {
    let code = match error {
        Error::Capacity(_) => CloseCode::Size,
        Error::Utf8(_) => CloseCode::Invalid,
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return None,
        Error::Protocol(_) => CloseCode::Protocol,
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Io(_)
        | Error::Tls(_)
        | Error::WriteBufferFull(_)
        | Error::AttackAttempt
        | Error::Url(_)
        | Error::Http(_)
        | Error::HttpFormat(_) => return None,
    };
    Some(CloseFrame { code, reason: reason(&error.to_string()) })
}

/// The close of a server that goes away.
pub(super) fn going_away() -> CloseFrame {
    CloseFrame { code: CloseCode::Away, reason: Utf8Bytes::from_static("the server is going away") }
}

/// A reason is at most 123 bytes, what a control frame leaves beside the code (RFC 6455 §5.5).
pub(super) fn reason(text: &str) -> Utf8Bytes {
    text[..text.floor_char_boundary(123)].into()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::http::head::fields;

    #[test]
    fn a_reason_fits_in_a_control_frame() {
        assert_eq!(reason(&"é".repeat(100)).len(), 122);
        assert_eq!(reason("short").as_str(), "short");
    }

    #[test]
    fn the_specifications_own_handshake_is_answered_with_its_key() {
        // RFC 6455 §1.3.
        let request = Request::get("/chat")
            .header("Host", "server.example.com")
            .header("Upgrade", "websocket")
            .header("Connection", "keep-alive, Upgrade")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("Sec-WebSocket-Version", "13");
        let parts = request.body(()).unwrap().into_parts().0;
        let response = accept(&Head::of(&parts, &fields(&parts.headers))).unwrap();
        assert_eq!(response.status, StatusCode::SWITCHING_PROTOCOLS);
        let key = response.fields.iter().find(|(name, _)| *name == "sec-websocket-accept");
        assert_eq!(key.unwrap().1, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_plain_request_is_told_to_upgrade() {
        let parts = Request::get("/chat").body(()).unwrap().into_parts().0;
        assert_eq!(accept(&Head::of(&parts, &[])).unwrap_err().status(), StatusCode::UPGRADE_REQUIRED);
    }
}
