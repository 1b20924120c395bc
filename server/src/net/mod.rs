//! Sockets: listening, writing to slow readers, closing, and outages on demand. Knows no protocol.

pub(crate) mod close;
pub(crate) mod io;
pub(crate) mod listen;
pub(crate) mod outage;
pub(crate) mod socket;
#[cfg(target_os = "linux")]
mod tcp_info;
pub(crate) mod write;
