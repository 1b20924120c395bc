//! The fake server's side of each transport.

use std::io;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{self, Message};

use super::fake_server::{Event, Fault, Logs, Request, respond};

const EPOCH: &str = "0000abcd";

fn line(event: &Event) -> String {
    match event {
        Event::Message(sequence, payload) => format!("{{\"id\":\"{EPOCH}-{sequence}\",\"data\":{payload}}}"),
        Event::Missed(count) => format!("{{\"missed\":{count}}}"),
    }
}

pub(crate) async fn poll(stream: &mut BufReader<TcpStream>, request: &Request, logs: &Logs) -> io::Result<()> {
    if logs.hangs_up_on_this_poll() {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    let mut changed = logs.changed.subscribe();
    loop {
        changed.mark_unchanged();
        let from = request.after.unwrap_or_else(|| logs.after(&request.topic, 0).1);
        let (events, head, complete) = logs.after(&request.topic, from);
        let cursor = format!("last-event-id: {EPOCH}-{head}\r\n");
        if !events.is_empty() {
            let body: String = events.iter().map(|event| line(event) + "\n").collect();
            return respond(stream, "200 OK", &cursor, &body).await;
        } else if complete {
            return respond(stream, "410 Gone", &cursor, "").await;
        } else if request.transport == "short-polling" || logs.fault == Fault::NeverWaits {
            return respond(stream, "204 No Content", &cursor, "").await;
        }
        changed.changed().await.unwrap();
    }
}

/// Writes the events after the cursor, now and whenever there are more, until the topic is complete.
async fn stream_out(
    stream: &mut (impl AsyncWriteExt + Unpin),
    request: &Request,
    logs: &Logs,
    frame: impl Fn(&Event) -> Vec<u8>,
) -> io::Result<()> {
    let mut changed = logs.changed.subscribe();
    let mut after = request.after.unwrap_or(0);
    loop {
        changed.mark_unchanged();
        let (events, head, complete) = logs.after(&request.topic, after);
        for event in &events {
            stream.write_all(&frame(event)).await?;
        }
        after = head;
        if let Fault::LosesAndBreaks(n) = logs.fault
            && request.after == Some(0)
            && head > n
        {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        if complete {
            return Ok(());
        }
        changed.changed().await.unwrap();
    }
}

pub(crate) fn chunk(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}

pub(crate) async fn http_streaming(
    mut stream: BufReader<TcpStream>,
    request: Request,
    logs: Arc<Logs>,
) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
    stream.write_all(&chunk(&format!("{{\"open\":\"{EPOCH}-0\"}}\n\n"))).await?;
    stream_out(&mut stream, &request, &logs, |event| chunk(&(line(event) + "\n"))).await?;
    stream.write_all(b"0\r\n\r\n").await
}

pub(crate) async fn sse(mut stream: BufReader<TcpStream>, request: Request, logs: Arc<Logs>) -> io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await?;
    let prelude = format!("retry: 1000\nid: {EPOCH}-{}\n\n: hello\n", request.after.unwrap_or(0));
    stream.write_all(&chunk(&prelude)).await?;
    let frame = |event: &Event| match event {
        Event::Message(sequence, payload) => chunk(&format!("id: {EPOCH}-{sequence}\ndata: {payload}\n\n")),
        Event::Missed(count) => chunk(&format!("event: missed\ndata: {count}\n\n")),
    };
    stream_out(&mut stream, &request, &logs, frame).await?;
    stream.write_all(b"0\r\n\r\n").await
}

pub(crate) async fn raw_tcp(mut stream: BufReader<TcpStream>, logs: Arc<Logs>) -> io::Result<()> {
    let mut subscribe = String::new();
    stream.read_line(&mut subscribe).await?;
    let mut words = subscribe.split_whitespace().skip(1);
    let topic = words.next().unwrap_or_default().to_owned();
    let after =
        words.next().and_then(|place| if place == "start" { Some(0) } else { place.rsplit('-').next()?.parse().ok() });
    let request = Request::raw(topic, after);
    stream_out(&mut stream, &request, &logs, |event| {
        let text = line(event);
        let mut frame = u32::try_from(text.len()).unwrap().to_be_bytes().to_vec();
        frame.extend(text.bytes());
        frame
    })
    .await
}

pub(crate) async fn websocket(mut stream: BufReader<TcpStream>, request: Request, logs: Arc<Logs>) -> io::Result<()> {
    stream.write_all(request.upgraded().as_bytes()).await?;
    let socket = WebSocketStream::from_raw_socket(stream.into_inner(), Role::Server, None).await;
    frames(socket, request, logs).await.map_err(io::Error::other)
}

async fn frames(
    mut socket: WebSocketStream<TcpStream>,
    request: Request,
    logs: Arc<Logs>,
) -> Result<(), tungstenite::Error> {
    let mut changed = logs.changed.subscribe();
    socket.send(Message::text(format!("{{\"open\":\"{EPOCH}-0\"}}"))).await?;
    let mut after = request.after.unwrap_or(0);
    loop {
        changed.mark_unchanged();
        let (events, head, complete) = logs.after(&request.topic, after);
        for event in &events {
            socket.send(Message::text(line(event))).await?;
        }
        after = head;
        if complete {
            let normal = CloseFrame { code: CloseCode::Normal, reason: "complete".into() };
            return socket.close(Some(normal)).await;
        }
        tokio::select! {
            _ = changed.changed() => {}
            incoming = socket.next() => match incoming {
                Some(Ok(Message::Text(payload))) => logs.publish(&request.topic, &payload),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(()),
            },
        }
    }
}
