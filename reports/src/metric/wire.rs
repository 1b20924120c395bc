//! Bytes and segments: what a delivery, a connection and silence put on the wire, and what theory says.
//!
//! Measured by the kernel, split by what the clients found in the bytes. Theory is what the
//! standards say that payload, framing and heads weigh where each message is sent alone: messages
//! that share a chunk make the measured bytes a little lighter. Of what was compressed there is none.

use pushoff_model::record::{Flow, MachineUse, Measurement, Traffic};

use super::Evidence;
use pushoff_stats::Figure;

/// Of the load, a message received.
pub(super) fn a_message(evidence: &Evidence<'_>, of: impl Fn(&Traffic) -> f64) -> Option<Figure> {
    evidence.own().quotient(|trial| load(trial).map(|it| (of(it), float(it.contents.messages))))
}

/// Down by the standards.
fn down_theory(evidence: &Evidence<'_>, it: &Traffic) -> f64 {
    let framing = if evidence.is_ours { it.contents.framing_bytes } else { 0 };
    float(it.contents.payload_bytes + framing + it.contents.response_head_bytes)
}

pub(super) fn down_by_theory(evidence: &Evidence<'_>) -> Option<Figure> {
    a_message(evidence, |it| down_theory(evidence, it)).filter(|_| evidence.has_theory())
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

/// Of making a connection, until it has its first message.
pub(super) fn a_setup(evidence: &Evidence<'_>, of: impl Fn(&Traffic) -> f64) -> Option<Figure> {
    let setup = |trial: &Measurement| trial.wire.as_ref().map(|wire| (of(&wire.setup), connections(trial)));
    evidence.own().quotient(setup)
}

/// Of a poll that brings nothing, over trials in which only such polls crossed.
pub(super) fn an_empty_poll(evidence: &Evidence<'_>, of: impl Fn(&Traffic) -> f64) -> Option<Figure> {
    evidence.silent().quotient(|trial| empty(trial).map(|it| (of(it), float(it.contents.empty))))
}

/// What crossed while it was measured: what begins and ends a trial is not in it. Records that do not have it apart
/// give the whole load.
pub(super) fn load(trial: &Measurement) -> Option<&Traffic> {
    trial.wire.as_ref().map(|wire| wire.window.as_ref().unwrap_or(&wire.load))
}

fn empty(trial: &Measurement) -> Option<&Traffic> {
    load(trial).filter(|it| it.contents.messages == 0 && it.contents.empty > 0)
}

pub(super) fn bytes(traffic: &Traffic) -> f64 {
    float(traffic.down.bytes + traffic.up.bytes)
}

/// Both directions, each head of a request replaced by a browser's.
pub(super) fn with_a_browsers_head(evidence: &Evidence<'_>, traffic: &Traffic) -> f64 {
    let head = float(pushoff_model::overhead::browser_request_head_on(evidence.wire, evidence.transport));
    bytes(traffic) - asked(traffic) + float(traffic.contents.requests) * head
}

pub(super) fn segments(traffic: &Traffic) -> f64 {
    let of = |flow: &Flow| flow.segments;
    float(of(&traffic.down) + of(&traffic.up))
}

/// The share of the segments of readers' connections that TCP sent again, over a network.
pub(super) fn resent(evidence: &Evidence<'_>, of: fn(&MachineUse) -> u64) -> Option<Figure> {
    evidence.own().quotient(|it| {
        it.link.as_ref()?;
        Some((float(of(&it.machine)), segments(load(it)?)))
    })
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
