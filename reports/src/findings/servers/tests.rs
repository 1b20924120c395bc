use pushoff_model::record::{Concern, Limit, Outcome};

use super::*;
use crate::Run;
use crate::cells::validity::Validity;
use crate::findings::study::Study;
use crate::fixture;
use crate::metric::Bound;
use pushoff_stats::Figure;

/// The records of one workload.
fn of_workload(mut run: Run, label: &str) -> Run {
    run.records.retain(|record| record.workload.name == label);
    run
}

/// A figure of a cell, and its ratio to the baseline.
#[derive(Debug)]
struct Reading {
    figure: Figure,
    bound: Bound,
    to_baseline: Option<Value>,
}

/// Reads a figure of the made-up run of three servers, changed a little.
fn read(run: &Run, label: &str, metric: Metric, transport: Transport, server: &str) -> Option<Reading> {
    let run = of_workload(run.clone(), label);
    let study = Study::of(&run);
    let on = study.on_servers.iter().find(|it| it.label == label).unwrap();
    on.metrics.iter().position(|it| *it == metric)?;
    let line = on.lines.iter().position(|it| it.transport() == transport && it.server() == server)?;
    let Value { figure, bound } = on.lines[line].figures.value(metric)?;
    let to_baseline = on.to_baseline(metric, &on.lines[line]);
    Some(Reading { figure, bound, to_baseline })
}

fn sse(label: &str, metric: Metric, server: &str) -> Reading {
    read(&fixture::servers(), label, metric, Transport::Sse, server).unwrap()
}

#[test]
fn what_was_asked_of_several_servers_stands_side_by_side_once() {
    let run = fixture::servers();
    let study = Study::of(&run);
    let labels: Vec<&str> = study.on_servers.iter().map(|it| it.label.as_str()).collect();
    assert_eq!(labels, ["light", "most", "most-however-late", "polls", "silence"]);
    let light = &study.on_servers[0];
    assert_eq!((light.servers.join(" "), light.baseline.as_str()), ("pushoff nchan node-ws".into(), "nchan"));
    assert_eq!(light.lines.len(), 6 + 5 + 2);
    assert!(Study::of(&fixture::whole()).on_servers.is_empty() && Study::of(&fixture::remote()).on_servers.is_empty());
}

#[test]
fn ratios_are_those_that_the_fixture_was_made_with() {
    // Latency is 1.22 times, memory 1.7 times, and the load 0.22 times that of pushoff's own.
    let of = |reading: &Reading| reading.to_baseline.unwrap().figure.point;
    assert!((of(&sse("light", Metric::P50, "pushoff")) * 1.22 - 1.0).abs() < 0.02);
    assert!((of(&sse("silence", Metric::IdlePss, "pushoff")) * 1.7 - 1.0).abs() < 0.02);
    assert!((of(&sse("most", Metric::Capacity, "pushoff")) * 0.22 - 1.0).abs() < 0.06);
    assert!((of(&sse("most-however-late", Metric::CapacityDelivered, "pushoff")) * 0.22 - 1.0).abs() < 0.06);
    assert!(sse("light", Metric::P50, "nchan").to_baseline.is_none(), "the baseline has no ratio to itself");
}

#[test]
fn a_ratio_of_the_same_trials_is_surer_than_its_two_figures() {
    let (ours, theirs) = (sse("light", Metric::DeliveryCpu, "pushoff"), sse("light", Metric::DeliveryCpu, "nchan"));
    let ratio = ours.to_baseline.unwrap().figure;
    let alone = ours.figure.over(&theirs.figure).unwrap();
    assert!(ratio.high() / ratio.low() < alone.high() / alone.low() * 0.8, "{ratio:?} {alone:?}");
}

#[test]
fn two_rounds_of_three_make_no_pairs() {
    let mut run = fixture::servers();
    run.records.retain(|record| record.server != "nchan" || record.trial != 2);
    let ours = read(&run, "light", Metric::DeliveryCpu, Transport::Sse, "pushoff").unwrap();
    let theirs = read(&run, "light", Metric::DeliveryCpu, Transport::Sse, "nchan").unwrap();
    assert_eq!(ours.to_baseline.unwrap().figure, ours.figure.over(&theirs.figure).unwrap());
}

#[test]
fn polls_of_a_server_that_was_not_at_its_limit_are_a_lower_bound_and_so_is_their_ratio() {
    let of = |server: &str| read(&fixture::servers(), "polls", Metric::Polls, Transport::ShortPolling, server).unwrap();
    let (ours, theirs) = (of("pushoff"), of("nchan"));
    assert_eq!((ours.bound, theirs.bound), (Bound::AtLeast, Bound::Exact));
    let ratio = ours.to_baseline.unwrap();
    assert!(ratio.bound == Bound::AtLeast && ratio.figure.interval.is_none(), "{ratio:?}");
    assert!((ratio.figure.point - 1.1).abs() < 0.01, "{ours:?}");
}

#[test]
fn what_the_generator_stopped_is_a_bound_and_two_bounds_have_no_ratio() {
    let of =
        |server: &str| read(&fixture::servers(), "most", Metric::Capacity, Transport::LongPolling, server).unwrap();
    assert_eq!((of("pushoff").bound, of("nchan").bound), (Bound::AtLeast, Bound::AtLeast));
    assert_eq!(of("pushoff").to_baseline, None);
}

#[test]
fn a_void_cell_has_figures_and_no_ratios() {
    let mut run = fixture::servers();
    for record in run.records.iter_mut().filter(|it| it.server == "nchan" && it.transport == Transport::Sse) {
        if let Outcome::Measured(it) = &mut record.outcome {
            it.concerns.push(Concern { limit: Limit::Generator, detail: "it was late".into() });
        }
    }
    let of = |server: &str| read(&run, "light", Metric::P50, Transport::Sse, server).unwrap();
    assert!(of("nchan").figure.point > 1e6 && of("pushoff").to_baseline.is_none());
    let run = of_workload(run, "light");
    let study = Study::of(&run);
    let void = study.on_servers[0].line(Transport::Sse, "nchan").unwrap();
    assert_eq!((void.void.as_deref(), void.validity), (Some("it was late"), Validity::GeneratorLimited));
    assert!(study.on_servers[0].notes().iter().any(|note| note == "SSE on nchan is void: it was late."));
}

#[test]
fn polls_that_a_server_at_its_limit_answered_count_however_busy_the_generator_was() {
    let mut run = of_workload(fixture::servers(), "polls");
    for record in &mut run.records {
        if let Outcome::Measured(it) = &mut record.outcome {
            it.concerns.push(Concern { limit: Limit::Generator, detail: "it was busy".into() });
        }
    }
    let study = Study::of(&run);
    let line = |server: &str| study.on_servers[0].line(Transport::ShortPolling, server).unwrap();
    let (ours, theirs) = (line("pushoff"), line("nchan"));
    assert_eq!((ours.void.as_deref(), ours.validity), (Some("it was busy"), Validity::GeneratorLimited));
    assert_eq!((&theirs.void, theirs.validity), (&None, Validity::ServerLimited));
    assert_eq!(study.on_servers[0].to_baseline(Metric::Polls, ours).unwrap().bound, Bound::AtLeast);
}

#[test]
fn a_ratio_of_bounds_is_the_bound_that_follows() {
    assert_eq!(Bound::AtLeast.over(Bound::Exact), Some(Bound::AtLeast));
    assert_eq!(Bound::Exact.over(Bound::AtLeast), Some(Bound::AtMost));
    assert_eq!(Bound::AtLeast.over(Bound::AtLeast), None);
}

#[test]
fn without_pushoffs_own_the_first_server_is_the_baseline() {
    let mut run = of_workload(fixture::servers(), "silence");
    run.records.retain(|record| record.server != OURS);
    let study = Study::of(&run);
    assert_eq!(study.on_servers[0].baseline, "nchan");
    let titles: Vec<String> = matrices(&study.on_servers).into_iter().map(|matrix| matrix.title).collect();
    assert_eq!(titles, ["node-ws ÷ nchan"]);
}
