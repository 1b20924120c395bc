//! A server that takes messages for any topic, and answers who subscribes as it is told.

use std::io;
use std::sync::Arc;

use pushoff_loadgen::Server;
use pushoff_model::target::{Place, address, parse};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::fake_server::{Event, Fault, Logs, Request, read, respond};
use super::fake_transports::chunk;

/// How those who subscribe are answered, and who publishes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// With this status, these fields and this body, at once.
    Answers(&'static str, &'static str, &'static str),
    /// Not at all.
    Hangs,
    /// With a head, and with messages when there are so many.
    Holds(u64),
    /// With lines in which the payload is somewhere else.
    Misplaces,
    /// With events, from the beginning whatever the last id was.
    Forgets,
    /// With events, from now on whatever the last id was, unless it is the first time.
    Skips,
    /// As it should, but publishing with this.
    Refuses(&'static str),
}

/// Starts one; the target is our own wire contract at a base path.
pub(crate) async fn start(manner: Manner) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let http = listener.local_addr().unwrap();
    let logs = Logs::new(Fault::None);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, logs.clone(), manner));
        }
    });
    let text = include_str!("../../../targets/pushoff.toml");
    let mut target = parse(text, std::path::Path::new("pushoff.toml")).unwrap();
    target.place = Place::At(address(&format!("http://{http}")).unwrap());
    Server::at(Arc::new(target), http)
}

async fn serve(stream: TcpStream, logs: Arc<Logs>, manner: Manner) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await? {
        match (request.method.as_str(), manner) {
            ("POST", Manner::Refuses(status)) => respond(&mut stream, status, "", "no").await?,
            ("POST", _) => {
                logs.publish(&request.topic, &request.body);
                respond(&mut stream, "201 Created", "", "{}").await?;
            }
            (_, Manner::Answers(status, fields, body)) => respond(&mut stream, status, fields, body).await?,
            (_, Manner::Hangs) => std::future::pending().await,
            _ => return stream_out(stream, request, &logs, manner).await,
        }
    }
    Ok(())
}

async fn stream_out(mut stream: BufReader<TcpStream>, request: Request, logs: &Logs, manner: Manner) -> io::Result<()> {
    let events = request.transport == "sse";
    let kind = if events { "text/event-stream" } else { "application/x-ndjson" };
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let comes_back = request.fields.contains_key("last-event-id");
    let mut changed = logs.changed.subscribe();
    let mut since = if comes_back && matches!(manner, Manner::Skips) { logs.after(&request.topic, 0).1 } else { 0 };
    loop {
        changed.mark_unchanged();
        let (messages, head, _) = logs.after(&request.topic, since);
        let held = if let Manner::Holds(count) = manner { head < count } else { false };
        for event in messages.into_iter().filter(|_| !held) {
            let Event::Message(number, payload) = event else { continue };
            since = number;
            let text = match (manner, events) {
                (Manner::Misplaces, _) => format!("{{\"id\":\"0000abcd-{number}\",\"body\":{payload}}}\n"),
                (_, true) => format!("id: 0000abcd-{number}\ndata: {payload}\n\n"),
                (_, false) => format!("{{\"id\":\"0000abcd-{number}\",\"data\":{payload}}}\n"),
            };
            stream.write_all(&chunk(&text)).await?;
        }
        changed.changed().await.unwrap();
    }
}
