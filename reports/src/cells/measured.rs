//! The cells of a run as the cost model takes them.

use std::collections::BTreeSet;

use pushoff_model::wire::Wire;
use pushoff_planner::costs::{MeasuredCell, Trial};

use crate::cells::{Cell, Group};

/// The cells of pushoff's own server over HTTP/1.1 in the clear and over no network, with their valid trials; searches
/// are left out, because their load changes from trial to trial.
pub(crate) fn measured<'a>(groups: impl IntoIterator<Item = &'a Group<'a>>) -> Vec<MeasuredCell<'a>> {
    let is_plain = |it: &&Group<'a>| it.is_ours() && it.wire() == Wire::default() && it.network().is_none();
    let groups = groups.into_iter().filter(is_plain).filter(|it| !it.is_search);
    groups.flat_map(|group| group.cells.iter().map(move |cell| one(group, cell))).collect()
}

/// The wires whose cells the cost model leaves out, the lightest first.
pub(crate) fn left_out<'a>(groups: impl IntoIterator<Item = &'a Group<'a>>) -> Vec<Wire> {
    let wires: BTreeSet<Wire> = groups.into_iter().filter(|it| it.is_ours()).map(Group::wire).collect();
    wires.into_iter().filter(|wire| *wire != Wire::default()).collect()
}

fn one<'a>(group: &'a Group<'a>, cell: &'a Cell<'a>) -> MeasuredCell<'a> {
    let valid = cell.trials.iter().filter(|trial| trial.is_valid());
    let trials = valid.filter_map(|it| Some(Trial { round: it.record.trial, measurement: it.record.measurement()? }));
    MeasuredCell {
        label: &group.label,
        workload: group.workload,
        transport: cell.transport(),
        trials: trials.collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Run;
    use crate::cells::group;
    use pushoff_planner::costs::{fit_and_check, shipped};

    /// A run that is kept in `results/`.
    fn recorded(folder: &Path) -> Run {
        let stored = pushoff_model::store::read(&folder.join("records.jsonl")).unwrap();
        let environment = std::fs::read(folder.join("environment.json")).unwrap();
        Run { environments: vec![serde_json::from_slice(&environment).unwrap()], records: stored.records }
    }

    /// Equal but for what another machine rounds otherwise.
    fn are_close(one: &serde_json::Value, other: &serde_json::Value) -> bool {
        match (one, other) {
            (serde_json::Value::Object(one), serde_json::Value::Object(other)) => {
                one.len() == other.len() && one.iter().all(|(key, value)| are_close(value, &other[key]))
            }
            (serde_json::Value::Array(one), serde_json::Value::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| are_close(one, other))
            }
            (serde_json::Value::Number(one), serde_json::Value::Number(other)) => {
                let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
                (one - other).abs() <= 1e-6 * one.abs().max(1e-12)
            }
            (one, other) => one == other,
        }
    }

    #[test]
    fn only_cells_in_the_clear_are_taken_and_the_wires_of_the_others_are_known() {
        let run = crate::fixture::on_wires();
        let groups = group(&run);
        assert_eq!(left_out(&groups), crate::fixture::wires::WIRES[1..]);
        let clear = group(&run).into_iter().filter(|it| it.wire() == Wire::default());
        assert_eq!(measured(&groups).len(), clear.map(|it| it.cells.len()).sum::<usize>());
    }

    #[test]
    fn the_model_that_is_built_in_is_what_its_records_give() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/model-2026-11-28");
        let run = recorded(&folder);
        let fitted = fit_and_check(run.environments.first(), &measured(&group(&run))).unwrap();
        let [fitted, built_in] = [fitted, shipped()].map(|model| serde_json::to_value(model).unwrap());
        assert!(are_close(&fitted, &built_in), "make it anew: pushoff report {}", folder.display());
    }
}
