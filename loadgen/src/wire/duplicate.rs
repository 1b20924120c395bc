//! A second descriptor of a socket that a library hides.
//!
//! `pidfd_getfd` on this process duplicates a descriptor by its number and fails if there is none, so trying a
//! foreign number is safe. A kernel before 5.6 lacks the call and a container may forbid it; then the socket is not
//! found.

use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use rustix::net::getsockname;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, Resource, getpid, getrlimit, pidfd_getfd, pidfd_open};

/// The socket of this process that is bound to `local`.
///
/// A new descriptor gets the lowest free number, so a socket that was just opened is found close below the next free
/// number, where the search begins.
pub(crate) fn of_socket_at(local: SocketAddr) -> Option<OwnedFd> {
    let process = pidfd_open(getpid(), PidfdFlags::empty()).ok()?;
    let next = process.as_raw_fd();
    let most = getrlimit(Resource::Nofile).current.unwrap_or(1 << 20);
    let most = RawFd::try_from(most).unwrap_or(RawFd::MAX);
    (0..next).rev().chain(next + 1..most).find_map(|number| {
        let socket = pidfd_getfd(&process, number, PidfdGetfdFlags::empty()).ok()?;
        let address = SocketAddr::try_from(getsockname(&socket).ok()?).ok()?;
        (address == local).then_some(socket)
    })
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_socket_is_found_by_its_address_whatever_else_is_open() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let streams: Vec<_> = (0..20).map(|_| TcpStream::connect(listener.local_addr().unwrap()).unwrap()).collect();
        for stream in &streams {
            let local = stream.local_addr().unwrap();
            let duplicate = TcpStream::from(of_socket_at(local).unwrap());
            assert_eq!(duplicate.local_addr().unwrap(), local);
            assert_eq!(duplicate.peer_addr().unwrap(), stream.peer_addr().unwrap());
        }
        assert!(of_socket_at("127.0.0.1:1".parse().unwrap()).is_none());
    }
}
