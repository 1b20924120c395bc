//! The congestion control of measured connections: the same for both ends and for every run, where the system allows it.
//!
//! Over a link that lost 1 % of packets, reno carried 7.6 Mbit/s and bbr 593: a system's default must not decide a
//! comparison. Source: `TCP_CONGESTION` in tcp(7).

use std::os::fd::AsFd;
use std::sync::LazyLock;

/// Linux' own default (RFC 9438), and that of most servers.
const WANTED: &str = "cubic";

/// The congestion control that a run sets; `None` leaves the system's, because it does not let this process choose cubic.
#[must_use]
pub fn congestion_control() -> Option<&'static str> {
    static IS_OFFERED: LazyLock<bool> =
        LazyLock::new(|| system::socket().is_some_and(|socket| system::set(&socket, WANTED)));
    IS_OFFERED.then_some(WANTED)
}

/// Sets it for a connection that is not made yet.
pub(crate) fn control_congestion(socket: &impl AsFd) {
    if let Some(name) = congestion_control() {
        // It could be set before, for another socket; an error would only leave the system's.
        system::set(socket, name);
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::os::fd::{AsFd, OwnedFd};

    use rustix::net::sockopt::set_tcp_congestion;
    use rustix::net::{AddressFamily, SocketType};

    pub(super) fn socket() -> Option<OwnedFd> {
        rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).ok()
    }

    pub(super) fn set(socket: &impl AsFd, name: &str) -> bool {
        set_tcp_congestion(socket, name).is_ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::os::fd::{AsFd, OwnedFd};

    pub(super) fn socket() -> Option<OwnedFd> {
        None
    }

    pub(super) fn set(_: &impl AsFd, _: &str) -> bool {
        false
    }
}
