//! Counts what crossed the connections of a trial.
//!
//! Every connection is registered when it opens. Its counters are read from its socket while it is open; the last
//! reading is kept when it closes, so that no byte is lost. Without kernel support the result is `None`, never an
//! estimate.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pushoff_model::Wire;
use pushoff_model::record::Traffic;

use super::contents::Tally;
use super::duplicate;
use super::socket::Socket;
use super::tcp_info::is_supported;

/// The counters of all connections of a trial, open and closed. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct WireCounters {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    tally: Tally,
    connections: Mutex<Connections>,
    unread: AtomicU64,
}

#[derive(Debug, Default)]
struct Connections {
    open: HashMap<u64, Socket>,
    /// The sum of the closed connections.
    closed: Traffic,
    registered: u64,
}

impl WireCounters {
    /// The counters of a trial on that wire.
    #[must_use]
    pub fn on(wire: Wire) -> Self {
        Self { shared: Arc::new(Shared { tally: Tally::on(wire), ..Shared::default() }) }
    }

    /// The traffic so far; `None` without kernel support.
    #[must_use]
    pub fn traffic(&self) -> Option<Traffic> {
        if !is_supported() {
            return None;
        }
        let connections = self.connections();
        let mut sum = connections.closed;
        connections.open.values().filter_map(Socket::traffic).for_each(|traffic| add(&mut sum, &traffic));
        drop(connections);
        Some(Traffic { contents: self.tally().contents(), ..sum })
    }

    /// How many connections closed before their counters could be read.
    #[must_use]
    pub fn unread(&self) -> u64 {
        self.shared.unread.load(Ordering::Relaxed)
    }

    /// The clients' own counts.
    pub(crate) fn tally(&self) -> &Tally {
        &self.shared.tally
    }

    /// Registers a connection whose socket a library hides, by its two addresses. `None` if the socket is not found,
    /// which is counted.
    pub(crate) fn register_hidden(&self, local: SocketAddr, remote: SocketAddr) -> Option<Registration> {
        let socket = duplicate::of_connection(local, remote);
        let registration = socket.map(|socket| self.register(Socket::Duplicate(socket)));
        if registration.is_none() {
            self.shared.unread.fetch_add(1, Ordering::Relaxed);
        }
        registration
    }

    pub(crate) fn register(&self, socket: Socket) -> Registration {
        let mut connections = self.connections();
        let number = connections.registered;
        connections.registered += 1;
        connections.open.insert(number, socket);
        Registration { counters: self.clone(), number }
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A registered connection. When it is dropped, its counters are read for the last time and its socket is released.
#[derive(Debug)]
pub(crate) struct Registration {
    counters: WireCounters,
    number: u64,
}

impl Registration {
    /// Whether both ends of the connection are still open.
    pub(crate) fn is_established(&self) -> bool {
        self.counters.connections().open.get(&self.number).is_some_and(Socket::is_established)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut connections = self.counters.connections();
        let socket = connections.open.remove(&self.number);
        match socket.as_ref().and_then(Socket::traffic) {
            Some(traffic) => add(&mut connections.closed, &traffic),
            None if is_supported() => {
                self.counters.shared.unread.fetch_add(1, Ordering::Relaxed);
            }
            None => {}
        }
    }
}

fn add(sum: &mut Traffic, traffic: &Traffic) {
    for (sum, flow) in [(&mut sum.down, &traffic.down), (&mut sum.up, &traffic.up)] {
        sum.bytes += flow.bytes;
        sum.segments += flow.segments;
        sum.data_segments += flow.data_segments;
        sum.resent_bytes += flow.resent_bytes;
    }
}
