//! A nats-server of one's own, which can be killed and started again on what it has stored.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use pushoff_model::{RunClock, RunInstant};

use crate::command::Folder;
use crate::server::{DEADLINE, Server};

pub(crate) struct Nats {
    process: Option<Child>,
    port: u16,
    configuration: String,
    home: Folder,
}

impl Nats {
    /// One with JetStream.
    pub(crate) fn start() -> Self {
        Self::with("jetstream { store_dir: HOME }")
    }

    /// One with this configuration, in which HOME is a folder of its own.
    pub(crate) fn with(configuration: &str) -> Self {
        // It takes no socket that is bound already: the port is free now, and its own from the first start on.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let home = Folder::new();
        let configuration = configuration.replace("HOME", &format!("{:?}", home.path("store")));
        let configuration = home.file("nats.conf", &configuration);
        let mut nats = Self { process: None, port, configuration, home };
        nats.start_again();
        nats
    }

    /// Starts it on what an earlier one has stored, and waits until it answers.
    pub(crate) fn start_again(&mut self) {
        let process = Command::new("nats-server")
            .args(["-a", "127.0.0.1", "-p", &self.port.to_string(), "-c", &self.configuration])
            .env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("nats-server is needed (apt-get install nats-server): {error}"));
        self.process = Some(process);
        let clock = RunClock::start();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(clock.now().since(RunInstant::default()) < DEADLINE, "nats-server does not listen");
            // Another process's socket has no event; this asks for it with a deadline.
            thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Its address, with what stands before the `@`.
    pub(crate) fn url(&self, user: &str) -> String {
        format!("nats://{user}127.0.0.1:{}", self.port)
    }

    /// Its folder.
    pub(crate) fn home(&self) -> &Folder {
        &self.home
    }

    /// A pushoff that keeps its topics here, with these flags besides.
    pub(crate) fn server(&self, flags: &[&str]) -> Server {
        Server::with(&[&["--store", &self.url("")], flags].concat())
    }

    /// Asks JetStream something without a body.
    pub(crate) fn ask(&self, subject: &str) -> String {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(socket, "CONNECT {{\"verbose\":false}}\r\nSUB answer 1\r\nPUB $JS.API.{subject} answer 0\r\n\r\n")
            .unwrap();
        let mut lines = BufReader::new(socket).lines().map(Result::unwrap);
        lines.find(|line| line.starts_with("MSG answer")).unwrap();
        lines.next().unwrap()
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}
