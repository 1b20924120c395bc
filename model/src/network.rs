//! Networks between a server and its readers: delay, rate and loss of each direction. Their TOML is described in
//! `docs/NETWORKS.md`.

mod parse;
mod trace;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::file::FileError;
use crate::units::Share;

pub use parse::{parse, read};
pub use trace::Trace;

/// The networks that come with pushoff: name and TOML.
pub const BUILT_IN: [(&str, &str); 11] = [
    ("lan", include_str!("../../networks/lan.toml")),
    ("cable", include_str!("../../networks/cable.toml")),
    ("dsl", include_str!("../../networks/dsl.toml")),
    ("dense-4g", include_str!("../../networks/dense-4g.toml")),
    ("fast-4g", include_str!("../../networks/fast-4g.toml")),
    ("slow-4g", include_str!("../../networks/slow-4g.toml")),
    ("3g", include_str!("../../networks/3g.toml")),
    ("lte-drive", include_str!("../../networks/lte-drive.toml")),
    ("wifi-bad", include_str!("../../networks/wifi-bad.toml")),
    ("intercontinental", include_str!("../../networks/intercontinental.toml")),
    ("satellite-leo", include_str!("../../networks/satellite-leo.toml")),
];

/// The traces that built-in networks name: file and lines.
const TRACES: [(&str, &str); 2] = [
    ("lte-drive.trace", include_str!("../../networks/lte-drive.trace")),
    ("lte-drive-up.trace", include_str!("../../networks/lte-drive-up.trace")),
];

/// The built-in network of that name, if there is one.
///
/// # Errors
/// When the built-in file is wrong, which a test rules out.
#[must_use]
pub fn built_in(name: &str) -> Option<Result<Network, FileError>> {
    let (name, text) = BUILT_IN.into_iter().find(|(built_in, _)| *built_in == name)?;
    let path = PathBuf::from(format!("networks/{name}.toml"));
    Some(parse::with_traces(text, &path, |named| {
        let built_in = TRACES.into_iter().find(|(name, _)| named.ends_with(name));
        let (_, text) = built_in
            .ok_or_else(|| FileError::Unreadable { path: named.to_owned(), source: io::ErrorKind::NotFound.into() })?;
        Ok(text.into())
    }))
}

/// What lies between a server and a reader.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// A short name: letters, digits, `-`, `_`.
    pub name: String,
    /// Which real network this is like, for a reader who does not know it.
    pub says: String,
    /// From the server to the reader.
    pub down: Direction,
    /// From the reader to the server.
    pub up: Direction,
}

impl Network {
    /// The time there and back of a small packet, without jitter.
    #[must_use]
    pub fn round_trip(&self) -> Duration {
        self.down.delay + self.up.delay
    }
}

/// The most lateness that 99 % of the packets of a direction may have while the network counts as emulated correctly: 2 % of delay
/// and jitter together (a fifth of the 10 % margin that usually decides), and at least 0.2 ms. Chosen here.
#[must_use]
pub fn lateness_allowed(delay: Duration, jitter: Duration) -> Duration {
    ((delay + jitter) / 50).max(Duration::from_micros(200))
}

/// One direction of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Direction {
    /// From one end to the other, 0 to 10 s.
    pub delay: Duration,
    /// The most that the delay of a packet differs from `delay`, evenly distributed; a packet never overtakes another.
    /// 0 to the delay.
    pub jitter: Duration,
    /// How fast packets leave, IP headers among them; absent where nothing limits them.
    pub rate: Option<Rate>,
    /// The size of the queue in front of that rate, in bytes, with the packet being sent; a packet that does not fit is
    /// dropped. 1,500 to 1 GB. Absent without a rate.
    pub queue_bytes: Option<u64>,
    /// Whether CoDel (RFC 8289) drops packets of the queue as well. Only where a rate is.
    pub codel: bool,
    /// The share of packets that are lost outside of bursts, each by itself.
    pub loss: Share,
    /// Bursts of loss.
    pub bursts: Option<Bursts>,
}

impl Direction {
    /// The share of packets that are lost in the long run, bursts among them, 0 to 1.
    #[must_use]
    pub fn loss_in_the_long_run(&self) -> f64 {
        let loss = self.loss.as_f64();
        let Some(Bursts { begin, end, loss: within }) = self.bursts else { return loss };
        let (begin, end) = (begin.as_f64(), end.as_f64());
        // Of the two states, the share of time in a burst.
        let share = if begin + end > 0.0 { begin / (begin + end) } else { 0.0 };
        share.mul_add(within.as_f64(), (1.0 - share) * loss)
    }

    /// How late at most 99 % of the packets may be.
    #[must_use]
    pub fn lateness_allowed(&self) -> Duration {
        lateness_allowed(self.delay, self.jitter)
    }

    /// Whether so little lateness is allowed that a thread must stay awake for each packet: an idle processor takes longer
    /// to wake.
    #[must_use]
    pub fn needs_awake(&self) -> bool {
        self.lateness_allowed() < Duration::from_micros(250)
    }

    /// Bits a second, in the mean; absent where nothing limits them.
    #[must_use]
    pub fn mean_bits_per_second(&self) -> Option<f64> {
        self.rate.as_ref().map(|rate| match rate {
            Rate::Constant { bits_per_second } => *bits_per_second,
            Rate::Trace(trace) => trace.mean_bits_per_second(),
        })
    }
}

/// How fast packets leave.
#[derive(Clone, Debug, PartialEq)]
pub enum Rate {
    /// Always as fast.
    Constant {
        /// 1,000 to 10 Gbit/s.
        bits_per_second: f64,
    },
    /// As a trace says, which begins when the network is made.
    Trace(Arc<Trace>),
}

/// Loss in bursts: two states with chances to change, looked at packet by packet. Sources: Gilbert, *Bell Syst. Tech. J.*
/// 39, 1960; Elliott, *ibid.* 42, 1963.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bursts {
    /// The chance that a packet begins a burst.
    pub begin: Share,
    /// The chance that a packet of a burst ends it.
    pub end: Share,
    /// The share of a burst's packets that are lost.
    pub loss: Share,
}
