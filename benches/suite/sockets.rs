//! Every transport across real sockets: the reference server on a thread of its own, the
//! generator's clients on this one.
//!
//! Messages are published by a WebSocket that only publishes, the same for all, so that what
//! differs is how they come back. Short polling asks every millisecond here, the least that its
//! timer knows, and every 10 ms where a hundred ask: what it shows is the wait for the next poll.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use futures_util::SinkExt;
use pushoff_loadgen::Server;
use pushoff_loadgen::clients::{ConnectionError, Incoming, Sink, Subscription, subscribe};
use pushoff_model::target::{OURS, built_in};
use pushoff_model::workload::Polling;
use pushoff_model::{RunClock, RunInstant, Topic, Transport};
use pushoff_server::{Config, Listeners};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

const SUBSCRIBERS: u64 = 100;
/// How often all subscribers of a topic poll, taken together, at most.
const POLLS_APART: Duration = Duration::from_micros(100);

pub(crate) fn benches(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let server = Own::start();
    connect(criterion, &runtime, &server);
    delivery(criterion, &runtime, &server, "delivery", 1);
    delivery(criterion, &runtime, &server, "fan_out", SUBSCRIBERS);
}

/// From nothing to the first message, which was there before.
fn connect(criterion: &mut Criterion, runtime: &Runtime, server: &Own) {
    let mut group = criterion.benchmark_group("connect");
    for transport in Transport::ALL {
        let mut topic = None;
        group.bench_function(transport.name(), |bencher| {
            bencher.iter_custom(|iterations| {
                runtime.block_on(async {
                    let name = format!("connect.{transport}").parse().unwrap();
                    let topic = match &mut topic {
                        Some(topic) => topic,
                        none @ None => none.insert(PublishedTopic::create(server, name).await),
                    };
                    let mut spent = Duration::ZERO;
                    for _ in 0..iterations {
                        let start = now();
                        let mut reader = topic.subscribe(transport, 1);
                        reader.receive(1).await;
                        spent += start.elapsed();
                    }
                    spent
                })
            });
        });
    }
    group.finish();
}

/// One message out, and at every subscriber.
fn delivery(criterion: &mut Criterion, runtime: &Runtime, server: &Own, group: &str, subscribers: u64) {
    let name = group;
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(subscribers));
    for transport in Transport::ALL {
        let mut subscribed = None;
        group.bench_function(transport.name(), |bencher| {
            bencher.iter_custom(|iterations| {
                runtime.block_on(async {
                    let topic = format!("{name}.{transport}").parse().unwrap();
                    let (topic, readers) = match &mut subscribed {
                        Some(subscribed) => subscribed,
                        none @ None => none.insert(subscribed_topic(server, topic, transport, subscribers).await),
                    };
                    let start = now();
                    for _ in 0..iterations {
                        topic.publish().await;
                        readers.receive(subscribers).await;
                    }
                    start.elapsed()
                })
            });
        });
    }
    group.finish();
}

async fn subscribed_topic(server: &Own, name: Topic, transport: Transport, count: u64) -> (PublishedTopic, Readers) {
    let topic = PublishedTopic::create(server, name).await;
    let mut readers = topic.subscribe(transport, count);
    readers.receive(count).await;
    (topic, readers)
}

#[expect(
    clippy::disallowed_methods,
    reason = "Criterion takes what it is given, and no other stamp is compared with it"
)]
fn now() -> Instant {
    Instant::now()
}

/// The reference server, until it is dropped.
struct Own {
    target: Server,
    shutdown: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Own {
    fn start() -> Self {
        let (ready, listens) = std::sync::mpsc::channel();
        let (shutdown, ends) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
                let http = TcpListener::bind(any).await.unwrap();
                let raw_tcp = TcpListener::bind(any).await.unwrap();
                ready.send((http.local_addr().unwrap(), raw_tcp.local_addr().unwrap())).unwrap();
                let listeners = Listeners { http, raw_tcp: Some(raw_tcp) };
                let config = Config { grace: Duration::from_millis(200), ..Config::default() };
                let ended = async { drop(ends.await) };
                pushoff_server::run(listeners, config, ended).await.unwrap();
            });
        });
        let (http, raw_tcp) = listens.recv().unwrap();
        let ours = Arc::new(built_in(OURS).unwrap().unwrap());
        let target = Server { raw_tcp: Some(raw_tcp), ..Server::at(ours, http) };
        Self { target, shutdown: Some(shutdown), thread: Some(thread) }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        drop(self.shutdown.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server ends in peace");
        }
    }
}

/// A topic with one message in it and a publisher on it.
struct PublishedTopic {
    target: Server,
    name: Topic,
    publisher: WebSocketStream<TcpStream>,
}

impl PublishedTopic {
    async fn create(server: &Own, name: Topic) -> Self {
        let address = server.target.http;
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let url = format!("ws://{address}/topics/{name}/websocket?subscribe=false");
        let (publisher, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
        let mut topic = Self { target: server.target.clone(), name, publisher };
        topic.publish().await;
        topic
    }

    async fn publish(&mut self) {
        let payload = format!("\"{}\"", "x".repeat(126));
        self.publisher.send(Message::text(payload)).await.unwrap();
    }

    /// Subscribes `count` times, from the start of the log.
    fn subscribe(&self, transport: Transport, count: u64) -> Readers {
        let (arrivals, received) = mpsc::channel(1024);
        let clock = RunClock::start();
        let interval = (POLLS_APART * u32::try_from(count).unwrap()).max(Duration::from_millis(1));
        let polling = Polling { interval, wait: Duration::from_secs(25) };
        let tasks = (0..count)
            .map(|_| {
                let subscription = Subscription::new(self.target.clone(), self.name.clone(), polling, clock);
                let mut sink = Arrivals(arrivals.clone());
                let task = async move { drop(subscribe(transport, subscription, &mut sink).await) };
                tokio::spawn(task).abort_handle()
            })
            .collect();
        Readers { received, tasks }
    }
}

/// Subscribers of a topic, and where their messages arrive. Dropping it unsubscribes them.
struct Readers {
    received: mpsc::Receiver<()>,
    tasks: Vec<AbortHandle>,
}

impl Readers {
    async fn receive(&mut self, count: u64) {
        for _ in 0..count {
            self.received.recv().await.expect("every subscriber goes on");
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// Tells that a message came. The queue holds more than is ever under way.
struct Arrivals(mpsc::Sender<()>);

impl Sink for Arrivals {
    fn connecting(&mut self, _: RunInstant) {}
    fn opened(&mut self, _: RunInstant) {}
    fn requested(&mut self, _: RunInstant) {}
    fn message(&mut self, _: Incoming<'_>) {
        self.0.try_send(()).expect("every arrival is waited for");
    }
    fn missed(&mut self, count: Option<u64>) {
        panic!("{count:?} messages missed: the figure would be wrong");
    }
    fn polled_empty(&mut self) {}
    fn broke(&mut self, error: &ConnectionError) -> ControlFlow<()> {
        panic!("a connection broke: {error}");
    }
    fn completed(&mut self) {}
}
