//! The workloads over networks: their size, and how many trials run at the same time.
//!
//! Each reader has a last mile of its own (those in a browser share one), so that a few see what many would; and a
//! trial over a network leaves the processors nearly idle, so that several run at once.

use std::time::Duration;

use pushoff_model::network::Network;
use pushoff_model::workload::{Direction, Growth};
use pushoff_model::{Client, Transport, Workload};

/// Deliveries a second of a workload over a network, where no number of readers was asked for: so many readers as get
/// these … Chosen here.
const DELIVERIES: f64 = 160.0;
/// … but not fewer, for each sees losses of its own …
const FEWEST: f64 = 8.0;
/// … nor more.
const MOST: f64 = 40.0;
/// The shortest measure phase over a network, where no other was asked for: time is shared with other trials there.
/// Chosen here.
const MEASURED: Duration = Duration::from_secs(8);
/// The longest time that messages may still be under way: a connection that loses several packets in a row waits for
/// seconds. Chosen here.
const DRAINED: Duration = Duration::from_secs(15);
/// Packets a second of all trials that run at once, as they are estimated. Chosen here: some 30 µs of processor time each,
/// so that a machine of two processors is less than half busy.
const AT_ONCE: f64 = 16_000.0;
/// How many times that a packet takes for which a thread stays awake. Chosen here: 100 µs more, and half as many at once, for
/// threads that are awake at the same time make each other late.
const AWAKE: f64 = 8.0;
/// Packets a second of one trial, beyond which it is not measured over a network: 3.6 µs each at the least.
pub(super) const MOST_PACKETS: f64 = 30_000.0;
/// Packets of a poll and its answer, each with its acknowledgement.
const PACKETS_A_POLL: f64 = 4.0;
/// Packets of a message on a stream, with its acknowledgement.
const PACKETS_A_MESSAGE: f64 = 2.0;

/// The parts of a workload that the caller asked for, and that a network leaves as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whole {
    /// The number of readers.
    pub readers: bool,
    /// The length of the measure phase.
    pub measure: bool,
}

/// Whether a workload is measured over networks: it has an SLO, and no search or comparison of clients.
pub(super) fn is_measured(workload: &Workload) -> bool {
    workload.slo.is_some() && workload.search.is_none() && workload.compared.is_empty() && !workload.is_silent()
}

/// The workload as it is run over a network.
pub(super) fn over_network(workload: &Workload, whole: Whole) -> Workload {
    let mut sample = if whole.readers { workload.clone() } else { workload.sampled(readers(workload)) };
    if !whole.measure {
        sample.phases.measure = sample.phases.measure.max(MEASURED);
    }
    sample.phases.drain = sample.phases.drain.max(DRAINED);
    sample
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
fn readers(workload: &Workload) -> u32 {
    let audience = f64::from(workload.subscribers) / f64::from(workload.topics);
    let speakers = f64::from(workload.publishers()) / f64::from(workload.topics);
    let received = workload.offered(Growth::Rate) * speakers;
    // Whole topics, where their members speak.
    let whole = if workload.direction == Direction::Both { audience } else { 1.0 };
    let topics = ((DELIVERIES / received).clamp(FEWEST, MOST) / whole).round().max(1.0);
    (topics * whole) as u32
}

/// How much of what can run at once a trial takes, above 0.
pub(super) fn share(workload: &Workload, transport: Transport, client: Client, network: &Network) -> f64 {
    // A browser starts more processes than there are processors.
    if client == Client::Browser {
        return 1.0;
    }
    let is_awake = network.down.needs_awake() || network.up.needs_awake();
    let each = if is_awake { AWAKE } else { 1.0 };
    (each * packets(workload, transport) / AT_ONCE).clamp(1e-3, 1.0)
}

/// How trials are run over networks, in words.
pub(crate) fn setting() -> String {
    format!(
        "{FEWEST} to {MOST} readers, for {DELIVERIES} deliveries a second; measured for {MEASURED:?} or longer, drained for \
         {DRAINED:?} or longer; at once {AT_ONCE} packets a second by estimate, one that a thread stays awake for counted \
         {AWAKE} times"
    )
}

/// Packets a second that cross the network, as an estimate.
pub(super) fn packets(workload: &Workload, transport: Transport) -> f64 {
    let published = workload.offered(Growth::Rate) * f64::from(workload.publishers());
    let audience = f64::from(workload.subscribers) / f64::from(workload.topics);
    let delivered = published * audience;
    if transport.polls_on_a_timer() {
        PACKETS_A_POLL * f64::from(workload.subscribers) / workload.polling.interval.as_secs_f64()
    } else if transport.is_polling() {
        PACKETS_A_POLL * delivered
    } else {
        PACKETS_A_MESSAGE * delivered
    }
}

#[cfg(test)]
mod tests {
    use pushoff_model::workload::built_in;

    use super::*;

    fn sample(name: &str, whole: Whole) -> Workload {
        over_network(&built_in(name).unwrap().unwrap(), whole)
    }

    #[test]
    fn a_few_readers_get_what_each_of_the_many_gets() {
        let size = |it: &Workload| (it.topics, it.subscribers, it.audience(0));
        let none = Whole::default();
        let samples = ["progress", "ticker", "chat"].map(|name| sample(name, none));
        assert_eq!(samples.each_ref().map(size), [(40, 40, 1), (1, 8, 8), (3, 30, 10)]);
        assert!(samples.iter().all(|it| it.phases.measure == MEASURED));
        let whole = sample("ticker", Whole { readers: true, measure: true });
        assert_eq!((size(&whole), whole.phases.measure), ((5, 300, 60), Duration::from_secs(2)));
    }

    #[test]
    fn packets_are_those_of_polls_and_messages_with_their_acknowledgements() {
        let ticker = sample("ticker", Whole::default());
        let of = |transport| packets(&ticker, transport).round().to_string();
        // 8 readers × 20 messages a second; polls every 75 ms.
        assert_eq!([Transport::Sse, Transport::LongPolling, Transport::ShortPolling].map(of), ["320", "640", "427"]);
    }
}
