//! The opening handshake of a WebSocket. Source: RFC 6455 §4.1.

use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pushoff_model::Http;
use pushoff_model::foreign::{NAME, shown};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::deflate::{Deflate, OFFER};
use crate::clients::carrier::Carrier;
use crate::clients::error::ConnectionError;
use crate::clients::feed::Feed;
use crate::clients::http::{Connection, Request, Response};
use crate::clients::http2;
use crate::clients::io::Input;
use crate::clients::sink::Sink;

/// A connection that speaks WebSocket.
pub(crate) struct Upgraded {
    pub(crate) io: Carrier,
    /// The bytes that came after the answer.
    pub(crate) input: Input,
    /// Present where compression was agreed on.
    pub(crate) deflate: Option<Deflate>,
}

/// Sends the handshake. Both clients use it: the library's own handshake accepts extensions that nobody asked for, and
/// refuses lists and interim responses, which the standards allow.
pub(crate) async fn handshake<S: Sink>(feed: &mut Feed<'_, S>, compresses: bool) -> Result<Upgraded, ConnectionError> {
    let version = (SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    let mut asked = vec![version];
    asked.extend(compresses.then_some((SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(OFFER))));
    let (io, input, fields) = match feed.subscription.server.wire.http {
        Http::One => upgrade(feed, asked).await?,
        Http::Two => connect(feed, &asked).await?,
    };
    let deflate = extension(&fields, compresses).map_err(ConnectionError::Handshake)?;
    feed.position.answered(&fields);
    Ok(Upgraded { io, input, deflate })
}

/// By an upgrade (RFC 6455 §4.1).
async fn upgrade<S: Sink>(
    feed: &mut Feed<'_, S>,
    mut asked: Vec<(HeaderName, HeaderValue)>,
) -> Result<(Carrier, Input, HeaderMap), ConnectionError> {
    let key = generate_key();
    let value = HeaderValue::try_from(&key).or(Err(ConnectionError::Frame("the key is no text of a field")))?;
    asked.extend([
        (CONNECTION, HeaderValue::from_static("Upgrade")),
        (UPGRADE, HeaderValue::from_static("websocket")),
        (SEC_WEBSOCKET_KEY, value),
    ]);
    let mut request = Request::new(feed, &asked)?;
    let mut connection = Connection::open(feed).await?;
    feed.sink.requested(feed.now());
    connection.send(request.bytes(feed)?, feed.tally()).await?;
    let Response { status, fields, .. } = connection.response(feed.tally()).await?;
    if status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(ConnectionError::Status(status.as_u16()));
    }
    agreed(&fields, &key, request.fields()).map_err(ConnectionError::Handshake)?;
    Ok((connection.io, connection.input, fields))
}

/// By an extended CONNECT (RFC 8441 §5): without a key, as a stream belongs to its request.
async fn connect<S: Sink>(
    feed: &mut Feed<'_, S>,
    asked: &[(HeaderName, HeaderValue)],
) -> Result<(Carrier, Input, HeaderMap), ConnectionError> {
    let (response, tunnel) = http2::tunnel(feed, asked).await?;
    if response.status() != StatusCode::OK {
        return Err(ConnectionError::Status(response.status().as_u16()));
    }
    Ok((tunnel.into(), Input::default(), response.into_parts().0.headers))
}

/// The extension that the server turned on; none but the one that was asked for, if one was (RFC 6455 §9.1).
fn extension(fields: &HeaderMap, compresses: bool) -> Result<Option<Deflate>, String> {
    let named: Vec<_> = elements(fields, &SEC_WEBSOCKET_EXTENSIONS).collect();
    let agreed = match named[..] {
        [] => return Ok(None),
        [only] if compresses => Deflate::agreed(only),
        _ => None,
    };
    let wrong = || {
        let said = shown(&named.join(", "), NAME);
        format!("it turns on an extension that was not asked for: {SEC_WEBSOCKET_EXTENSIONS} is \"{said}\"")
    };
    agreed.map(Some).ok_or_else(wrong)
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
        agreed(&fields, "dGhlIHNhbXBsZSBub25jZQ==", &HeaderMap::from_iter(asked))?;
        extension(&fields, false).map(drop)
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
