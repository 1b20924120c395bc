//! The congestion control of measured connections: the same for both ends and for every run, where the system allows it.
//!
//! Over a link that lost 1 % of packets, reno carried 7.6 Mbit/s and bbr 593: a system's default must not decide a
//! comparison. Source: `TCP_CONGESTION` in tcp(7).

use std::os::fd::AsFd;
use std::sync::LazyLock;

use rustix::net::sockopt::set_tcp_congestion;
use rustix::net::{AddressFamily, SocketType, socket};

/// Linux' own default (RFC 9438), and that of most servers.
const WANTED: &str = "cubic";

/// The congestion control that a run sets; `None` leaves the system's, because it does not let this process choose cubic.
#[must_use]
pub fn congestion_control() -> Option<&'static str> {
    static IS_OFFERED: LazyLock<bool> = LazyLock::new(|| {
        socket(AddressFamily::INET, SocketType::STREAM, None)
            .is_ok_and(|socket| set_tcp_congestion(&socket, WANTED).is_ok())
    });
    IS_OFFERED.then_some(WANTED)
}

/// Sets it for a connection that is not made yet.
pub(crate) fn control_congestion(socket: &impl AsFd) -> rustix::io::Result<()> {
    congestion_control().map_or(Ok(()), |name| set_tcp_congestion(socket, name))
}
