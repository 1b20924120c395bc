//! Waits for a descriptor of the kernel's (a timer, a process) as Tokio waits for sockets.

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Registers a descriptor that becomes readable when something has happened.
///
/// # Errors
/// When epoll does not take it.
#[expect(
    deprecated,
    reason = "its successor is unsafe, for descriptors that may be closed meanwhile; an OwnedFd is not"
)]
pub(crate) fn readable(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(descriptor, Interest::READABLE)
}
