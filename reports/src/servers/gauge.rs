//! What is set side by side of several servers, and how it is read of their trials.

use pushoff_model::Transport;
use pushoff_model::record::Measurement;

use crate::number::Quantity;
use crate::table::Better;
use pushoff_stats::{Figure, Pool, Scale, estimate_ratio_on, resamples};

/// A figure that servers are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gauge {
    P50,
    P99,
    DeliveryCpu,
    /// Both directions, above TCP.
    DeliveryBytes,
    /// Of a search: the most deliveries a second.
    Capacity,
    IdleMemory,
    Connections,
    ConnectionCpu,
    /// Of silence: polls that are answered.
    Polls,
}

impl Gauge {
    /// The most telling first.
    pub(crate) const ALL: [Self; 9] = [
        Self::P50,
        Self::P99,
        Self::DeliveryCpu,
        Self::DeliveryBytes,
        Self::Capacity,
        Self::IdleMemory,
        Self::Connections,
        Self::ConnectionCpu,
        Self::Polls,
    ];

    /// As tables head it.
    pub(crate) const fn head(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P99 => "p99",
            Self::DeliveryCpu => "CPU a delivery",
            Self::DeliveryBytes => "bytes a delivery",
            Self::Capacity => "deliveries",
            Self::IdleMemory => "memory, idle",
            Self::Connections => "connections",
            Self::ConnectionCpu => "CPU a connection",
            Self::Polls => "polls",
        }
    }

    /// What it means.
    pub(crate) const fn help(self) -> &'static str {
        match self {
            Self::P50 => "half of the deliveries took at most so long, from when they were due",
            Self::P99 => "99 of 100 deliveries took at most so long",
            Self::DeliveryCpu => "the server's processor time a delivery, publishing among it",
            Self::DeliveryBytes => "both directions above TCP, heads and framing among them",
            Self::Capacity => "the most deliveries a second",
            Self::IdleMemory => "of the server's process (PSS) a connection, with everybody connected, less before",
            Self::Connections => "connections a second while everybody came at once",
            Self::ConnectionCpu => "the server's processor time until a connection has its first message",
            Self::Polls => {
                "polls answered a second, of a server that has nothing to say; at least (≥) where it was not at its limit"
            }
        }
    }

    /// For machines: its name with the unit.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::P50 => "p50_ns",
            Self::P99 => "p99_ns",
            Self::DeliveryCpu => "server_cpu_a_delivery_ns",
            Self::DeliveryBytes => "bytes_a_delivery",
            Self::Capacity => "deliveries_per_second",
            Self::IdleMemory => "server_pss_idle_a_connection_bytes",
            Self::Connections => "connections_per_second",
            Self::ConnectionCpu => "server_cpu_a_connection_ns",
            Self::Polls => "polls_per_second",
        }
    }

    /// How it is written.
    pub(crate) const fn quantity(self) -> Quantity {
        match self {
            Self::P50 | Self::P99 | Self::DeliveryCpu | Self::ConnectionCpu => Quantity::Time,
            Self::Capacity | Self::Connections | Self::Polls => Quantity::Rate,
            Self::IdleMemory | Self::DeliveryBytes => Quantity::Bytes,
        }
    }

    /// Which end is better.
    pub(crate) const fn better(self) -> Better {
        match self {
            Self::P50
            | Self::P99
            | Self::DeliveryCpu
            | Self::DeliveryBytes
            | Self::IdleMemory
            | Self::ConnectionCpu => Better::Less,
            Self::Capacity | Self::Connections | Self::Polls => Better::More,
        }
    }

    /// Whether servers are set side by side by it. What a delivery weighs is the transport's first, and
    /// stands on the sheet of costs.
    pub(super) const fn is_of_servers(self) -> bool {
        !matches!(self, Self::DeliveryBytes)
    }

    /// Whether differences below the noise of the machine are none.
    pub(crate) const fn is_latency(self) -> bool {
        matches!(self, Self::P50 | Self::P99)
    }
}

/// A gauge of some trials, laid out so that any draw of them is cheap to read.
#[derive(Debug)]
pub(super) enum Statistic {
    /// A percentile of merged histograms.
    Quantile(Pool, f64),
    /// A ratio of sums, times a factor.
    Ratio(Vec<(f64, f64)>, f64, Scale),
}

impl Statistic {
    /// `None` where a trial lacks it, or it says nothing there.
    #[expect(clippy::cast_precision_loss, reason = "a ratio needs no more than 53 bits")]
    pub(super) fn of(gauge: Gauge, transport: Transport, trials: &[&Measurement]) -> Option<Self> {
        let float = |count: u64| count as f64;
        let sums = |of: &dyn Fn(&Measurement) -> Option<(f64, f64)>, factor, scale| {
            let parts: Option<Vec<_>> = trials.iter().map(|trial| of(trial)).collect();
            parts.filter(|parts| parts.iter().any(|it| it.1 > 0.0)).map(|parts| Self::Ratio(parts, factor, scale))
        };
        let ratio = |of: &dyn Fn(&Measurement) -> Option<(u64, u64)>, factor| {
            sums(&|it| of(it).map(|(top, bottom)| (float(top), float(bottom))), factor, Scale::Ratios)
        };
        match gauge {
            Gauge::P50 => Self::quantile(trials, 0.5),
            Gauge::P99 => Self::quantile(trials, 0.99),
            Gauge::DeliveryCpu => ratio(&|it| Some((it.server?.cpu_ns, it.window.received)), 1.0),
            Gauge::DeliveryBytes => ratio(
                &|it| {
                    let load = it.wire.filter(|wire| wire.unread == 0)?.load;
                    Some((load.down.bytes + load.up.bytes, load.contents.messages))
                },
                1.0,
            ),
            Gauge::IdleMemory => sums(
                &|it| {
                    let (idle, empty) = (it.memory.idle.server?, it.memory.empty.server?);
                    Some((float(idle.pss_bytes) - float(empty.pss_bytes), float(it.counts.subscribers)))
                },
                1.0,
                Scale::Differences,
            ),
            Gauge::Connections => ratio(&|it| Some((it.connecting.connections, it.connecting.took_ns)), 1e9),
            Gauge::ConnectionCpu => ratio(&|it| Some((it.connecting.server?.cpu_ns, it.connecting.connections)), 1.0),
            Gauge::Polls if transport == Transport::ShortPolling => {
                ratio(&|it| Some((it.window.requests, it.measured_ns)).filter(|_| it.window.published == 0), 1e9)
            }
            // A capacity is the border of a search, not a figure of trials.
            Gauge::Polls | Gauge::Capacity => None,
        }
    }

    /// There must be enough for it: below, it is only another name for the largest.
    #[expect(clippy::cast_precision_loss, reason = "a count needs no more than 53 bits")]
    fn quantile(trials: &[&Measurement], share: f64) -> Option<Self> {
        let pool = Pool::new(&trials.iter().map(|it| &it.delivery_latency).collect::<Vec<_>>());
        (pool.count() as f64 * (1.0 - share) >= 0.999).then_some(Self::Quantile(pool, share))
    }

    /// Of the trials taken so often each.
    pub(super) fn at(&self, drawn: &[u32]) -> Option<f64> {
        match self {
            Self::Quantile(pool, share) => pool.quantiles(drawn, &[*share]).pop().flatten(),
            Self::Ratio(parts, factor, _) => {
                let sum = |side: fn(&(f64, f64)) -> f64| -> f64 {
                    parts.iter().zip(drawn).map(|(part, &times)| side(part) * f64::from(times)).sum()
                };
                let bottom = sum(|part| part.1);
                (bottom > 0.0).then(|| sum(|part| part.0) / bottom * factor)
            }
        }
    }

    /// With its interval, over so many trials.
    pub(super) fn figure(&self, trials: usize) -> Option<Figure> {
        let resamples = resamples(trials);
        match self {
            Self::Quantile(pool, share) => pool.estimate(trials, &resamples, &[*share]).pop().flatten(),
            Self::Ratio(parts, factor, scale) => {
                estimate_ratio_on(*scale, parts, &resamples).map(|figure| figure.times(*factor))
            }
        }
    }
}
