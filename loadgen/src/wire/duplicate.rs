//! A second descriptor of a socket that a library hides.
//!
//! `pidfd_getfd` on this process duplicates a descriptor by its number and fails if there is none, so trying a
//! foreign number is safe. A kernel before 5.6 lacks the call and a container may forbid it; then the socket is not
//! found.

use std::fs;
use std::iter::once_with;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use rustix::io::Errno;
use rustix::net::{getpeername, getsockname};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

/// The socket of this process that connects these two addresses. Its own address alone does not identify it: the kernel
/// uses a port again towards another server.
///
/// A new descriptor gets the lowest free number, so a socket that was just opened is found close below the next free
/// number, where the search begins. Only if it is not below that number are all open descriptors listed.
pub(crate) fn of_connection(local: SocketAddr, remote: SocketAddr) -> Option<OwnedFd> {
    let process = pidfd_open(getpid(), PidfdFlags::empty()).ok()?;
    let next = process.as_raw_fd();
    let above = once_with(open_descriptors).flatten().filter(|number| *number > next);
    for number in (0..next).rev().chain(above) {
        match pidfd_getfd(&process, number, PidfdGetfdFlags::empty()) {
            Ok(socket) if ends(&socket) == Some((local, remote)) => return Some(socket),
            Ok(_) | Err(Errno::BADF) => {}
            // The call is missing or forbidden: for every other number as well.
            Err(_) => return None,
        }
    }
    None
}

/// The numbers of all descriptors of this process; none without `/proc`.
fn open_descriptors() -> Vec<RawFd> {
    let entries = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The addresses of a connected socket: its own and its peer's.
fn ends(socket: &OwnedFd) -> Option<(SocketAddr, SocketAddr)> {
    let (local, remote) = (getsockname(socket).ok()?, getpeername(socket).ok()??);
    Some((local.try_into().ok()?, remote.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use rustix::io::fcntl_dupfd_cloexec;
    use tokio::net::TcpSocket;

    use super::*;

    fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    #[test]
    fn a_socket_is_found_by_its_addresses_whatever_else_is_open() {
        let (_listener, address) = listener();
        let streams: Vec<_> = (0..20).map(|_| TcpStream::connect(address).unwrap()).collect();
        for stream in &streams {
            let local = stream.local_addr().unwrap();
            let duplicate = TcpStream::from(of_connection(local, address).unwrap());
            assert_eq!(duplicate.local_addr().unwrap(), local);
            assert_eq!(duplicate.peer_addr().unwrap(), address);
        }
        assert!(of_connection("127.0.0.1:1".parse().unwrap(), address).is_none());
    }

    #[tokio::test]
    async fn of_two_connections_from_one_port_the_one_to_this_server_is_found() {
        let [(_one, first), (_other, second)] = [(); 2].map(|()| listener());
        let socket = || {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseaddr(true).unwrap();
            socket
        };
        let (one, other) = (socket(), socket());
        one.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        other.bind(one.local_addr().unwrap()).unwrap();
        let (one, _other) = (one.connect(first).await.unwrap(), other.connect(second).await.unwrap());
        for server in [first, second] {
            let found = TcpStream::from(of_connection(one.local_addr().unwrap(), server).unwrap());
            assert_eq!(found.peer_addr().unwrap(), server);
        }
    }

    #[test]
    fn a_socket_with_a_number_far_above_the_others_is_found() {
        let (_listener, address) = listener();
        let stream = TcpStream::connect(address).unwrap();
        let local = stream.local_addr().unwrap();
        let _high = fcntl_dupfd_cloexec(&stream, 900).unwrap();
        drop(stream);
        assert!(of_connection(local, address).is_some());
    }
}
