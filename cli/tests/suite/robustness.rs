//! Malformed input: whatever comes in, the others are served on.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use pushoff_model::{Start, Transport};

use crate::client::frames::{WebSocket, frame, handshake};
use crate::client::http::Request;
use crate::client::subscriber::Subscriber;
use crate::garbage::Garbage;
use crate::server::{DEADLINE, Server};

/// Sends bytes, says that no more will come and takes what is answered, until the server is done
/// or has been listened to for a while.
fn throw(address: SocketAddr, bytes: &[u8]) {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    // Any of these may fail: the server may have hung up already, as it should.
    drop(socket.write_all(bytes));
    drop(socket.shutdown(Shutdown::Write));
    drop(socket.read(&mut [0; 4096]));
}

/// Runs `attack` beside one subscriber a transport; each must still be served afterwards.
fn survives(attack: impl FnOnce(&Server)) {
    let server = Server::with(&["--echo"]);
    let origin = server.origin("watched");
    let mut watching =
        Transport::ALL.map(|transport| Subscriber::open(&server, transport, "watched", Start::After(origin)));
    attack(&server);
    server.publish("watched", "1");
    for subscriber in &mut watching {
        subscriber.expect_numbers(1..=1);
    }
    server.assert_healthy();
}

#[test]
fn garbage_heads_harm_nobody() {
    survives(|server| {
        let mut garbage = Garbage::of(0x9e37_79b9_7f4a_7c15);
        let valid = [
            Request::get("/topics/t/short-polling?after=start&limit=3").bytes(server.http),
            Request::post_json("t", "{\"a\":[1,2,3]}").bytes(server.http),
            Request::get("/topics/t/sse?mode=short-polling").header("Last-Event-ID", "5f3a9c21-42").bytes(server.http),
            handshake("/topics/t/websocket").bytes(server.http),
        ];
        for round in 0..300 {
            let bytes = if round % 5 == 0 { garbage.bytes(600) } else { garbage.mutated(&valid[round % 4]) };
            throw(server.http, &bytes);
        }
    });
}

#[test]
fn garbage_frames_harm_nobody() {
    survives(|server| {
        let mut garbage = Garbage::of(0x2545_f491_4f6c_dd1d);
        for round in 0..200 {
            let mut frames = WebSocket::open(server.http, if round % 2 == 0 { "/topics/t/websocket" } else { "/echo" });
            let bytes = match round % 3 {
                0 => garbage.bytes(200),
                1 => garbage.mutated(&frame(0x81, b"{\"a\":1}")),
                _ => {
                    let first = garbage.next().to_be_bytes()[0];
                    frame(first, &garbage.bytes(300))
                }
            };
            frames.socket().set_read_timeout(Some(Duration::from_millis(20))).unwrap();
            drop(frames.send_bytes(&bytes));
            drop(frames.socket().shutdown(Shutdown::Write));
            drop(frames.socket().read(&mut [0; 4096]));
        }
    });
}

#[test]
fn garbage_on_raw_tcp_harms_nobody() {
    survives(|server| {
        let mut garbage = Garbage::of(0xd1b5_4a32_d192_ed03);
        let lines: [&[u8]; 8] = [
            b"\n",
            b"SUBSCRIBE\n",
            b"SUBSCRIBE \n",
            b"SUBSCRIBE bad!topic\n",
            b"SUBSCRIBE t nonsense\n",
            b"SUBSCRIBE t 00000000-0 more\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"\xff\xfe\n",
        ];
        for line in lines {
            throw(server.raw_tcp, line);
        }
        for _ in 0..50 {
            throw(server.raw_tcp, &garbage.mutated(b"SUBSCRIBE t 00000000-0\n"));
        }
    });
}

#[test]
fn a_line_on_raw_tcp_that_is_too_long_is_refused_before_it_ends() {
    let server = Server::start();
    let mut socket = TcpStream::connect(server.raw_tcp).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    // The server may hang up in the middle of it.
    drop(socket.write_all(&[b'x'; 1 << 20]));
    match socket.read(&mut [0; 16]) {
        Ok(read) => assert_eq!(read, 0),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "1 MiB was taken: {error}"),
    }
    server.assert_healthy();
}

#[test]
fn a_deeply_nested_payload_is_answered() {
    let server = Server::start();
    let deep = "[".repeat(32_000) + &"]".repeat(32_000);
    let status = server.answer(&Request::post_json("t", deep)).status;
    assert!([201, 400].contains(&status), "{status}");
    server.assert_healthy();
}

#[test]
fn a_cursor_from_the_future_is_answered_and_harms_nobody() {
    survives(|server| {
        let head = server.publish("t", "1");
        for sequence in [head.sequence + 1, u64::MAX] {
            let target = format!("/topics/t/short-polling?after={:08x}-{sequence}", head.epoch.0);
            let status = server.answer(&Request::get(&target)).status;
            assert!(status < 500, "{target}: {status}");
        }
    });
}
