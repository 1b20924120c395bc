//! Messages that are lost or altered are counted, reported with their cause, and blamed on the server.

use std::time::Duration;

use futures_util::future::join_all;
use pushoff_model::record::{FailureKind, FaultKind};
use pushoff_model::workload::{Direction, Load};
use pushoff_model::{Client, OfferedRate, Transport, Workload};

use super::fake_server::{Altered, Fault};
use super::{by_every_transport, failed, measured, with_fault, workload};

/// A short drain, because messages of unknown fate make it wait to its end.
fn briefly() -> Workload {
    let mut workload = workload(Direction::Down);
    workload.phases.drain = Duration::from_secs(1);
    workload
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_messages_were_due_and_are_reported_with_the_answer() {
    for (transport, trial) in by_every_transport(&workload(Direction::Down), Fault::RefusesEach(3)).await {
        let (counts, window) = (trial.counts, trial.window);
        assert!(counts.unpublished > 0, "{transport}: {counts:?}");
        assert_eq!(counts.published + counts.unpublished, 32, "{transport}");
        assert_eq!((counts.expected, counts.delivered), (counts.published * 3, counts.published * 3), "{transport}");
        assert_eq!(window.due, 72, "{transport}: refused or not, 24 messages were due to three readers each");
        assert_eq!(window.delivered, window.published * 3, "{transport}: {window:?}");
        let refused: Vec<_> = trial.faults.of(FaultKind::Refused).collect();
        assert_eq!((refused.len(), refused[0].count), (1, counts.unpublished), "{transport}: {refused:?}");
        assert!(refused[0].cause.contains("503") && refused[0].cause.contains("overloaded"), "{refused:?}");
        assert!(!refused[0].cause.contains(['\u{1b}', '\n']), "made safe to show: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unanswered_messages_were_due_and_are_reported() {
    for (transport, trial) in by_every_transport(&briefly(), Fault::HangsUpOnEach(3)).await {
        let counts = trial.counts;
        assert!(counts.unpublished > 0, "{transport}: {counts:?}");
        assert_eq!((counts.published + counts.unpublished, trial.window.due), (32, 72), "{transport}");
        let unanswered = trial.faults.count(FaultKind::Unanswered);
        assert_eq!(unanswered, counts.unpublished, "{transport}: {:?}", trial.faults);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_server_acknowledged_and_lost_is_lost_though_its_members_stream_broke() {
    let mut workload = workload(Direction::Both);
    // Longer than a first back-off. Lost messages make it last to its end.
    workload.phases.drain = Duration::from_secs(3);
    let trials = Client::OF_THE_PROCESS.into_iter().flat_map(|client| {
        let workload = Workload { client, ..workload.clone() };
        [Transport::HttpStreaming, Transport::Sse].map(|transport| {
            let workload = workload.clone();
            async move { (transport, with_fault(workload, transport, Fault::LosesAndBreaks(20)).await) }
        })
    });
    for (transport, outcome) in join_all(trials).await {
        let counts = measured(transport, outcome).counts;
        assert_eq!((counts.published, counts.unpublished), (96, 0), "{transport}: {counts:?}");
        assert_eq!((counts.lost, counts.delivered), (6, 282), "{transport}: {counts:?}");
        assert!(counts.reconnects >= 6, "{transport}: {counts:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_after_a_break_is_due_at_a_tick_of_then_and_not_at_the_start_of_the_load() {
    let outcome = with_fault(workload(Direction::Down), Transport::ShortPolling, Fault::HangsUpOnPoll(60)).await;
    let trial = measured(Transport::ShortPolling, outcome);
    assert_eq!((trial.counts.reconnects, trial.counts.lost), (1, 0));
    // The back-off lasts half a second or more, and is no part of it.
    let queueing = trial.poll_queueing.and_then(|queueing| queueing.max());
    assert!(queueing.is_some_and(|longest| longest < Duration::from_millis(400)), "{queueing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unsent_messages_are_reported() {
    for (transport, trial) in by_every_transport(&briefly(), Fault::Stalls).await {
        let (counts, faults) = (trial.counts, &trial.faults);
        assert_eq!(faults.count(FaultKind::Unsent), counts.unsent, "{transport}: {faults:?}");
        assert_eq!(faults.count(FaultKind::Unanswered), counts.unpublished, "{transport}: {faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_message_is_not_delivered_and_fails_the_trial() {
    for what in [Altered::Emptied, Altered::Letter, Altered::Due, Altered::Swapped] {
        let trials = Transport::ALL.into_iter().flat_map(|transport| {
            Client::OF_THE_PROCESS.map(|client| async move {
                let workload = Workload { client, ..workload(Direction::Down) };
                let outcome = with_fault(workload, transport, Fault::Alters(5, what)).await;
                (format!("{what:?} over {transport}, {client}"), failed(outcome))
            })
        });
        for (how, failure) in join_all(trials).await {
            assert_eq!(failure.kind, FailureKind::Unbalanced, "{how}: {failure:?}");
            assert!(failure.reason.starts_with("6 of 96 deliveries were altered"), "{how}: {failure:?}");
            assert_eq!(failure.counts.map(|it| (it.altered, it.delivered, it.lost)), Some((6, 90, 6)), "{how}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_poll_that_is_answered_at_once_with_nothing_fails_the_trial_by_that_name() {
    let failure = failed(with_fault(workload(Direction::Down), Transport::LongPolling, Fault::NeverWaits).await);
    assert_eq!(failure.kind, FailureKind::Server, "{failure:?}");
    assert!(failure.reason.contains("does not wait"), "{failure:?}");
    // A client of this process stops at once; a page's error is seen at the end of the trial.
    assert!(failure.reason.contains("subscriber"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_with_nothing_due_fails_before_it_connects_to_anybody() {
    let mut workload = briefly();
    // The first message is due at once, the second long after the end of the trial.
    workload.load = Load::Rate {
        per_second: OfferedRate::per_second(0.1).unwrap(),
        arrival: pushoff_model::workload::Arrival::Constant,
    };
    workload.topics = 1;
    let failure = failed(with_fault(workload, Transport::Sse, Fault::None).await);
    assert_eq!(failure.kind, FailureKind::Generator);
    assert!(failure.reason.contains("no message of ticker is due"), "{failure:?}");
}
