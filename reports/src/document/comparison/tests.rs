use super::*;
use crate::fixture;
use crate::table::Mark;

#[test]
fn a_best_figure_has_no_other_near_it_and_the_floor_is_never_marked() {
    let run = fixture::run();
    let study = Study::of(&run);
    for comparison in &study.comparisons {
        let table = table(comparison);
        for (index, _) in table.columns.iter().enumerate() {
            let marks: Vec<Mark> = table.rows.iter().map(|row| row.entries[index].mark).collect();
            let best = marks.iter().filter(|mark| **mark == Mark::Best).count();
            let tied = marks.iter().filter(|mark| **mark == Mark::Tied).count();
            assert!(best <= 1 && tied != 1 && (best == 0 || tied == 0), "{marks:?}");
            assert_eq!(marks.last(), Some(&Mark::None));
        }
    }
}

#[test]
fn a_metric_that_nothing_measured_is_left_out() {
    let run = fixture::run();
    let study = Study::of(&run);
    let heads = |name: &str| -> Vec<&str> {
        let comparison = study.comparisons.iter().find(|it| it.group.label == name).unwrap();
        table(comparison).columns.iter().map(|column| column.label()).collect()
    };
    assert!(heads("chat").contains(&"round trip p50"));
    assert!(!heads("ticker").contains(&"round trip p50"));
}
