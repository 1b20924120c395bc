//! What a machine reads of a report beside the findings: the runs, and what was found of each cell.

use pushoff_model::CellKey;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::cells::Cell;
use crate::cells::faults::CellFaults;
use crate::cells::validity::Validity;
use crate::findings::servers::Part;
use crate::findings::study::Study;
use crate::metric::{Figures, Metric, Scope, Standing};

/// A cell with all that was found of it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct CellData {
    #[serde(flatten)]
    pub(super) key: CellKey,
    /// Whether its trials are steps of a search.
    is_search: bool,
    /// Whether it is good enough, where that is asked.
    standing: Option<Standing>,
    validity: Validity,
    /// Why its figures are void, if they are.
    void: Option<String>,
    trials: usize,
    valid_trials: usize,
    /// What limits it, each once.
    concerns: Vec<String>,
    /// What went wrong in its trials, with counts and causes.
    faults: CellFaults,
    /// One a metric.
    #[serde(serialize_with = "each_once")]
    pub(super) figures: Figures,
}

/// Without what `--json` has at another place: how many trials there are, and what was measured past a capacity.
fn each_once<S: Serializer>(figures: &Figures, serializer: S) -> Result<S::Ok, S::Error> {
    let is_elsewhere = |metric: Metric| metric == Metric::Trials || metric.scope() == Scope::Beyond;
    serializer.collect_map(figures.iter().filter(|(metric, _)| !is_elsewhere(*metric)))
}

/// Every cell of a study.
pub(super) fn cells(study: &Study<'_>) -> Vec<CellData> {
    let lines = |part: Part<'_, '_>| {
        let (is_search, cells) = (part.group().is_search, &part.group().cells);
        let data = part.lines().zip(cells).map(|(line, cell)| CellData {
            key: line.key,
            is_search,
            standing: line.standing,
            validity: line.validity,
            void: line.void,
            trials: cell.trials.len(),
            valid_trials: cell.valid().len(),
            concerns: concerns(cell),
            faults: line.faults,
            figures: line.figures,
        });
        data.collect::<Vec<_>>()
    };
    study.parts().flat_map(lines).collect()
}

/// What `--json` holds beside the findings.
pub(super) fn data(study: &Study<'_>, cells: &[CellData]) -> Map<String, Value> {
    let runs: Vec<&str> = study.run.environments.iter().map(|environment| environment.run.as_str()).collect();
    let data = [
        ("runs", json!(runs)),
        ("debug_build", study.has_debug_build().into()),
        // Latencies that differ by less are not called different.
        ("noise_ns", study.noise_ns.into()),
        ("cells", json!(cells)),
    ];
    data.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn concerns(cell: &Cell<'_>) -> Vec<String> {
    let mut concerns: Vec<String> = Vec::new();
    for trial in &cell.trials {
        let said = trial.record.measurement().map_or(&[][..], |measurement| &measurement.concerns);
        let said = said.iter().map(|concern| format!("{}: {}", concern.limit.label(), concern.detail));
        let failed = trial.record.measurement().is_none().then(|| trial.reason().unwrap_or_default().to_owned());
        for concern in said.chain(failed) {
            if !concerns.contains(&concern) {
                concerns.push(concern);
            }
        }
    }
    concerns
}
