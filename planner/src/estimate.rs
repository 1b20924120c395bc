//! What one transport would need, and whether it is fresh enough.

use pushoff_model::Transport;
use pushoff_model::overhead::{browser_publish_head, browser_request_head, publish_answer};
use serde::Serialize;

use super::needs::Needs;
use super::prices::{MONTH, Money, Needed, Prices};
use super::radio::Radio;
use super::sizing::{Carrier, Reason, Sizing, TARGET};
use crate::costs::{Beyond, Forecast, Quantity};
use pushoff_stats::Figure;

/// Headers of a segment: 20 bytes of IPv4 (RFC 791) and 32 of TCP with time stamps (RFC 9293, 7323).
pub const HEADERS: f64 = 52.0;
/// Bytes above TCP that a segment holds on an Ethernet: 1,500 less 52 of headers.
const SEGMENT: f64 = 1_448.0;

/// Whether a transport is fresh enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The whole interval of its p99 lies within the staleness.
    Meets,
    /// The whole interval lies beyond the staleness, or the transport cannot carry the load at all.
    Fails,
    /// The interval holds the staleness, or the latency is not known.
    Undecided,
}

/// What a transport would need in all; a figure is absent where the model does not know it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Both directions, with the headers of TCP and IP, in a month of 730 hours.
    pub traffic_a_month_bytes: Option<Figure>,
    /// To the users, with headers.
    pub down_bytes_per_second: Option<Figure>,
    /// From the users, with headers.
    pub up_bytes_per_second: Option<Figure>,
    /// Polls, and messages that users publish by request.
    pub requests_per_second: Option<Figure>,
    /// To subscribe; one a user.
    pub connections: Option<Figure>,
    /// Processor cores, each at most [`TARGET`] busy.
    pub cores: Option<Figure>,
    /// Of the servers' processes and of their kernels.
    pub memory_bytes: Option<Figure>,
    /// Processor time to connect everybody once.
    pub connecting_cpu_ns: Option<Figure>,
    /// Half of the updates arrive within this time after they were due.
    pub p50_ns: Option<Figure>,
    /// 99 % of the updates arrive within this time after they were due.
    pub p99_ns: Option<Figure>,
    /// In the currency of the prices.
    pub money_a_month: Option<Figure>,
}

impl Figures {
    /// The bill in its parts, and its sum with the interval that the figures give it.
    fn priced(&self, prices: &Prices) -> Option<(Money, Figure)> {
        let (cores, memory) = (self.cores?, self.memory_bytes?);
        let (down, up, requests) = (self.down_bytes_per_second?, self.up_bytes_per_second?, self.requests_per_second?);
        let bill = prices.month(&Needed {
            cores: cores.point,
            memory_bytes: memory.point,
            down_bytes_per_second: down.point,
            up_bytes_per_second: up.point,
            requests_per_second: requests.point,
        });
        let none = Needed::default();
        let parts = [
            (cores, Needed { cores: 1.0, ..none }),
            (memory, Needed { memory_bytes: 1.0, ..none }),
            (down, Needed { down_bytes_per_second: 1.0, ..none }),
            (up, Needed { up_bytes_per_second: 1.0, ..none }),
            (requests, Needed { requests_per_second: 1.0, ..none }),
        ];
        let money = parts.map(|(figure, one)| figure.times(prices.month(&one).total()));
        Some((bill, money.into_iter().reduce(|one, other| one.plus(&other))?))
    }
}

/// One transport under these needs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The transport.
    pub transport: Transport,
    /// Whether it is fresh enough.
    pub standing: Standing,
    /// Why it does not meet them; absent where it does.
    pub reason: Option<Reason>,
    /// What it would need.
    #[serde(flatten)]
    pub figures: Figures,
    /// The parts of the money; absent where it is not known.
    pub bill: Option<Money>,
    /// Server processes. This and the figures below are absent where the transport cannot carry the load.
    pub processes: Option<f64>,
    /// Users of each process.
    pub users_a_process: Option<f64>,
    /// The share of one processor that each process uses.
    pub utilisation: Option<f64>,
    /// Seconds between two polls of short polling.
    pub interval_s: Option<f64>,
    /// Seconds between two flushes of a stream; absent where each message is written at once.
    pub flush_every_s: Option<f64>,
    /// How often an hour a phone's radio is woken that does nothing else.
    pub wakeups_an_hour: Option<f64>,
    /// The share of the time that a phone's radio is on.
    pub radio_share: Option<f64>,
    /// In which dimensions the load of a process lies outside what was measured.
    pub beyond: Vec<Beyond>,
}

impl Estimate {
    /// What a transport would need: of short polling at the slowest pace that the staleness allows, of others where each
    /// message is sent at once.
    pub(crate) fn of(carrier: Carrier<'_>, prices: &Prices) -> Self {
        let pace = if carrier.transport.polls_on_a_timer() { carrier.slowest() } else { Ok(0.0) };
        pace.map_or_else(|reason| Self::unfit(carrier.transport, reason), |pace| Self::at(carrier, pace, prices))
    }

    /// What a stream would need that is flushed at a pace.
    pub(crate) fn at(carrier: Carrier<'_>, pace: f64, prices: &Prices) -> Self {
        let fleet = Fleet::of(carrier, pace);
        fleet.map_or_else(|reason| Self::unfit(carrier.transport, reason), |fleet| fleet.estimate(prices))
    }

    /// The money a month, infinite where it is not known.
    pub(crate) fn money(&self) -> f64 {
        self.figures.money_a_month.map_or(f64::INFINITY, |money| money.point)
    }

    /// Its money over that of another.
    pub(crate) fn money_over(&self, other: &Self) -> Option<Figure> {
        self.figures.money_a_month?.over(&other.figures.money_a_month?)
    }

    fn unfit(transport: Transport, reason: Reason) -> Self {
        let standing = if reason == Reason::NotMeasured { Standing::Undecided } else { Standing::Fails };
        Self {
            transport,
            standing,
            reason: Some(reason),
            figures: Figures::default(),
            bill: None,
            processes: None,
            users_a_process: None,
            utilisation: None,
            interval_s: None,
            flush_every_s: None,
            wakeups_an_hour: None,
            radio_share: None,
            beyond: Vec::new(),
        }
    }
}

/// The server processes for a load over one transport, with the forecast for one of them.
struct Fleet<'a> {
    carrier: Carrier<'a>,
    /// Of polls or flushes; 0 where there is none.
    pace: f64,
    sizing: Sizing,
    forecast: Forecast,
}

/// One direction, of all processes, a second.
#[derive(Clone, Copy)]
struct Flow {
    /// Above TCP.
    bytes: Figure,
    segments: Figure,
}

impl Flow {
    /// With the headers of TCP and IP.
    fn whole(&self) -> Figure {
        self.bytes.plus(&self.segments.times(HEADERS))
    }

    /// With bytes and segments that the model does not count.
    fn and(&self, bytes: f64, segments: f64) -> Self {
        Self { bytes: self.bytes.plus(&exactly(bytes)), segments: self.segments.plus(&exactly(segments)) }
    }
}

impl<'a> Fleet<'a> {
    fn of(carrier: Carrier<'a>, pace: f64) -> Result<Self, Reason> {
        let sizing = carrier.sized(pace)?;
        let load = carrier.load(sizing.users, pace);
        let forecast = carrier.forecast(&Quantity::ALL, &load).ok_or(Reason::NotMeasured)?;
        Ok(Self { carrier, pace, sizing, forecast })
    }

    fn estimate(&self, prices: &Prices) -> Estimate {
        let (needs, transport) = (self.carrier.needs, self.carrier.transport);
        let (p50_ns, p99_ns) =
            (self.latency(Quantity::LatencyP50, 0.5), self.latency(Quantity::LatencyP99, Needs::SHARE));
        let (standing, reason) = standing(p99_ns, needs.staleness * 1e9);
        let radio = Radio::of(transport, needs, self.pace);
        let figures = self.costs();
        let (bill, money_a_month) = figures.priced(prices).unzip();
        let pace = Some(self.pace).filter(|pace| *pace > 0.0);
        Estimate {
            transport,
            standing,
            reason,
            figures: Figures { p50_ns, p99_ns, money_a_month, ..figures },
            bill,
            processes: Some(self.sizing.processes),
            users_a_process: Some(self.sizing.users),
            utilisation: Some(self.forecast.utilisation),
            interval_s: pace.filter(|_| transport.polls_on_a_timer()),
            flush_every_s: pace.filter(|_| !transport.polls_on_a_timer()),
            wakeups_an_hour: Some(radio.wakeups_an_hour),
            radio_share: Some(radio.radio_share),
            beyond: self.forecast.beyond.clone(),
        }
    }

    fn costs(&self) -> Figures {
        let memory = self.all(Quantity::ProcessMemory).zip(self.all(Quantity::KernelMemory));
        let (down, up) = (self.down().map(|flow| flow.whole()), self.up().map(|flow| flow.whole()));
        Figures {
            traffic_a_month_bytes: down.zip(up).map(|(down, up)| down.plus(&up).times(MONTH)),
            down_bytes_per_second: down,
            up_bytes_per_second: up,
            requests_per_second: Some(exactly(self.forecast.requests * self.sizing.processes + self.posts())),
            connections: Some(exactly(self.carrier.needs.users)),
            cores: self.all(Quantity::Processor).map(|it| it.times(1.0 / (1e9 * TARGET))),
            memory_bytes: memory.map(|(process, kernel)| process.plus(&kernel)),
            connecting_cpu_ns: self.all(Quantity::Connecting),
            ..Figures::default()
        }
    }

    /// A cost of all processes.
    fn all(&self, quantity: Quantity) -> Option<Figure> {
        Some(self.forecast.cost(quantity)?.times(self.sizing.processes))
    }

    /// Messages that users publish by a request of its own, a second.
    fn posts(&self) -> f64 {
        if self.carrier.transport.sends_on_its_own_connection() { 0.0 } else { self.carrier.needs.spoken() }
    }

    fn down(&self) -> Option<Flow> {
        let bytes = self.all(Quantity::BytesDown)?;
        let flow = Flow { bytes, segments: on_ethernet(self.all(Quantity::SegmentsDown)?, &bytes) };
        Some(flow.and(self.posts() * float(publish_answer()), self.posts()))
    }

    /// Polls have the heads that a browser sends. A post takes at least one segment, and one that acknowledges its
    /// answer.
    fn up(&self) -> Option<Flow> {
        let (needs, transport) = (self.carrier.needs, self.carrier.transport);
        let bytes = if transport.is_polling() {
            exactly(self.forecast.requests * self.sizing.processes * float(browser_request_head(transport)))
        } else if needs.up_rate > 0.0 && transport.sends_on_its_own_connection() {
            self.all(Quantity::BytesUp)?
        } else {
            exactly(0.0)
        };
        let flow = Flow { bytes, segments: on_ethernet(self.all(Quantity::SegmentsUp)?, &bytes) };
        let post = float(browser_publish_head()) + needs.payload;
        Some(flow.and(self.posts() * post, self.posts() * ((post / SEGMENT).max(1.0) + 1.0)))
    }

    /// Within which time a share of the updates arrives after it was due.
    fn latency(&self, quantity: Quantity, share: f64) -> Option<Figure> {
        let beside = self.carrier.on_the_way(share, self.pace);
        Some(self.forecast.cost(quantity)?.plus(&exactly(beside * 1e9)))
    }
}

/// Whether the p99 lies within the staleness, both in nanoseconds.
fn standing(p99: Option<Figure>, needed: f64) -> (Standing, Option<Reason>) {
    match p99 {
        None => (Standing::Undecided, Some(Reason::LatencyUnknown)),
        Some(p99) if p99.high() <= needed => (Standing::Meets, None),
        Some(p99) if p99.low() > needed => (Standing::Fails, Some(Reason::TooLate)),
        Some(_) => (Standing::Undecided, Some(Reason::CannotTell)),
    }
}

/// Segments on loopback hold up to 64 KiB: on the way to a user there are at least as many as hold the bytes.
fn on_ethernet(segments: Figure, bytes: &Figure) -> Figure {
    let least = bytes.times(1.0 / SEGMENT);
    if least.point > segments.point { least } else { segments }
}

/// A figure that is counted, without an interval.
const fn exactly(point: f64) -> Figure {
    Figure { point, interval: None }
}

#[expect(clippy::cast_precision_loss, reason = "the length of a head")]
const fn float(bytes: u64) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use pushoff_stats::Interval;

    fn about(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-9 * expected.abs().max(1.0), "{value} is not {expected}");
    }

    #[test]
    fn what_the_interval_of_the_p99_holds_is_not_decided() {
        let p99 = |low, high| Some(Figure { point: 5.0, interval: Some(Interval { low, high }) });
        assert_eq!(standing(p99(4.0, 6.0), 6.0), (Standing::Meets, None));
        assert_eq!(standing(p99(4.0, 6.0), 5.9), (Standing::Undecided, Some(Reason::CannotTell)));
        assert_eq!(standing(p99(4.0, 6.0), 3.9), (Standing::Fails, Some(Reason::TooLate)));
        assert_eq!(standing(None, 1e9), (Standing::Undecided, Some(Reason::LatencyUnknown)));
    }

    #[test]
    fn no_segment_holds_more_than_an_ethernets() {
        about(on_ethernet(exactly(10.0), &exactly(1_448.0 * 25.0)).point, 25.0);
        about(on_ethernet(exactly(10.0), &exactly(1_448.0)).point, 10.0);
    }
}
