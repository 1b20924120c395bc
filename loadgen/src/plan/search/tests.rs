use pushoff_model::record::{Concern, Counts, Faults, Limit, Measurement, NotRun, WindowCounts};
use pushoff_model::workload::built_in;
use pushoff_model::{LatencyHistogram, Share};
use std::time::Duration;

use super::*;

fn search(name: &str) -> CapacitySearch {
    let workload = built_in(name).unwrap().unwrap();
    CapacitySearch::new(&workload.search.unwrap(), &workload, 8)
}

/// Runs a search to its end against a simulated server; returns every step with its verdict.
fn run(mut search: CapacitySearch, mut server: impl FnMut(f64) -> Verdict) -> Vec<(Step, Verdict)> {
    let mut steps = Vec::new();
    while let Some(step) = search.step() {
        let verdict = server(step.load);
        steps.push((step, verdict));
        search.tell(verdict);
        assert!(steps.len() < 200, "{steps:?}");
    }
    steps
}

fn of(steps: &[(Step, Verdict)], purpose: Purpose) -> Vec<f64> {
    steps.iter().filter(|(step, _)| step.purpose == purpose).map(|(step, _)| step.load).collect()
}

fn sharp(capacity: f64) -> impl FnMut(f64) -> Verdict {
    move |load| if load <= capacity { Verdict::Held } else { Verdict::Broke }
}

#[test]
fn the_load_doubles_until_it_is_too_much_and_what_lies_between_is_bisected() {
    let steps = run(search("capacity"), sharp(1_000.0));
    assert_eq!(of(&steps, Purpose::Ramp), [100.0, 200.0, 400.0, 800.0, 1_600.0]);
    let bisected = of(&steps, Purpose::Bisection);
    assert_eq!(bisected.len(), 3);
    assert!((bisected[0] - 800.0 * 2.0_f64.sqrt()).abs() < 1e-6, "{bisected:?}");
}

#[test]
fn the_staircase_stays_within_two_steps_of_a_sharp_border_and_overload_lies_beyond() {
    for capacity in [130.0, 1_000.0, 77_777.0] {
        let steps = run(search("capacity"), sharp(capacity));
        let walked = of(&steps, Purpose::Confirmation);
        assert_eq!(walked.len(), 8);
        assert!(walked.iter().all(|load| (0.82..1.22).contains(&(load / capacity))), "{capacity}: {walked:?}");
        let logarithms: f64 = walked.iter().map(|load| load.ln()).sum();
        let mean = (logarithms / 8.0).exp();
        assert!((0.9..1.1).contains(&(mean / capacity)), "{capacity}: {mean}");
        let beyond = of(&steps, Purpose::Overload);
        assert!((beyond[0] / mean - 1.5).abs() < 1e-9 && (beyond[1] / mean - 2.5).abs() < 1e-9, "{beyond:?}");
    }
}

#[test]
fn a_load_that_breaks_at_once_is_halved_until_it_holds() {
    let steps = run(search("capacity"), sharp(30.0));
    assert_eq!(of(&steps, Purpose::Ramp), [100.0, 50.0, 25.0]);
    assert_eq!(of(&steps, Purpose::Confirmation).len(), 8);
    let hopeless = run(search("capacity"), |_| Verdict::Broke);
    assert_eq!(hopeless.len(), 11);
    assert!(of(&hopeless, Purpose::Confirmation).is_empty());
}

#[test]
fn a_search_that_holds_at_its_most_is_not_saturated() {
    let steps = run(search("crowd"), |_| Verdict::Held);
    assert_eq!(of(&steps, Purpose::Ramp), [250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 16_000.0, 18_000.0]);
    assert_eq!(steps.len(), 8);
}

#[test]
fn subscribers_are_whole_and_the_border_between_two_of_them_ends_the_bisection() {
    let steps = run(search("crowd"), sharp(3.0));
    assert!(steps.iter().all(|(step, _)| step.load.fract() == 0.0 && step.load >= 1.0), "{steps:?}");
    let walked = of(&steps, Purpose::Confirmation);
    assert!(walked.iter().all(|load| (3.0..=4.0).contains(load)), "{walked:?}");
    assert_eq!(of(&steps, Purpose::Overload), [5.0, 9.0]);
}

#[test]
fn a_void_trial_is_repeated_twice_and_then_ends_the_search_there() {
    let mut search = search("capacity");
    search.tell(Verdict::Held);
    let step = search.step().unwrap();
    for _ in 0..2 {
        search.tell(Verdict::Void);
        assert_eq!(search.step(), Some(step));
    }
    search.tell(Verdict::Held);
    assert!(search.step().is_some_and(|step| (step.load - 400.0).abs() < 1e-9));
    for _ in 0..3 {
        search.tell(Verdict::Void);
    }
    assert_eq!(search.step(), None);
}

#[test]
fn a_load_that_held_in_a_void_trial_is_repeated_and_then_accepted() {
    let steps = run(search("crowd"), |load| if load < 600.0 { Verdict::HeldInSpite } else { Verdict::Void });
    assert_eq!(of(&steps, Purpose::Ramp), [[250.0; 3], [500.0; 3], [1_000.0; 3]].concat());
    assert_eq!(steps.len(), 9);
}

#[test]
fn a_load_that_kills_the_server_is_too_much_but_one_that_always_fails_is_no_capacity() {
    let steps = run(search("capacity"), |load| if load < 300.0 { Verdict::Held } else { Verdict::Failed });
    assert_eq!(of(&steps, Purpose::Ramp), [100.0, 200.0, 400.0, 400.0, 400.0]);
    assert_eq!(of(&steps, Purpose::Confirmation).iter().filter(|&&load| load < 300.0).count(), 4);
    assert_eq!(run(search("capacity"), |_| Verdict::Failed).len(), 3);
}

#[test]
fn an_interrupt_ends_it_and_overload_is_tried_once_whatever_it_shows() {
    let mut search = search("capacity");
    search.tell(Verdict::Interrupted);
    assert_eq!(search.step(), None);
    let mut border = sharp(1_000.0);
    let steps = run(self::search("capacity"), |load| {
        // Only the overloads: 1.5 and 2.5 times the limit.
        let beyond = (1_400.0..1_590.0).contains(&load) || load > 1_700.0;
        if beyond { Verdict::Void } else { border(load) }
    });
    assert_eq!(of(&steps, Purpose::Overload).len(), 2);
}

#[test]
fn the_number_of_trials_left_is_never_exceeded() {
    for capacity in [0.01, 15.0, 30.0, 130.0, 99_000.0, 1e9] {
        for name in ["capacity", "crowd"] {
            let mut search = search(name);
            let mut border = sharp(capacity);
            let most = search.most_left();
            let mut steps = 0;
            while let Some(step) = search.step() {
                search.tell(border(step.load));
                steps += 1;
                assert!(steps + search.most_left() <= most, "{name}, {capacity}: {steps} of {most} at {step:?}");
            }
            assert_eq!(search.most_left(), 0, "{name}, {capacity}");
        }
    }
}

fn outcome(due: u64, in_time: u64, late: u64, counts: Counts) -> Outcome {
    let mut latency = LatencyHistogram::new();
    (0..in_time).for_each(|_| latency.record(Duration::from_millis(10)));
    (0..late).for_each(|_| latency.record(Duration::from_millis(500)));
    let window = WindowCounts { due, ..WindowCounts::default() };
    Outcome::Measured(Box::new(Measurement { window, counts, delivery_latency: latency, ..Measurement::default() }))
}

#[test]
fn a_trial_holds_by_its_share_of_all_that_was_due_and_with_nothing_lost() {
    let slo = |may_skip| Slo { share: Share::new(0.99).unwrap(), within: Duration::from_millis(100), may_skip };
    let judged = |outcome: &Outcome| verdict(Some(&slo(false)), outcome);
    let none = Counts::default();
    assert_eq!(judged(&outcome(100, 99, 1, none)), Verdict::Held);
    assert_eq!(judged(&outcome(100, 98, 2, none)), Verdict::Broke);
    assert_eq!(judged(&outcome(200, 100, 0, none)), Verdict::Broke, "what was never sent was due");
    assert_eq!(judged(&outcome(100, 100, 0, Counts { lost: 1, ..none })), Verdict::Broke);
    let missed = outcome(100, 100, 0, Counts { missed: 1, ..none });
    assert_eq!((judged(&missed), verdict(Some(&slo(true)), &missed)), (Verdict::Broke, Verdict::Held));
    let Outcome::Measured(mut voided) = outcome(100, 100, 0, none) else { unreachable!() };
    voided.concerns = vec![Concern { limit: Limit::Generator, detail: "busy".into() }];
    assert_eq!(judged(&Outcome::Measured(voided.clone())), Verdict::HeldInSpite);
    voided.window.due = 200;
    assert_eq!(judged(&Outcome::Measured(voided)), Verdict::Void);
}

#[test]
fn however_late_a_server_at_its_limit_is_judged_and_a_load_that_held_is_enough() {
    let slo = Slo { share: Share::new(0.99).unwrap(), within: Duration::from_secs(30), may_skip: false };
    let judged = |due, limits: &[Limit]| {
        let Outcome::Measured(mut it) = outcome(due, 100, 0, Counts::default()) else { unreachable!() };
        it.concerns = limits.iter().map(|&limit| Concern { limit, detail: "busy".into() }).collect();
        verdict(Some(&slo), &Outcome::Measured(it))
    };
    assert_eq!(judged(200, &[Limit::Generator]), Verdict::Void);
    assert_eq!(judged(200, &[Limit::Generator, Limit::Server]), Verdict::Broke);
    assert_eq!(judged(200, &[Limit::Machine, Limit::Server]), Verdict::Void);
    assert_eq!(judged(100, &[Limit::Generator]), Verdict::Held);
}

#[test]
fn without_an_slo_only_silence_is_judged_by_how_much_there_was() {
    let is_void = |published| {
        let concerns = [Limit::Generator, Limit::Server].map(|limit| Concern { limit, detail: "busy".into() }).to_vec();
        let counts = Counts { published, ..Counts::default() };
        Measurement { concerns, counts, ..Measurement::default() }.void(None).is_some()
    };
    assert_eq!([is_void(0), is_void(1)], [false, true]);
}

#[test]
fn a_failure_says_by_its_kind_whose_it_is() {
    let judged = |kind| {
        verdict(None, &Outcome::Failed(Failure { kind, reason: "?".into(), counts: None, faults: Faults::default() }))
    };
    assert_eq!(judged(FailureKind::Server), Verdict::Failed);
    assert_eq!(judged(FailureKind::Generator), Verdict::Void);
    assert_eq!(judged(FailureKind::Interrupted), Verdict::Interrupted);
    assert_eq!(verdict(None, &Outcome::NotRun(NotRun { reason: "?".into() })), Verdict::Interrupted);
}
