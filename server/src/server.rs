//! What every connection of a server shares, and the loop that accepts them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::Config;
use crate::http::connection;
use crate::http::problem::Problem;
use crate::hub::{Hub, HubLimits, Retention};
use crate::limits;
use crate::outage::Outage;
use crate::slow::Slowed;
use crate::socket::{self, Socket};
use crate::stats::Stats;
use crate::transports::raw_tcp;
use crate::{Listeners, ServerError};

/// What the connections of a server share.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) config: Config,
    pub(crate) hub: Hub,
    pub(crate) stats: Stats,
    /// There where outages may be asked for.
    pub(crate) outage: Option<Arc<Outage>>,
    /// Cancelled when the server goes away.
    pub(crate) closing: CancellationToken,
}

/// Which port a connection came to.
#[derive(Clone, Copy, Debug)]
enum Port {
    Http,
    RawTcp,
}

impl Server {
    pub(crate) fn new(config: Config) -> Self {
        let retention = Retention { messages: config.replay.max(1), bytes: config.replay_bytes };
        let hub = Hub::new(HubLimits { retention, topics: config.max_topics, idle: config.topic_idle });
        let outage = config.outages.then(|| Arc::new(Outage::new()));
        Self { config, hub, outage, stats: Stats::new(), closing: CancellationToken::new() }
    }
}

/// Serves until `shutdown`, and then for as long as it takes to end what is open, within the grace.
pub(crate) async fn run(
    listeners: Listeners,
    config: Config,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServerError> {
    for listener in std::iter::once(&listeners.http).chain(&listeners.raw_tcp) {
        socket::prepare(listener, config.write_timeout).map_err(ServerError::Listen)?;
    }
    // The floor has no heartbeat of its own to find out that its reader is gone.
    listeners.raw_tcp.as_ref().map_or(Ok(()), socket::keep_alive).map_err(ServerError::Listen)?;
    let server = Arc::new(Server::new(config));
    let mut connections = JoinSet::new();
    tokio::select! {
        () = accept(&listeners, &server, &mut connections) => {}
        () = shutdown => {}
    }
    drop(listeners);
    info!(open = connections.len(), "shutting down");
    server.closing.cancel();
    server.hub.close();
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
            Ok((stream, port)) => match Arc::clone(&permits).try_acquire_owned() {
                Ok(permit) => {
                    let serving = serve(stream, port, Arc::clone(server), permit);
                    match server.config.slow {
                        None => connections.spawn(serving),
                        Some(share) => connections.spawn(Slowed::new(Box::pin(serving), share)),
                    };
                }
                Err(_) => refuse(stream, port, &refusals, connections),
            },
            Err(error) => hold_back(&error).await,
        }
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

async fn serve(stream: TcpStream, port: Port, server: Arc<Server>, permit: OwnedSemaphorePermit) {
    match (port, server.outage.clone()) {
        (Port::Http, None) => connection::boxed(|| connection::serve(Socket::new(stream), server)).await,
        (Port::Http, Some(outage)) => {
            let socket = Socket::held(stream, Arc::clone(&outage));
            connection::boxed(|| outage.may_cut(connection::serve(socket, server))).await;
        }
        (Port::RawTcp, _) => connection::boxed(|| raw_tcp::serve(Socket::new(stream), server)).await,
    }
    drop(permit);
}

/// Turns a connection beyond the limit away, with a word where there is time for one.
fn refuse(stream: TcpStream, port: Port, refusals: &Arc<Semaphore>, connections: &mut JoinSet<()>) {
    match (port, Arc::clone(refusals).try_acquire_owned()) {
        (Port::Http, Ok(permit)) => {
            connections.spawn(async move {
                let problem = Problem::unavailable("there are as many connections as this server takes");
                connection::close(stream, Some(problem)).await;
                drop(permit);
            });
        }
        (Port::Http | Port::RawTcp, _) => drop(stream),
    }
}
