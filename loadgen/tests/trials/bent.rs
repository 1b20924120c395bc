//! A relay that rewrites the server's answers in ways that the standards allow or forbid.

use pushoff_loadgen::Relay;

/// Rewrites what a server writes at once: a head, with or without a body, or chunks.
pub(crate) type Bend = fn(&str) -> String;

/// Rewrites the pieces of one connection, each of which the server writes at once.
fn bending(bend: Bend) -> impl FnMut(&mut Vec<u8>) {
    let mut is_http = true;
    move |piece| {
        // Frames follow an upgrade.
        let upgrades = is_http && piece.starts_with(b"HTTP/1.1 101");
        let head_ends = piece.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
        let bends = if upgrades { head_ends } else { piece.len() * usize::from(is_http) };
        let bent = bend(std::str::from_utf8(&piece[..bends]).unwrap());
        piece.splice(..bends, bent.into_bytes());
        is_http &= !upgrades;
    }
}

/// Adds a field line to every head.
fn with_field(text: &str, field: &str) -> String {
    match text.split_once("\r\n") {
        Some((status, rest)) if status.starts_with("HTTP/1.1 ") => format!("{status}\r\n{field}\r\n{rest}"),
        _ => text.to_owned(),
    }
}

/// RFC 9110 §15.2: any number of interim responses may come first.
pub(crate) fn interim(text: &str) -> String {
    const INTERIM: &str = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n";
    if text.starts_with("HTTP/1.1 ") { format!("{INTERIM}{INTERIM}{text}") } else { text.to_owned() }
}

/// RFC 9110 §5.6.1: a list goes over several lines, and may have empty elements.
pub(crate) fn listed(text: &str) -> String {
    text.replace("connection: upgrade\r\n", "Connection: keep-alive, x\r\nConnection: ,UPGRADE\r\n")
        .replace("upgrade: websocket\r\n", "Upgrade: WebSocket\r\n")
}

/// RFC 9112 §5.2: folded lines, and octets that are not text.
pub(crate) fn folded(text: &str) -> String {
    with_field(text, "X-Folded: a\r\n  b\r\n\tc\r\nX-\u{7c}Odd: \u{e9}")
}

/// RFC 9112 §7.1: extensions, leading zeros and trailers.
pub(crate) fn chunked(text: &str) -> String {
    let is_head = text.starts_with("HTTP/1.1 ");
    let (head, mut rest) = match text.split_once("\r\n\r\n").filter(|_| is_head) {
        Some((head, rest)) => (format!("{head}\r\n\r\n"), rest),
        None => (String::new(), text),
    };
    if is_head && !head.contains("transfer-encoding") {
        return text.to_owned();
    }
    let mut out = head;
    while let Some((size, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(size, 16).unwrap();
        if length == 0 {
            out.push_str("000;last=\"a;\u{e9}\"\r\nX-Trailer: a\r\nY: b\r\n\r\n");
            break;
        }
        out.push_str(&format!("0{length:X};a=b ; c=\"d;\\\"\u{e9}\"\r\n{}\r\n", &after[..length]));
        rest = &after[length + 2..];
    }
    out
}

/// RFC 6455 §4.1: an extension that nobody asked for.
pub(crate) fn extended(text: &str) -> String {
    if text.contains(" 101 ") { with_field(text, "Sec-WebSocket-Extensions: permessage-deflate") } else { text.into() }
}

/// RFC 6455 §4.1: a subprotocol that nobody asked for.
pub(crate) fn subprotocol(text: &str) -> String {
    if text.contains(" 101 ") { with_field(text, "Sec-WebSocket-Protocol: chat") } else { text.into() }
}

/// The server behind a rewriting relay, which must be held.
pub(crate) async fn server(server: &super::Server, bend: Bend) -> (super::Server, Relay) {
    let relay = Relay::showing(server.http, move || bending(bend)).await.unwrap();
    (super::Server { http: relay.address, ..server.clone() }, relay)
}
