use pushoff_model::Transport;

use super::*;
use crate::cells::group;
use crate::findings::rank::made::{candidate, figure};
use crate::findings::rank::{AdviceHolds, decide, hold_against};
use crate::fixture;
use crate::metric::Value;

const GOOD: (f64, f64, f64) = (0.999, 0.998, 1.0);
const BAD: (f64, f64, f64) = (0.7, 0.69, 0.71);
const OPEN: (f64, f64, f64) = (0.99, 0.985, 0.995);

/// A candidate for the ticker with its p99 and the tightest SLO that it holds, in ms.
fn quick(it: Candidate, p99: (f64, f64, f64), tightest: (f64, f64, f64)) -> Candidate {
    let ms = |it: (f64, f64, f64)| figure(it.0 * 1e6, it.1 * 1e6, it.2 * 1e6);
    let mut it = it;
    if let Some(figures) = &mut it.figures {
        figures.insert(Metric::P99, ms(p99).map(Value::exact));
        figures.insert(Metric::TightestSlo, ms(tightest).map(Value::exact));
    }
    it
}

fn sse() -> Candidate {
    quick(candidate(Transport::Sse, GOOD, (6.0, 5.5, 6.5)), (4.0, 3.0, 5.0), (4.0, 3.0, 5.0))
}

fn websocket() -> Candidate {
    quick(candidate(Transport::WebSocket, GOOD, (5.8, 5.3, 6.4)), (3.8, 2.9, 4.9), (3.8, 2.9, 4.9))
}

fn short_polling() -> Candidate {
    quick(candidate(Transport::ShortPolling, GOOD, (10.4, 9.3, 11.7)), (74.6, 73.6, 75.7), (74.6, 73.6, 75.7))
}

/// What is said of the ticker with these candidates, where the advice names those transports.
fn told(advised: &[Transport], mut candidates: Vec<Candidate>) -> (String, Option<AdviceHolds>) {
    let mut run = fixture::run();
    run.records.retain(|record| record.workload.name == "ticker");
    run.records.iter_mut().for_each(|record| record.workload.advice.transports = advised.to_vec());
    let groups = group(&run);
    let (group, slo) = (&groups[0], groups[0].workload.slo.unwrap());
    let verdict = decide(group.workload, &slo, &candidates, 0.0);
    hold_against(verdict.choice, &mut candidates);
    let case = Case { group, slo: &slo, verdict: &verdict, candidates: &candidates, noise_ns: 0.0 };
    let mut said = String::new();
    for (matter, all) in Counsel::on(case).matters() {
        all.iter().for_each(|prose| said.push_str(&format!("{}: {prose}\n", matter.label())));
    }
    (said, verdict.advice)
}

#[test]
fn a_tie_has_no_price_and_the_worst_has_one() {
    let (said, _) = told(&[Transport::Sse], vec![sse(), websocket(), short_polling()]);
    insta::assert_snapshot!(said, @r"
    Runner-up: WebSocket: server CPU and p99 too close to call.
    Price of being wrong: Short polling: 1.73× (1.50–2.01) the server CPU, 18.6× (14.0–24.9) the p99.
    What would change it: An SLO below 5.00 ms: SSE is not shown to hold that. WebSocket still is, down to 4.90 ms.
    How sure: 3 trials of 1 s each. More or longer ones would tell these apart, if they differ.
    ");
}

#[test]
fn where_all_are_tied_there_is_no_price_at_all() {
    let (said, _) = told(&[Transport::Sse], vec![sse(), websocket()]);
    assert!(said.contains("Price of being wrong: None that this run shows"), "{said}");
    assert!(said.contains("WebSocket: server CPU and p99 too close to call."), "{said}");
}

#[test]
fn what_the_usual_advice_costs_is_said_first() {
    let (said, holds) = told(&[Transport::ShortPolling], vec![sse(), websocket(), short_polling()]);
    assert_eq!(holds, Some(AdviceHolds::Disagrees));
    let prices: Vec<&str> = said.lines().filter(|line| line.starts_with("Price")).collect();
    assert_eq!(prices.len(), 1, "and no price is said twice: {said}");
    assert!(prices[0].contains("As usually advised, short polling: 1.73× (1.50–2.01) the server CPU, 18.6×"), "{said}");
}

#[test]
fn an_advised_one_that_is_tied_with_the_choice_is_called_that() {
    let noisy = quick(candidate(Transport::LongPolling, GOOD, (9.0, 4.0, 20.0)), (4.1, 3.0, 5.6), (4.1, 3.0, 5.6));
    let (said, holds) = told(&[Transport::LongPolling], vec![sse(), noisy]);
    assert_eq!(holds, Some(AdviceHolds::Undecided));
    assert!(said.contains("As usually advised, long polling: server CPU and p99 too close to call."), "{said}");
}

#[test]
fn one_that_fails_has_its_failure_for_a_price() {
    let failing = candidate(Transport::ShortPolling, BAD, (1.0, 0.9, 1.1));
    let mut losing = candidate(Transport::LongPolling, GOOD, (1.0, 0.9, 1.1));
    if let Some(figures) = &mut losing.figures {
        figures.insert(Metric::Missed, Some(Value::exact(pushoff_stats::Figure { point: 12.0, interval: None })));
    }
    losing.standing = Standing::Fails { reason: "12 deliveries missed, where none may be".into() };
    let (said, _) = told(&[Transport::Sse], vec![sse(), failing]);
    assert!(said.contains("Short polling: fails the SLO: 70.0 % (69.0–71.0) within 100 ms."), "{said}");
    let (said, _) = told(&[Transport::LongPolling], vec![sse(), losing]);
    assert!(said.contains("As usually advised, long polling: fails the SLO: 12 missed."), "{said}");
}

#[test]
fn a_choice_that_is_slower_than_the_runner_up_is_not_spared() {
    let slow = quick(candidate(Transport::ShortPolling, GOOD, (6.1, 5.0, 7.0)), (74.6, 73.6, 75.7), (74.6, 73.6, 75.7));
    let (said, _) = told(&[Transport::ShortPolling], vec![slow, sse()]);
    assert!(said.contains("SSE: server CPU too close to call, a p99 of 4.00 ms against 74.6 ms."), "{said}");
    assert!(said.contains("An SLO below 75.7 ms: short polling, asking every 75 ms, is not shown"), "{said}");
    assert!(said.contains("SSE still is, down to 5.00 ms."), "{said}");
}

#[test]
fn where_the_choice_is_the_tightest_nobody_would_be_left() {
    let (said, _) = told(&[Transport::Sse], vec![sse(), short_polling()]);
    assert!(said.contains("An SLO below 5.00 ms: SSE is not shown to hold that. Nor is any other."), "{said}");
    let vague = quick(candidate(Transport::Sse, GOOD, (6.0, 5.5, 6.5)), (4.0, 0.1, 99.0), (4.0, 0.1, 99.0));
    let (said, _) = told(&[Transport::Sse], vec![vague, short_polling()]);
    assert!(said.contains("these trials do not tell how tight"), "{said}");
}

#[test]
fn where_nothing_is_good_enough_a_laxer_slo_is_named() {
    let bad = |transport: Transport, ms: f64| {
        quick(candidate(transport, BAD, (1.0, 0.9, 1.1)), (ms, ms, ms), (ms, ms * 0.9, ms * 1.1))
    };
    let all = vec![bad(Transport::Sse, 130.0), bad(Transport::WebSocket, 150.0)];
    insta::assert_snapshot!(told(&[Transport::Sse], all).0, @r"
    What would change it: An SLO of 143 ms or more: SSE would hold that.
    How sure: 3 trials of 1 s each. All were shown to fail: more would not change that.
    ");
}

#[test]
fn what_is_still_open_is_what_more_trials_would_tell() {
    let open = quick(candidate(Transport::Sse, OPEN, (4.0, 3.5, 4.5)), (4.0, 3.0, 5.0), (99.0, 70.0, 130.0));
    let (said, _) = told(&[Transport::WebSocket], vec![open, websocket()]);
    assert!(said.contains("How sure: 3 trials of 1 s each. More or longer ones would tell of SSE."), "{said}");
    assert!(!said.contains("SSE still is"), "{said}");
}
