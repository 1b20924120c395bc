use pushoff_model::workload::built_in;

use super::made::{candidate, figure, figures, remote};
use super::*;
use crate::metric::{Value, standing};

fn judge(workload: &Workload, candidates: &[Candidate]) -> Verdict {
    decide(workload, &workload.slo.unwrap(), candidates, 0.0)
}

fn ticker() -> Workload {
    built_in("ticker").unwrap().unwrap()
}

const GOOD: (f64, f64, f64) = (0.999, 0.998, 1.0);
const BAD: (f64, f64, f64) = (0.7, 0.69, 0.71);
const OPEN: (f64, f64, f64) = (0.99, 0.985, 0.995);

#[test]
fn the_least_cost_among_those_that_meet_the_slo_is_taken() {
    let verdict = judge(
        &ticker(),
        &[
            candidate(Transport::ShortPolling, BAD, (1.0, 0.9, 1.1)),
            candidate(Transport::HttpStreaming, BAD, (1.0, 0.9, 1.1)),
            candidate(Transport::Sse, GOOD, (16.0, 15.0, 17.0)),
            candidate(Transport::WebSocket, GOOD, (12.1, 12.0, 12.2)),
            candidate(Transport::RawTcp, GOOD, (1.0, 0.9, 1.1)),
        ],
    );
    assert_eq!((verdict.choice, verdict.runner_up), (Some(Transport::WebSocket), Some(Transport::Sse)));
    assert_eq!((verdict.sureness, verdict.advice), (Sureness::Decided, Some(AdviceHolds::Disagrees)));
    insta::assert_snapshot!(verdict.sentence, @"WebSocket delivers 99.9 % of messages within 100 ms (99 % needed) for 12.1 µs of server CPU each, the least of those that are good enough.");
}

#[test]
fn of_those_too_close_to_call_the_simplest_is_taken() {
    let verdict = judge(
        &ticker(),
        &[
            candidate(Transport::HttpStreaming, GOOD, (12.0, 11.0, 13.0)),
            candidate(Transport::Sse, GOOD, (12.9, 12.5, 13.5)),
            candidate(Transport::WebSocket, GOOD, (16.0, 15.0, 17.0)),
        ],
    );
    assert_eq!((verdict.choice, verdict.runner_up), (Some(Transport::Sse), Some(Transport::HttpStreaming)));
    assert_eq!((verdict.sureness, verdict.advice), (Sureness::TooClose, Some(AdviceHolds::Agrees)));
    insta::assert_snapshot!(verdict.sentence, @"SSE delivers 99.9 % of messages within 100 ms (99 % needed) for 12.9 µs of server CPU each. HTTP streaming cannot be told from it by cost; of those near the least, the simplest to build is taken.");
}

#[test]
fn a_noisy_cell_is_not_taken_for_its_noise() {
    let verdict = judge(
        &ticker(),
        &[
            candidate(Transport::ShortPolling, GOOD, (16.0, 8.0, 32.0)),
            candidate(Transport::WebSocket, GOOD, (10.0, 9.0, 11.0)),
        ],
    );
    assert_eq!((verdict.choice, verdict.sureness), (Some(Transport::WebSocket), Sureness::TooClose));
    let mut advised = ticker();
    advised.advice.transports = vec![Transport::ShortPolling];
    let noisy = candidate(Transport::ShortPolling, GOOD, (16.0, 8.0, 32.0));
    let verdict = judge(&advised, &[noisy, candidate(Transport::WebSocket, GOOD, (10.0, 9.0, 11.0))]);
    assert_eq!(verdict.advice, Some(AdviceHolds::Undecided));
}

#[test]
fn a_cheaper_one_that_is_undecided_makes_the_choice_provisional() {
    let verdict = judge(
        &ticker(),
        &[candidate(Transport::Sse, OPEN, (8.0, 7.0, 9.0)), candidate(Transport::WebSocket, GOOD, (16.0, 15.0, 17.0))],
    );
    assert_eq!((verdict.choice, verdict.sureness), (Some(Transport::WebSocket), Sureness::Provisional));
    assert_eq!(verdict.advice, Some(AdviceHolds::Undecided));
    insta::assert_snapshot!(verdict.sentence, @"WebSocket delivers 99.9 % of messages within 100 ms (99 % needed) for 16.0 µs of server CPU each. Whether SSE would do for less is undecided.");
}

#[test]
fn what_a_void_cell_seemed_to_cost_is_no_evidence() {
    let mut void = candidate(Transport::LongPolling, GOOD, (90.0, 80.0, 99.0));
    void.standing = Standing::Void { reason: "the generator was too slow".into() };
    let verdict = judge(&ticker(), &[candidate(Transport::Sse, GOOD, (8.0, 7.0, 9.0)), void]);
    assert_eq!((verdict.choice, verdict.sureness), (Some(Transport::Sse), Sureness::Provisional));
    assert_eq!(verdict.contenders, [Transport::LongPolling]);
}

#[test]
fn an_undecided_one_that_costs_more_changes_nothing() {
    let verdict = judge(
        &ticker(),
        &[candidate(Transport::Sse, GOOD, (8.0, 7.0, 9.0)), candidate(Transport::WebSocket, OPEN, (16.0, 15.0, 17.0))],
    );
    assert_eq!((verdict.choice, verdict.sureness), (Some(Transport::Sse), Sureness::Decided));
    insta::assert_snapshot!(verdict.sentence, @"SSE delivers 99.9 % of messages within 100 ms (99 % needed) for 8.00 µs of server CPU each. No other was shown to be good enough.");
}

#[test]
fn an_advised_one_that_is_open_and_costs_more_cannot_save_the_advice() {
    let mut workload = ticker();
    workload.advice.transports = vec![Transport::WebSocket];
    let verdict = judge(
        &workload,
        &[candidate(Transport::Sse, GOOD, (8.0, 7.0, 9.0)), candidate(Transport::WebSocket, OPEN, (16.0, 15.0, 17.0))],
    );
    assert_eq!(verdict.advice, Some(AdviceHolds::Disagrees));
}

#[test]
fn where_all_fail_nothing_is_taken_and_the_advice_is_wrong() {
    let verdict = judge(
        &ticker(),
        &[
            candidate(Transport::HttpStreaming, BAD, (8.0, 7.0, 9.0)),
            candidate(Transport::Sse, (0.98, 0.97, 0.985), (8.0, 7.0, 9.0)),
        ],
    );
    assert_eq!((verdict.choice, verdict.sureness), (None, Sureness::NothingMeets));
    assert_eq!(verdict.advice, Some(AdviceHolds::Disagrees));
    insta::assert_snapshot!(verdict.sentence, @"No transport delivers 99 % of messages within 100 ms; SSE comes nearest with 98.0 %.");
}

#[test]
fn where_some_are_open_nothing_is_said_against_the_advice() {
    let verdict = judge(
        &ticker(),
        &[candidate(Transport::HttpStreaming, BAD, (8.0, 7.0, 9.0)), candidate(Transport::Sse, OPEN, (8.0, 7.0, 9.0))],
    );
    assert_eq!((verdict.choice, verdict.sureness), (None, Sureness::Undecided));
    assert_eq!(verdict.advice, Some(AdviceHolds::Undecided));
    insta::assert_snapshot!(verdict.sentence, @"No transport was shown to deliver 99 % of messages within 100 ms; SSE is still open.");
}

#[test]
fn one_trial_decides_nothing() {
    let mut one = figures(figure(1.0, 1.0, 1.0), figure(1.0, 1.0, 1.0));
    one.trials = 1;
    let sse = Candidate {
        transport: Transport::Sse,
        standing: standing(Some(&one), None, &CellFaults::default(), &ticker().slo.unwrap()),
        figures: Some(one),
        faults: CellFaults::default(),
    };
    let verdict = judge(&ticker(), &[sse]);
    assert_eq!((verdict.choice, verdict.sureness), (None, Sureness::NotEnoughTrials));
    assert_eq!(verdict.advice, Some(AdviceHolds::Undecided));
}

#[test]
fn where_the_servers_cost_is_not_known_latency_decides_and_that_is_said() {
    let verdict = judge(
        &ticker(),
        &remote([(Transport::ShortPolling, (74.0, 73.0, 75.0)), (Transport::WebSocket, (2.0, 1.9, 2.1))]),
    );
    assert_eq!((verdict.cost, verdict.choice), (Cost::Latency, Some(Transport::WebSocket)));
    assert_eq!(verdict.sureness, Sureness::Decided);
    insta::assert_snapshot!(verdict.sentence, @"WebSocket delivers 99.9 % of messages within 100 ms (99 % needed), with a p99 of 2.00 ms, the shortest of those that are good enough. What each costs the server is not known: latency decides.");
    assert!(verdict.advice_because.is_none_or(|it| !it.contains("cost")));
}

#[test]
fn of_those_as_quick_the_simplest_is_taken_and_no_cost_is_named() {
    let verdict =
        judge(&ticker(), &remote([(Transport::WebSocket, (2.0, 1.8, 2.2)), (Transport::Sse, (2.1, 1.9, 2.3))]));
    assert_eq!((verdict.choice, verdict.sureness), (Some(Transport::Sse), Sureness::TooClose));
    insta::assert_snapshot!(verdict.sentence, @"SSE delivers 99.9 % of messages within 100 ms (99 % needed), with a p99 of 2.10 ms. WebSocket cannot be told from it by latency; of those near the least, the simplest to build is taken. What each costs the server is not known.");
}

#[test]
fn what_differs_by_less_than_the_noise_is_as_quick() {
    let all = remote([(Transport::WebSocket, (2.0, 1.99, 2.01)), (Transport::Sse, (2.1, 2.09, 2.11))]);
    let decided = |noise_ns: f64| decide(&ticker(), &ticker().slo.unwrap(), &all, noise_ns).sureness;
    assert_eq!((decided(0.0), decided(2e5)), (Sureness::Decided, Sureness::TooClose));
}

#[test]
fn with_neither_cost_nor_latency_the_simplest_is_taken() {
    let mut all = remote([(Transport::WebSocket, (2.0, 1.9, 2.1)), (Transport::Sse, (2.0, 1.9, 2.1))]);
    all.iter_mut().filter_map(|it| it.figures.as_mut()).for_each(|it| it.insert(Metric::P99, None));
    let verdict = judge(&ticker(), &all);
    assert_eq!((verdict.cost, verdict.choice), (Cost::Simplicity, Some(Transport::Sse)));
    insta::assert_snapshot!(verdict.sentence, @"SSE delivers 99.9 % of messages within 100 ms (99 % needed). WebSocket cannot be told from it by what was measured; the simplest to build is taken. What each costs the server is not known.");
}

#[test]
fn one_lost_delivery_fails_and_a_missed_one_where_none_may_be() {
    let slo = ticker().slo.unwrap();
    let mut it = figures(figure(0.999, 0.998, 1.0), None);
    it.insert(Metric::Missed, figure(1.0, 1.0, 1.0).map(Value::exact));
    assert_eq!(
        standing(Some(&it), None, &CellFaults::default(), &slo).reason(),
        Some("1 delivery missed, where none may be")
    );
    assert_eq!(standing(Some(&it), None, &CellFaults::default(), &Slo { may_skip: true, ..slo }), Standing::Meets);
    it.insert(Metric::Lost, figure(12.0, 12.0, 12.0).map(Value::exact));
    let lost = standing(Some(&it), None, &CellFaults::default(), &Slo { may_skip: true, ..slo });
    assert_eq!(lost.reason(), Some("12 deliveries lost in silence"));
}

#[test]
fn a_void_cell_is_void_whatever_its_figures() {
    let it = figures(figure(1.0, 1.0, 1.0), None);
    let void = standing(Some(&it), Some("the generator was too slow"), &CellFaults::default(), &ticker().slo.unwrap());
    assert_eq!(void, Standing::Void { reason: "the generator was too slow".into() });
}
