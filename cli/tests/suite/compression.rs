//! What `serve --compress` changes, and that nothing changes without it. Sources: RFC 9110 §8.4 and §12.5.3, RFC 7692.

use std::io::{BufRead, BufReader, Read};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use pushoff_model::Cursor;

use crate::client::frames::{Frame, WebSocket};
use crate::client::http::{Connection, Head, Request, Response};
use crate::server::Server;

const CODINGS: [&str; 3] = ["zstd", "gzip", "br"];

fn server() -> Server {
    Server::with(&["--compress", "--echo"])
}

/// The content of a body in a coding, as it arrives.
fn decoded(coding: &str, body: impl BufRead + 'static) -> BufReader<Box<dyn Read>> {
    BufReader::new(match coding {
        "zstd" => Box::new(zstd::Decoder::with_buffer(body).unwrap()),
        "gzip" => Box::new(flate2::bufread::GzDecoder::new(body)),
        "br" => Box::new(brotli::Decompressor::new(body, 4096)),
        other => panic!("no coding is called {other}"),
    })
}

/// A stream in the coding that the client asks for.
fn stream(server: &Server, target: &str, coding: &str) -> (Head, BufReader<Box<dyn Read>>) {
    let mut connection = Connection::open(server.http);
    connection.send(&Request::get(target).header("Accept-Encoding", coding));
    let (head, body) = connection.into_body();
    assert_eq!((head.status, head.header("Content-Encoding").as_deref()), (200, Some(coding)), "{head:?}");
    assert!(head.lists("Vary", "Accept-Encoding"), "{head:?}");
    (head, decoded(coding, body))
}

fn next_line(stream: &mut impl BufRead) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    line
}

#[test]
fn a_stream_in_any_coding_is_read_message_by_message_and_has_an_end() {
    let server = server();
    for coding in CODINGS {
        let origin = server.origin(coding);
        let (_, mut lines) = stream(&server, &format!("/topics/{coding}/http-streaming?after={origin}"), coding);
        let (_, mut events) = stream(&server, &format!("/topics/{coding}/sse?after={origin}"), coding);
        assert_eq!(next_line(&mut lines), format!("{{\"open\":\"{origin}\"}}\n"));
        assert_eq!([(); 3].map(|()| next_line(&mut events)).concat(), format!("retry: 1000\nid: {origin}\n\n"));
        for number in 1..=20 {
            let id = server.publish(coding, &number.to_string());
            assert_eq!(next_line(&mut lines), format!("{{\"id\":\"{id}\",\"data\":{number}}}\n"));
            assert_eq!([(); 3].map(|()| next_line(&mut events)).concat(), format!("id: {id}\ndata: {number}\n\n"));
        }
        server.complete(coding);
        let rest = |mut stream: BufReader<Box<dyn Read>>| stream.read_to_string(&mut String::new());
        assert_eq!([rest(lines).unwrap(), rest(events).unwrap()], [0, 0], "the end of {coding}");
    }
}

#[test]
fn a_heartbeat_is_coded_and_flushed_too() {
    let server = Server::with(&["--compress", "--heartbeat", "100ms"]);
    for coding in CODINGS {
        let (_, mut events) = stream(&server, "/topics/t/sse", coding);
        let begun = [(); 7].map(|()| next_line(&mut events));
        assert_eq!(begun[3..], [":\n", "\n", ":\n", "\n"], "{coding}");
    }
}

/// The answer to a poll, its body decoded.
fn poll(server: &Server, target: &str, accepted: &str) -> Response {
    let mut connection = Connection::open(server.http);
    connection.send(&Request::get(target).header("Accept-Encoding", accepted));
    let (head, body) = connection.into_body();
    let mut text = String::new();
    match head.header("Content-Encoding") {
        Some(coding) => decoded(&coding, body).read_to_string(&mut text).unwrap(),
        None => BufReader::new(body).read_to_string(&mut text).unwrap(),
    };
    Response::of(head, text)
}

#[test]
fn a_poll_is_coded_as_a_whole_where_that_makes_it_shorter() {
    let server = server();
    let origin = server.origin("t");
    let last = server.publish_numbers("t", 1..=100);
    let short = Cursor { sequence: 98, ..last };
    for transport in ["short-polling", "long-polling"] {
        let target = format!("/topics/t/{transport}?after=");
        for coding in CODINGS {
            let response = poll(&server, &format!("{target}{origin}"), coding);
            assert_eq!(response.header("Content-Encoding").as_deref(), Some(coding));
            assert!(response.lists("Vary", "Accept-Encoding") && response.cursor() == last, "{response:?}");
            assert_eq!(response.lines().len(), 100);
            let length: usize = response.header("Content-Length").unwrap().parse().unwrap();
            assert!(length < response.text.len() / 3, "{length}");
        }
        let response = poll(&server, &format!("{target}{short}"), "gzip");
        assert_eq!((response.header("Content-Encoding"), response.lines().len()), (None, 2));
        assert!(response.lists("Vary", "Accept-Encoding"), "{response:?}");
        let response = poll(&server, &format!("{target}{origin}"), "identity, gzip;q=0.5");
        assert_eq!((response.header("Content-Encoding"), response.lines().len()), (None, 100));
    }
    let none = poll(&server, "/topics/t/short-polling", "gzip");
    assert_eq!((none.status, none.header("Content-Encoding")), (204, None));
    let events = poll(&server, &format!("/topics/t/sse?mode=short-polling&after={origin}"), "br");
    assert_eq!(events.header("Content-Encoding").as_deref(), Some("br"));
    assert_eq!(events.text.matches("\ndata: ").count(), 100);
}

#[test]
fn a_client_that_refuses_every_coding_and_none_learns_what_there_is() {
    let server = server();
    for transport in ["short-polling", "long-polling", "http-streaming", "sse"] {
        let request = Request::get(&format!("/topics/t/{transport}")).header("Accept-Encoding", "compress, *;q=0");
        server.answer(&request).assert_problem(406);
    }
}

#[test]
fn a_compressed_body_is_not_published() {
    let server = server();
    let request = Request::post_json("t", "1").header("Content-Encoding", "gzip");
    server.answer(&request).assert_problem(415);
}

#[test]
fn without_the_flag_nothing_is_compressed_whatever_the_client_takes() {
    let server = Server::start();
    let origin = server.origin("t");
    server.publish_numbers("t", 1..=100);
    let response = poll(&server, &format!("/topics/t/short-polling?after={origin}"), "gzip, *;q=0");
    assert_eq!(
        (response.header("Content-Encoding"), response.header("Vary"), response.lines().len()),
        (None, None, 100)
    );
    let (mut socket, answer) = WebSocket::offer(server.http, "/topics/t/websocket", "");
    assert_eq!(answer, None);
    assert!(matches!(socket.receive(), Frame::Text(_)));
    let metrics = server.answer(&Request::get("/metrics")).text;
    assert!(!metrics.contains("compressor"), "{metrics}");
}

/// A WebSocket that agreed on permessage-deflate.
struct Deflated {
    socket: WebSocket,
    inflate: Decompress,
    deflate: Compress,
}

impl Deflated {
    fn open(server: &Server, target: &str, parameters: &str, answer: &str) -> Self {
        let (socket, agreed) = WebSocket::offer(server.http, target, parameters);
        assert_eq!(agreed.unwrap(), format!("permessage-deflate{answer}"));
        let deflate = Compress::new(Compression::default(), false);
        Self { socket, inflate: Decompress::new(false), deflate }
    }

    /// The next message, and how many bytes it took.
    fn receive(&mut self) -> (String, usize) {
        let (first, payload) = self.socket.read_bytes().unwrap();
        let length = payload.len();
        assert_eq!(first & 0xbf, 0x81, "a text message");
        let text = if first & 0x40 == 0 {
            payload
        } else {
            let mut text = Vec::with_capacity(100_000);
            for part in [&payload[..], &[0, 0, 0xff, 0xff]] {
                self.inflate.decompress_vec(part, &mut text, FlushDecompress::Sync).unwrap();
            }
            text
        };
        (String::from_utf8(text).unwrap(), length)
    }

    fn send(&mut self, message: &str) {
        let mut deflated = Vec::with_capacity(message.len() + 100);
        self.deflate.compress_vec(message.as_bytes(), &mut deflated, FlushCompress::Sync).unwrap();
        self.socket.send(0xc1, &deflated[..deflated.len() - 4]);
    }
}

#[test]
fn a_websocket_with_context_refers_to_earlier_messages_and_one_without_does_not() {
    let server = server();
    let origin = server.origin("t");
    let target = "/topics/t/websocket";
    let mut kept = Deflated::open(&server, target, "", "; server_max_window_bits=12");
    let none = "; server_no_context_takeover; server_max_window_bits=12";
    let mut alone = Deflated::open(&server, target, "; server_no_context_takeover", none);
    for socket in [&mut kept, &mut alone] {
        assert_eq!(socket.receive().0, format!("{{\"open\":\"{origin}\"}}"));
    }
    let payload = format!("{{\"words\":\"{}\"}}", ["alpha", "beta", "gamma", "delta"].join(" and "));
    let mut lengths = [Vec::new(), Vec::new()];
    for _ in 0..3 {
        let id = server.publish("t", &payload);
        for (socket, lengths) in [&mut kept, &mut alone].into_iter().zip(&mut lengths) {
            let (text, length) = socket.receive();
            assert_eq!(text, format!("{{\"id\":\"{id}\",\"data\":{payload}}}"));
            lengths.push(length);
        }
    }
    let [kept, alone] = lengths;
    assert!(kept[1] < kept[0] / 2 && kept[2] < kept[0] / 2, "{kept:?}");
    assert!(alone.iter().max().unwrap() - alone.iter().min().unwrap() <= 2, "{alone:?}");
}

#[test]
fn a_deflated_message_is_published_and_one_that_inflates_without_end_is_refused() {
    let server = server();
    let target = "/topics/t/websocket";
    let answer = "; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11";
    let offers = [
        ("", "; server_max_window_bits=12"),
        ("; client_no_context_takeover; client_max_window_bits=11; server_max_window_bits=10", answer),
    ];
    for (offer, answer) in offers {
        let mut socket = Deflated::open(&server, target, offer, answer);
        socket.receive();
        for number in 1..=3 {
            if offer.contains("client_no") {
                socket.deflate.reset();
            }
            socket.send(&format!("[\"again and again\",{number}]"));
            assert!(socket.receive().0.ends_with(&format!(",\"data\":[\"again and again\",{number}]}}")));
        }
        socket.deflate.reset();
        socket.send(&format!("\"{}\"", "1".repeat(1 << 20)));
        socket.socket.assert_closed_with(1009);
    }
    // To who only publishes, the server keeps no context.
    let answer = "; server_no_context_takeover; server_max_window_bits=12";
    let mut socket = Deflated::open(&server, "/topics/t/websocket?subscribe=false", "", answer);
    socket.socket.send(0xc1, [0xff; 9]);
    socket.socket.assert_closed_with(1007);
}

#[test]
fn what_compressors_keep_is_shown_bounded_and_given_back() {
    let server = Server::with(&["--compress", "--memory", "16MiB"]);
    let metric = |name: &str| {
        let text = server.answer(&Request::get("/metrics")).text;
        let lines = text.lines().filter(|line| line.starts_with(name));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum::<u64>()
    };
    let mut streams = Vec::new();
    let mut codings = Vec::new();
    // 4 MiB are for compressors, of which zstd keeps 320 KiB.
    for _ in 0..15 {
        let mut connection = Connection::open(server.http);
        connection.send(&Request::get("/topics/t/sse").header("Accept-Encoding", "zstd"));
        let (head, body) = connection.into_body();
        codings.push(head.header("Content-Encoding").is_some());
        streams.push(body);
    }
    assert_eq!(codings.iter().filter(|is_coded| **is_coded).count(), 12);
    assert_eq!((metric("pushoff_compressors{"), metric("pushoff_compressor_bytes")), (12, 12 * (320 << 10)));
    let request = Request::get("/topics/t/sse").header("Accept-Encoding", "zstd, identity;q=0");
    server.answer(&request).assert_problem(503);
    let (_socket, answer) = WebSocket::offer(server.http, "/topics/t/websocket", "; client_no_context_takeover");
    let none = "server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12";
    assert_eq!(answer.unwrap(), format!("permessage-deflate; {none}"));
    server.complete("t");
    for mut body in streams {
        body.read_to_end(&mut Vec::new()).unwrap();
    }
    assert_eq!((metric("pushoff_compressors{"), metric("pushoff_compressor_bytes")), (0, 0));
}
