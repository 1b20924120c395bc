//! Bytes and segments: what a delivery, a connection and silence put on the wire, beside theory.
//!
//! Measured by the kernel, split by what the clients found in the bytes. Theory is what the
//! standards say that payload, framing and heads weigh where each message is sent alone: messages
//! that share a chunk make the measured bytes a little lighter.

use pushoff_model::Transport;
use pushoff_model::overhead::browser_request_head;
use pushoff_model::record::{Flow, Measurement, Traffic};
use serde::Serialize;

use super::Trials;
use pushoff_stats::Figure;
use pushoff_stats::Sums;

/// Bytes above TCP unless a name says otherwise.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct WireCosts {
    pub(crate) down: Parts,
    pub(crate) up: Parts,
    /// Both directions a delivery, with a browser's head in place of this project's.
    pub(crate) browser_bytes_a_delivery: Option<Figure>,
    /// TCP segments a delivery, both directions, acknowledgements among them.
    pub(crate) segments_a_delivery: Option<Figure>,
    /// Both directions, until a connection has its first message.
    pub(crate) setup_bytes: Option<Figure>,
    /// The same with a browser's head.
    pub(crate) setup_browser_bytes: Option<Figure>,
    /// Segments until then, both directions.
    pub(crate) setup_segments: Option<Figure>,
    /// Both directions, where only empty polls crossed.
    pub(crate) empty_poll_bytes: Option<Figure>,
    /// What the standards say of the same heads, less what was measured.
    pub(crate) empty_poll_deviation: Option<Figure>,
    /// The same with a browser's head.
    pub(crate) empty_poll_browser_bytes: Option<Figure>,
    /// Of a connection that is told nothing, both directions, a second.
    pub(crate) silent_bytes_per_second: Option<Figure>,
    /// Connections whose counters were gone: what they carried is not in these sums.
    pub(crate) unread_connections: u64,
}

/// One direction, a delivery.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Parts {
    /// All of it, as the kernel counts.
    pub(crate) bytes: Option<Figure>,
    /// Payloads: of messages received, or spoken on the same connection.
    pub(crate) payload_bytes: Option<Figure>,
    /// Framing as the standards have it, each message sent alone. Absent where it is not pushoff's own.
    pub(crate) framing_bytes: Option<Figure>,
    /// Heads of requests or responses.
    pub(crate) head_bytes: Option<Figure>,
    /// What remains: heartbeats and notices, less what messages that went together saved; of another's
    /// server the framing too.
    pub(crate) rest_bytes: Option<Figure>,
    /// Payload, framing and heads by the standards.
    pub(crate) theory_bytes: Option<Figure>,
    /// How far the measured bytes are from theory, as a part of it.
    pub(crate) deviation: Option<Figure>,
}

impl WireCosts {
    pub(super) fn of(trials: Trials<'_, '_>) -> Self {
        let (own, silent) = (Sums::of(trials.own), Sums::of(trials.silent));
        let head = float(browser_request_head(trials.transport));
        let is_web = trials.transport != Transport::RawTcp;
        let each = |traffic: &Traffic, with: f64| (with, float(traffic.contents.messages));
        Self {
            down: down(&own, trials.is_ours),
            up: up(&own, trials.is_ours),
            browser_bytes_a_delivery: own
                .quotient(|trial| load(trial).map(|it| each(it, browsers(it, head))))
                .filter(|_| is_web),
            segments_a_delivery: own.quotient(|trial| load(trial).map(|it| each(it, segments(it)))),
            setup_bytes: own.quotient(|trial| setup(trial).map(|it| (bytes(it), connections(trial)))),
            setup_browser_bytes: own
                .quotient(|trial| setup(trial).map(|it| (browsers(it, head), connections(trial))))
                .filter(|_| is_web),
            setup_segments: own.quotient(|trial| setup(trial).map(|it| (segments(it), connections(trial)))),
            empty_poll_bytes: silent.quotient(|trial| empty(trial).map(|it| (bytes(it), polls(it)))),
            empty_poll_deviation: silent
                .difference(|trial| empty(trial).map(|it| (bytes(it) - heads(it), heads(it))))
                .filter(|_| trials.is_ours),
            empty_poll_browser_bytes: silent.quotient(|trial| empty(trial).map(|it| (browsers(it, head), polls(it)))),
            silent_bytes_per_second: silent
                .quotient(|trial| load(trial).map(|it| (bytes(it), connections(trial) * seconds(trial)))),
            unread_connections: trials.own.iter().filter_map(|trial| trial.wire).map(|wire| wire.unread).sum(),
        }
    }
}

fn down(own: &Sums<'_>, is_ours: bool) -> Parts {
    let part =
        |of: fn(&Traffic) -> f64| own.quotient(|trial| load(trial).map(|it| (of(it), float(it.contents.messages))));
    let framing = |it: &Traffic| if is_ours { it.contents.framing_bytes } else { 0 };
    let theory = |it: &Traffic| float(it.contents.payload_bytes + framing(it) + it.contents.response_head_bytes);
    let off = own.difference(|trial| load(trial).map(|it| (float(it.down.bytes) - theory(it), theory(it))));
    Parts {
        bytes: part(|it| float(it.down.bytes)),
        payload_bytes: part(|it| float(it.contents.payload_bytes)),
        framing_bytes: part(|it| float(it.contents.framing_bytes)).filter(|_| is_ours),
        head_bytes: part(|it| float(it.contents.response_head_bytes)),
        rest_bytes: own
            .difference(|trial| load(trial).map(|it| (float(it.down.bytes) - theory(it), float(it.contents.messages)))),
        theory_bytes: own
            .quotient(|trial| load(trial).map(|it| (theory(it), float(it.contents.messages))))
            .filter(|_| is_ours),
        deviation: off.filter(|_| is_ours && part(|it| float(it.contents.messages)).is_some()),
    }
}

/// Where something is spoken on the same connection, its framing is not known apart, and there is
/// no theory of the whole.
fn up(own: &Sums<'_>, is_ours: bool) -> Parts {
    let part =
        |of: fn(&Traffic) -> f64| own.quotient(|trial| load(trial).map(|it| (of(it), float(it.contents.messages))));
    let asked = |it: &Traffic| float(it.contents.request_head_bytes);
    let speaks = own.quotient(|trial| load(trial).map(|it| (float(it.contents.spoken_bytes), 1.0)));
    let is_mute = speaks.is_none_or(|spoken| spoken.point == 0.0);
    let off = own.difference(|trial| load(trial).map(|it| (float(it.up.bytes) - asked(it), asked(it))));
    Parts {
        bytes: part(|it| float(it.up.bytes)),
        payload_bytes: part(|it| float(it.contents.spoken_bytes)).filter(|_| !is_mute),
        framing_bytes: None,
        head_bytes: part(asked),
        rest_bytes: own.difference(|trial| {
            load(trial).map(|it| {
                (float(it.up.bytes) - asked(it) - float(it.contents.spoken_bytes), float(it.contents.messages))
            })
        }),
        theory_bytes: part(asked).filter(|_| is_mute && is_ours),
        deviation: off.filter(|_| is_mute && is_ours && part(asked).is_some()),
    }
}

fn load(trial: &Measurement) -> Option<&Traffic> {
    trial.wire.as_ref().map(|wire| &wire.load)
}

fn setup(trial: &Measurement) -> Option<&Traffic> {
    trial.wire.as_ref().map(|wire| &wire.setup)
}

/// The load of a trial in which only empty polls crossed.
fn empty(trial: &Measurement) -> Option<&Traffic> {
    load(trial).filter(|it| it.contents.messages == 0 && it.contents.empty > 0)
}

fn bytes(traffic: &Traffic) -> f64 {
    float(traffic.down.bytes + traffic.up.bytes)
}

/// Both directions, each head of a request replaced by a browser's.
fn browsers(traffic: &Traffic, head: f64) -> f64 {
    bytes(traffic) - float(traffic.contents.request_head_bytes) + float(traffic.contents.requests) * head
}

pub(super) fn segments(traffic: &Traffic) -> f64 {
    let of = |flow: &Flow| flow.segments;
    float(of(&traffic.down) + of(&traffic.up))
}

fn heads(traffic: &Traffic) -> f64 {
    float(traffic.contents.request_head_bytes + traffic.contents.response_head_bytes)
}

fn polls(traffic: &Traffic) -> f64 {
    float(traffic.contents.empty)
}

pub(super) fn connections(trial: &Measurement) -> f64 {
    float(trial.counts.subscribers)
}

pub(super) fn seconds(trial: &Measurement) -> f64 {
    float(trial.measured_ns) / 1e9
}

#[expect(clippy::cast_precision_loss, reason = "a cost needs no more than 53 bits")]
pub(super) const fn float(count: u64) -> f64 {
    count as f64
}
