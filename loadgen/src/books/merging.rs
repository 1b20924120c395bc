//! The merged records of agents are those of one process: bucket for bucket.

use std::time::Duration;

use proptest::prelude::*;
use pushoff_model::workload::built_in;
use pushoff_model::{RunInstant, Workload};

use super::recorder::{Recorder, Sample, Totals};
use super::skew::Skew;
use super::window::Window;
use crate::clients::Polled;
use crate::peers::Part;

fn at(microseconds: u64) -> RunInstant {
    RunInstant::from_nanos(microseconds * 1_000)
}

/// One delivery: to which subscriber, which message, when it was due, how late it was sent, and how long it took (in
/// microseconds, from before it was sent: the clocks of agents differ).
type Delivery = (u32, u64, u64, u64, u64);

/// The totals of a recorder of the deliveries to those subscribers.
fn recorded(workload: &Workload, deliveries: &[Delivery], has: impl Fn(u32) -> bool) -> Totals {
    let recorder = Recorder::default();
    recorder.begin(Window::new(at(1_000_000), Duration::from_secs(1)));
    recorder.watch(Skew::of(workload, |_| 0));
    for &(subscriber, index, due, late, took) in deliveries.iter().filter(|it| has(it.0)) {
        let sent = at(due + late);
        let received = at((due + late + took).saturating_sub(50));
        let polled = Some(Polled { due: at(due / 2), sent: at(due / 2 + late) });
        let publisher = workload.topic_of(subscriber);
        let own = subscriber == publisher;
        recorder.fold(&[Sample { publisher, index, due: at(due), sent, received, polled, own }]);
        recorder.connected(Duration::from_micros(took));
        recorder.greeted(at(due / 3), at(due / 3 + took));
        if own {
            recorder.sent([at(due)].into_iter(), at(due), sent);
        }
        if index == 7 {
            recorder.broke(if took.is_multiple_of(2) { "reset" } else { "the stream ended" });
        }
    }
    recorder.take()
}

proptest! {
    #[test]
    fn parts_merge_to_what_one_process_records(
        (topics, of) in (1_u32..5, 1_u32..6),
        mut deliveries in prop::collection::vec(
            (0_u32..12, 0_u64..8, 900_000_u64..2_100_000, 0_u64..5_000, 0_u64..3_000_000), 0..300),
    ) {
        let mut workload = built_in("ticker").unwrap().unwrap();
        (workload.topics, workload.subscribers) = (topics, 12);
        // A subscriber's ledger lets the first delivery of a message through.
        deliveries.sort_by_key(|&(subscriber, index, ..)| (index, subscriber));
        deliveries.dedup_by_key(|&mut (subscriber, index, ..)| (index, subscriber));
        let whole = recorded(&workload, &deliveries, |_| true);
        let mut merged = Totals::default();
        for (place, part) in (0..of).map(|number| Part { number, of }).enumerate() {
            let part = recorded(&workload, &deliveries, |subscriber| part.has_subscriber(&workload, subscriber));
            // As it travels.
            let part: Totals = serde_json::from_str(&serde_json::to_string(&part).unwrap()).unwrap();
            if place == 0 { merged = part } else { merged.merge(part) }
        }
        prop_assert_eq!(merged.early, whole.early);
        prop_assert_eq!(merged.delivered, whole.delivered);
        let histograms = |totals: Totals| {
            let skew = totals.skew.map(Skew::into_histogram);
            let all = [
                totals.delivery_latency, totals.latency_from_send, totals.send_lag, totals.own_lag, totals.poll_wait,
                totals.poll_queueing, totals.transfer, totals.round_trip, totals.connect, totals.first_message,
            ];
            (all, skew, totals.series, totals.received, totals.first_connecting, totals.last_greeted)
        };
        use pushoff_model::record::FaultKind::Broke;
        prop_assert_eq!(merged.breaks.count(Broke), whole.breaks.count(Broke));
        prop_assert_eq!(histograms(merged), histograms(whole));
    }
}
