use pushoff_model::Client;
use pushoff_model::target::OURS;
use pushoff_model::wire::{Http, Wire};
use pushoff_model::workload::built_in;
use pushoff_planner::Chosen;

use super::made::{candidate, figure, figures};
use super::*;
use crate::findings::comparison::with_costs;
use crate::metric::{Value, standing};

fn judge(workload: &Workload, candidates: &[Candidate]) -> Verdict {
    judge_over(&[], workload, candidates)
}

fn judge_over(over: &[&str], workload: &Workload, candidates: &[Candidate]) -> Verdict {
    judge_under(&Conditions::new(Client::Lean, OURS), true, over, workload, candidates)
}

fn judge_under(
    conditions: &Conditions,
    is_at_hand: bool,
    over: &[&str],
    workload: &Workload,
    candidates: &[Candidate],
) -> Verdict {
    let (slo, noise_ns) = (&workload.slo.unwrap(), 0.0);
    let case = Case { workload, slo, candidates, conditions, is_at_hand, noise_ns, over };
    let candidates = &with_costs(candidates.to_vec(), case.billed(), case.to_cheapest());
    Case { workload, slo, candidates, conditions, is_at_hand, noise_ns, over }.verdict()
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
            candidate(Transport::ShortPolling, BAD, 10.0, 0.01),
            candidate(Transport::Sse, GOOD, 30.0, 0.01),
            candidate(Transport::WebSocket, GOOD, 20.0, 0.01),
            candidate(Transport::RawTcp, GOOD, 1.0, 0.01),
        ],
    );
    assert_eq!((verdict.outcome(), verdict.choice()), ("decided", Some(Transport::WebSocket)));
    assert_eq!(verdict.advice, Some(AdviceHolds::Disagrees));
    insta::assert_snapshot!(verdict.sentence, @"WebSocket costs least, 20.0 USD a month at this load; SSE, the next, costs 1.50× (1.43–1.58) as much.");
    insta::assert_snapshot!(verdict.costs.unwrap(), @"18.0 USD of the cost is traffic at a list price. Processor time, memory and traffic alone: the same choice.");
}

#[test]
fn of_those_shown_to_cost_the_same_the_simplest_is_taken() {
    let verdict = judge(
        &ticker(),
        &[
            candidate(Transport::HttpStreaming, GOOD, 20.0, 0.005),
            candidate(Transport::Sse, GOOD, 20.2, 0.005),
            candidate(Transport::WebSocket, GOOD, 30.0, 0.005),
        ],
    );
    assert_eq!((verdict.outcome(), verdict.choice()), ("equivalent", Some(Transport::Sse)));
    assert_eq!(verdict.advice, Some(AdviceHolds::Agrees));
    insta::assert_snapshot!(verdict.sentence, @"HTTP streaming and SSE cost the same within 10 %, 20.2 USD a month at this load. SSE is the simplest of them: the browser parses, reconnects and resumes by itself.");
    insta::assert_snapshot!(verdict.change.unwrap(), @"If you need less than 5.50 ms, SSE is no longer shown to qualify, nor is any other.");
}

#[test]
fn a_fresher_one_of_equal_cost_goes_before_a_simpler_one() {
    let mut slow = candidate(Transport::ShortPolling, GOOD, 20.0, 0.005);
    slow.figures.as_mut().unwrap().insert(Metric::P50, figure(5e7, 4.9e7, 5.1e7).map(Value::exact));
    let verdict = judge(&ticker(), &[slow, candidate(Transport::Sse, GOOD, 20.1, 0.005)]);
    assert_eq!((verdict.choice(), verdict.decision.chosen), (Some(Transport::Sse), Some(Chosen::ByFreshness)));
    insta::assert_snapshot!(verdict.sentence, @"Short polling and SSE cost the same within 10 %, 20.1 USD a month at this load. SSE is fresher: half of the messages arrive within 1.00 ms, and with short polling after 50.0 ms.");
    let mut advised = ticker();
    advised.advice.transports = vec![Transport::ShortPolling];
    let sse = || candidate(Transport::Sse, GOOD, 20.1, 0.005);
    assert_eq!(judge(&advised, &[sse()]).advice, None, "nothing that the advice names was measured");
    let late = candidate(Transport::ShortPolling, BAD, 20.0, 0.005);
    assert_eq!(judge(&advised, &[late, sse()]).advice, Some(AdviceHolds::Disagrees));
}

#[test]
fn what_was_not_told_apart_is_undecided_and_names_the_command_that_would_settle_it() {
    let verdict = judge(
        &ticker(),
        &[candidate(Transport::Sse, GOOD, 20.6, 0.08), candidate(Transport::WebSocket, GOOD, 20.0, 0.08)],
    );
    assert_eq!((verdict.outcome(), verdict.choice()), ("undecided", None));
    assert_eq!(verdict.advice, Some(AdviceHolds::Undecided));
    insta::assert_snapshot!(verdict.sentence, @"WebSocket and SSE may each be the one to take. Against WebSocket: SSE costs 1.03× (0.692–1.53); whether that is more than 10 % apart is not shown. `pushoff run --workload ticker --transport websocket,sse --trials 111` would probably settle it.");
    assert!(verdict.costs.is_none());
}

#[test]
fn the_command_that_would_settle_it_has_the_load_and_the_networks_of_the_run() {
    let mut workload = ticker();
    workload.subscribers = 30;
    workload.phases.measure = std::time::Duration::from_secs(90);
    let verdict = judge_over(&["cable", "mine"], &workload, &[candidate(Transport::Sse, OPEN, 10.0, 0.01)]);
    insta::assert_snapshot!(verdict.sentence, @"SSE may be the one to take. Whether SSE delivers 99 % of messages within 100 ms over every network is not shown. `pushoff run --workload ticker --subscribers 30 --duration 1m30s --network cable,FILE --transport sse --trials 12` may settle it.");
}

#[test]
fn a_cheaper_one_that_is_not_shown_to_be_good_enough_leaves_the_question_open() {
    let verdict = judge(
        &ticker(),
        &[candidate(Transport::Sse, OPEN, 10.0, 0.01), candidate(Transport::WebSocket, GOOD, 20.0, 0.01)],
    );
    assert_eq!((verdict.outcome(), verdict.choice()), ("undecided", None));
    insta::assert_snapshot!(verdict.sentence, @"WebSocket and SSE may each be the one to take. Whether SSE delivers 99 % of messages within 100 ms is not shown. `pushoff run --workload ticker --transport websocket,sse --trials 12` may settle it.");
    let dearer = candidate(Transport::Sse, OPEN, 30.0, 0.01);
    let verdict = judge(&ticker(), &[dearer, candidate(Transport::WebSocket, GOOD, 20.0, 0.01)]);
    assert_eq!(verdict.choice(), Some(Transport::WebSocket), "one that costs more anyway does not");
    insta::assert_snapshot!(verdict.sentence, @"WebSocket alone is shown to deliver 99 % of messages within 100 ms, 20.0 USD a month at this load.");
}

#[test]
fn a_transport_of_which_no_trial_counts_leaves_the_question_open() {
    let mut void = candidate(Transport::LongPolling, GOOD, 90.0, 0.01);
    void.standing = Standing::Void { reason: "the generator was too slow".into() };
    void.bills = Bills::default();
    let verdict = judge(&ticker(), &[candidate(Transport::Sse, GOOD, 8.0, 0.01), void]);
    assert_eq!((verdict.outcome(), verdict.decision.contenders.contains(&Transport::LongPolling)), ("undecided", true));
}

#[test]
fn where_all_fail_nothing_is_taken_and_the_advice_is_wrong() {
    let verdict = judge(
        &ticker(),
        &[
            candidate(Transport::HttpStreaming, BAD, 8.0, 0.01),
            candidate(Transport::Sse, (0.98, 0.97, 0.985), 8.0, 0.01),
        ],
    );
    assert_eq!((verdict.choice(), verdict.outcome()), (None, "nothing meets the SLO"));
    assert_eq!(verdict.advice, Some(AdviceHolds::Disagrees));
    insta::assert_snapshot!(verdict.sentence, @"No transport delivers 99 % of messages within 100 ms; SSE comes nearest with 98.0 %.");
}

#[test]
fn where_one_is_open_and_the_others_fail_nothing_is_said_against_the_advice() {
    let verdict = judge(
        &ticker(),
        &[candidate(Transport::HttpStreaming, BAD, 8.0, 0.01), candidate(Transport::Sse, OPEN, 8.0, 0.01)],
    );
    assert_eq!((verdict.choice(), verdict.outcome()), (None, "undecided"));
    assert_eq!(verdict.advice, Some(AdviceHolds::Undecided));
    insta::assert_snapshot!(verdict.sentence, @"SSE may be the one to take. Whether SSE delivers 99 % of messages within 100 ms is not shown. `pushoff run --workload ticker --transport sse --trials 12` may settle it.");
}

#[test]
fn one_trial_decides_nothing() {
    let mut one = figures(figure(1.0, 1.0, 1.0));
    one.trials = 1;
    let sse = Candidate {
        standing: standing(Some(&one), None, &CellFaults::default(), &ticker().slo.unwrap()),
        figures: Some(one),
        valid: 1,
        ..candidate(Transport::Sse, GOOD, 8.0, 0.01)
    };
    let verdict = judge(&ticker(), &[sse]);
    assert_eq!((verdict.choice(), verdict.outcome()), (None, "not enough trials"));
    assert_eq!(verdict.advice, Some(AdviceHolds::Undecided));
}

#[test]
fn one_lost_delivery_fails_and_a_missed_one_where_none_may_be() {
    let slo = ticker().slo.unwrap();
    let mut it = figures(figure(0.999, 0.998, 1.0));
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
    let it = figures(figure(1.0, 1.0, 1.0));
    let void = standing(Some(&it), Some("the generator was too slow"), &CellFaults::default(), &ticker().slo.unwrap());
    assert_eq!(void, Standing::Void { reason: "the generator was too slow".into() });
}

#[test]
fn trials_that_do_not_count_are_no_evidence() {
    let reason = "the generator was too slow";
    let void = |transport| Candidate {
        standing: Standing::Void { reason: reason.into() },
        valid: 0,
        ..candidate(transport, GOOD, 8.0, 0.01)
    };
    let verdict = judge(&ticker(), &[void(Transport::Sse), void(Transport::WebSocket)]);
    assert_eq!(verdict.outcome(), "not enough trials");
    insta::assert_snapshot!(verdict.sentence, @"There are too few trials that count: at least two of each transport are needed. Of SSE: the generator was too slow.");
}

#[test]
fn what_would_settle_it_is_asked_of_the_same_server_on_the_same_wire_or_not_at_all() {
    let open = [candidate(Transport::Sse, OPEN, 8.0, 0.01)];
    let wire = Wire { tls: true, http: Http::Two, compressed: false };
    let theirs = Conditions::new(Client::Lean, "nchan").on(wire);
    let said =
        |is_at_hand, workload: &Workload| judge_under(&theirs, is_at_hand, &[], workload, &open).sentence.to_string();
    let command = "`pushoff run --workload ticker --target FILE --tls --http 2 --transport sse --trials 12`";
    assert!(said(true, &ticker()).contains(command), "{}", said(true, &ticker()));
    let other = Workload { topics: 2, ..ticker() };
    assert!(said(true, &other).contains("--workload FILE "), "its name is the built-in one's, and it is not the same");
    let elsewhere = said(false, &ticker());
    assert!(elsewhere.ends_with("More rounds of the same may settle it, 12 in all."), "{elsewhere}");
}

#[test]
fn what_would_settle_it_is_asked_under_every_condition_and_one_that_has_no_flag_is_said() {
    let open = [candidate(Transport::Sse, OPEN, 8.0, 0.01)];
    let wire = Wire { tls: true, http: Http::One, compressed: true };
    let mut conditions = Conditions::new(Client::Library, OURS).on(wire).over("cable");
    conditions.others.insert("upstream".into(), "nginx".into());
    let said = judge_under(&conditions, true, &["mine"], &ticker(), &open).sentence.to_string();
    let command =
        "`pushoff run --workload ticker --tls --compress --client library --network cable,FILE --transport sse";
    assert!(said.ends_with(&format!("{command} --trials 12` with upstream nginx may settle it.")), "{said}");
}

#[test]
fn what_would_change_the_answer_is_of_the_network_that_allows_no_tighter_one() {
    let limit = |ms: f64, network: Option<&str>| {
        figure(ms * 1e6, ms * 0.9e6, ms * 1.1e6).map(|figure| Tightest { figure, network: network.map(str::to_owned) })
    };
    let with = |transport, cost, tightest| Candidate { tightest, ..candidate(transport, GOOD, cost, 0.005) };
    let sse = with(Transport::Sse, 20.0, limit(40.0, Some("fast-4g")));
    let verdict = judge(&ticker(), &[sse, with(Transport::WebSocket, 30.0, limit(30.0, Some("cable")))]);
    insta::assert_snapshot!(verdict.change.unwrap(), @"If you need less than 44.0 ms over fast-4g, SSE is no longer shown to qualify; WebSocket is.");
}

#[test]
fn what_is_not_known_of_a_bill_is_named_and_makes_no_transport_cheap() {
    let without = |part, it: Candidate| Candidate { bills: it.bills.clone().without(part), ..it };
    let [sse, socket] =
        [(Transport::Sse, 30.0), (Transport::WebSocket, 20.0)].map(|(it, cost)| candidate(it, GOOD, cost, 0.01));
    // Known of neither: both are compared by the rest.
    let both = [&sse, &socket].map(|it| without(Part::Traffic, it.clone()));
    let verdict = judge(&ticker(), &both);
    assert_eq!(verdict.choice(), Some(Transport::WebSocket));
    insta::assert_snapshot!(verdict.sentence, @"WebSocket costs least, 2.00 USD a month at this load, traffic not known; SSE, the next, costs 1.50× (1.43–1.58) as much.");
    // Known of one: the other is not cheaper by what nobody looked at.
    let verdict = judge(&ticker(), &[without(Part::Traffic, sse), socket]);
    assert_eq!((verdict.outcome(), verdict.choice()), ("undecided", None));
    assert_eq!(verdict.decision.cheapest, Some(Transport::WebSocket));
    let verdict = judge(&ticker(), &both.map(|it| without(Part::Processor, it)));
    assert_eq!((verdict.choice(), verdict.decision.contenders.len()), (None, 2), "memory alone is no bill");
}

#[test]
fn the_command_has_as_many_rounds_as_have_enough_messages() {
    let mut sse = candidate(Transport::Sse, OPEN, 10.0, 0.01);
    sse.standing = Standing::Undecided { reason: "120 messages, 2,000 needed to tell".into(), rounds: Some(50) };
    let said = judge(&ticker(), &[sse]).sentence.to_string();
    assert!(said.contains("within 100 ms is not shown: more messages are needed. "), "{said}");
    assert!(said.contains("--transport sse --trials 50` may settle it."), "{said}");
}

#[test]
fn a_simpler_one_that_might_cost_the_same_is_named_with_why_it_is_not_taken() {
    let mut slow = candidate(Transport::ShortPolling, GOOD, 21.9, 0.005);
    slow.figures.as_mut().unwrap().insert(Metric::P50, figure(5e8, 4.9e8, 5.1e8).map(Value::exact));
    let streams = [Transport::Sse, Transport::WebSocket].map(|it| candidate(it, GOOD, 20.0, 0.005));
    let said = judge(&ticker(), &[[slow].as_slice(), &streams].concat()).sentence.to_string();
    assert!(
        said.contains(" Short polling is simpler yet and costs 1.") && said.contains("take 500 ms or more."),
        "{said}"
    );
}
