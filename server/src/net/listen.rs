//! Listening sockets: options that accepted connections inherit, and the next connection.
//!
//! Setting an option on the listener costs no system call a connection. Sources: tcp(7), socket(7).

use std::future::poll_fn;
use std::io;
use std::task::Poll;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tracing::warn;

use crate::limits;

/// Sets the options of all connections.
///
/// `TCP_NOTSENT_LOWAT` bounds the bytes that the kernel holds unsent, besides the bytes in flight, which it
/// bounds itself. Without the option, a socket whose buffer has grown to megabytes accepts no byte before
/// a third of the buffer is free, and a slow reader looks like a stuck one.
pub(crate) fn prepare(listener: &TcpListener) -> io::Result<()> {
    let socket = SockRef::from(listener);
    socket.set_tcp_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_notsent_lowat(limits::UNSENT_BYTES)?;
    // The listener has some backlog already; listening again only changes the backlog.
    socket.listen(limits::BACKLOG)
}

/// Has the kernel probe idle connections, for a port whose protocol has no heartbeat.
pub(crate) fn keep_alive(listener: &TcpListener) -> io::Result<()> {
    SockRef::from(listener).set_tcp_keepalive(&TcpKeepalive::new().with_time(Duration::from_mins(1)))
}

/// The next connection to any listener; waits for ever where there is no listener.
pub(crate) async fn accept<'a>(listeners: impl Iterator<Item = &'a TcpListener> + Clone) -> io::Result<TcpStream> {
    poll_fn(|cx| {
        let ready = |listener: &TcpListener| match listener.poll_accept(cx) {
            Poll::Ready(accepted) => Some(accepted.map(|(stream, _)| stream)),
            Poll::Pending => None,
        };
        listeners.clone().find_map(ready).map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

/// Waits after an error of [`accept`], unless one connection caused the error (a reset, say). Otherwise the
/// process is at a limit such as its file descriptors, and trying again at once would only burn processor time.
pub(crate) async fn hold_back(error: &io::Error) {
    let is_one_connections = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    );
    if !is_one_connections {
        warn!(%error, "cannot accept a connection; trying again in 100 ms");
        sleep(Duration::from_millis(100)).await;
    }
}
