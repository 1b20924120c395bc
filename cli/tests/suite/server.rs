//! The real binary, spawned for one test and killed with it.
//!
//! Port 0 and the readiness line: no fixed port, no wait for readiness. Everything that the suite
//! knows of the server goes through these two sockets and the signals below.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use procfs::net::{TcpNetEntry, TcpState};
use procfs::process::Process;
use pushoff_model::{Cursor, RunClock, RunInstant, Transport};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use crate::client::http::{Connection, Request, Response};

/// How long any single event may take before the test gives up. Generous, since the machine is
/// shared, and less than the 15 s after which a heartbeat would end the wait.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// A `pushoff serve` of one's own.
pub(crate) struct Server {
    process: Child,
    /// Where it speaks HTTP.
    pub(crate) http: SocketAddr,
    /// Where it speaks HTTP over TLS, if it does.
    pub(crate) https: Option<SocketAddr>,
    /// Where it speaks raw TCP.
    pub(crate) raw_tcp: SocketAddr,
    /// Where it speaks HTTP over each network.
    pub(crate) networks: BTreeMap<String, SocketAddr>,
}

#[derive(Deserialize)]
struct Ready {
    http: SocketAddr,
    https: Option<SocketAddr>,
    raw_tcp: SocketAddr,
    #[serde(default)]
    networks: BTreeMap<String, SocketAddr>,
}

impl Server {
    /// Starts one with default settings.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// Starts one with these flags besides the ports.
    pub(crate) fn with(flags: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_pushoff"))
            .args(["serve", "--listen", "127.0.0.1:0", "--raw-tcp", "127.0.0.1:0"])
            .args(flags)
            .env_remove("PUSHOFF_PUBLISH_TOKEN")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("readiness {line:?}: {error}"));
        let Ready { http, https, raw_tcp, networks } = ready;
        Self { process, http, https, raw_tcp, networks }
    }

    /// Sends one request on a connection of its own and reads the whole response.
    pub(crate) fn answer(&self, request: &Request) -> Response {
        let mut connection = Connection::open(self.http);
        connection.send(request);
        connection.receive()
    }

    /// A connection that publishes to `topic`.
    pub(crate) fn publisher(&self, topic: &str) -> Publisher {
        Publisher { connection: Connection::open(self.http), topic: topic.to_owned() }
    }

    /// Publishes one payload and returns the cursor it was given.
    pub(crate) fn publish(&self, topic: &str, payload: &str) -> Cursor {
        self.publisher(topic).publish(payload)
    }

    /// Publishes the numbers `from..=to` as one batch.
    pub(crate) fn publish_numbers(&self, topic: &str, numbers: std::ops::RangeInclusive<u64>) -> Cursor {
        self.publisher(topic).publish_batch(numbers.map(|number| number.to_string()))
    }

    /// The topic's newest cursor, as a poll that finds nothing new says it.
    pub(crate) fn head(&self, topic: &str) -> Cursor {
        let response = self.answer(&Request::get(&format!("/topics/{topic}/short-polling")));
        assert_eq!(response.status, 204, "a poll from now on finds nothing: {response:?}");
        response.cursor()
    }

    /// The topic's cursor before its first message. Brings the topic into being.
    pub(crate) fn origin(&self, topic: &str) -> Cursor {
        Cursor { sequence: 0, ..self.head(topic) }
    }

    /// Says that no more will come on `topic`.
    pub(crate) fn complete(&self, topic: &str) {
        let response = self.answer(&Request::new("DELETE", &format!("/topics/{topic}")));
        assert_eq!(response.status, 204, "{response:?}");
    }

    /// Asserts that a publisher and a subscriber are still served.
    pub(crate) fn assert_healthy(&self) {
        let topic = "still-healthy";
        let origin = self.origin(topic);
        let published = self.publish(topic, "\"alive\"");
        let poll = self.answer(&Request::get(&format!("/topics/{topic}/long-polling?after={origin}")));
        assert_eq!(poll.status, 200);
        assert_eq!(poll.cursor(), published);
    }

    /// The sum of the metrics of `transport` whose name holds `word`; `None` where there is none.
    pub(crate) fn metric(&self, word: &str, transport: Transport) -> Option<f64> {
        let text = self.answer(&Request::get("/metrics")).text;
        let label = format!("transport=\"{transport}\"");
        let samples = text.lines().filter(|line| !line.starts_with('#') && line.contains(&label));
        let values = samples.filter_map(|line| {
            let (name, rest) = line.split_once('{')?;
            let value = rest.rsplit_once('}')?.1.split_whitespace().next()?;
            name.contains(word).then(|| value.parse::<f64>().unwrap())
        });
        values.reduce(|sum, value| sum + value)
    }

    /// Waits until that metric is at least `least`.
    pub(crate) fn wait_for_metric(&self, word: &str, transport: Transport, least: f64) {
        let clock = RunClock::start();
        let start = clock.now();
        while self.metric(word, transport).is_none_or(|value| value < least) {
            assert!(clock.now().since(start) < DEADLINE, "{word} of {transport} never reached {least}");
        }
    }

    /// How many descriptors the process has open.
    pub(crate) fn open_descriptors(&self) -> usize {
        self.stat().fd_count().unwrap()
    }

    /// Waits until it has no more than so many open.
    pub(crate) fn wait_for_no_more_descriptors_than(&self, count: usize) {
        let clock = RunClock::start();
        while self.open_descriptors() > count {
            let waited = clock.now().since(RunInstant::default());
            assert!(waited < DEADLINE, "{} descriptors are open, and {count} were before", self.open_descriptors());
            // What another process holds has no event; this asks for it with a deadline.
            thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// The memory that the process holds.
    pub(crate) fn resident_bytes(&self) -> u64 {
        self.stat().status().unwrap().vmrss.unwrap() * 1024
    }

    /// The most memory that it has held so far.
    pub(crate) fn peak_bytes(&self) -> u64 {
        self.stat().status().unwrap().vmhwm.unwrap() * 1024
    }

    /// How many connections it has ended because the other end took nothing.
    pub(crate) fn cut_off(&self) -> u64 {
        let text = self.answer(&Request::get("/metrics")).text;
        text.lines().find_map(|line| line.strip_prefix("pushoff_cut_off_total ")).unwrap().parse().unwrap()
    }

    /// Whether the connection from `client` is still open at the server's end.
    pub(crate) fn holds(&self, client: SocketAddr) -> bool {
        // The table is the whole network namespace's, where others may use the same port of the client.
        let is_its = |socket: &TcpNetEntry| {
            [self.http, self.raw_tcp].contains(&socket.local_address)
                && socket.remote_address == client
                && socket.state == TcpState::Established
        };
        self.stat().tcp().unwrap().iter().any(is_its)
    }

    fn stat(&self) -> Process {
        Process::new(self.pid()).unwrap()
    }

    /// Its number.
    pub(crate) fn pid(&self) -> i32 {
        self.process.id().try_into().unwrap()
    }

    /// Sends the process a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Waits for the process to end, at most `limit`, and returns how it ended and when.
    pub(crate) fn wait_for_exit(&mut self, limit: Duration) -> (ExitStatus, Duration) {
        let clock = RunClock::start();
        let start = clock.now();
        loop {
            let waited = clock.now().since(start);
            if let Some(status) = self.process.try_wait().unwrap() {
                return (status, waited);
            }
            assert!(waited < limit, "the server still runs after {waited:?}");
            // A child's end has no portable event in std; this is a poll of it with a deadline.
            thread::park_timeout(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Either may fail only because the process has ended already, which is what is wanted.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A keep-alive connection that publishes to one topic.
pub(crate) struct Publisher {
    connection: Connection,
    topic: String,
}

impl Publisher {
    /// Publishes one payload.
    pub(crate) fn publish(&mut self, payload: &str) -> Cursor {
        self.send("application/json", payload)
    }

    /// Publishes all payloads or none; returns the last one's cursor.
    pub(crate) fn publish_batch(&mut self, payloads: impl Iterator<Item = String>) -> Cursor {
        let lines: String = payloads.map(|payload| payload + "\n").collect();
        self.send("application/x-ndjson", &lines)
    }

    fn send(&mut self, content_type: &str, body: &str) -> Cursor {
        self.connection.send(&Request::post(&self.topic, content_type, body));
        let response = self.connection.receive();
        assert_eq!(response.status, 201, "{response:?}");
        response.json()["id"].as_str().unwrap().parse().unwrap()
    }
}
