//! A socket whose counters can be read while another task uses it.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pushoff_model::record::Traffic;
use tokio::net::TcpStream;

use super::tcp_info;

/// The socket of a registered connection.
#[derive(Debug)]
pub(crate) enum Socket {
    /// A socket of a [`CountedStream`](super::stream::CountedStream).
    Own(Arc<Watched>),
    /// A second descriptor of a socket that a library hides.
    Duplicate(OwnedFd),
}

/// A stream, and whether its reader has seen its end.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) stream: TcpStream,
    pub(crate) ended: AtomicBool,
}

impl Socket {
    pub(crate) fn traffic(&self) -> Option<Traffic> {
        match self {
            Self::Own(watched) => tcp_info::traffic(&watched.stream, watched.ended.load(Ordering::Relaxed)),
            Self::Duplicate(socket) => tcp_info::traffic(socket, false),
        }
    }

    pub(crate) fn is_established(&self) -> bool {
        match self {
            Self::Own(watched) => tcp_info::is_established(&watched.stream),
            Self::Duplicate(socket) => tcp_info::is_established(socket),
        }
    }
}
