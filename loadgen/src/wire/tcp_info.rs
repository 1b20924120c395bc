//! A connection's counters from Linux' `TCP_INFO`.
//!
//! Source: `struct tcp_info` in the kernel's `include/uapi/linux/tcp.h`, which only grows at its end, and tcp(7).

use std::os::fd::AsFd;
use std::sync::LazyLock;

use nix::libc;
use nix::sys::socket::GetSockOpt;
use pushoff_model::record::{Contents, Flow, Traffic};

/// The first kernel whose `tcp_info` has all fields of [`TcpInfo`].
const FIRST_KERNEL: (u32, u32) = (4, 19);

/// The start of `struct tcp_info`, up to the last field that is needed. The kernel truncates a longer one.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct TcpInfo {
    state: u8,
    _options: [u8; 7],
    _timers_and_metrics: [u32; 24],
    _pacing_rates: [u64; 2],
    bytes_acked: u64,
    bytes_received: u64,
    segs_out: u32,
    segs_in: u32,
    _not_sent: u32,
    _min_rtt: u32,
    data_segs_in: u32,
    data_segs_out: u32,
    _rates_and_times: [u64; 4],
    _delivered: [u32; 2],
    bytes_sent: u64,
    bytes_retrans: u64,
}

const _: () = assert!(size_of::<TcpInfo>() == 216, "as far as `tcpi_bytes_retrans`");

#[derive(Clone, Copy, Debug)]
struct ReadTcpInfo;

nix::getsockopt_impl!(
    ReadTcpInfo,
    libc::IPPROTO_TCP,
    libc::TCP_INFO,
    TcpInfo,
    nix::sys::socket::sockopt::GetStruct<TcpInfo>
);

/// Whether this kernel fills all fields.
pub(crate) fn is_supported() -> bool {
    static SUPPORTED: LazyLock<bool> = LazyLock::new(|| {
        let release = rustix::system::uname().release().to_string_lossy().into_owned();
        version(&release).is_some_and(|version| version >= FIRST_KERNEL)
    });
    *SUPPORTED
}

/// The first two numbers of a kernel release such as `6.1.0-18-amd64`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|character: char| !character.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// The traffic so far. `has_ended` says that the reader has seen the end.
pub(crate) fn traffic(socket: &impl AsFd, has_ended: bool) -> Option<Traffic> {
    if !is_supported() {
        return None;
    }
    let counters = ReadTcpInfo.get(socket).ok()?;
    // A FIN's sequence number counts as a received byte.
    let ending = u64::from(counters.peer_has_ended(has_ended));
    Some(Traffic {
        down: Flow {
            bytes: counters.bytes_received.saturating_sub(ending),
            segments: counters.segs_in.into(),
            data_segments: counters.data_segs_in.into(),
            resent_bytes: 0,
        },
        up: Flow {
            bytes: counters.bytes_sent.saturating_sub(counters.bytes_retrans),
            segments: counters.segs_out.into(),
            data_segments: counters.data_segs_out.into(),
            resent_bytes: counters.bytes_retrans,
        },
        contents: Contents::default(),
    })
}

/// Whether a connection is open in both directions.
pub(crate) fn is_established(socket: &impl AsFd) -> bool {
    is_supported() && ReadTcpInfo.get(socket).is_ok_and(|counters| counters.state == ESTABLISHED)
}

/// The state of an open connection in the kernel's `tcp_states.h`.
const ESTABLISHED: u8 = 1;
/// States after the peer's FIN.
const AFTER_ITS_FIN: [u8; 4] = [6, 8, 9, 11];
/// The state after a reset or a completed close.
const CLOSED: u8 = 7;

impl TcpInfo {
    /// Whether the peer's FIN has arrived. The state of a closed connection does not show it: either its reader has
    /// seen the end, or both sides closed in order.
    fn peer_has_ended(&self, has_ended: bool) -> bool {
        AFTER_ITS_FIN.contains(&self.state) || (self.state == CLOSED && (has_ended || self.own_fin_is_acked()))
    }

    /// Whether our FIN was acknowledged: SYN and FIN count as acknowledged bytes, but not as sent ones.
    const fn own_fin_is_acked(&self) -> bool {
        self.bytes_acked == self.bytes_sent.saturating_sub(self.bytes_retrans) + 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_known_by_its_release() {
        let releases = ["6.1.0-18-amd64", "4.19", "5.15.167.4-microsoft-standard-WSL2", "4.4.0"];
        assert_eq!(releases.map(version), [Some((6, 1)), Some((4, 19)), Some((5, 15)), Some((4, 4))]);
        assert_eq!([version(""), version("unknown"), version("6")], [None; 3]);
        assert!((5, 0) > FIRST_KERNEL && (4, 18) < FIRST_KERNEL);
    }
}
