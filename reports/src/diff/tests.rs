use std::time::Duration;

use pushoff_model::record::{Concern, Limit, Measurement, Outcome};
use pushoff_model::workload::built_in;
use pushoff_model::{Environment, LatencyHistogram, Record, Transport, Workload};

use super::*;
use crate::fixture;
use crate::metric::Metric;

const FLOOR: f64 = 0.05;
const TRIALS: u32 = 4;

/// A ticker for eight, four trials of each transport; `draw` draws the chance that is in it.
fn run(draw: u32, change: impl Fn(&Workload, Transport, &mut Measurement)) -> Run {
    run_of(TRIALS, draw, change)
}

fn run_of(trials: u32, draw: u32, change: impl Fn(&Workload, Transport, &mut Measurement)) -> Run {
    let workload = Workload { subscribers: 8, ..built_in("ticker").unwrap().unwrap() };
    let mut records = Vec::new();
    for trial in 1..=trials {
        for transport in Transport::ALL {
            let mut measured = fixture::measurement(&workload, transport, draw * trials + trial);
            change(&workload, transport, &mut measured);
            let position = u32::try_from(records.len() + 1).unwrap();
            let outcome = Outcome::Measured(Box::new(measured));
            let record = fixture::record(workload.clone(), transport, trial, position, outcome);
            records.push(Record { run: format!("run {draw}"), ..record });
        }
    }
    let environment = Environment { run: format!("run {draw}"), ..fixture::environment() };
    Run { environments: vec![environment], records }
}

fn as_it_is(_: &Workload, _: Transport, _: &mut Measurement) {}

/// A server that takes a fifth more of its processor, and whose deliveries take a fifth longer.
fn slower(_: &Workload, transport: Transport, measured: &mut Measurement) {
    if let Some(server) = &mut measured.server {
        server.cpu_ns += server.cpu_ns / 5;
    }
    if transport != Transport::ShortPolling {
        let mut later = LatencyHistogram::new();
        for bucket in measured.delivery_latency.hdr().iter_recorded() {
            let latency = Duration::from_nanos(bucket.value_iterated_to()).mul_f64(1.2);
            (0..bucket.count_at_value()).for_each(|_| later.record(latency));
        }
        measured.delivery_latency = later;
    }
}

/// The one run held against the other, as `pushoff diff` does.
fn held(base: &Run, new: &Run) -> Diff {
    diff(base, new, None, FLOOR)
}

fn measured(record: &mut Record) -> &mut Measurement {
    let Outcome::Measured(measurement) = &mut record.outcome else { panic!("not measured") };
    measurement
}

fn found(diff: &Diff, metric: Metric, transport: Transport) -> Finding {
    let is = |it: &&Change| it.metric == metric && it.key.transport == transport;
    diff.changes.iter().find(is).unwrap_or_else(|| panic!("{metric:?} of {transport} is not compared")).finding
}

#[test]
fn the_same_server_measured_twice_has_not_changed_19_times_in_20() {
    let diffs: Vec<Diff> = (0..20).map(|seed| held(&run(2 * seed, as_it_is), &run(2 * seed + 1, as_it_is))).collect();
    let alarms = diffs.iter().filter(|it| it.tally.regressed + it.tally.improved > 0).count();
    assert!(alarms <= 1, "{alarms} of 20 found a change");
    assert!(diffs.iter().all(|it| it.tally.compared() > 36 && it.tally.left_out == 0), "{:?}", diffs[0].left_out);
}

#[test]
fn a_fifth_more_of_the_processor_is_found_19_times_in_20() {
    let has_found = |seed: u32| {
        let diff = held(&run(2 * seed, as_it_is), &run(2 * seed + 1, slower));
        let cpu = diff.changes.iter().filter(|it| it.metric == Metric::DeliveryCpu);
        assert_eq!(diff.tally.improved, 0);
        cpu.filter(|it| it.finding == Finding::Regressed).count() >= 3
    };
    let hits = (0..20).filter(|&seed| has_found(seed)).count();
    assert!(hits >= 19, "{hits} of 20");
}

#[test]
fn a_run_has_not_changed_against_itself_and_the_order_of_two_turns_verdicts_round() {
    let (base, new) = (run(0, as_it_is), run(1, slower));
    assert_eq!(held(&base, &base).tally.unchanged, held(&base, &base).tally.compared());
    let (there, back) = (held(&base, &new), held(&new, &base));
    assert!(there.tally.regressed > 5 && there.has_regressed());
    assert_eq!(there.tally.regressed, back.tally.improved);
    assert_eq!(there.tally.improved, back.tally.regressed);
    assert_eq!(found(&there, Metric::BytesADelivery, Transport::Sse), Finding::Unchanged);
    assert_eq!(there.changes[0].finding, Finding::Regressed);
    assert!(there.changes.is_sorted_by_key(|it| it.finding));
}

#[test]
fn an_interval_that_reaches_beyond_the_floor_is_never_called_unchanged() {
    for seed in 0..4 {
        for floor in [0.01, 0.05, 0.2] {
            for change in diff(&run(seed, as_it_is), &run(9, as_it_is), None, floor).changes {
                let interval = change.ratio.interval.unwrap();
                let is_within = interval.low >= 1.0 / (1.0 + change.floor) && interval.high <= 1.0 + change.floor;
                assert!(change.finding != Finding::Unchanged || is_within, "{change:?}");
            }
        }
    }
}

#[test]
fn a_latency_that_differs_by_less_than_the_noise_has_not_regressed() {
    let (mut base, new) = (run(0, as_it_is), run(1, slower));
    assert_eq!(found(&held(&base, &new), Metric::P50, Transport::Sse), Finding::Regressed);
    base.environments[0].noise.repeat_ns = 400_000;
    let loud = held(&base, &new);
    assert_eq!(found(&loud, Metric::P50, Transport::Sse), Finding::Unchanged);
    assert_eq!(found(&loud, Metric::DeliveryCpu, Transport::Sse), Finding::Regressed, "noise is of latencies");
}

#[test]
fn what_is_missing_void_or_asked_otherwise_is_named_and_not_compared() {
    let (base, mut new) = (run(0, as_it_is), run(1, slower));
    new.records.retain(|it| it.transport != Transport::LongPolling);
    for record in &mut new.records {
        match record.transport {
            Transport::Sse => {
                let detail = "the generator was late".to_owned();
                measured(record).concerns.push(Concern { limit: Limit::Generator, detail });
            }
            Transport::WebSocket => record.workload.completes ^= true,
            Transport::ShortPolling => record.workload.question.push_str(" Really?"),
            Transport::HttpStreaming => measured(record).wire = None,
            Transport::LongPolling | Transport::RawTcp => {}
        }
    }
    let diff = held(&base, &new);
    let left_out: Vec<String> = diff.left_out.iter().map(|it| format!("{}: {}", it.what, it.reason)).collect();
    let says = |words: &str| left_out.iter().any(|it| it.contains(words));
    assert!(says("SSE: void in NEW: the generator was late"), "{left_out:?}");
    assert!(says("long polling: only in BASE"), "{left_out:?}");
    assert!(says("WebSocket: only in NEW: the other's workload of this name has other parameters"), "{left_out:?}");
    assert!(says("HTTP streaming, bytes a delivery: no figure in NEW"), "{left_out:?}");
    assert!(!says("ticker, short polling"), "a reworded question asks the same: {left_out:?}");
    let compared = |transport| diff.changes.iter().any(|it| it.key.transport == transport);
    assert!(!compared(Transport::Sse) && !compared(Transport::LongPolling) && !compared(Transport::WebSocket));
    assert!(compared(Transport::ShortPolling) && compared(Transport::HttpStreaming));
    for document in [diff.document().terminal(100, false), diff.document().markdown()] {
        assert!(document.contains("Not compared: ") && document.contains("late"), "{document}");
    }
}

/// A machine of half the speed: every figure doubles, the floor's too.
#[test]
fn machines_are_compared_by_how_many_times_raw_tcps_a_figure_is() {
    let half_as_fast = |_: &Workload, _, measured: &mut Measurement| {
        if let Some(server) = &mut measured.server {
            server.cpu_ns *= 2;
        }
    };
    let (base, mut new) = (run(0, as_it_is), run(1, half_as_fast));
    assert!(held(&base, &new).has_regressed());
    new.environments[0].cpu = "Another processor".into();
    let apart = diff(&base, &new, None, 0.15);
    assert_eq!(apart.tally.regressed + apart.tally.improved, 0, "{}", apart.document().terminal(120, false));
    assert!(apart.changes.iter().all(|it| it.key.transport.is_ranked()));
    let polled = |it: &&Change| it.key.transport == Transport::ShortPolling && it.metric == Metric::P50;
    assert!(!apart.changes.iter().any(|it| polled(&it)));
    let text = apart.document().terminal(120, false);
    for words in ["The machines differ", "Another processor", "the wait for the next poll"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // What slows one transport and not the floor is found between machines too.
    let one_slower = |_: &Workload, transport, measured: &mut Measurement| {
        if let Some(server) = measured.server.as_mut().filter(|_| transport == Transport::Sse) {
            server.cpu_ns *= 2;
        }
    };
    let mut slow = run(1, one_slower);
    slow.environments[0].cpus = 64;
    assert_eq!(found(&held(&base, &slow), Metric::DeliveryCpu, Transport::Sse), Finding::Regressed);
}

#[test]
fn a_message_lost_in_silence_is_a_regression_whatever_the_figures_say() {
    let (base, mut new) = (run(0, as_it_is), run(0, as_it_is));
    let sse = new.records.iter_mut().find(|it| it.transport == Transport::Sse).unwrap();
    measured(sse).counts.lost = 3;
    let lossy = held(&base, &new);
    assert!(lossy.has_regressed() && lossy.tally.regressed == 0);
    let text = lossy.document().terminal(120, false);
    assert!(text.starts_with("regressed (") && text.contains("SSE: 3 lost in NEW, none in BASE"), "{text}");
    assert!(!held(&new, &base).has_regressed());
    assert!(!held(&new, &new).has_regressed(), "it was so before");
}

#[test]
fn a_capacity_that_is_a_step_lower_is_the_same_and_half_of_it_is_not() {
    let mut base = fixture::whole();
    base.records.retain(|it| it.step.is_some());
    let same = held(&base, &base);
    assert_eq!(same.tally.regressed + same.tally.improved, 0);
    assert_ne!(found(&same, Metric::Capacity, Transport::WebSocket), Finding::Regressed);
    let mut new = base.clone();
    for record in &mut new.records {
        if let Some(step) = &mut record.step {
            step.load /= 2.0;
        }
    }
    let halved = held(&base, &new);
    assert_eq!(found(&halved, Metric::Capacity, Transport::WebSocket), Finding::Regressed);
    // Where the generator stopped the search there is a lower bound on both sides: nothing is known.
    let bounded = halved.left_out.iter().find(|it| it.what.contains("long polling")).unwrap();
    assert_eq!(bounded.reason, "only lower bounds are known");
}

#[test]
fn documents_say_the_verdict_first_and_stay_within_their_width() {
    let diff = held(&run(0, as_it_is), &run(1, slower));
    for width in [40, 60, 80, 120, 200] {
        let text = diff.document().terminal(width, false);
        assert!(text.starts_with("regressed ("), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= width), "{width}:\n{text}");
        assert!(!text.contains('\u{1b}') && diff.document().terminal(width, true).contains('\u{1b}'));
    }
    insta::assert_snapshot!("diff_terminal", diff.document().terminal(110, false));
    insta::assert_snapshot!("diff_markdown", diff.document().markdown());
}

#[test]
fn a_machine_finds_figures_with_units_and_what_was_left_out() {
    let diff = held(&run(0, as_it_is), &run(1, slower));
    let json = diff.document().json();
    let changes = json["changes"].as_array().unwrap();
    let is = |it: &&serde_json::Value| it["metric"] == "server_cpu_a_delivery_ns" && it["transport"] == "sse";
    let cpu = changes.iter().find(is).unwrap();
    assert_eq!(
        (&cpu["finding"], &cpu["workload"], &cpu["bound"]),
        (&"regressed".into(), &"ticker".into(), &"exact".into())
    );
    assert!((cpu["ratio"]["point"].as_f64().unwrap() - 1.2).abs() < 0.1, "{cpu}");
    assert!(cpu["adjusted_p"].as_f64().unwrap() >= cpu["p"].as_f64().unwrap());
    assert_eq!((&json["by"], &json["floor"]), (&"figure".into(), &0.05.into()));
    assert_eq!(json["tally"]["regressed"].as_u64().unwrap(), diff.tally.regressed as u64);
}

#[test]
fn runs_with_nothing_in_common_say_why() {
    let (base, mut new) = (run(0, as_it_is), run(1, as_it_is));
    new.records.iter_mut().for_each(|it| it.server = "another".into());
    let nothing = held(&base, &new);
    assert_eq!(nothing.tally.compared(), 0);
    assert!(nothing.why_nothing().contains("only in NEW, and 11 more"), "{}", nothing.why_nothing());
}

/// Enough to find a fifth with pairs.
const ROUNDS: u32 = 6;

/// One run of two servers, whose rounds differ: the machine is three times as slow at the end.
fn turns(draw: u32, change: impl Fn(&Workload, Transport, &mut Measurement)) -> Run {
    let [mut both, new] = [run_of(ROUNDS, 2 * draw, as_it_is), run_of(ROUNDS, 2 * draw + 1, change)];
    let named = |records: Vec<Record>, server: &str, run: &str| {
        let server = server.to_owned();
        records
            .into_iter()
            .map(move |it| Record { run: run.to_owned(), server: server.clone(), ..it })
            .collect::<Vec<_>>()
    };
    let id = both.environments[0].run.clone();
    both.records = [named(both.records, "old", &id), named(new.records, "new", &id)].concat();
    both.records.retain(|it| matches!(it.transport, Transport::Sse | Transport::WebSocket | Transport::RawTcp));
    for record in &mut both.records {
        let slowness = 1.0 + f64::from(2 * record.trial) / f64::from(ROUNDS);
        if let Some(server) = &mut measured(record).server {
            server.cpu_ns = Duration::from_nanos(server.cpu_ns).mul_f64(slowness).as_nanos().try_into().unwrap();
        }
    }
    both
}

/// The two servers of such a run.
fn beside(run: &Run) -> Diff {
    diff(run, run, Some(["old", "new"]), FLOOR)
}

#[test]
fn what_the_machine_did_to_both_servers_of_a_run_cancels_out() {
    for seed in 0..4 {
        let changes = beside(&turns(seed, slower)).changes;
        let dearer = changes.iter().filter(|it| it.metric == Metric::DeliveryCpu && it.finding == Finding::Regressed);
        assert!(dearer.count() >= 2, "{seed}: {changes:#?}");
        let same = beside(&turns(seed, as_it_is)).tally;
        assert_eq!(same.regressed + same.improved, 0, "{seed}");
    }
    // The same trials, as if of two runs: nothing can be told.
    let both = turns(0, slower);
    let [mut base, mut new] = [both.clone(), both];
    base.records.retain(|it| it.server == "old");
    new.records.retain(|it| it.server == "new");
    new.records.iter_mut().for_each(|it| it.run = "later".into());
    let apart = diff(&base, &new, Some(["old", "new"]), FLOOR);
    assert_eq!(found(&apart, Metric::DeliveryCpu, Transport::Sse), Finding::Inconclusive);
}

#[test]
fn a_round_without_a_trial_of_both_makes_no_pair_and_the_others_do() {
    let mut both = turns(0, as_it_is);
    let pairs = |run: &Run| {
        let is = |it: &&Change| it.metric == Metric::DeliveryCpu && it.key.transport == Transport::Sse;
        beside(run).changes.iter().find(is).unwrap().pairs
    };
    assert_eq!(pairs(&both), Some(6));
    let void = |both: &mut Run, server: &str, trial: u32| {
        let is = |it: &&mut Record| it.transport == Transport::Sse && it.server == server && it.trial == trial;
        let record = both.records.iter_mut().find(is).unwrap();
        measured(record).concerns.push(Concern { limit: Limit::Generator, detail: "late".into() });
    };
    void(&mut both, "new", 2);
    assert_eq!(pairs(&both), Some(5));
    (3..=4).for_each(|trial| void(&mut both, "old", trial));
    assert_eq!(pairs(&both), Some(3));
    void(&mut both, "old", 5);
    assert_eq!(pairs(&both), None, "two pairs say less than what trials there are by themselves");
}

#[test]
fn two_servers_of_a_run_are_named_and_two_runs_are_told_what_they_cannot_see() {
    let beside = beside(&turns(0, slower));
    let text = beside.document().terminal(110, false);
    for words in
        ["BASE old and NEW new, both of run 0 (revision", "Their trials took turns", "what all transports share"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("different times") && !text.contains("between the runs"), "{text}");
    assert!(beside.changes.iter().all(|it| it.key.workload == "ticker"), "the server is not the question");
    let json = beside.document().json();
    assert_eq!((&json["base"]["server"], &json["new"]["server"]), (&"old".into(), &"new".into()));
    assert_eq!(json["changes"][0]["pairs"], 6);
    let text = held(&run(0, as_it_is), &run(1, slower)).document().terminal(110, false);
    assert!(text.contains("what the machine did meanwhile is in no interval"), "{text}");
    let text = held(&run(0, as_it_is), &run(1, as_it_is)).document().terminal(110, false);
    assert!(!text.contains("meanwhile"), "nothing changed: {text}");
}
