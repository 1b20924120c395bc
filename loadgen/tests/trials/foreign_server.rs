//! A server whose protocol has nothing in common with pushoff's, and the target that describes it.
//!
//! It rewrites payloads with sorted keys and without white space, or puts them into strings. A position is a number
//! in a field. Every request needs a key. Its WebSocket has to be told the topic and accepts no messages. Topics
//! cannot be completed.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use pushoff_loadgen::Server;
use pushoff_model::target::{Newcomers, Target, parse};
use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{self, Message};

use super::fake_server::{Event, Fault, Logs, Request, listen, read, respond};
use super::fake_transports::chunk;

const TARGET: &str = r#"
name = "foreign"
url = "http://foreign.test/app"
newcomers = "NEWCOMERS"
headers = { X-Key = "k" }

[publish]
method = "PUT"
path = "/{topic}/in"
body = '{"to":"{topic}","event":{quoted}}'

[short-polling]
path = "/{topic}/short"
units = "array"
array = "/items"
payload = "/msg"
resume = { X-Since = "{X-Next}" }

[long-polling]
path = "/{topic}/long?for={wait}"
units = "whole"
resume = { "?since" = "{X-Next}" }

[http-streaming]
path = "/{topic}/stream"
units = "texts"

[sse]
path = "/{topic}/events"
resume = { Last-Event-ID = "{id}" }

[websocket]
path = "/any/socket"
hello = "join {topic} {id}"
payload = "/event"
id = "/meta/no"
"#;

/// Starts a server that matches the target.
pub(crate) async fn start(newcomers: Newcomers) -> (Server, Arc<Logs>) {
    let logs = Logs::new(Fault::None);
    let shared = logs.clone();
    let http = listen(move |stream| serve(stream, shared.clone(), newcomers)).await;
    (at(http, newcomers), logs)
}

fn at(http: SocketAddr, newcomers: Newcomers) -> Server {
    let name = match newcomers {
        Newcomers::Kept => "kept",
        Newcomers::Live => "live",
    };
    let target: Target = parse(&TARGET.replace("NEWCOMERS", name), Path::new("foreign.toml")).unwrap();
    Server::at(Arc::new(target), http)
}

async fn serve(mut stream: BufReader<TcpStream>, logs: Arc<Logs>, newcomers: Newcomers) -> io::Result<()> {
    while let Some(request) = read(&mut stream).await? {
        assert_eq!(request.fields["host"], "foreign.test");
        if request.fields.get("x-key").is_none_or(|key| key != "k") {
            respond(&mut stream, "401 Unauthorized", "", "").await?;
            continue;
        }
        let since = request.since().unwrap_or_else(|| match newcomers {
            Newcomers::Kept => 0,
            Newcomers::Live => logs.after(&request.topic, 0).1,
        });
        match (request.method.as_str(), request.transport.as_str()) {
            ("HEAD", _) => respond(&mut stream, "204 No Content", "", "").await?,
            ("PUT", "in") => {
                let body: Value = serde_json::from_str(&request.body).unwrap();
                assert_eq!(body["to"], request.topic);
                let payload: Value = serde_json::from_str(body["event"].as_str().unwrap()).unwrap();
                logs.publish(&request.topic, &payload.to_string());
                respond(&mut stream, "202 Accepted", "", "queued").await?;
            }
            ("GET", "short") => short(&mut stream, &request, since, &logs).await?,
            ("GET", "long") => long(&mut stream, &request, since, &logs).await?,
            ("GET", "stream" | "events") => return stream_out(stream, request, since, logs).await,
            ("GET", "socket") => return socket(stream, request, logs, newcomers).await.map_err(io::Error::other),
            _ => respond(&mut stream, "404 Not Found", "", "").await?,
        }
    }
    Ok(())
}

impl Request {
    fn since(&self) -> Option<u64> {
        let number = |text: &String| text.parse().ok();
        self.query.split_once("&since=").and_then(|(_, since)| since.parse().ok()).or_else(|| {
            self.fields.get("x-since").and_then(number).or_else(|| self.fields.get("last-event-id").and_then(number))
        })
    }
}

/// The messages after a position, with their numbers.
fn messages(logs: &Logs, topic: &str, since: u64) -> Vec<(u64, String)> {
    let event = |event| match event {
        Event::Message(number, payload) => (number, payload),
        Event::Missed(_) => panic!("this server loses nothing"),
    };
    logs.after(topic, since).0.into_iter().map(event).collect()
}

async fn short(stream: &mut BufReader<TcpStream>, request: &Request, since: u64, logs: &Logs) -> io::Result<()> {
    let messages = messages(logs, &request.topic, since);
    let next = messages.last().map_or(since, |(number, _)| *number);
    let items: Vec<_> = messages.iter().map(|(_, payload)| json!({ "msg": payload })).collect();
    respond(stream, "200 OK", &format!("X-Next: {next}\r\n"), &json!({ "items": items, "more": null }).to_string())
        .await
}

/// One message in each response.
async fn long(stream: &mut BufReader<TcpStream>, request: &Request, since: u64, logs: &Logs) -> io::Result<()> {
    let mut changed = logs.changed.subscribe();
    loop {
        changed.mark_unchanged();
        if let Some((number, payload)) = messages(logs, &request.topic, since).first() {
            return respond(stream, "200 OK", &format!("X-Next: {number}\r\n"), payload).await;
        }
        changed.changed().await.unwrap();
    }
}

async fn stream_out(
    mut stream: BufReader<TcpStream>,
    request: Request,
    mut since: u64,
    logs: Arc<Logs>,
) -> io::Result<()> {
    let events = request.transport == "events";
    let kind = if events { "text/event-stream" } else { "application/json" };
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    if events {
        stream.write_all(&chunk("event: welcome\ndata: who are you?\n\n")).await?;
    }
    let mut changed = logs.changed.subscribe();
    loop {
        changed.mark_unchanged();
        for (number, payload) in messages(&logs, &request.topic, since) {
            let text = if events { format!("id: {number}\ndata: {payload}\n\n") } else { payload };
            stream.write_all(&chunk(&text)).await?;
            since = number;
        }
        changed.changed().await.unwrap();
    }
}

async fn socket(
    mut stream: BufReader<TcpStream>,
    request: Request,
    logs: Arc<Logs>,
    newcomers: Newcomers,
) -> Result<(), tungstenite::Error> {
    stream.write_all(request.upgraded().as_bytes()).await?;
    let mut socket = WebSocketStream::from_raw_socket(stream.into_inner(), Role::Server, None).await;
    socket.send(Message::text("who are you?")).await?;
    let Some(Ok(Message::Text(hello))) = socket.next().await else { return Ok(()) };
    let mut words = hello.split(' ');
    assert_eq!(words.next(), Some("join"));
    let topic = words.next().unwrap();
    let mut since = words.next().and_then(|id| id.parse().ok()).unwrap_or_else(|| match newcomers {
        Newcomers::Kept => 0,
        Newcomers::Live => logs.after(topic, 0).1,
    });
    let mut changed = logs.changed.subscribe();
    loop {
        changed.mark_unchanged();
        for (number, payload) in messages(&logs, topic, since) {
            socket.send(Message::text(json!({ "meta": { "no": number }, "event": payload }).to_string())).await?;
            since = number;
        }
        tokio::select! {
            _ = changed.changed() => {}
            incoming = socket.next() => match incoming {
                Some(Ok(Message::Text(text))) => panic!("nobody may speak here: {text}"),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(()),
            },
        }
    }
}
