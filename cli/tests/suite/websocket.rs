//! What is particular to WebSocket: close codes, fragments, control frames, `/echo`.
//!
//! Source: RFC 6455 §5 to §8.

use pushoff_model::Cursor;

use crate::client::frames::{BINARY, CLOSE, Frame, PING, TEXT, WebSocket, frame};
use crate::server::Server;

const FIRST_TEXT_FRAGMENT: u8 = 0x01;
const MIDDLE_FRAGMENT: u8 = 0x00;
const LAST_FRAGMENT: u8 = 0x80;

fn opened(server: &Server) -> WebSocket {
    let mut frames = WebSocket::open(server.http, "/topics/t/websocket");
    frames.receive_text();
    frames
}

#[test]
fn a_frame_that_is_refused_closes_with_its_code_and_publishes_nothing() {
    let server = Server::with(&["--max-payload", "100"]);
    let origin = server.origin("t");
    let too_long = format!("\"{}\"", "x".repeat(99));
    let refused: [(u16, u8, &[u8]); 9] = [
        (1003, BINARY, b"{}"),
        (1007, TEXT, b"\"\xff\""),
        (1007, TEXT, b"\"\xed\xa0\x80\""),
        (1007, TEXT, b"{"),
        (1007, TEXT, b"not json"),
        (1007, TEXT, b""),
        (1007, TEXT, b"1 2"),
        (1009, TEXT, too_long.as_bytes()),
        (1009, TEXT, &[b' '; 70_000]),
    ];
    for (code, first, payload) in refused {
        let mut frames = opened(&server);
        // Fails only where the server has hung up in the middle of what is too long.
        drop(frames.send_bytes(&frame(first, payload)));
        frames.assert_closed_with(code);
        assert_eq!(server.head("t"), origin, "{} was published", payload.escape_ascii());
    }
}

#[test]
fn broken_framing_closes_with_1002() {
    let server = Server::with(&["--echo"]);
    let broken: [(&str, &[u8]); 10] = [
        ("an unmasked frame", &[TEXT, 1, b'1']),
        ("a reserved bit", &[TEXT | 0x40, 0x81, 0, 0, 0, 0, b'1']),
        ("a reserved opcode", &[0x83, 0x81, 0, 0, 0, 0, b'1']),
        ("a reserved control opcode", &[0x8b, 0x80, 0, 0, 0, 0]),
        ("a fragmented ping", &[0x09, 0x80, 0, 0, 0, 0]),
        ("a ping of 126 bytes", &frame(PING, &[b'x'; 126])),
        ("a continuation of nothing", &[LAST_FRAGMENT, 0x81, 0, 0, 0, 0, b'1']),
        ("a message inside a message", &[0x01, 0x81, 0, 0, 0, 0, b'1', TEXT, 0x81, 0, 0, 0, 0, b'2']),
        ("a close of one byte", &[CLOSE, 0x81, 0, 0, 0, 0, 3]),
        ("a close with 1005, which is never sent", &[CLOSE, 0x82, 0, 0, 0, 0, 3, 0xed]),
    ];
    for (what, bytes) in broken {
        for mut frames in [opened(&server), WebSocket::open(server.http, "/echo")] {
            frames.send_bytes(bytes).unwrap();
            assert_eq!(frames.receive_close(), Some(1002), "{what}");
        }
    }
}

#[test]
fn a_close_from_the_client_is_echoed() {
    let server = Server::with(&["--echo"]);
    for (code, reason) in [(1000, ""), (1001, "going away"), (4000, "by agreement")] {
        for mut frames in [opened(&server), WebSocket::open(server.http, "/echo")] {
            frames.send_close(code, reason);
            assert_eq!(frames.receive(), Frame::Close(Some(code)));
            assert_eq!(frames.receive(), Frame::End, "the server closes the connection first: §7.1.1");
        }
    }
    let mut frames = opened(&server);
    frames.send(CLOSE, "");
    assert!(matches!(frames.receive(), Frame::Close(None | Some(1000))));
    assert_eq!(frames.receive(), Frame::End);
}

#[test]
fn fragments_are_one_message_and_control_frames_may_stand_between_them() {
    let server = Server::with(&["--echo"]);
    let origin = server.origin("t");
    let mut frames = opened(&server);
    // The two bytes of é are in different fragments.
    frames.send(FIRST_TEXT_FRAGMENT, b"\"caf\xc3");
    frames.send(PING, "between");
    frames.send(MIDDLE_FRAGMENT, b"\xa9");
    frames.send(LAST_FRAGMENT, b"\"");
    assert_eq!(frames.receive(), Frame::Pong(b"between".to_vec()));
    let cursor = Cursor { sequence: 1, ..origin };
    assert_eq!(frames.receive_text(), format!("{{\"id\":\"{cursor}\",\"data\":\"café\"}}"));
}

#[test]
fn a_message_that_grows_too_long_in_fragments_closes_with_1009() {
    let server = Server::with(&["--max-payload", "100"]);
    let origin = server.origin("t");
    let mut frames = opened(&server);
    frames.send(FIRST_TEXT_FRAGMENT, format!("\"{}", "x".repeat(59)));
    frames.send(LAST_FRAGMENT, format!("{}\"", "x".repeat(59)));
    frames.assert_closed_with(1009);
    assert_eq!(server.head("t"), origin);
}

#[test]
fn a_declared_length_beyond_the_limit_closes_without_waiting_for_it() {
    let server = Server::with(&["--echo"]);
    let mut frames = opened(&server);
    frames.send_bytes(&[TEXT, 0x80 | 127, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    assert_eq!(frames.receive_close(), Some(1009));
}

#[test]
fn a_payload_as_long_as_the_limit_passes() {
    let server = Server::with(&["--echo"]);
    let mut frames = opened(&server);
    let payload = format!("\"{}\"", "x".repeat(65_534));
    frames.send(TEXT, &payload);
    assert_eq!(frames.receive_text(), format!("{{\"id\":\"{}\",\"data\":{payload}}}", server.head("t")));
}

#[test]
fn a_ping_is_answered_with_its_payload() {
    let server = Server::with(&["--echo"]);
    for mut frames in [opened(&server), WebSocket::open(server.http, "/echo")] {
        for payload in ["", "a", &"x".repeat(125)] {
            frames.send(PING, payload);
            assert_eq!(frames.receive(), Frame::Pong(payload.as_bytes().to_vec()));
        }
    }
}

#[test]
fn frames_that_come_together_are_all_heard() {
    let server = Server::with(&["--echo"]);
    let origin = server.origin("t");
    let mut frames = opened(&server);
    let burst: Vec<u8> = (1..=300).flat_map(|number| frame(TEXT, number.to_string().as_bytes())).collect();
    frames.send_bytes(&burst).unwrap();
    for number in 1..=300 {
        let cursor = Cursor { sequence: number, ..origin };
        assert_eq!(frames.receive_text(), format!("{{\"id\":\"{cursor}\",\"data\":{number}}}"));
    }
}

#[test]
fn echo_sends_back_each_message_as_it_came() {
    let server = Server::with(&["--echo"]);
    let mut frames = WebSocket::open(server.http, "/echo");
    for length in [0, 1, 125, 126, 127, 1000, 65_535, 65_536] {
        let text = "é".repeat(length / 2) + &"x".repeat(length % 2);
        frames.send(TEXT, &text);
        assert_eq!(frames.receive(), Frame::Text(text));
        let bytes: Vec<u8> = (0..=255).cycle().take(length).collect();
        frames.send(BINARY, &bytes);
        assert_eq!(frames.receive(), Frame::Binary(bytes));
    }
    frames.send(FIRST_TEXT_FRAGMENT, "two ");
    frames.send(LAST_FRAGMENT, "halves");
    assert_eq!(frames.receive(), Frame::Text("two halves".to_owned()));
    frames.send(TEXT, b"\xff");
    frames.assert_closed_with(1007);
}
