//! How many bytes of a TCP connection the other end has acknowledged, from `TCP_INFO`.
//!
//! Source: `struct tcp_info` in the kernel's `include/uapi/linux/tcp.h`, which only grows at its end.

use std::os::fd::AsFd;

use nix::libc;
use nix::sys::socket::GetSockOpt;

use super::io::Progress;

#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct TcpInfo {
    _state_and_options: [u8; 8],
    _timeouts: [u32; 2],
    snd_mss: u32,
    _rcv_mss: u32,
    unacked: u32,
    _metrics: [u32; 19],
    _pacing_rates: [u64; 2],
    bytes_acked: u64,
    _bytes_received: u64,
    _segments: [u32; 2],
    notsent_bytes: u32,
    _min_rtt: u32,
}

const _: () = assert!(size_of::<TcpInfo>() == 152, "as far as `tcpi_min_rtt`, which Linux 4.6 has");

#[derive(Clone, Copy, Debug)]
struct ReadTcpInfo;

nix::getsockopt_impl!(
    ReadTcpInfo,
    libc::IPPROTO_TCP,
    libc::TCP_INFO,
    TcpInfo,
    nix::sys::socket::sockopt::GetStruct<TcpInfo>
);

pub(super) fn read(socket: &impl AsFd) -> Option<Progress> {
    let info = ReadTcpInfo.get(socket).ok()?;
    let in_flight = u64::from(info.unacked) * u64::from(info.snd_mss);
    Some(Progress { acknowledged: info.bytes_acked, under_way: in_flight + u64::from(info.notsent_bytes) })
}
