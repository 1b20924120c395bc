use pushoff_model::Transport;
use pushoff_model::record::Failure;

use super::*;
use crate::cells::group;
use crate::document;
use crate::findings::study::Study;
use crate::findings::verdict::in_short;
use crate::fixture;

/// The ticker's first cell, after something was done to its trials.
fn with(change: impl Fn(usize, &mut Outcome)) -> CellFaults {
    let mut run = fixture::run();
    run.records.retain(|it| it.workload.name == "ticker" && it.transport == Transport::Sse);
    run.records.iter_mut().enumerate().for_each(|(number, record)| change(number, &mut record.outcome));
    CellFaults::of(&group(&run)[0].cells[0].trials)
}

fn refuse(outcome: &mut Outcome, count: u64, causes: &[(FaultKind, &str, u64)]) {
    let Outcome::Measured(it) = outcome else { panic!("a measured record") };
    it.counts.published = 2 * count;
    it.counts.unpublished = count;
    it.counts.reconnects = 1;
    causes.iter().for_each(|(kind, cause, count)| it.faults.add(*kind, cause, *count));
}

#[test]
fn nothing_is_said_where_nothing_went_wrong() {
    let faults = with(|_, _| {});
    assert!(
        in_short(&faults, Transport::Sse, true).is_none()
            && faults.notes("SSE").is_empty()
            && faults.failed().is_none()
    );
}

#[test]
fn counts_of_all_trials_are_told_with_their_most_frequent_causes() {
    let causes = [
        (FaultKind::Refused, "503: overloaded", 12),
        (FaultKind::Unanswered, "reset", 3),
        (FaultKind::Broke, "the stream ended", 1),
    ];
    let faults = with(|_, outcome| refuse(outcome, 15, &causes));
    let short = |has_figures| in_short(&faults, Transport::Sse, has_figures).unwrap().to_string();
    assert_eq!(short(true), "45 messages not published, 3 connections broken");
    assert_eq!(short(false), "messages not published, connections broken", "where there is no table to look it up in");
    assert_eq!(faults.clauses(), ["45 of 135 messages not published", "3 connections broken"]);
    assert_eq!(
        faults.notes("SSE"),
        [
            "SSE: 36 messages were refused: 503: overloaded.",
            "SSE: 9 messages were sent and had no answer: reset.",
            "SSE: 3 connections broke and were made again: the stream ended.",
        ]
    );
}

#[test]
fn many_causes_are_named_by_how_often_and_the_rest_is_counted() {
    let causes: Vec<String> = (0..5).map(|number| format!("cause {number}")).collect();
    let faults = with(|number, outcome| {
        let all: Vec<_> = causes.iter().zip(1..).map(|(it, count)| (FaultKind::Refused, it.as_str(), count)).collect();
        refuse(outcome, if number == 0 { 15 } else { 0 }, if number == 0 { &all } else { &[] });
    });
    let note = &faults.notes("SSE")[0];
    assert_eq!(note, "SSE: 15 messages were refused: cause 4 (5×); cause 3 (4×); cause 2 (3×); and 2 more causes.");
}

#[test]
fn a_record_of_an_older_build_has_counts_alone() {
    let faults = with(|_, outcome| refuse(outcome, 2, &[]));
    let notes = faults.notes("SSE");
    assert_eq!(notes, ["SSE: 6 messages were not published.", "SSE: 3 connections broke and were made again."]);
}

#[test]
fn a_trial_that_the_server_failed_is_told_and_one_that_the_generator_failed_is_not_held_against_it() {
    let fail = |kind, reason: &str| {
        let reason = reason.to_owned();
        Outcome::Failed(Failure { kind, reason, counts: None, faults: Faults::default() })
    };
    let faults = with(|number, outcome| match number {
        0 => *outcome = fail(FailureKind::Connect, "12 subscribers\u{1b}[31m had none"),
        1 => *outcome = fail(FailureKind::Generator, "out of memory"),
        _ => {}
    });
    assert_eq!(faults.failed().unwrap(), r"1 of 3 trials failed: 12 subscribers\u{1b}[31m had none");
    assert!(!faults.is_unbalanced());
    assert_eq!(in_short(&faults, Transport::Sse, true).unwrap().to_string(), "one of its trials failed");
    assert!(with(|_, outcome| *outcome = fail(FailureKind::Unbalanced, "altered")).is_unbalanced());
}

/// The ticker over SSE and WebSocket; of SSE's messages a third is refused, in words that would act in a
/// terminal, in Markdown and on a page.
fn refusing() -> crate::Run {
    let mut run = fixture::run();
    run.records
        .retain(|it| it.workload.name == "ticker" && matches!(it.transport, Transport::Sse | Transport::WebSocket));
    for record in run.records.iter_mut().filter(|it| it.transport == Transport::Sse) {
        let Outcome::Measured(it) = &mut record.outcome else { panic!("a measured record") };
        it.counts.unpublished = it.counts.published / 2;
        it.window.due += it.window.due / 2;
        it.faults.add(FaultKind::Refused, "503: \u{1b}[31moverloaded <img src=x> | a\n# b", it.counts.unpublished);
    }
    run
}

#[test]
fn every_document_tells_what_was_refused_and_why_and_none_calls_it_decided() {
    let run = refusing();
    let study = Study::of(&run);
    let document = document::report(&study).unwrap();
    let (terminal, markdown) = (document.terminal(200, false), document.markdown());
    let page = document.html().unwrap();
    let json = document.json();
    let count = study.comparisons[0].candidates[0].faults.unpublished;
    for (name, text) in [("terminal", &terminal), ("markdown", &markdown), ("page", &page)] {
        let text = text.replace('\u{a0}', " ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("What went wrong: SSE: "), "{name}: {text}");
        assert!(text.contains(&format!("{count} messages were refused: 503: ")), "{name}");
        assert!(text.contains("SSE fails: 66"), "{name}: {text}");
        assert!(!text.contains("every ledger balances") && !text.contains('\u{1b}'), "{name}");
    }
    assert!(!page.contains("<img src=x>") && !markdown.contains("<img"), "it stays text");
    let sse = &json["cells"][0];
    assert_eq!((&sse["transport"], &sse["standing"]["is"]), (&"sse".into(), &"fails".into()));
    let told = (&sse["figures"]["not_published"]["point"], &sse["faults"]["causes"][0]["count"]);
    assert_eq!((told.0.as_f64(), told.1), (Some(count as f64), &count.into()));
}

#[test]
fn a_transport_of_which_one_trial_failed_is_undecided_and_one_that_failed_always_fails() {
    let standing = |failed: usize, kind: FailureKind| {
        let mut run = refusing();
        run.records.retain(|it| it.transport == Transport::WebSocket);
        for record in run.records.iter_mut().take(failed) {
            let (reason, faults) = ("nobody was connected".to_owned(), Faults::default());
            record.outcome = Outcome::Failed(Failure { kind, reason, counts: None, faults });
        }
        Study::of(&run).comparisons[0].candidates[0].standing.clone()
    };
    assert_eq!(standing(0, FailureKind::Connect).label(), "meets");
    let one = standing(1, FailureKind::Connect);
    assert_eq!(one.label(), "undecided");
    assert!(one.reason().unwrap().starts_with("1 of 3 trials failed: nobody was connected; in the others "), "{one:?}");
    assert_eq!(standing(3, FailureKind::Connect).label(), "fails");
    assert_eq!(standing(1, FailureKind::Unbalanced).label(), "fails");
    assert_eq!(standing(1, FailureKind::Machine).label(), "meets");
    assert_eq!(standing(3, FailureKind::Machine).label(), "void");
}
