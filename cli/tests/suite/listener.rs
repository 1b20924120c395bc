//! A subscriber of the load generator outside any trial, with its wire counters.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use pushoff_loadgen::clients::{ConnectionError, Incoming, Sink, Subscription, subscribe};
use pushoff_loadgen::{Server as Listening, WireCounters};
use pushoff_model::record::Traffic;
use pushoff_model::target::{OURS, built_in};
use pushoff_model::workload::Polling;
use pushoff_model::{Client, RunClock, RunInstant, Transport};
use tokio::runtime::Runtime;

use crate::server::{DEADLINE, Server};

/// What happened to a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Opened,
    Message(Vec<u8>),
    Empty,
    Broke,
    Completed,
}

/// A subscription in a runtime of its own.
pub(crate) struct Listener {
    wire: WireCounters,
    heard: Receiver<Heard>,
    runtime: Runtime,
}

struct Ears(Sender<Heard>);

impl Ears {
    fn hear(&self, heard: Heard) {
        // A test that has seen enough listens no more.
        self.0.send(heard).unwrap_or_default();
    }
}

impl Sink for Ears {
    fn connecting(&mut self, _: RunInstant) {}
    fn opened(&mut self, _: RunInstant) {
        self.hear(Heard::Opened);
    }
    fn requested(&mut self, _: RunInstant) {}
    fn message(&mut self, message: Incoming<'_>) {
        self.hear(Heard::Message(message.payload.to_vec()));
    }
    fn missed(&mut self, _: Option<u64>) {}
    fn polled_empty(&mut self) {
        self.hear(Heard::Empty);
    }
    fn broke(&mut self, _: &ConnectionError) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
    fn completed(&mut self) {}
}

/// The server at these addresses, as the generator's clients take it.
pub(crate) fn listening(http: SocketAddr, raw_tcp: SocketAddr) -> Listening {
    let ours = built_in(OURS).unwrap().unwrap();
    Listening { raw_tcp: Some(raw_tcp), ..Listening::at(Arc::new(ours), http) }
}

impl Listener {
    /// Subscribes to a topic of the server from its start, with what `set` sets.
    pub(crate) fn start(
        server: &Server,
        topic: &str,
        transport: Transport,
        client: Client,
        set: impl FnOnce(&mut Subscription),
    ) -> Self {
        let target = listening(server.http, server.raw_tcp);
        let polling = Polling { interval: Duration::from_millis(40), wait: Duration::from_secs(100) };
        let mut subscription = Subscription::new(target, topic.parse().unwrap(), polling, RunClock::start());
        let wire = WireCounters::default();
        (subscription.client, subscription.wire) = (client, wire.clone());
        set(&mut subscription);
        let (sender, heard) = channel();
        let runtime = Runtime::new().unwrap();
        runtime.spawn(async move {
            let mut ears = Ears(sender);
            let ended = subscribe(transport, subscription, &mut ears).await;
            ears.hear(if ended.is_ok() { Heard::Completed } else { Heard::Broke });
        });
        Self { wire, heard, runtime }
    }

    /// Waits until it has heard something of that kind.
    pub(crate) fn wait_for(&self, is_it: impl Fn(&Heard) -> bool) {
        loop {
            let heard = self.heard.recv_timeout(DEADLINE).unwrap_or_else(|_| panic!("never heard: {:?}", self.wire));
            if is_it(&heard) {
                return;
            }
            assert!(!matches!(heard, Heard::Broke | Heard::Completed), "it ended: {heard:?}");
        }
    }

    /// Waits until the traffic is as it should be.
    pub(crate) fn wait_until(&self, is_so: impl Fn(&Traffic) -> bool) -> Traffic {
        let clock = RunClock::start();
        loop {
            let traffic = self.wire.traffic().unwrap();
            if is_so(&traffic) {
                return traffic;
            }
            assert!(clock.now() < RunInstant::default() + DEADLINE, "it never came to that: {traffic:?}");
            // The kernel's counters have no event; this asks them with a deadline.
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }

    /// Ends the subscription and its connections; the counters keep their sums.
    pub(crate) fn end(self) -> WireCounters {
        drop(self.runtime);
        self.wire
    }
}
