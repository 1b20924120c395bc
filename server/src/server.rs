//! Running a server: accepts connections, bounds their number, serves each in a task, and shuts down.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use crate::config::Config;
use crate::connection::{self, http2};
use crate::http::Problem;
use crate::limits;
use crate::memory::{self, Lease, Memory};
use crate::net::listen;
use crate::net::tls::Identity;
use crate::net::{Socket, boxed, close};
use crate::slow::Slowed;
use crate::state::Server;
use crate::transports::raw_tcp;

/// Where a server listens.
#[derive(Debug)]
pub struct Listeners {
    /// The five transports, publishing, the live page and metrics, in the clear.
    pub http: Option<TcpListener>,
    /// The same over TLS.
    pub https: Option<Https>,
    /// The same in the clear, over each of [`Config::networks`].
    pub networks: Vec<TcpListener>,
    /// The raw TCP floor, for measurement only.
    pub raw_tcp: Option<TcpListener>,
}

/// Where a server listens for connections over TLS, and who it is to them.
#[derive(Debug)]
pub struct Https {
    /// Where it listens.
    pub listener: TcpListener,
    /// Its certificate and key.
    pub identity: Identity,
}

impl Listeners {
    fn http(&self) -> impl Iterator<Item = &TcpListener> + Clone {
        self.http.iter().chain(&self.networks)
    }

    fn https(&self) -> impl Iterator<Item = &TcpListener> + Clone {
        self.https.iter().map(|https| &https.listener)
    }

    /// The address that is this server's usual name.
    fn usual(&self) -> io::Result<SocketAddr> {
        let unnamed = || io::Error::new(io::ErrorKind::InvalidInput, "there is no port for HTTP");
        self.http().chain(self.https()).next().ok_or_else(unnamed)?.local_addr()
    }
}

/// Why a server could not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A listener was not ready to take connections.
    #[error("listening for connections")]
    Listen(#[source] io::Error),
}

/// Which port a connection came to.
#[derive(Clone, Debug)]
enum Port {
    Http,
    Https(Identity),
    RawTcp,
}

/// Serves until `shutdown` resolves. Then polls are answered, streams end with their last chunk, and a
/// WebSocket is closed with 1001, spread over [`Config::drain`] and all within [`Config::grace`] after it.
///
/// # Errors
/// When a listener cannot listen.
pub async fn run(
    listeners: Listeners,
    config: Config,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServerError> {
    for listener in listeners.http().chain(listeners.https()).chain(&listeners.raw_tcp) {
        listen::prepare(listener).map_err(ServerError::Listen)?;
    }
    // Raw TCP has no heartbeat of its own by which to notice that a reader has gone.
    listeners.raw_tcp.as_ref().map_or(Ok(()), listen::keep_alive).map_err(ServerError::Listen)?;
    let address = listeners.usual().map_err(ServerError::Listen)?;
    let server = Arc::new(Server::new(config, address));
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
    let is_late = tokio::select! {
        biased;
        () = ended => false,
        () = server.relieve() => true,
        () = async {
            server.hub.close(server.config.drain).await;
            server.drained.cancel();
            sleep(server.config.grace).await;
        } => true,
    };
    if is_late {
        warn!(open = connections.len(), "the grace period is over: cutting off what is still open");
        connections.shutdown().await;
    }
    Ok(())
}

/// Accepts connections on all ports for ever. A connection is a task.
async fn accept(listeners: &Listeners, server: &Arc<Server>, connections: &mut JoinSet<()>) {
    let permits = Arc::new(Semaphore::new(server.config.max_connections.min(Semaphore::MAX_PERMITS)));
    let refusals = Arc::new(Semaphore::new(limits::REFUSALS));
    loop {
        let accepted = tokio::select! {
            accepted = listen::accept(listeners.http()) => accepted.map(|stream| (stream, Port::Http)),
            accepted = listen::accept(listeners.https()) => {
                let identity = listeners.https.as_ref().map(|https| https.identity.clone());
                accepted.map(|stream| (stream, identity.map_or(Port::Http, Port::Https)))
            }
            accepted = listen::accept(listeners.raw_tcp.iter()) => accepted.map(|stream| (stream, Port::RawTcp)),
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, port)) => match admit(&permits, &server.memory) {
                Some(admission) => {
                    let serving = serve(stream, port, Arc::clone(server), admission);
                    match server.config.slow {
                        None => connections.spawn(serving),
                        Some(share) => connections.spawn(Slowed::new(serving, share)),
                    };
                }
                None => refuse(stream, &port, &refusals, connections),
            },
            Err(error) => listen::hold_back(&error).await,
        }
    }
}

/// One connection's share of the limits, until the connection ends.
type Admission = (OwnedSemaphorePermit, Lease);

/// `None` where the server has as many connections, or as much memory for connections, as allowed.
fn admit(permits: &Arc<Semaphore>, memory: &Memory) -> Option<Admission> {
    let permit = Arc::clone(permits).try_acquire_owned().ok()?;
    Some((permit, memory.connections.lease(memory::CONNECTION)?))
}

/// A connection, and its share of the limits until it has ended. Tasks take memory in steps of 128 bytes: this keeps to two
/// of them, which an `async` function that holds the same for every kind of port does not.
struct Serving {
    connection: Pin<Box<dyn Future<Output = ()> + Send>>,
    _admission: Admission,
}

impl Future for Serving {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.connection.as_mut().poll(cx)
    }
}

fn serve(stream: TcpStream, port: Port, server: Arc<Server>, admission: Admission) -> Serving {
    let connection: Pin<Box<dyn Future<Output = ()> + Send>> = match (port, server.outage.clone()) {
        (Port::Http, None) => boxed(|| connection::serve(Socket::new(stream), server)),
        (Port::Http, Some(outage)) => {
            let socket = Socket::held(stream, Arc::clone(&outage));
            boxed(|| outage.may_cut(connection::serve(socket, server)))
        }
        (Port::Https(identity), None) => boxed(|| serve_tls(Socket::new(stream), identity, server)),
        (Port::Https(identity), Some(outage)) => {
            let socket = Socket::held(stream, Arc::clone(&outage));
            boxed(|| outage.may_cut(serve_tls(socket, identity, server)))
        }
        (Port::RawTcp, _) => boxed(|| raw_tcp::serve(Socket::new(stream), server)),
    };
    Serving { connection, _admission: admission }
}

/// Serves a connection over TLS, in the version of HTTP that its client chose. A handshake takes no longer than a head.
async fn serve_tls(socket: Socket, identity: Identity, server: Arc<Server>) {
    let Some(_lease) = server.memory.connections.lease(memory::TLS) else { return };
    match boxed(|| timeout(server.config.head_timeout, identity.accept(socket))).await {
        Ok(Ok(stream)) if stream.is_http2() => boxed(|| http2::serve(stream, &server)).await,
        Ok(Ok(stream)) => boxed(|| connection::serve(stream, server)).await,
        Ok(Err(error)) => debug!(%error, "a TLS handshake failed"),
        Err(_) => debug!("a TLS handshake took too long"),
    }
}

/// Answers a connection beyond a limit with 503. A bounded number of such connections is closed gently,
/// so that unread input does not reset the connection before the answer arrives (RFC 9112 §9.6).
fn refuse(stream: TcpStream, port: &Port, refusals: &Arc<Semaphore>, connections: &mut JoinSet<()>) {
    match port {
        Port::Http => {}
        Port::Https(_) | Port::RawTcp => return,
    }
    let problem =
        Problem::unavailable("there are as many connections as this server takes (--max-connections, --memory)");
    // The empty send buffer of a new connection is far larger than this response.
    let told = stream.try_write(&problem.to_wire());
    if let (Ok(_), Ok(permit)) = (told, Arc::clone(refusals).try_acquire_owned()) {
        connections.spawn(async move {
            close(stream, &[]).await;
            drop(permit);
        });
    }
}
