//! The opening handshake of a WebSocket. Source: RFC 6455 §4.1.

use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pushoff_model::foreign::{NAME, shown};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::clients::error::ConnectionError;
use crate::clients::feed::Feed;
use crate::clients::http::{Connection, Request, Response};
use crate::clients::io::Input;
use crate::clients::sink::Sink;
use crate::watch::wire::CountedStream;

/// Sends the handshake; the stream, and what came after the answer. Both clients use it: the library's own handshake
/// accepts extensions that nobody asked for, and refuses lists and interim responses, which the standards allow.
pub(crate) async fn handshake<S: Sink>(feed: &mut Feed<'_, S>) -> Result<(CountedStream, Input), ConnectionError> {
    let key = generate_key();
    let value = HeaderValue::try_from(&key).or(Err(ConnectionError::Frame("the key is no text of a field")))?;
    let upgrade = [
        (CONNECTION, HeaderValue::from_static("Upgrade")),
        (UPGRADE, HeaderValue::from_static("websocket")),
        (SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
        (SEC_WEBSOCKET_KEY, value),
    ];
    let mut request = Request::new(feed, &upgrade)?;
    let mut connection = Connection::open(feed).await?;
    feed.sink.requested(feed.now());
    connection.send(request.bytes(feed)?, feed.tally()).await?;
    let Response { status, fields, .. } = connection.response(feed.tally()).await?;
    if status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(ConnectionError::Status(status.as_u16()));
    }
    agreed(&fields, &key, request.fields()).map_err(ConnectionError::Handshake)?;
    feed.position.answered(&fields);
    Ok((connection.io, connection.input))
}

/// Checks that the server agreed to the request and to nothing else (§4.1).
fn agreed(fields: &HeaderMap, key: &str, asked: &HeaderMap) -> Result<(), String> {
    let wrong = |what: &str, name: &HeaderName| {
        let said: Vec<_> = elements(fields, name).collect();
        Err(format!("{what}: {name} is \"{}\"", shown(&said.join(", "), NAME)))
    };
    let upgrades: Vec<_> = elements(fields, &UPGRADE).collect();
    if !matches!(upgrades[..], [only] if only.eq_ignore_ascii_case("websocket")) {
        return wrong("it upgrades to something else", &UPGRADE);
    }
    if !elements(fields, &CONNECTION).any(|option| option.eq_ignore_ascii_case("upgrade")) {
        return wrong("it does not upgrade the connection", &CONNECTION);
    }
    let accept = derive_accept_key(key.as_bytes());
    if !elements(fields, &SEC_WEBSOCKET_ACCEPT).eq([accept.as_str()]) {
        return wrong("it does not accept the key that was sent", &SEC_WEBSOCKET_ACCEPT);
    }
    if elements(fields, &SEC_WEBSOCKET_EXTENSIONS).next().is_some() {
        return wrong("it turns on an extension that was not asked for", &SEC_WEBSOCKET_EXTENSIONS);
    }
    let mut protocols = elements(fields, &SEC_WEBSOCKET_PROTOCOL);
    match (protocols.next(), protocols.next()) {
        (None, _) => Ok(()),
        (Some(one), None) if elements(asked, &SEC_WEBSOCKET_PROTOCOL).any(|asked| asked == one) => Ok(()),
        (Some(_), _) => wrong("it chooses a subprotocol that was not asked for", &SEC_WEBSOCKET_PROTOCOL),
    }
}

/// The elements of a list field, over all its lines, without empty elements (RFC 9110 §5.6.1).
fn elements<'f>(fields: &'f HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'f str> {
    let lines = fields.get_all(name).into_iter().map(|line| line.to_str().unwrap_or("not ASCII"));
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|element| !element.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a client that asked for these subprotocols accepts this answer to the handshake of RFC 6455 §1.3.
    fn answer(lines: &[(HeaderName, &'static str)], asked: Option<&'static str>) -> Result<(), String> {
        let mut fields = HeaderMap::new();
        for (name, value) in lines {
            fields.append(name, HeaderValue::from_static(value));
        }
        let asked = asked.map(|asked| (SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(asked)));
        agreed(&fields, "dGhlIHNhbXBsZSBub25jZQ==", &HeaderMap::from_iter(asked))
    }

    const ACCEPT: (HeaderName, &str) = (SEC_WEBSOCKET_ACCEPT, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    const UPGRADES: (HeaderName, &str) = (UPGRADE, "WebSocket");
    const CONNECTS: (HeaderName, &str) = (CONNECTION, "Upgrade");

    #[test]
    fn lists_are_read_as_lists_whatever_their_case_and_lines() {
        for connection in [&["upgrade"][..], &["keep-alive, Upgrade"], &["keep-alive", "UPGRADE"], &[",,Upgrade ,"]] {
            let connection = connection.iter().map(|line| (CONNECTION, *line));
            let lines: Vec<_> = [ACCEPT, (UPGRADE, ", websocket")].into_iter().chain(connection).collect();
            assert_eq!(answer(&lines, None), Ok(()), "{lines:?}");
        }
        for lines in [
            &[ACCEPT, UPGRADES][..],
            &[ACCEPT, CONNECTS],
            &[UPGRADES, CONNECTS],
            &[ACCEPT, UPGRADES, (CONNECTION, "keep-alive")],
            &[ACCEPT, CONNECTS, (UPGRADE, "h2c")],
            &[ACCEPT, CONNECTS, (UPGRADE, "h2c, websocket")],
            &[ACCEPT, CONNECTS, UPGRADES, (UPGRADE, "h2c")],
            &[ACCEPT, ACCEPT, CONNECTS, UPGRADES],
            &[(SEC_WEBSOCKET_ACCEPT, "s3pPLMBiTxaQ9kYGzzhZRbK+xOp="), CONNECTS, UPGRADES],
        ] {
            assert!(answer(lines, None).is_err(), "{lines:?}");
        }
    }

    #[test]
    fn an_answer_to_a_question_not_asked_is_refused_by_its_name() {
        let with = |name, value, asked| answer(&[ACCEPT, UPGRADES, CONNECTS, (name, value)], asked);
        for extension in
            ["permessage-deflate", "permessage-deflate; server_no_context_takeover", "x-webkit-deflate-frame"]
        {
            let wrong = with(SEC_WEBSOCKET_EXTENSIONS, extension, None).unwrap_err();
            assert!(wrong.contains("extension") && wrong.contains(extension), "{wrong}");
        }
        assert_eq!(with(SEC_WEBSOCKET_EXTENSIONS, "", None), Ok(()), "it names none");
        assert!(with(SEC_WEBSOCKET_PROTOCOL, "chat", None).unwrap_err().contains("\"chat\""));
        assert!(with(SEC_WEBSOCKET_PROTOCOL, "chat", Some("Chat, mqtt")).is_err());
        assert!(with(SEC_WEBSOCKET_PROTOCOL, "mqtt, chat", Some("chat, mqtt")).is_err());
        assert_eq!(with(SEC_WEBSOCKET_PROTOCOL, "mqtt", Some("chat, mqtt")), Ok(()));
        assert_eq!(answer(&[ACCEPT, UPGRADES, CONNECTS], Some("chat")), Ok(()), "a server may take none");
    }
}
