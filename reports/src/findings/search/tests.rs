use std::time::Duration;

use pushoff_model::LatencyHistogram;
use pushoff_model::record::Outcome;

use super::*;
use crate::cells::group;
use crate::fixture;
use pushoff_stats::Figure;

fn searched() -> Vec<(Transport, Option<Capacity>, usize)> {
    let run = fixture::whole();
    let group = group(&run).into_iter().find(|group| group.is_search).unwrap();
    let slo = group.workload.slo.unwrap();
    let found = Searched::of(group, &slo);
    found.curves.iter().map(|curve| (curve.transport, curve.capacity, curve.points.len())).collect()
}

#[test]
fn the_border_of_the_fixture_is_found_within_its_interval() {
    let (_, sse, _) = searched().into_iter().find(|it| it.0 == Transport::Sse).unwrap();
    let sse = sse.unwrap();
    // 4,050 messages a second to 100 readers.
    assert!(sse.load.low() <= 4_050.0 && 4_050.0 <= sse.load.high(), "{sse:?}");
    // What was offered is credited as far as it arrived: nearly all of it, and never more.
    let of_offered = sse.deliveries_per_second.point / sse.load.point / 100.0;
    assert!((0.98..=1.0).contains(&of_offered), "{of_offered}");
    assert_eq!((sse.reach, sse.is_server_limited), (Reach::Saturated, true));
}

#[test]
fn where_the_generator_stopped_it_the_capacity_is_a_lower_bound() {
    let (_, long, _) = searched().into_iter().find(|it| it.0 == Transport::LongPolling).unwrap();
    assert_eq!(long.unwrap().reach, Reach::Generator);
}

fn sentence(keep: impl Fn(&pushoff_model::Record) -> bool) -> String {
    sentence_of(fixture::whole(), keep)
}

fn sentence_of(mut run: crate::Run, keep: impl Fn(&pushoff_model::Record) -> bool) -> String {
    run.records.retain(|record| record.step.is_some() && keep(record));
    let group = group(&run).into_iter().next().unwrap();
    let slo = group.workload.slo.unwrap();
    Searched::of(group, &slo).sentence.to_string()
}

#[test]
fn the_sentence_names_the_most_and_what_is_a_lower_bound() {
    // 418 and 405 thousand deliveries a second: nearer than two staircases can tell.
    assert_eq!(
        sentence(|_| true),
        "HTTP streaming and SSE carry the most, up to 435 k/s (415–457) deliveries (no difference is shown); short polling \
         carries 91.2 k/s. Long polling carries at least 160 k/s deliveries: the generator was the limit."
    );
    assert_eq!(
        sentence(|record| matches!(record.transport, Transport::Sse | Transport::WebSocket)),
        "SSE carries the most within the SLO, 398 k/s (379–418) deliveries; WebSocket carries 336 k/s."
    );
}

#[test]
fn a_search_that_confirmed_nothing_names_no_capacity() {
    let ramp = |record: &pushoff_model::Record| {
        record.step.is_some_and(|step| step.purpose == pushoff_model::record::Purpose::Ramp)
    };
    assert_eq!(
        sentence(|record| ramp(record) && record.transport != Transport::LongPolling),
        "No search came so far that a capacity can be named."
    );
    // A border that the generator set is a lower bound without a walk.
    assert_eq!(
        sentence(|record| ramp(record) && record.transport == Transport::LongPolling),
        "Long polling carries at least 160 k/s deliveries: the generator was the limit."
    );
}

#[test]
fn whoever_carries_less_than_anothers_lower_bound_does_not_carry_the_most() {
    let slow = |record: &pushoff_model::Record| {
        matches!(record.transport, Transport::ShortPolling | Transport::Sse | Transport::LongPolling)
    };
    let mut run = fixture::whole();
    for record in run.records.iter_mut().filter(|it| it.transport == Transport::LongPolling) {
        if let Some(step) = &mut record.step {
            step.load *= 4.0;
        }
    }
    insta::assert_snapshot!(sentence_of(run, slow), @"SSE carries 398 k/s (379–418) deliveries within the SLO; short polling carries 91.2 k/s. Long polling carries at least 640 k/s deliveries: the generator was the limit.");
}

#[test]
fn a_search_that_nothing_stopped_is_a_lower_bound() {
    let held = |record: &pushoff_model::Record| record.step.is_some_and(|step| step.load <= 800.0);
    assert_eq!(
        sentence(|record| held(record) && record.transport == Transport::Sse),
        "SSE carries at least 80.0 k/s deliveries: more was not asked for."
    );
}

/// The fixture's search with an SLO that everything meets in the end: what is offered in a second and a
/// half arrives within 30 s.
fn without_bound() -> crate::Run {
    let mut run = fixture::whole();
    for record in &mut run.records {
        if let Some(slo) = &mut record.workload.slo {
            slo.within = Duration::from_secs(30);
        }
    }
    run
}

#[test]
fn without_a_bound_on_latency_what_was_delivered_counts_and_not_what_was_offered() {
    let run = without_bound();
    let group = group(&run).into_iter().find(|group| group.is_search).unwrap();
    let slo = group.workload.slo.unwrap();
    let found = Searched::of(group, &slo);
    let sse = found.curves.iter().find(|curve| curve.transport == Transport::Sse).unwrap();
    let capacity = sse.capacity.unwrap();
    // Two and a half times the border was offered, and held; 4,050 messages a second reach 100 readers.
    let held = sse.points.iter().filter(|it| it.holds).map(|it| it.load).fold(0.0, f64::max);
    assert!(held > 10_000.0, "{held}");
    assert_eq!((capacity.reach, found.is_bounded), (Reach::Saturated, false));
    let most = capacity.deliveries_per_second;
    assert!(most.point <= 405_001.0 && most.point > 364_000.0 && most.interval.is_some(), "{most:?}");
    assert!((capacity.load.point * 100.0 / most.point - 1.0).abs() < 1e-9, "{capacity:?}");
}

#[test]
fn the_sentence_without_a_bound_says_so_and_names_no_slo() {
    let two = |record: &pushoff_model::Record| matches!(record.transport, Transport::Sse | Transport::WebSocket);
    insta::assert_snapshot!(sentence_of(without_bound(), two), @"However late, up to 30 s: SSE carries the most, 395 k/s (387–402) deliveries; WebSocket carries 327 k/s.");
    // Where the generator was the limit beyond a tenth more, it is a lower bound.
    let long = |record: &pushoff_model::Record| record.transport == Transport::LongPolling;
    insta::assert_snapshot!(sentence_of(without_bound(), long), @"However late, up to 30 s: Long polling carries at least 160 k/s deliveries: the generator was the limit.");
    let slow = |record: &pushoff_model::Record| {
        record.transport == Transport::Sse && record.step.is_some_and(|step| step.load <= 800.0)
    };
    insta::assert_snapshot!(sentence_of(without_bound(), slow), @"However late, up to 30 s: SSE carries at least 80.0 k/s deliveries: more was not asked for.");
}

/// Bounds of one generator that are a doubling apart are one bound: nobody knows who would have carried more.
#[test]
fn a_doubling_that_the_generator_stopped_is_no_difference() {
    let curve = |transport, deliveries: f64, reach| Curve {
        transport,
        points: Vec::new(),
        capacity: Some(Capacity {
            load: Figure { point: deliveries / 10.0, interval: None },
            deliveries_per_second: Figure { point: deliveries, interval: None },
            turns: 0,
            reach,
            is_server_limited: false,
            is_missing_alone: false,
        }),
        validity: Validity::GeneratorLimited,
        void: None,
        faults: CellFaults::default(),
    };
    let generator = |transport, deliveries| curve(transport, deliveries, Reach::Generator);
    let all = [
        generator(Transport::ShortPolling, 0.2e6),
        generator(Transport::Sse, 1.28e6),
        generator(Transport::WebSocket, 2.56e6),
    ];
    assert_eq!(
        sentence::verdict(&all, Growth::Rate, None).to_string(),
        "WebSocket and SSE each carry at least 1.28 M/s deliveries; short polling at least 200 k/s: the generator was the \
         limit."
    );
    let readers = [curve(Transport::Sse, 80_000.0, Reach::Saturated)];
    assert_eq!(
        sentence::verdict(&readers, Growth::Subscribers, None).to_string(),
        "SSE carries 8.00 k readers within the SLO."
    );
}

#[test]
fn a_search_that_missed_messages_alone_stopped_is_told_so() {
    let mut run = fixture::whole();
    run.records.retain(|record| record.step.is_some() && record.transport == Transport::ShortPolling);
    for record in &mut run.records {
        let slo = record.workload.slo.unwrap();
        let Outcome::Measured(it) = &mut record.outcome else { continue };
        if (it.delivery_latency.count_within(slo.within) as f64) < slo.share.as_f64() * it.window.due as f64 {
            it.delivery_latency = LatencyHistogram::new();
            (0..it.window.due).for_each(|_| it.delivery_latency.record(Duration::from_millis(1)));
            it.counts.missed = 5;
        }
    }
    let group = group(&run).into_iter().next().unwrap();
    let slo = group.workload.slo.unwrap();
    let notes = table(&Searched::of(group, &slo), 0.0).notes.join(" ");
    assert!(notes.contains("Short polling broke the SLO by missed messages alone"), "{notes}");
    assert!(!notes.contains("waiting, not work"), "{notes}");
}
