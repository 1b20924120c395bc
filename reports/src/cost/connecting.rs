//! Connecting: how long one takes, how many a second come in a burst, and what theory asks.

use pushoff_model::Transport;
use serde::Serialize;

use super::Trials;
use pushoff_stats::Figure;
use pushoff_stats::Sums;

/// Making a connection.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ConnectingCosts {
    /// Until the stream is open or the first poll is answered: half take at most so long.
    pub(crate) connect_p50_ns: Option<Figure>,
    /// 99 of 100.
    pub(crate) connect_p99_ns: Option<Figure>,
    /// Until the first message is in hand: half take at most so long.
    pub(crate) first_message_p50_ns: Option<Figure>,
    /// Connections a second while everybody came at once.
    pub(crate) connections_per_second: Option<Figure>,
    /// Round trips before the stream is open, by the standards.
    pub(crate) round_trips: Option<Figure>,
}

impl ConnectingCosts {
    pub(super) fn of(trials: Trials<'_, '_>) -> Self {
        let own = Sums::of(trials.own);
        let connect = own.pool(|trial| Some(&trial.connect));
        let first = own.pool(|trial| Some(&trial.first_message));
        let [connect_p50_ns, connect_p99_ns] = own.percentiles(connect.as_ref(), [0.5, 0.99]);
        let [first_message_p50_ns] = own.percentiles(first.as_ref(), [0.5]);
        let rate = own.ratio(|trial| Some((trial.connecting.connections, trial.connecting.took_ns)));
        Self {
            connect_p50_ns,
            connect_p99_ns,
            first_message_p50_ns,
            connections_per_second: rate.map(|rate| rate.times(1e9)),
            round_trips: Some(Figure { point: round_trips(trials.transport), interval: None }),
        }
    }
}

/// One for TCP (RFC 9293 §3.5), and one for the request that opens the stream: an HTTP request and
/// the head of its response, which the upgrade of RFC 6455 §4 is too. The floor asks nothing more.
/// Without TLS, which adds one (RFC 8446 §2), and name resolution.
const fn round_trips(transport: Transport) -> f64 {
    match transport {
        Transport::ShortPolling
        | Transport::LongPolling
        | Transport::HttpStreaming
        | Transport::Sse
        | Transport::WebSocket => 2.0,
        Transport::RawTcp => 1.0,
    }
}
