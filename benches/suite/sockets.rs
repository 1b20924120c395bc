//! Every transport across real sockets: the reference server on a thread of its own, the generator's clients on
//! another, each on a processor of its own.
//!
//! Each sample is measured in a fresh process, so that an interval holds what differs between processes: addresses,
//! hash seeds, which thread woke whom. The transports of a group take turns, sample by sample, so that a slow minute of
//! the machine falls on all of them; Criterion is given what was measured then. Messages are published by a WebSocket
//! that only publishes, the same for all, so that what differs is how they come back. What short polling shows is the
//! wait for its next poll: its name says how often it asks.

use std::cell::OnceCell;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, Throughput};
use futures_util::SinkExt;
use pushoff_loadgen::Server;
use pushoff_loadgen::clients::{ConnectionError, Incoming, Sink, Subscription, subscribe};
use pushoff_model::target::{OURS, built_in};
use pushoff_model::workload::Polling;
use pushoff_model::{RunClock, RunInstant, Topic, Transport};
use pushoff_server::{Config, Listeners};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// The benches, each with its subscribers; one without connects a subscriber in each iteration.
pub(crate) const GROUPS: [(&str, u64); 3] = [("connect", 0), ("delivery", 1), ("fan_out", 100)];
/// Samples of each transport.
pub(crate) const SAMPLES: usize = 20;
/// How long a sample goes on, one iteration at the least.
const SAMPLE_TIME: Duration = Duration::from_millis(100);
/// The environment variable that asks a process for one sample: subscribers, transport.
const SAMPLE: &str = "PUSHOFF_BENCH_SAMPLE";
/// How long a fresh process goes before its sample begins.
const WARM_UP: Duration = Duration::from_millis(30);
/// How often all subscribers of a topic poll, taken together, at most.
const POLLS_APART: Duration = Duration::from_micros(100);

/// Benches of so many samples each.
pub(crate) fn benches(criterion: &mut Criterion, samples: usize) {
    for (name, subscribers) in GROUPS {
        let mut group = criterion.benchmark_group(name);
        // Each sample of as many iterations: each process counts alike.
        group.sampling_mode(SamplingMode::Flat);
        if subscribers > 0 {
            group.throughput(Throughput::Elements(subscribers));
        }
        let rounds = OnceCell::new();
        for (place, transport) in Transport::ALL.into_iter().enumerate() {
            let interval = polling(subscribers).interval.as_millis();
            let asks = transport.polls_on_a_timer() && subscribers > 0;
            let name = if asks { format!("{transport} every {interval}ms") } else { transport.to_string() };
            let mut turns = (0..samples).cycle();
            group.bench_function(name, |bencher| {
                bencher.iter_custom(|iterations| {
                    let rounds = rounds.get_or_init(|| rounds_of(subscribers, samples));
                    let sample = turns.next().map_or(0.0, |turn| rounds[turn][place]);
                    Duration::from_secs_f64(sample * iterations as f64)
                });
            });
        }
        group.finish();
    }
}

/// A sample of each transport in each round, in seconds; each round begins with another one.
fn rounds_of(subscribers: u64, samples: usize) -> Vec<[f64; Transport::ALL.len()]> {
    let round = |first: usize| {
        let mut round = [0.0; Transport::ALL.len()];
        for turn in 0..round.len() {
            let place = (first + turn) % round.len();
            round[place] = in_a_process(subscribers, Transport::ALL[place]);
        }
        round
    };
    (0..samples).map(round).collect()
}

/// The time of an iteration, in seconds, in a fresh process.
fn in_a_process(subscribers: u64, transport: Transport) -> f64 {
    let mut process = Command::new(std::env::current_exe().unwrap());
    let output = process.env(SAMPLE, format!("{subscribers} {transport}")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let time = said.trim().parse().ok().filter(|_| output.status.success());
    time.unwrap_or_else(|| panic!("{transport} gave no sample: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The sample that this process was started for, in seconds; `None` if it was started for something else.
pub(crate) fn sample() -> Option<f64> {
    let asked = std::env::var(SAMPLE).ok()?;
    let (subscribers, transport) = asked.split_once(' ')?;
    let subscribers = subscribers.parse().ok()?;
    let server = Own::start();
    pin_to(1);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let took = runtime.block_on(measured(&server, subscribers, transport.parse().ok()?));
    // The clients end before their server does.
    drop(runtime);
    Some(took)
}

/// The mean time of an iteration, in seconds, after others that are not counted.
async fn measured(server: &Own, subscribers: u64, transport: Transport) -> f64 {
    let mut topic = PublishedTopic::create(server, "bench".parse().unwrap()).await;
    let mut readers = topic.subscribe(transport, subscribers);
    readers.receive(subscribers).await;
    let mut start = now();
    let (mut done, mut is_warm) = (0.0, false);
    while done < 1.0 || start.elapsed() < SAMPLE_TIME {
        if subscribers == 0 {
            // From nothing to the first message, which was there before.
            topic.subscribe(transport, 1).receive(1).await;
        } else {
            // One message out, and at every subscriber.
            topic.publish().await;
            readers.receive(subscribers).await;
        }
        if is_warm {
            done += 1.0;
        } else if start.elapsed() >= WARM_UP {
            (start, is_warm) = (now(), true);
        }
    }
    start.elapsed().as_secs_f64() / done
}

/// Pins this thread to one of the processors it may use, so that two numbers share none where there are two.
fn pin_to(number: usize) {
    let allowed = sched_getaffinity(None).unwrap();
    let cpus: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu)).collect();
    let mut one = CpuSet::new();
    one.set(cpus[number % cpus.len()]);
    sched_setaffinity(None, &one).unwrap();
}

/// Every millisecond, the least that a timer knows, and less often where many ask.
fn polling(subscribers: u64) -> Polling {
    let interval = (POLLS_APART * u32::try_from(subscribers).unwrap()).max(Duration::from_millis(1));
    Polling { interval, wait: Duration::from_secs(25) }
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
            pin_to(0);
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
                let http = TcpListener::bind(any).await.unwrap();
                let raw_tcp = TcpListener::bind(any).await.unwrap();
                ready.send((http.local_addr().unwrap(), raw_tcp.local_addr().unwrap())).unwrap();
                let listeners =
                    Listeners { http: Some(http), https: None, networks: Vec::new(), raw_tcp: Some(raw_tcp) };
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
        let polling = polling(count);
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
