//! The state that all connections of a server share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::compression::Compressors;
use crate::config::Config;
use crate::http::Hosts;
use crate::hub::{Hub, HubLimits, Retention};
use crate::limits;
use crate::memory::Memory;
use crate::net::{Outage, StallLimit};
use crate::stats::Stats;

/// The shared state of a server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) config: Config,
    pub(crate) hosts: Hosts,
    pub(crate) memory: Memory,
    /// With `--compress`.
    pub(crate) compressors: Option<Compressors>,
    pub(crate) hub: Hub,
    pub(crate) stats: Stats,
    /// How long a client may take no byte.
    pub(crate) stall_limit: StallLimit,
    /// Outages on demand, with `--demo`.
    pub(crate) outage: Option<Arc<Outage>>,
    /// Cancelled when the server shuts down.
    pub(crate) closing: CancellationToken,
    /// Cancelled once every subscriber has had its turn to leave.
    pub(crate) drained: CancellationToken,
    is_closing: AtomicBool,
}

impl Server {
    /// The state of a server that listens on an address.
    pub(crate) fn new(config: Config, listen: SocketAddr) -> Self {
        let memory = if config.compress { Memory::with_compressors } else { Memory::new }(config.memory);
        let compressors = memory.compressors.clone().map(Compressors::new);
        let retention = Retention { messages: config.replay.max(1), bytes: config.replay_bytes };
        let (topics, idle) = (config.max_topics, config.topic_idle);
        let limits = HubLimits { retention, topics, idle, memory: memory.clone() };
        let stats = Stats::new(compressors.as_ref(), config.store.is_some());
        Self {
            hosts: Hosts::new(listen, config.allow_hosts.clone(), config.networks.iter().map(|it| it.port).collect()),
            hub: match config.store.clone() {
                None => Hub::new(limits),
                Some(store) => Hub::over(store, limits),
            },
            stall_limit: StallLimit { timeout: config.write_timeout, cut_off: stats.cut_off.clone() },
            outage: config.demo.then(|| Arc::new(Outage::new())),
            closing: CancellationToken::new(),
            drained: CancellationToken::new(),
            is_closing: AtomicBool::new(false),
            config,
            memory,
            compressors,
            stats,
        }
    }

    /// Whether the server is shutting down: every response is then the last of its connection.
    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Relaxed)
    }

    /// Tells every connection that the server is shutting down. Subscribers are told by the hub, each in its turn.
    pub(crate) fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
        if let Some(outage) = &self.outage {
            outage.end();
        }
        self.closing.cancel();
    }

    /// Drops cached batches whenever a request for memory was refused.
    pub(crate) async fn relieve(&self) {
        loop {
            self.memory.is_short().await;
            self.hub.drop_batches();
            sleep(limits::RELIEF).await;
        }
    }
}

/// An address for tests.
#[cfg(test)]
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
