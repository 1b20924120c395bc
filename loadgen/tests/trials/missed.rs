//! Where a subscription resumes after a notice of missed messages.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use pushoff_loadgen::Server;
use pushoff_loadgen::clients::{ConnectionError, Incoming, Sink, Subscription, subscribe};
use pushoff_model::target::parse;
use pushoff_model::workload::Polling;
use pushoff_model::{Client, RunClock, RunInstant, Transport};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Sender, channel};

use super::fake_server::{listen, read, respond};
use super::fake_transports::chunk;

const TARGET: &str = r#"
name = "other"
[publish]
path = "/topics/{topic}"
[message]
payload = "/data"
id = "/id"
missed = "/missed"
[short-polling]
path = "/topics/{topic}/short-polling"
units = "lines"
resume = { Last-Event-ID = "{id}" }
[long-polling]
path = "/topics/{topic}/long-polling"
units = "lines"
resume = { Last-Event-ID = "{id}" }
[http-streaming]
path = "/topics/{topic}/http-streaming"
units = "lines"
resume = { Last-Event-ID = "{id}" }
[sse]
path = "/topics/{topic}/sse"
missed-event = "missed"
resume = { Last-Event-ID = "{id}" }
[websocket]
path = "/topics/{topic}/websocket"
resume = { Last-Event-ID = "{id}" }
"#;

/// Reports three missed messages to every subscriber, with this cursor if there is one, and returns the position of
/// each request.
async fn server(cursor: Option<&'static str>, asked: Sender<Option<String>>) -> Server {
    let for_raw = asked.clone();
    let http = listen(move |stream| serve(stream, cursor, asked.clone())).await;
    let mut target = parse(TARGET, Path::new("other.toml")).unwrap();
    target.raw_tcp = Some(listen(move |stream| raw(stream, cursor, for_raw.clone())).await);
    Server::at(Arc::new(target), http)
}

fn notice(cursor: Option<&str>) -> String {
    cursor.map_or_else(|| r#"{"missed":3}"#.to_owned(), |id| format!(r#"{{"missed":3,"id":"{id}"}}"#))
}

async fn serve(
    mut stream: BufReader<TcpStream>,
    cursor: Option<&str>,
    asked: Sender<Option<String>>,
) -> io::Result<()> {
    while let Some(request) = read(&mut stream).await? {
        asked.send(request.fields.get("last-event-id").cloned()).await.map_err(io::Error::other)?;
        let notice = notice(cursor);
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        match request.transport.as_str() {
            "http-streaming" => {
                stream.write_all(&[chunked.as_bytes(), &chunk(&(notice + "\n"))].concat()).await?;
                return Ok(());
            }
            "sse" => {
                let id = cursor.map_or(String::new(), |id| format!("id: {id}\n"));
                let event = format!("event: missed\n{id}data: 3\n\n");
                stream.write_all(&[chunked.as_bytes(), &chunk(&event)].concat()).await?;
                return Ok(());
            }
            "websocket" => {
                let frame = [&[0x81, u8::try_from(notice.len()).unwrap()], notice.as_bytes()].concat();
                stream.write_all(&[request.upgraded().as_bytes(), &frame].concat()).await?;
                return Ok(());
            }
            _ => respond(&mut stream, "200 OK", "", &(notice + "\n")).await?,
        }
    }
    Ok(())
}

async fn raw(mut stream: BufReader<TcpStream>, cursor: Option<&str>, asked: Sender<Option<String>>) -> io::Result<()> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let stands = line.split_whitespace().nth(2).filter(|place| *place != "start").map(str::to_owned);
    asked.send(stands).await.map_err(io::Error::other)?;
    let notice = notice(cursor);
    stream.write_all(&u32::try_from(notice.len()).unwrap().to_be_bytes()).await?;
    stream.write_all(notice.as_bytes()).await
}

/// Collects missed notices.
#[derive(Debug, Default)]
struct Told(Vec<Option<u64>>);

impl Sink for Told {
    fn connecting(&mut self, _: RunInstant) {}
    fn opened(&mut self, _: RunInstant) {}
    fn requested(&mut self, _: RunInstant) {}
    fn message(&mut self, message: Incoming<'_>) {
        panic!("nothing was published: {message:?}");
    }
    fn missed(&mut self, count: Option<u64>) {
        self.0.push(count);
    }
    fn polled_empty(&mut self) {}
    fn broke(&mut self, _: &ConnectionError) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn completed(&mut self) {}
}

/// The positions of the first and the second request.
async fn stands(transport: Transport, client: Client, cursor: Option<&'static str>) -> [Option<String>; 2] {
    let (sender, mut asked) = channel(1);
    let server = server(cursor, sender).await;
    let polling = Polling { interval: Duration::from_millis(10), wait: Duration::from_secs(1) };
    let mut subscription = Subscription::new(server, "t".parse().unwrap(), polling, RunClock::start());
    subscription.client = client;
    let mut told = Told::default();
    let asking = async { [asked.recv().await.unwrap(), asked.recv().await.unwrap()] };
    let stands = tokio::select! {
        stands = asking => stands,
        ended = subscribe(transport, subscription, &mut told) => panic!("{transport} {client}: {ended:?}"),
    };
    assert_eq!(told.0.first(), Some(&Some(3)), "{transport} {client}");
    stands
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_notice_that_carries_its_cursor_is_where_one_goes_on() {
    let all = Client::OF_THE_PROCESS.into_iter().flat_map(|client| Transport::ALL.map(|transport| (transport, client)));
    join_all(all.map(|(transport, client)| async move {
        let with = stands(transport, client, Some("c-7")).await;
        assert_eq!(with, [None, Some("c-7".to_owned())], "{transport} {client}");
        let without = stands(transport, client, None).await;
        assert_eq!(without, [None, None], "{transport} {client}: it knows no place");
    }))
    .await;
}
