//! What one server process is asked to carry, and how often a second it has to do what.
//!
//! Arithmetic alone: how often a poll finds a message, how often a stream is silent for long enough to send
//! a heartbeat. A [`FittedModel`](super::FittedModel) turns these counts into a cost.

use pushoff_model::overhead::{Mask, frame};
use pushoff_model::transport::Polls;
use pushoff_model::workload::{self, Arrival, Direction};
use pushoff_model::{Transport, Workload};

use super::regressors::{Regressor, Regressors};

pub(crate) const KIBIBYTE: f64 = 1024.0;
/// How long a message is kept for those who come back, and how many of a topic: what memory is
/// computed for. Source: the default of `serve --replay`; the minute is chosen here.
pub(crate) const KEPT_SECONDS: f64 = 60.0;
/// The default of `serve --replay`.
const KEPT_MESSAGES: f64 = 1024.0;
/// The most bytes of messages that a topic keeps.
const KEPT_BYTES: f64 = 4.0 * 1024.0 * KIBIBYTE;

/// How many messages of so many bytes a topic keeps.
pub(crate) fn kept_messages(payload: f64) -> f64 {
    KEPT_MESSAGES.min(KEPT_BYTES / payload.max(1.0))
}

/// A load on one server process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// How many users are connected.
    pub users: f64,
    /// How many topics they are spread over.
    pub topics: f64,
    /// Messages a second of each topic, so what each user receives.
    pub rate: f64,
    /// How they are spaced.
    pub arrival: Arrival,
    /// Bytes of a payload.
    pub payload: f64,
    /// Messages that the users publish, a second, all users together.
    pub up: f64,
    /// Seconds between two polls of a user: short polling.
    pub interval: f64,
    /// Seconds between two flushes of a topic to its streams; 0 where each message is written at once.
    pub hold: f64,
    /// Seconds that a long poll waits at most.
    pub wait: f64,
    /// Seconds of silence after which a stream sends a heartbeat.
    pub heartbeat: f64,
    /// Seconds from the answer of a long poll until the next poll arrives. 0 over loopback.
    pub turnaround: f64,
    /// Seconds for which messages have been kept.
    pub kept_for: f64,
}

impl Load {
    /// The load of a workload over loopback, of payloads of so many bytes; none where a trace says when
    /// messages are due.
    pub fn of(workload: &Workload, payload: f64) -> Option<Self> {
        let users = f64::from(workload.subscribers);
        let topics = f64::from(workload.topics);
        let (rate, arrival, heartbeat) = match &workload.load {
            workload::Load::Rate { per_second, arrival } => (per_second.as_per_second(), *arrival, HEARTBEAT),
            workload::Load::Silence { heartbeat } => (0.0, Arrival::Constant, heartbeat.as_secs_f64()),
            workload::Load::Trace { .. } => return None,
        };
        let speakers = match workload.direction {
            Direction::Down => 1.0,
            Direction::Both => users / topics,
        };
        let phases = &workload.phases;
        Some(Self {
            users,
            topics,
            rate: rate * speakers,
            arrival,
            payload,
            up: match workload.direction {
                Direction::Down => 0.0,
                Direction::Both => topics * rate * speakers,
            },
            interval: workload.polling.interval.as_secs_f64(),
            hold: 0.0,
            wait: workload.polling.wait.as_secs_f64(),
            heartbeat,
            turnaround: 0.0,
            kept_for: (phases.warm_up + phases.measure).as_secs_f64(),
        })
    }

    /// How many users hear a message.
    pub fn audience(&self) -> f64 {
        self.users / self.topics
    }

    /// Deliveries a second.
    fn deliveries(&self) -> f64 {
        self.users * self.rate
    }

    /// Messages published a second.
    pub fn publishes(&self) -> f64 {
        self.topics * self.rate
    }

    /// The counts of a second over a transport.
    pub fn regressors(&self, transport: Transport) -> Regressors {
        let mut counts = Regressors::default();
        let polls = self.polls(transport);
        let spoken = if transport.sends_on_its_own_connection() { self.up } else { 0.0 };
        counts[Regressor::One] = 1.0;
        counts[Regressor::Users] = self.users;
        counts[Regressor::Spoken] = spoken;
        counts[Regressor::SpokenFrames] = spoken * self.spoken_frame();
        counts[Regressor::Publishes] = self.publishes().max(self.up) - spoken;
        // Messages that one long poll brings, or one flush, count once.
        let (deliveries, carried) = match transport.traits().polls {
            Some(Polls::OnATimer) => (self.deliveries(), self.deliveries()),
            Some(Polls::WhenAnswered) => (self.deliveries(), polls.answered),
            None => (self.users * self.flushes(), self.users * self.flushes()),
        };
        counts[Regressor::Messages] = deliveries;
        counts[Regressor::Cold] = carried / (carried / self.users).mul_add(WARM, 1.0);
        counts[Regressor::First] = carried * (FIRST / self.audience()).min(1.0);
        counts[Regressor::Kibibytes] = self.deliveries() * self.payload / KIBIBYTE;
        counts[Regressor::Answers] = polls.answered;
        counts[Regressor::Empties] = polls.empty;
        counts[Regressor::Heartbeats] = self.heartbeats(transport);
        // A publish wakes the long polls that it answers.
        let polls_by_themselves = if transport.polls_on_a_timer() { polls.answered } else { 0.0 };
        let published = self.publishes().max(self.up);
        counts[Regressor::Wakes] = wakes(published + polls_by_themselves + polls.empty + counts[Regressor::Heartbeats]);
        let kept = self.topics * (self.rate * self.kept_for).min(kept_messages(self.payload));
        counts[Regressor::Kept] = kept;
        counts[Regressor::KeptKibibytes] = kept * self.payload / KIBIBYTE;
        counts
    }

    /// Writes a second to each stream: one a message, or one for all messages since the last flush.
    pub(crate) fn flushes(&self) -> f64 {
        if self.hold > 0.0 { self.share_answered(self.hold) / self.hold } else { self.rate }
    }

    /// What a server does in one go, a second: answer a short poll, or publish with all deliveries, or flush a topic.
    pub(crate) fn events(&self, transport: Transport) -> f64 {
        match transport.traits().polls {
            Some(Polls::OnATimer) => self.users / self.interval,
            Some(Polls::WhenAnswered) | None if self.hold <= 0.0 => self.publishes().max(self.up),
            Some(Polls::WhenAnswered) | None => self.topics * self.flushes(),
        }
    }

    /// Bytes of the frame of a message that a user speaks (RFC 6455 §5.2).
    pub(crate) fn spoken_frame(&self) -> f64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a payload is at most 64 KiB")]
        let head = frame(self.payload.round() as u64, Mask::Yes);
        self.payload + f64::from(u32::try_from(head).unwrap_or(u32::MAX))
    }

    /// How messages come to the server.
    pub(crate) fn speech(&self, transport: Transport) -> Regressor {
        let on_own_connection = self.up > 0.0 && transport.sends_on_its_own_connection();
        if on_own_connection { Regressor::Spoken } else { Regressor::Publishes }
    }

    /// Polls a second, with messages and without.
    fn polls(&self, transport: Transport) -> PollRates {
        match transport.traits().polls {
            Some(Polls::OnATimer) => {
                let all = self.users / self.interval;
                let answered = all * self.share_answered(self.interval);
                PollRates { answered, empty: all - answered }
            }
            Some(Polls::WhenAnswered) => {
                // Messages that come while no poll waits are answered together by the next.
                let a_user = match self.arrival {
                    Arrival::Poisson => self.rate / self.rate.mul_add(self.turnaround, 1.0),
                    Arrival::Constant if self.turnaround > 0.0 => self.rate.min(1.0 / self.turnaround),
                    Arrival::Constant => self.rate,
                };
                PollRates { answered: self.users * a_user, empty: self.users * run_out(a_user, self.wait) }
            }
            None => PollRates::default(),
        }
    }

    /// The share of polls, or of flushes, that find a message, so many seconds after the last.
    fn share_answered(&self, interval: f64) -> f64 {
        match self.arrival {
            Arrival::Poisson => -(-self.rate * interval).exp_m1(),
            Arrival::Constant => (self.rate * interval).min(1.0),
        }
    }

    /// Heartbeats a second, of all streams.
    fn heartbeats(&self, transport: Transport) -> f64 {
        if transport.is_polling() { 0.0 } else { self.users * run_out(self.rate, self.heartbeat) }
    }
}

/// The default of `serve --heartbeat`, in seconds.
pub const HEARTBEAT: f64 = 15.0;

#[derive(Clone, Copy, Debug, Default)]
struct PollRates {
    answered: f64,
    empty: f64,
}

/// How long the memory of a connection stays in the processor's caches, in seconds. This constant, [`FIRST`] and
/// [`WAKEFUL`] are chosen here: of a few values of each, those by which each fitted cell is best predicted from the
/// others.
const WARM: f64 = 0.1;

/// How many readers of a message are woken one by one; the readers after them are awake already.
const FIRST: f64 = 60.0;

/// How long an idle server takes to fall asleep, in seconds: an event that comes sooner costs no full wake-up.
const WAKEFUL: f64 = 1e-3;

/// How often a second independent events find the server asleep: every event does, while events are rare.
fn wakes(events: f64) -> f64 {
    events / events.mul_add(WAKEFUL, 1.0)
}

/// How often a second a timeout of so many seconds runs out that every event restarts: of the gaps between
/// independent events the share e^(−rate × timeout) is longer, and the timeout then starts again.
fn run_out(rate: f64, timeout: f64) -> f64 {
    // The limit for a rate of 0, where the quotient is 0 ÷ 0.
    if rate * timeout < 1e-9 { 1.0 / timeout } else { rate / (rate * timeout).exp_m1() }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) const LOAD: Load = Load {
        users: 1_000.0,
        topics: 10.0,
        rate: 2.0,
        arrival: Arrival::Poisson,
        payload: 512.0,
        up: 0.0,
        interval: 0.5,
        hold: 0.0,
        wait: 25.0,
        heartbeat: 15.0,
        turnaround: 0.0,
        kept_for: 3.5,
    };

    fn about(value: f64, expected: f64) -> bool {
        (value - expected).abs() <= 1e-9 * expected.abs().max(1.0)
    }

    #[test]
    fn a_poll_finds_what_came_since_the_last() {
        let counts = LOAD.regressors(Transport::ShortPolling);
        assert!(about(counts.polls(), 2_000.0));
        // Of intervals in which one message is due on average, e⁻¹ are without.
        assert!(about(counts[Regressor::Empties], 2_000.0 * (-1.0_f64).exp()));
        let even = Load { arrival: Arrival::Constant, ..LOAD };
        assert!(about(even.regressors(Transport::ShortPolling)[Regressor::Empties], 0.0));
        assert!(about(counts[Regressor::Messages], 2_000.0) && about(counts[Regressor::Kibibytes], 1_000.0));
    }

    #[test]
    fn a_long_poll_is_answered_as_often_as_there_is_something_until_its_way_back_matters() {
        let answered = |turnaround| Load { turnaround, ..LOAD }.regressors(Transport::LongPolling)[Regressor::Answers];
        assert!(about(answered(0.0), 2_000.0) && about(answered(0.5), 1_000.0));
    }

    #[test]
    fn silence_costs_a_heartbeat_or_an_empty_poll_each_time_patience_runs_out() {
        let silent = Load { rate: 0.0, ..LOAD };
        assert!(about(silent.regressors(Transport::Sse)[Regressor::Heartbeats], 1_000.0 / 15.0));
        assert!(about(silent.regressors(Transport::LongPolling)[Regressor::Empties], 1_000.0 / 25.0));
        assert!(about(silent.regressors(Transport::ShortPolling)[Regressor::Empties], 2_000.0));
        assert!(LOAD.regressors(Transport::Sse)[Regressor::Heartbeats] < 1e-9);
    }

    #[test]
    fn who_speaks_on_a_websocket_makes_no_request() {
        let talk = Load { up: 20.0, ..LOAD };
        let (own, beside) = (talk.regressors(Transport::WebSocket), talk.regressors(Transport::Sse));
        assert!(about(own[Regressor::Spoken], 20.0) && about(own[Regressor::Publishes], 0.0));
        assert!(about(beside[Regressor::Spoken], 0.0) && about(beside[Regressor::Publishes], 20.0));
    }

    #[test]
    fn what_users_publish_beyond_what_is_heard_is_work_too() {
        let game = Load { up: 50.0, ..LOAD };
        let (own, beside) = (game.regressors(Transport::WebSocket), game.regressors(Transport::Sse));
        assert!(about(own[Regressor::Spoken], 50.0) && about(own[Regressor::Publishes], 0.0));
        assert!(about(beside[Regressor::Publishes], 50.0));
        let few = Load { up: 5.0, ..LOAD }.regressors(Transport::WebSocket);
        assert!(about(few[Regressor::Spoken], 5.0) && about(few[Regressor::Publishes], 15.0));
    }

    #[test]
    fn a_flush_writes_once_what_came_since_the_last() {
        let counts = |hold| Load { hold, ..LOAD }.regressors(Transport::Sse);
        let (at_once, held) = (counts(0.0), counts(1.0));
        assert!(about(at_once[Regressor::Messages], 2_000.0));
        assert!(about(held[Regressor::Messages], 1_000.0 * (1.0 - (-2.0_f64).exp())));
        assert!(about(held[Regressor::Kibibytes], at_once[Regressor::Kibibytes]));
        let polled = Load { hold: 1.0, ..LOAD }.regressors(Transport::ShortPolling);
        assert!(about(polled[Regressor::Messages], 2_000.0));
    }

    #[test]
    fn rare_events_each_wake_the_server_and_frequent_ones_find_it_awake() {
        assert!(about(wakes(1.0), 1.0 / 1.001) && about(wakes(1e9), 1e9 / (1e6 + 1.0)));
        assert!(
            LOAD.regressors(Transport::ShortPolling)[Regressor::Wakes]
                > LOAD.regressors(Transport::Sse)[Regressor::Wakes]
        );
    }

    #[test]
    fn no_more_is_kept_than_a_topic_keeps() {
        let kept = |kept_for| Load { kept_for, ..LOAD }.regressors(Transport::Sse)[Regressor::Kept];
        assert!(about(kept(3.5), 70.0) && about(kept(1e6), 10_240.0));
    }
}
