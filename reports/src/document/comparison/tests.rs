use super::*;
use crate::fixture;
use crate::table::Mark;

#[test]
fn a_best_figure_has_no_other_near_it_and_the_floor_is_never_marked() {
    let run = fixture::run();
    let study = Study::of(&run);
    for part in all(&study) {
        for table in [lay_out(part, deciding(part), 0.0), other_figures(part, 0.0)] {
            for (index, _) in table.columns.iter().enumerate() {
                let marks: Vec<Mark> = table.rows.iter().map(|row| row.entries[index].mark).collect();
                let best = marks.iter().filter(|mark| **mark == Mark::Best).count();
                let tied = marks.iter().filter(|mark| **mark == Mark::Tied).count();
                assert!(best <= 1 && tied != 1 && (best == 0 || tied == 0), "{marks:?}");
                assert_eq!(marks.last(), Some(&Mark::None));
            }
        }
    }
}

#[test]
fn a_metric_that_nothing_measured_is_left_out_and_none_stands_twice() {
    let run = fixture::run();
    let study = Study::of(&run);
    for part in all(&study) {
        let (table, others) = (lay_out(part, deciding(part), 0.0), other_figures(part, 0.0));
        let is_chat = part.group().label == "chat";
        assert_eq!(others.columns.contains(&Metric::RoundTripP50), is_chat);
        assert!(table.columns.iter().all(|metric| !others.columns.contains(metric)));
    }
}

#[test]
fn only_pushoffs_own_bytes_have_a_theory_and_that_is_said() {
    let run = fixture::servers();
    for it in &Study::of(&run).comparisons {
        let is_ours = it.group.is_ours();
        for figures in it.candidates.iter().filter_map(|candidate| candidate.figures.as_ref()) {
            assert!(figures.get(Metric::Down).is_some());
            assert_eq!(figures.get(Metric::DownTheory).is_some(), is_ours);
        }
        let notes = other_figures(Part::Compared(it), 0.0).notes;
        assert_eq!(notes.iter().any(|note| note.contains("no theory")), !is_ours, "{notes:?}");
    }
}

#[test]
fn what_only_silence_shows_is_taken_from_the_same_server() {
    let run = fixture::servers();
    let study = Study::of(&run);
    let named = |server: &str| study.comparisons.iter().find(|it| it.group.server() == server).unwrap().sources.clone();
    assert!(named("nchan")[0].contains(", nchan (lean client)"), "{:?}", named("nchan"));
    assert!(named("pushoff")[0].contains(", pushoff (lean client)"), "{:?}", named("pushoff"));
}

/// Memory that was freed while everybody connected is no memory below zero.
#[test]
fn a_difference_that_may_be_none_is_not_shown_as_a_figure_and_the_reason_is() {
    let mut run = fixture::run();
    for record in &mut run.records {
        if let pushoff_model::record::Outcome::Measured(it) = &mut record.outcome {
            it.memory.empty = it.memory.delivering;
        }
    }
    let study = Study::of(&run);
    for part in all(&study) {
        let table = lay_out(part, deciding(part), 0.0);
        let place = table.columns.iter().position(|it| *it == Metric::DeliveringServerSide).unwrap();
        assert!(table.rows.iter().all(|row| row.entries[place].point == "unresolved"));
        assert!(table.notes.iter().any(|note| note.starts_with("unresolved: ")), "{:?}", table.notes);
    }
}
