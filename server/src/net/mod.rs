//! Sockets: listening, writing to slow readers, closing, and outages on demand. Knows no protocol.

mod close;
mod io;
pub(crate) mod listen;
mod outage;
mod socket;
#[cfg(target_os = "linux")]
mod tcp_info;
pub(crate) mod tls;
mod write;

pub(crate) use self::close::{close, poll_end};
pub(crate) use self::io::{Io, Progress, READ_BYTES, boxed, read_buffer};
pub(crate) use self::outage::Outage;
pub(crate) use self::socket::Socket;
pub(crate) use self::write::{StallDetector, StallLimit, write_all};
