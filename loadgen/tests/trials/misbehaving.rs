//! A server that accepts messages for any topic, and answers subscribers as it is told.

use std::io;
use std::sync::Arc;

use pushoff_loadgen::Server;
use pushoff_model::target::{Place, address, parse};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::fake_server::{Event, Fault, Logs, Request, listen, read, respond};
use super::fake_transports::chunk;

/// How it answers subscribers and publishers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// With this status, these fields and this body, at once.
    Answers(&'static str, &'static str, &'static str),
    /// Not at all.
    Hangs,
    /// With a head, and then with messages once there are this many.
    Holds(u64),
    /// With a head, and then with bytes once there are this many, like a buffering proxy.
    Buffers(usize),
    /// With each message twice.
    Repeats,
    /// Without the message of that number.
    Drops(u64),
    /// With the message of that number after the next one.
    Delays(u64),
    /// With frames that begin with this byte, masked or not.
    Frames(u8, bool),
    /// Polls at once, with or without a message.
    Hurries,
    /// Polls compressed, with this field.
    Zips(&'static str),
    /// With lines in which the payload stands elsewhere.
    Misplaces,
    /// With events from the beginning, ignoring the last id.
    Forgets,
    /// With events from now on, ignoring the last id, except for the first request.
    Skips,
    /// Subscribers correctly, but publishers with this status.
    Refuses(&'static str),
}

/// Starts a server of pushoff's protocol at a base path.
pub(crate) async fn start(manner: Manner) -> Server {
    let logs = Logs::new(Fault::None);
    let http = listen(move |stream| serve(stream, logs.clone(), manner)).await;
    let text = include_str!("../../../targets/pushoff.toml");
    let mut target = parse(text, std::path::Path::new("pushoff.toml")).unwrap();
    target.place = Place::At(address(&format!("http://{http}")).unwrap());
    Server::at(Arc::new(target), http)
}

async fn serve(mut stream: BufReader<TcpStream>, logs: Arc<Logs>, manner: Manner) -> io::Result<()> {
    while let Some(request) = read(&mut stream).await? {
        match (request.method.as_str(), manner) {
            ("POST", Manner::Refuses(status)) => respond(&mut stream, status, "", "no").await?,
            ("POST", _) => {
                logs.publish(&request.topic, &request.body);
                respond(&mut stream, "201 Created", "", "{}").await?;
            }
            (_, Manner::Answers(status, fields, body)) => respond(&mut stream, status, fields, body).await?,
            (_, Manner::Hangs) => std::future::pending().await,
            (_, Manner::Hurries | Manner::Zips(_)) => poll(&mut stream, &request, &logs, manner).await?,
            (_, Manner::Frames(..)) => return socket(stream, request, &logs, manner).await,
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
    let (mut pending, mut late) = (Vec::new(), Vec::new());
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
            match manner {
                Manner::Drops(dropped) if number == dropped => {}
                Manner::Delays(delayed) if number == delayed => late = chunk(&text),
                Manner::Repeats => pending.extend([chunk(&text), chunk(&text)].concat()),
                _ => pending.extend(chunk(&text)),
            }
            if matches!(manner, Manner::Delays(delayed) if number == delayed + 1) {
                pending.append(&mut late);
            }
        }
        let most = if let Manner::Buffers(most) = manner { most } else { 0 };
        if pending.len() >= most {
            stream.write_all(&std::mem::take(&mut pending)).await?;
        }
        changed.changed().await.unwrap();
    }
}

/// The lines after the last id, and the cursor after them.
fn lines(request: &Request, logs: &Logs) -> (String, String) {
    let since = request.after.unwrap_or(0);
    let (messages, head, _) = logs.after(&request.topic, since);
    let line = |event| match event {
        Event::Message(number, payload) => format!("{{\"id\":\"0000abcd-{number}\",\"data\":{payload}}}\n"),
        Event::Missed(count) => format!("{{\"missed\":{count}}}\n"),
    };
    (messages.into_iter().map(line).collect(), format!("last-event-id: 0000abcd-{head}\r\n"))
}

async fn poll(stream: &mut BufReader<TcpStream>, request: &Request, logs: &Logs, manner: Manner) -> io::Result<()> {
    let (body, cursor) = lines(request, logs);
    match manner {
        _ if body.is_empty() => respond(stream, "204 No Content", &cursor, "").await,
        Manner::Zips(field) => {
            // The magic number of RFC 1952, followed by garbage.
            let head = format!("HTTP/1.1 200 OK\r\n{field}{cursor}content-length: 4\r\n\r\n");
            stream.write_all(&[head.as_bytes(), b"\x1f\x8b\x08\0"].concat()).await
        }
        _ => respond(stream, "200 OK", &cursor, &body).await,
    }
}

async fn socket(mut stream: BufReader<TcpStream>, request: Request, logs: &Logs, manner: Manner) -> io::Result<()> {
    let Manner::Frames(first, masked) = manner else { panic!("no frames of {manner:?}") };
    stream.write_all(request.upgraded().as_bytes()).await?;
    let mut changed = logs.changed.subscribe();
    loop {
        changed.mark_unchanged();
        for line in lines(&request, logs).0.lines() {
            let length = u8::try_from(line.len()).ok().filter(|length| *length < 126);
            let mut frame = vec![first, length.unwrap_or(126) | u8::from(masked) << 7];
            if length.is_none() {
                frame.extend_from_slice(&u16::try_from(line.len()).unwrap().to_be_bytes());
            }
            // A key of zeros masks nothing.
            frame.extend_from_slice(&[0; 4][..usize::from(masked) * 4]);
            frame.extend_from_slice(line.as_bytes());
            stream.write_all(&frame).await?;
        }
        changed.changed().await.unwrap();
    }
}
