//! Records into cells: workload × transport, with the trials that may count and those that may not.
//!
//! Pure. A record lands in exactly one cell; nothing is dropped, so every trial can be listed.

use pushoff_model::record::{Measurement, Outcome};
use pushoff_model::workload::BUILT_IN;
use pushoff_model::{Record, Transport, Workload};

/// The cells of one workload, in the order of [`Transport::ALL`].
#[derive(Debug)]
pub(crate) struct Group<'a> {
    /// What was asked for.
    pub(crate) workload: &'a Workload,
    /// The workload's name, with a number where several differ under one name.
    pub(crate) label: String,
    /// Its transports.
    pub(crate) cells: Vec<Cell<'a>>,
}

/// The trials of one transport under one workload.
#[derive(Debug)]
pub(crate) struct Cell<'a> {
    /// How it was carried.
    pub(crate) transport: Transport,
    /// All trials, in the order in which they ran.
    pub(crate) trials: Vec<Trial<'a>>,
}

impl Group<'_> {
    /// The workload's part of an element's id.
    pub(crate) fn anchor(&self) -> String {
        self.label.replace([' ', '(', ')'], "")
    }
}

/// A record and where it stands among all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trial<'a> {
    /// The record's number among those of the run, from 0: what the page links to.
    pub(crate) number: usize,
    /// The record.
    pub(crate) record: &'a Record,
}

impl<'a> Trial<'a> {
    /// Whether the trial may stand in a ranking.
    pub(crate) fn is_valid(&self) -> bool {
        self.record
            .measurement()
            .is_some_and(|measurement| !measurement.concerns.iter().any(|concern| concern.limit.voids()))
    }

    /// Why the trial does not count, if it does not.
    pub(crate) fn reason(&self) -> Option<&'a str> {
        match &self.record.outcome {
            Outcome::Measured(measurement) => {
                measurement.concerns.iter().find(|concern| concern.limit.voids()).map(|concern| concern.detail.as_str())
            }
            Outcome::Failed(failure) => Some(&failure.reason),
            Outcome::NotRun(not_run) => Some(&not_run.reason),
        }
    }
}

impl<'a> Cell<'a> {
    /// The measurements that may stand in a ranking.
    pub(crate) fn valid(&self) -> Vec<&'a Measurement> {
        self.trials.iter().filter(|trial| trial.is_valid()).filter_map(|trial| trial.record.measurement()).collect()
    }

    /// Every measurement, whatever limits it.
    pub(crate) fn measured(&self) -> Vec<&'a Measurement> {
        self.trials.iter().filter_map(|trial| trial.record.measurement()).collect()
    }

    /// Why no trial counts: the reason of the first. `None` where one does.
    pub(crate) fn void_reason(&self) -> Option<&'a str> {
        let none_counts = !self.trials.iter().any(Trial::is_valid);
        none_counts.then(|| self.trials.iter().find_map(Trial::reason)).flatten()
    }
}

/// Groups records by workload, the built-in ones in their order and then those of one's own as
/// they first appear, and then by transport.
pub(crate) fn group(records: &[Record]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (number, record) in records.iter().enumerate() {
        let trial = Trial { number, record };
        let at = groups.iter().position(|group| *group.workload == record.workload).unwrap_or_else(|| {
            groups.push(Group {
                workload: &record.workload,
                label: label(&groups, &record.workload.name),
                cells: Vec::new(),
            });
            groups.len() - 1
        });
        let cells = &mut groups[at].cells;
        match cells.iter_mut().find(|cell| cell.transport == record.transport) {
            Some(cell) => cell.trials.push(trial),
            None => cells.push(Cell { transport: record.transport, trials: vec![trial] }),
        }
    }
    let built_in = |group: &Group<'_>| BUILT_IN.iter().position(|(name, _)| *name == group.workload.name);
    groups.sort_by_key(|group| built_in(group).unwrap_or(BUILT_IN.len()));
    for group in &mut groups {
        group.cells.sort_by_key(|cell| cell.transport);
        for cell in &mut group.cells {
            cell.trials.sort_by_key(|trial| (&trial.record.run, trial.record.trial, trial.record.position));
        }
    }
    groups
}

fn label(groups: &[Group<'_>], name: &str) -> String {
    match groups.iter().filter(|group| group.workload.name == name).count() {
        0 => name.to_owned(),
        earlier => format!("{name} ({})", earlier + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn every_record_lands_in_one_cell() {
        let run = fixture::run();
        let groups = group(&run.records);
        let mut numbers: Vec<usize> =
            groups.iter().flat_map(|group| &group.cells).flat_map(|cell| &cell.trials).map(|t| t.number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..run.records.len()).collect::<Vec<_>>());
        assert!(groups.iter().all(|group| group.cells.iter().map(|cell| cell.transport).eq(Transport::ALL)));
    }

    #[test]
    fn workloads_keep_their_order_whatever_ran_first() {
        let mut run = fixture::run();
        run.records.reverse();
        let labels: Vec<String> = group(&run.records).into_iter().map(|group| group.label).collect();
        assert_eq!(labels, ["progress", "ticker", "chat"]);
    }

    #[test]
    fn the_same_name_with_other_parameters_is_another_group() {
        let mut run = fixture::run();
        run.records[0].workload.subscribers += 1;
        let name = run.records[0].workload.name.clone();
        let groups = group(&run.records);
        assert!(groups.iter().any(|group| group.label == format!("{name} (2)")));
    }
}
