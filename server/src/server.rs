//! What every connection of a server shares, and the loop that accepts them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::Config;
use crate::http::connection;
use crate::http::host::Hosts;
use crate::http::problem::Problem;
use crate::hub::{Hub, HubLimits, Retention};
use crate::limits;
use crate::memory::{self, Lease, Memory};
use crate::net::outage::Outage;
use crate::net::socket::{self, Socket};
use crate::slow::Slowed;
use crate::stats::Stats;
use crate::transports::raw_tcp;
use crate::{Listeners, ServerError};

/// What the connections of a server share.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) config: Config,
    pub(crate) hosts: Hosts,
    pub(crate) memory: Memory,
    pub(crate) hub: Hub,
    pub(crate) stats: Stats,
    /// There where outages may be asked for.
    pub(crate) outage: Option<Arc<Outage>>,
    /// Cancelled when the server goes away.
    pub(crate) closing: CancellationToken,
    is_closing: AtomicBool,
}

/// Which port a connection came to.
#[derive(Clone, Copy, Debug)]
enum Port {
    Http,
    RawTcp,
}

impl Server {
    /// A server that listens on an address.
    pub(crate) fn new(config: Config, listen: SocketAddr) -> Self {
        let memory = Memory::new(config.memory);
        let retention = Retention { messages: config.replay.max(1), bytes: config.replay_bytes };
        let (topics, idle) = (config.max_topics, config.topic_idle);
        let hub = Hub::new(HubLimits { retention, topics, idle, memory: memory.clone() });
        let hosts = Hosts::new(listen, config.allow_hosts.clone());
        let outage = config.demo.then(|| Arc::new(Outage::new()));
        let (closing, is_closing) = (CancellationToken::new(), AtomicBool::new(false));
        Self { config, hosts, memory, hub, stats: Stats::new(), outage, closing, is_closing }
    }

    /// Whether the server goes away: every answer is then the last of its connection.
    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Relaxed)
    }

    /// Tells all who are served that the server goes away.
    fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
        if let Some(outage) = &self.outage {
            outage.end();
        }
        self.closing.cancel();
        self.hub.close();
    }

    /// Has the hub let go of what it keeps ready, as often as somebody finds that there is no memory.
    async fn relieve(&self) {
        loop {
            self.memory.is_short().await;
            self.hub.drop_batches();
            sleep(limits::RELIEF).await;
        }
    }
}

/// Serves until `shutdown`, and then for as long as it takes to end what is open, within the grace.
pub(crate) async fn run(
    listeners: Listeners,
    config: Config,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServerError> {
    for listener in std::iter::once(&listeners.http).chain(&listeners.raw_tcp) {
        socket::prepare(listener).map_err(ServerError::Listen)?;
    }
    // The floor has no heartbeat of its own to find out that its reader is gone.
    listeners.raw_tcp.as_ref().map_or(Ok(()), socket::keep_alive).map_err(ServerError::Listen)?;
    let listen = listeners.http.local_addr().map_err(ServerError::Listen)?;
    let server = Arc::new(Server::new(config, listen));
    let mut connections = JoinSet::new();
    tokio::select! {
        () = accept(&listeners, &server, &mut connections) => {}
        () = server.relieve() => {}
        () = shutdown => {}
    }
    drop(listeners);
    info!(open = connections.len(), "shutting down");
    server.close();
    let ended = async { while connections.join_next().await.is_some() {} };
    if timeout(server.config.grace, ended).await.is_err() {
        warn!(open = connections.len(), "the grace period is over: cutting off what is still open");
        connections.shutdown().await;
    }
    Ok(())
}

/// Accepts connections on both ports for ever. A connection is a task.
async fn accept(listeners: &Listeners, server: &Arc<Server>, connections: &mut JoinSet<()>) {
    let permits = Arc::new(Semaphore::new(server.config.max_connections.min(Semaphore::MAX_PERMITS)));
    let refusals = Arc::new(Semaphore::new(limits::REFUSALS));
    loop {
        let accepted = tokio::select! {
            accepted = listeners.http.accept() => accepted.map(|(stream, _)| (stream, Port::Http)),
            accepted = accept_raw(listeners.raw_tcp.as_ref()) => accepted.map(|stream| (stream, Port::RawTcp)),
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, port)) => match Place::take(&permits, &server.memory) {
                Some(place) => {
                    let serving = serve(stream, port, Arc::clone(server), place);
                    match server.config.slow {
                        None => connections.spawn(serving),
                        Some(share) => connections.spawn(Slowed::new(Box::pin(serving), share)),
                    };
                }
                None => refuse(stream, port, &refusals, connections),
            },
            Err(error) => hold_back(&error).await,
        }
    }
}

/// What a connection takes for as long as it lasts.
struct Place {
    _permit: OwnedSemaphorePermit,
    _lease: Lease,
}

impl Place {
    /// One of the places, where there is one and memory for it.
    fn take(permits: &Arc<Semaphore>, memory: &Memory) -> Option<Self> {
        let permit = Arc::clone(permits).try_acquire_owned().ok()?;
        Some(Self { _permit: permit, _lease: memory.connections.lease(memory::CONNECTION)? })
    }
}

async fn accept_raw(listener: Option<&TcpListener>) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

/// An error of `accept` is one connection's (it was reset) or the process's (it has no descriptor
/// left). The second lasts, and trying again at once would only burn the processor.
async fn hold_back(error: &io::Error) {
    let is_one_connections = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    );
    if !is_one_connections {
        warn!(%error, "cannot accept a connection; trying again in 100 ms");
        sleep(Duration::from_millis(100)).await;
    }
}

async fn serve(stream: TcpStream, port: Port, server: Arc<Server>, place: Place) {
    match (port, server.outage.clone()) {
        (Port::Http, None) => connection::boxed(|| connection::serve(Socket::new(stream), server)).await,
        (Port::Http, Some(outage)) => {
            let socket = Socket::held(stream, Arc::clone(&outage));
            connection::boxed(|| outage.may_cut(connection::serve(socket, server))).await;
        }
        (Port::RawTcp, _) => connection::boxed(|| raw_tcp::serve(Socket::new(stream), server)).await,
    }
    drop(place);
}

/// Turns a connection beyond a limit away, with a word. Some are waited for, so that what they were
/// sending does not reset the connection before the word arrives (RFC 9112 §9.6).
fn refuse(stream: TcpStream, port: Port, refusals: &Arc<Semaphore>, connections: &mut JoinSet<()>) {
    if matches!(port, Port::RawTcp) {
        return;
    }
    let problem =
        Problem::unavailable("there are as many connections as this server takes (--max-connections, --memory)");
    // What a new connection takes at once is far longer than this.
    let told = stream.try_write(&problem.to_wire());
    if let (Ok(_), Ok(permit)) = (told, Arc::clone(refusals).try_acquire_owned()) {
        connections.spawn(async move {
            connection::close(stream, None).await;
            drop(permit);
        });
    }
}

/// An address for tests.
#[cfg(test)]
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
