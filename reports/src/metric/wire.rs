//! Bytes and segments: what a delivery, a connection and silence put on the wire, beside theory.
//!
//! Measured by the kernel, split by what the clients found in the bytes. Theory is what the
//! standards say that payload, framing and heads weigh where each message is sent alone: messages
//! that share a chunk make the measured bytes a little lighter.

use pushoff_model::record::{Flow, Measurement, Traffic};

use super::{Evidence, Metric};
use pushoff_stats::{Figure, Sums};

/// Headers of a segment: 20 bytes of IPv4 (RFC 791) and 32 of TCP with time stamps (RFC 9293, 7323).
pub(crate) const HEADERS: f64 = 52.0;

/// The metrics of one direction: all bytes, and the parts that they are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Direction {
    pub(crate) name: &'static str,
    pub(crate) bytes: Metric,
    pub(crate) payload: Metric,
    /// Absent upwards, where the framing of what is spoken is not known apart.
    pub(crate) framing: Option<Metric>,
    pub(crate) heads: Metric,
    pub(crate) rest: Metric,
    pub(crate) theory: Metric,
}

impl Direction {
    pub(crate) const DOWN: Self = Self {
        name: "down",
        bytes: Metric::Down,
        payload: Metric::DownPayload,
        framing: Some(Metric::DownFraming),
        heads: Metric::DownHeads,
        rest: Metric::DownRest,
        theory: Metric::DownTheory,
    };
    pub(crate) const UP: Self = Self {
        name: "up",
        bytes: Metric::Up,
        payload: Metric::UpSpoken,
        framing: None,
        heads: Metric::UpHeads,
        rest: Metric::UpRest,
        theory: Metric::UpTheory,
    };
}

/// Of the load, a message received.
pub(super) fn a_message(evidence: &Evidence<'_>, of: impl Fn(&Traffic) -> f64) -> Option<Figure> {
    evidence.own().quotient(|trial| load(trial).map(|it| (of(it), float(it.contents.messages))))
}

/// Down by the standards.
fn down_theory(evidence: &Evidence<'_>, it: &Traffic) -> f64 {
    let framing = if evidence.is_ours { it.contents.framing_bytes } else { 0 };
    float(it.contents.payload_bytes + framing + it.contents.response_head_bytes)
}

pub(super) fn down_rest(evidence: &Evidence<'_>) -> Option<Figure> {
    let left = |it: &Traffic| float(it.down.bytes) - down_theory(evidence, it);
    evidence.own().difference(|trial| load(trial).map(|it| (left(it), float(it.contents.messages))))
}

pub(super) fn down_by_theory(evidence: &Evidence<'_>) -> Option<Figure> {
    a_message(evidence, |it| down_theory(evidence, it)).filter(|_| evidence.is_ours)
}

pub(super) fn down_deviation(evidence: &Evidence<'_>) -> Option<Figure> {
    let theory = |it: &Traffic| down_theory(evidence, it);
    let off = |trial: &Measurement| load(trial).map(|it| (float(it.down.bytes) - theory(it), theory(it)));
    evidence.own().difference(off).filter(|_| evidence.is_ours && has_messages(evidence))
}

fn has_messages(evidence: &Evidence<'_>) -> bool {
    a_message(evidence, |it| float(it.contents.messages)).is_some()
}

fn asked(it: &Traffic) -> f64 {
    float(it.contents.request_head_bytes)
}

/// Whether nothing is spoken on the connections. Where something is, its framing is not known apart, and there
/// is no theory of the whole.
pub(super) fn is_mute(evidence: &Evidence<'_>) -> bool {
    let spoken = |trial: &Measurement| load(trial).map(|it| (float(it.contents.spoken_bytes), 1.0));
    evidence.own().quotient(spoken).is_none_or(|spoken| spoken.point == 0.0)
}

pub(super) fn up_rest(evidence: &Evidence<'_>) -> Option<Figure> {
    let left = |it: &Traffic| float(it.up.bytes) - asked(it) - float(it.contents.spoken_bytes);
    evidence.own().difference(|trial| load(trial).map(|it| (left(it), float(it.contents.messages))))
}

pub(super) fn up_by_theory(evidence: &Evidence<'_>) -> Option<Figure> {
    a_message(evidence, asked).filter(|_| evidence.is_ours && is_mute(evidence))
}

pub(super) fn up_deviation(evidence: &Evidence<'_>) -> Option<Figure> {
    let off = |trial: &Measurement| load(trial).map(|it| (float(it.up.bytes) - asked(it), asked(it)));
    evidence.own().difference(off).filter(|_| is_mute(evidence) && evidence.is_ours && has_messages(evidence))
}

/// Of making a connection, until it has its first message.
pub(super) fn a_setup(evidence: &Evidence<'_>, of: impl Fn(&Traffic) -> f64) -> Option<Figure> {
    let setup = |trial: &Measurement| trial.wire.as_ref().map(|wire| (of(&wire.setup), connections(trial)));
    evidence.own().quotient(setup)
}

/// Of a poll that brings nothing, over trials in which only such polls crossed.
pub(super) fn an_empty_poll(evidence: &Evidence<'_>, of: impl Fn(&Traffic) -> f64) -> Option<Figure> {
    evidence.silent().quotient(|trial| empty(trial).map(|it| (of(it), float(it.contents.empty))))
}

pub(super) fn empty_poll_deviation(evidence: &Evidence<'_>) -> Option<Figure> {
    let heads = |it: &Traffic| float(it.contents.request_head_bytes + it.contents.response_head_bytes);
    let off = |trial: &Measurement| empty(trial).map(|it| (bytes(it) - heads(it), heads(it)));
    evidence.silent().difference(off).filter(|_| evidence.is_ours)
}

/// Bytes a second and user with so many bytes of headers a segment: bytes a delivery over the whole load, times
/// deliveries a second and user while measured.
pub(super) fn bandwidth(own: &Sums<'_>, headers: f64) -> Option<Figure> {
    own.product(|trial| {
        let load = trial.wire.as_ref()?.load;
        let all = bytes(&load) + segments(&load) * headers;
        let deliveries = (float(trial.window.received), seconds(trial) * connections(trial));
        Some([(all, float(load.contents.messages)), deliveries])
    })
}

pub(super) fn load(trial: &Measurement) -> Option<&Traffic> {
    trial.wire.as_ref().map(|wire| &wire.load)
}

fn empty(trial: &Measurement) -> Option<&Traffic> {
    load(trial).filter(|it| it.contents.messages == 0 && it.contents.empty > 0)
}

pub(super) fn bytes(traffic: &Traffic) -> f64 {
    float(traffic.down.bytes + traffic.up.bytes)
}

/// Both directions, each head of a request replaced by a browser's.
pub(super) fn with_a_browsers_head(evidence: &Evidence<'_>, traffic: &Traffic) -> f64 {
    let head = float(pushoff_model::overhead::browser_request_head(evidence.transport));
    bytes(traffic) - asked(traffic) + float(traffic.contents.requests) * head
}

pub(super) fn segments(traffic: &Traffic) -> f64 {
    let of = |flow: &Flow| flow.segments;
    float(of(&traffic.down) + of(&traffic.up))
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
