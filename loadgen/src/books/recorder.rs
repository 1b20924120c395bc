//! Turns samples, one a message, into the histograms of a trial.
//!
//! A subscriber collects samples in a small block and merges a full block into the one shared recorder. So receiving
//! a message allocates nothing, and there is one histogram a trial instead of one a subscriber. A message counts when
//! its *intended* time lies in the measure phase, whenever it arrives.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use pushoff_model::record::{FaultKind, Faults, Series};
use pushoff_model::{LatencyHistogram, RunInstant};
use serde::{Deserialize, Serialize};

use super::skew::Skew;
use super::window::Window;
use crate::clients::Polled;

/// Samples in a subscriber's block. Chosen here: 32 to 64 fill a page, and merging them takes a few microseconds.
const BLOCK: usize = 64;

/// The first delivery of one message to one subscriber.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Its publisher's number.
    pub publisher: u32,
    /// Its index among that publisher's messages.
    pub index: u64,
    /// When the message was due.
    pub due: RunInstant,
    /// When its publisher sent it.
    pub sent: RunInstant,
    /// When the client received it.
    pub received: RunInstant,
    /// The poll that brought it; `None` for a transport that does not poll.
    pub polled: Option<Polled>,
    /// Whether the subscriber itself sent the message.
    pub own: bool,
}

/// Samples of one subscriber that are not in the recorder yet.
///
/// The first sample allocates the block, during the warm-up: a subscriber without messages needs no block.
#[derive(Debug, Default)]
pub struct SampleBlock(Vec<Sample>);

impl SampleBlock {
    /// Adds one sample.
    pub fn push(&mut self, sample: Sample, recorder: &Recorder) {
        if self.0.capacity() == 0 {
            self.0.reserve_exact(BLOCK);
        }
        self.0.push(sample);
        if self.0.len() == BLOCK {
            self.flush(recorder);
        }
    }

    /// Merges all samples into the recorder.
    pub fn flush(&mut self, recorder: &Recorder) {
        recorder.fold(&self.0);
        self.0.clear();
    }
}

/// The measurements of one trial so far, shared by all tasks of the trial.
#[derive(Debug, Default)]
pub struct Recorder {
    window: OnceLock<Window>,
    /// The end of the drain.
    drained: OnceLock<RunInstant>,
    totals: Mutex<Totals>,
}

/// The sums and histograms of a trial, or of an agent's part of one.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Received − intended: lower is better, as for all latencies here.
    pub delivery_latency: LatencyHistogram,
    /// Received − sent.
    pub latency_from_send: LatencyHistogram,
    /// Sent − intended, once a published message.
    pub send_lag: LatencyHistogram,
    /// The part of the send lag that the generator caused: sent − the later of intended and the end of the
    /// publisher's previous request.
    pub own_lag: LatencyHistogram,
    /// Poll due − intended, 0 where the poll already waited.
    pub poll_wait: LatencyHistogram,
    /// Poll sent − poll due.
    pub poll_queueing: LatencyHistogram,
    /// Received − the later of intended and poll sent.
    pub transfer: LatencyHistogram,
    /// A speaker's own message back − intended.
    pub round_trip: LatencyHistogram,
    /// From the start of connecting until the stream is open.
    pub connect: LatencyHistogram,
    /// From the start of connecting until the first message.
    pub first_message: LatencyHistogram,
    /// When the first subscriber began to connect.
    pub first_connecting: Option<RunInstant>,
    /// When the last subscriber so far had its first message.
    pub last_greeted: RunInstant,
    /// Fan-out skew: from the first subscriber that has a message to the last.
    pub(crate) skew: Option<Skew>,
    /// Delivery latency over the measure phase.
    pub series: Series,
    /// Deliveries of messages that were due in the measure phase.
    pub delivered: u64,
    /// Deliveries of any message during the measure phase.
    pub received: u64,
    /// Deliveries of the measure phase that are in no histogram: by the clocks of two agents, the message came before it
    /// was sent.
    pub early: u64,
    /// Subscribers' connections that broke, by cause.
    pub breaks: Faults,
}

impl Recorder {
    /// Sets the measure phase. Samples that came before are dropped.
    pub fn begin(&self, window: Window) {
        // A trial has one measure phase; a second call changes nothing.
        let window = *self.window.get_or_init(|| window);
        let intervals = window.length().as_nanos().div_ceil(window.interval().as_nanos().max(1));
        let intervals = usize::try_from(intervals).unwrap_or(usize::MAX);
        self.totals().series = Series {
            interval_ns: pushoff_model::time::nanos(window.interval()),
            worst_ns: vec![0; intervals],
            delivered: vec![0; intervals],
        };
    }

    /// Sets the end of the drain.
    pub(crate) fn ends(&self, drained: RunInstant) {
        self.drained.get_or_init(|| drained);
    }

    /// Whether a message that arrives then comes after the drain, and is lost. Connections stay open longer: other trials and
    /// other generators are waited for.
    pub(crate) fn is_over(&self, arrival: RunInstant) -> bool {
        self.drained.get().is_some_and(|drained| arrival >= *drained)
    }

    /// Measures fan-out skew from now on.
    pub(crate) fn watch(&self, skew: Option<Skew>) {
        self.totals().skew = skew;
    }

    /// Whether a moment lies in the measure phase.
    pub(crate) fn measures(&self, moment: RunInstant) -> bool {
        self.window.get().is_some_and(|window| window.contains(moment))
    }

    /// Merges a block of samples.
    pub(crate) fn fold(&self, samples: &[Sample]) {
        let Some(&window) = self.window.get() else { return };
        let mut totals = self.totals();
        for sample in samples {
            totals.delivery(sample, window);
        }
    }

    /// Records messages that were sent together: when each was due, when its publisher was free, and when they were
    /// sent.
    pub(crate) fn sent(&self, due: impl Iterator<Item = RunInstant>, free: RunInstant, sent: RunInstant) {
        let mut totals = self.totals();
        for due in due.filter(|&due| self.measures(due)) {
            totals.send_lag.record(sent.since(due));
            totals.own_lag.record(sent.since(due.max(free)));
        }
    }

    pub(crate) fn connected(&self, took: Duration) {
        self.totals().connect.record(took);
    }

    pub(crate) fn greeted(&self, connecting: RunInstant, greeted: RunInstant) {
        let mut totals = self.totals();
        totals.first_message.record(greeted.since(connecting));
        totals.first_connecting = Some(totals.first_connecting.map_or(connecting, |first| first.min(connecting)));
        totals.last_greeted = totals.last_greeted.max(greeted);
    }

    pub(crate) fn broke(&self, cause: &str) {
        self.totals().breaks.add(FaultKind::Broke, cause, 1);
    }

    /// The causes of broken connections so far.
    pub(crate) fn breaks(&self) -> Faults {
        self.totals().breaks.clone()
    }

    /// Takes all results; the recorder is empty afterwards.
    #[must_use]
    pub fn take(&self) -> Totals {
        std::mem::take(&mut *self.totals())
    }

    /// Holds the recorder, so that others wait for it.
    #[cfg(test)]
    pub(crate) fn held(&self) -> MutexGuard<'_, Totals> {
        self.totals()
    }

    fn totals(&self) -> MutexGuard<'_, Totals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Totals {
    /// Adds what another agent recorded of the same trial: as if one recorder had had both.
    pub(crate) fn merge(&mut self, other: Self) {
        for (mine, its) in [
            (&mut self.delivery_latency, &other.delivery_latency),
            (&mut self.latency_from_send, &other.latency_from_send),
            (&mut self.send_lag, &other.send_lag),
            (&mut self.own_lag, &other.own_lag),
            (&mut self.poll_wait, &other.poll_wait),
            (&mut self.poll_queueing, &other.poll_queueing),
            (&mut self.transfer, &other.transfer),
            (&mut self.round_trip, &other.round_trip),
            (&mut self.connect, &other.connect),
            (&mut self.first_message, &other.first_message),
        ] {
            mine.merge(its);
        }
        self.first_connecting = [self.first_connecting, other.first_connecting].into_iter().flatten().min();
        self.last_greeted = self.last_greeted.max(other.last_greeted);
        match (&mut self.skew, other.skew) {
            (Some(mine), Some(its)) => mine.merge(its),
            (mine, its) => *mine = mine.take().or(its),
        }
        for (mine, its) in self.series.worst_ns.iter_mut().zip(other.series.worst_ns) {
            *mine = its.max(*mine);
        }
        for (mine, its) in self.series.delivered.iter_mut().zip(other.series.delivered) {
            *mine += its;
        }
        self.delivered += other.delivered;
        self.received += other.received;
        self.early += other.early;
        self.breaks.merge(&other.breaks);
    }

    fn delivery(&mut self, sample: &Sample, window: Window) {
        let Sample { publisher, index, due, sent, received, polled, own } = *sample;
        self.received += u64::from(window.contains(received));
        if !window.contains(due) {
            return;
        }
        self.delivered += 1;
        // Within one process, the clock rules it out.
        if received < sent {
            self.early += 1;
            return;
        }
        let latency = received.since(due);
        self.delivery_latency.record(latency);
        self.latency_from_send.record(received.since(sent));
        if let Some(polled) = polled {
            self.poll_wait.record(polled.due.since(due));
            self.poll_queueing.record(polled.sent.since(polled.due));
            self.transfer.record(received.since(due.max(polled.sent)));
        }
        if own {
            self.round_trip.record(latency);
        }
        if let Some(skew) = &mut self.skew {
            skew.enter(publisher, index, received);
        }
        let interval = window.interval_of(due);
        if let (Some(worst), Some(count)) =
            (self.series.worst_ns.get_mut(interval), self.series.delivered.get_mut(interval))
        {
            *worst = (*worst).max(pushoff_model::time::nanos(latency));
            *count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(milliseconds: u64) -> RunInstant {
        RunInstant::from_nanos(milliseconds * 1_000_000)
    }

    fn sample(due: u64, sent: u64, received: u64, polled: Option<(u64, u64)>) -> Sample {
        Sample {
            publisher: 0,
            index: 0,
            due: at(due),
            sent: at(sent),
            received: at(received),
            polled: polled.map(|(due, sent)| Polled { due: at(due), sent: at(sent) }),
            own: false,
        }
    }

    fn recorded(samples: &[Sample]) -> Totals {
        let recorder = Recorder::default();
        recorder.begin(Window::new(at(1_000), Duration::from_secs(1)));
        recorder.fold(samples);
        recorder.take()
    }

    #[test]
    fn a_message_counts_by_its_intended_time_whenever_it_arrives() {
        let totals = recorded(&[
            sample(999, 999, 1_500, None),
            sample(1_000, 1_000, 3_000, None),
            sample(2_000, 2_000, 2_001, None),
        ]);
        assert_eq!((totals.delivery_latency.count(), totals.delivered, totals.received), (1, 1, 1));
        assert_eq!(totals.delivery_latency.max().unwrap().as_secs(), 2);
    }

    #[test]
    fn latency_runs_from_the_intended_time_and_a_late_send_hides_nothing() {
        let totals = recorded(&[sample(1_000, 1_600, 1_601, None)]);
        assert!(totals.delivery_latency.max().unwrap() >= Duration::from_millis(600));
        assert!(totals.latency_from_send.max().unwrap() < Duration::from_millis(2));
    }

    #[test]
    fn the_wait_for_a_poll_is_told_from_the_transfer() {
        let totals = recorded(&[
            sample(1_100, 1_100, 1_140, Some((1_126, 1_130))),
            sample(1_200, 1_200, 1_205, Some((900, 900))),
        ]);
        let millis = |histogram: &LatencyHistogram| histogram.max().unwrap().as_millis();
        assert_eq!((totals.poll_wait.count(), millis(&totals.poll_wait)), (2, 26));
        assert_eq!((totals.poll_queueing.count(), millis(&totals.poll_queueing)), (2, 4));
        assert_eq!((totals.transfer.count(), millis(&totals.transfer)), (2, 10));
        assert!(totals.poll_wait.quantile(0.5).unwrap() <= Duration::from_nanos(1));
    }

    #[test]
    fn connecting_lasts_from_the_first_who_begins_to_the_last_who_is_greeted() {
        let recorder = Recorder::default();
        recorder.greeted(at(30), at(35));
        recorder.greeted(at(10), at(90));
        recorder.greeted(at(20), at(40));
        let totals = recorder.take();
        assert_eq!((totals.first_connecting, totals.last_greeted), (Some(at(10)), at(90)));
        assert_eq!((totals.first_message.count(), totals.first_message.max().unwrap().as_millis()), (3, 80));
    }

    #[test]
    fn waiting_for_the_server_is_send_lag_but_not_the_generators_own() {
        let recorder = Recorder::default();
        recorder.begin(Window::new(at(1_000), Duration::from_secs(1)));
        recorder.sent([at(1_100), at(1_200)].into_iter(), at(1_900), at(1_901));
        let totals = recorder.take();
        assert!(totals.send_lag.max().unwrap() >= Duration::from_millis(800));
        assert!(totals.own_lag.max().unwrap() < Duration::from_millis(2));
    }

    #[test]
    fn the_series_keeps_the_worst_and_the_count_of_each_interval() {
        let totals = recorded(&[
            sample(1_000, 1_000, 1_002, None),
            sample(1_010, 1_010, 1_011, None),
            sample(1_999, 1_999, 2_004, None),
        ]);
        assert_eq!(totals.series.delivered.iter().sum::<u64>(), 3);
        assert_eq!((totals.series.delivered[0], totals.series.worst_ns[0]), (2, 2_000_000));
        assert_eq!(totals.series.worst_ns.last(), Some(&5_000_000));
    }

    #[test]
    fn a_block_reaches_the_recorder_when_it_is_full() {
        let recorder = Recorder::default();
        recorder.begin(Window::new(at(1_000), Duration::from_secs(1)));
        let mut block = SampleBlock::default();
        for _ in 0..=BLOCK {
            block.push(sample(1_000, 1_000, 1_001, None), &recorder);
        }
        assert_eq!(recorder.totals().delivered, BLOCK as u64);
        block.flush(&recorder);
        assert_eq!(recorder.take().delivered, BLOCK as u64 + 1);
    }
}
