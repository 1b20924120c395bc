//! The findings for machines: what `--json` prints.
//!
//! Every figure in the unit that its name ends in, not rounded.

use pushoff_model::Transport;
use pushoff_model::workload::Slo;
use serde::Serialize;

use crate::Run;
use crate::figures::Figures;
use crate::group::Cell;
use crate::rank::{Candidate, Standing, Verdict};
use crate::study::{Comparison, Study};

/// The verdicts and figures of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    runs: Vec<String>,
    debug_build: bool,
    workloads: Vec<WorkloadSummary>,
}

#[derive(Clone, Debug, Serialize)]
struct WorkloadSummary {
    name: String,
    question: String,
    slo: Slo,
    verdict: Verdict,
    cells: Vec<CellSummary>,
}

#[derive(Clone, Debug, Serialize)]
struct CellSummary {
    transport: Transport,
    standing: Standing,
    trials: usize,
    valid_trials: usize,
    /// What limits the cell's worth, each once.
    concerns: Vec<String>,
    figures: Option<Figures>,
}

/// The findings of a run.
#[must_use]
pub fn summary(run: &Run) -> Summary {
    let study = Study::of(run);
    Summary {
        runs: run.environments.iter().map(|environment| environment.run.clone()).collect(),
        debug_build: study.has_debug_build(),
        workloads: study.comparisons.iter().map(workload).collect(),
    }
}

fn workload(comparison: &Comparison<'_>) -> WorkloadSummary {
    WorkloadSummary {
        name: comparison.group.label.clone(),
        question: comparison.group.workload.question.clone(),
        slo: comparison.slo,
        verdict: comparison.verdict.clone(),
        cells: comparison.group.cells.iter().zip(&comparison.candidates).map(cell).collect(),
    }
}

fn cell((cell, candidate): (&Cell<'_>, &Candidate)) -> CellSummary {
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
    CellSummary {
        transport: cell.transport,
        standing: candidate.standing.clone(),
        trials: cell.trials.len(),
        valid_trials: cell.valid().len(),
        concerns,
        figures: candidate.figures.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_machine_finds_the_choice_and_the_figures() {
        let json = serde_json::to_value(summary(&fixture::run())).unwrap();
        let ticker = &json["workloads"][1];
        assert_eq!(ticker["name"], "ticker");
        assert_eq!(ticker["verdict"]["choice"], "sse");
        let sse = ticker["cells"].as_array().unwrap().iter().find(|cell| cell["transport"] == "sse").unwrap();
        assert_eq!(sse["standing"]["is"], "meets");
        assert!(sse["figures"]["p99_ns"]["point"].as_f64().unwrap() > 1e6);
    }
}
