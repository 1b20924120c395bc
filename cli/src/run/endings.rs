//! How a run ends: by its records, and before its time where no trial of the rest could be measured.

use pushoff_loadgen::{Fleet, Plan};
use pushoff_model::Record;
use pushoff_model::record::{Failure, FailureKind, Outcome};

use crate::progress::count;
use crate::{Exit, terminal};

/// Says what an interrupt leaves of a run.
pub(super) fn interrupted_after(trials: u32) -> Exit {
    terminal::remark(&match trials {
        0 => "interrupted before a trial had ended: nothing was measured, and nothing is kept".to_owned(),
        kept => format!("interrupted after {}: the report is of these alone", count(kept, "trial")),
    });
    Exit::Interrupted
}

/// Whether a trial failed, and was not made good by another of its cell in the same round.
pub(super) fn ended(records: &[Record]) -> Exit {
    let cell = |it: &Record| (it.transport, it.conditions(), it.trial);
    let is_good = |failed: &Record| {
        let same = records.iter().filter(|it| cell(it) == cell(failed) && it.workload == failed.workload);
        same.into_iter().any(|it| it.measurement().is_some())
    };
    let mut failed = records.iter().filter(|it| matches!(it.outcome, Outcome::Failed(_)));
    if failed.any(|it| !is_good(it)) { Exit::CellFailed } else { Exit::Done }
}

/// Why the rest of the plan is not worth running: no agent is left, or a whole round failed. One sentence for a person.
pub(super) fn futile(plan: &Plan, records: &[Record], fleet: Option<&Fleet>) -> Option<String> {
    if plan.is_over() {
        return None;
    }
    if fleet.is_some_and(Fleet::is_gone) {
        return Some("every agent of the run is lost: the run ends early".to_owned());
    }
    let round = plan.round();
    let reason = why_all_failed(records, round).filter(|_| plan.is_round_complete())?;
    Some(format!(
        "machine or generator failed in every trial of round {round}, the server in none: the run ends early ({reason})"
    ))
}

/// The last reason why trials of a round failed, where machine or generator was to blame for every failure and nothing
/// was measured. A search alone decides for itself how it goes on.
fn why_all_failed(records: &[Record], round: u32) -> Option<&str> {
    let of_round = || records.iter().filter(move |record| record.trial == round);
    if of_round().any(|record| why_failed(record).is_none()) {
        return None;
    }
    of_round().filter(|record| record.step.is_none()).filter_map(why_failed).next_back()
}

/// Why machine or generator failed in a trial, which says nothing about the server.
fn why_failed(record: &Record) -> Option<&str> {
    match &record.outcome {
        Outcome::Failed(Failure { kind: FailureKind::Machine | FailureKind::Generator, reason, .. }) => {
            Some(reason.as_str())
        }
        Outcome::Failed(_) | Outcome::Measured(_) | Outcome::NotRun(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pushoff_loadgen::{Anchor, Asked, Trial, Whole};
    use pushoff_model::record::Faults;
    use pushoff_model::target::{self, OURS};
    use pushoff_model::workload::built_in;
    use pushoff_model::{Transport, Wire};

    use super::*;
    use crate::run::record;

    fn failed(kind: FailureKind) -> Outcome {
        Outcome::Failed(Failure { kind, reason: "no processor".into(), counts: None, faults: Faults::default() })
    }

    #[test]
    fn a_failed_trial_that_was_measured_again_is_no_failed_cell() {
        let target = Arc::new(target::built_in(OURS).unwrap().unwrap());
        let trial = Trial::new(Arc::new(built_in("ticker").unwrap().unwrap()), Transport::Sse, target, 1);
        let first = record(&trial, "run", failed(FailureKind::Machine));
        let again = record(&trial, "run", Outcome::Measured(Box::default()));
        let other = Record { trial: 2, ..again.clone() };
        assert_eq!(ended(&[first.clone(), again]), Exit::Done);
        assert_eq!(ended(&[first.clone(), other]), Exit::CellFailed);
        assert_eq!((ended(&[first]), ended(&[])), (Exit::CellFailed, Exit::Done));
    }

    /// Whether a race is futile after each of its first trials, where trial number `n`, from 0, has `outcome(n)`.
    fn futile_after(workloads: &[&str], trials: usize, outcome: impl Fn(usize) -> Outcome) -> Vec<bool> {
        let workloads: Vec<_> = workloads.iter().map(|name| Arc::new(built_in(name).unwrap().unwrap())).collect();
        let mut plan = Plan::new(&Asked {
            workloads: &workloads,
            transports: &[Transport::Sse, Transport::WebSocket],
            clients: &[],
            targets: &[Arc::new(target::built_in(OURS).unwrap().unwrap())],
            networks: &[],
            wires: &[Wire::default()],
            trust: &Anchor::System,
            whole: Whole::default(),
            rounds: None,
            seed: 7,
            descriptors: 1 << 20,
        });
        let mut records = Vec::new();
        let after = |number| {
            let trial = plan.next_trial().unwrap();
            plan.ended(&trial, &outcome(number));
            records.push(record(&trial, "run", outcome(number)));
            futile(&plan, &records, None).is_some()
        };
        (0..trials).map(after).collect()
    }

    #[test]
    fn a_race_ends_after_a_round_that_the_machine_failed_whole_with_its_repeats() {
        let machine = |_: usize| failed(FailureKind::Machine);
        assert_eq!(futile_after(&["ticker"], 4, machine), [false, false, false, true]);
        let one_measured =
            |number: usize| if number == 3 { Outcome::Measured(Box::default()) } else { machine(number) };
        assert_eq!(futile_after(&["ticker"], 4, one_measured), [false; 4]);
        assert_eq!(futile_after(&["ticker"], 4, |_| failed(FailureKind::Server)), [false; 4], "the server's to mend");
        assert_eq!(futile_after(&["capacity"], 4, machine), [false; 4], "a search goes down");
    }
}
