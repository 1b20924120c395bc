//! Records into cells, by [`CellKey`], with the trials that may count and those that may not.
//!
//! Pure. A record lands in exactly one cell; nothing is dropped, so every trial can be listed. The
//! steps of a search for capacity are one group, whatever load each stood at. A group is one workload
//! under one set of conditions: which transport to take is asked of each by itself.

pub(crate) mod faults;
pub(crate) mod measured;
mod naming;
mod rounds;
pub(crate) mod validity;

use pushoff_model::cell::{CLIENT, NETWORK, SERVER};
use pushoff_model::record::{Concern, FailureKind, Limit, Link, Measurement, Outcome};
use pushoff_model::target::OURS;
use pushoff_model::wire::Wire;
use pushoff_model::workload::{BUILT_IN, Growth};
use pushoff_model::{CellKey, Client, Conditions, Record, Transport, Workload};

use crate::Run;
pub(crate) use rounds::{Round, in_common};

/// The cells of one workload under one set of conditions, in the order of [`Transport::ALL`].
#[derive(Debug)]
pub(crate) struct Group<'a> {
    /// What was asked for.
    pub(crate) workload: &'a Workload,
    /// What it was measured under.
    pub(crate) conditions: Conditions,
    /// Whether its trials are steps of a search.
    pub(crate) is_search: bool,
    /// Whether a client that comes first in the order of [`Client`] measured the same: then this group shows what a
    /// client costs, and gives no answer of its own.
    pub(crate) is_second: bool,
    /// Whether the same was measured on a lighter wire: then this group shows what the wire costs, and gives no answer
    /// of its own.
    pub(crate) is_heavier: bool,
    /// The workload's name, with its size or a number where several differ under one.
    pub(crate) name: String,
    /// The name with what tells it from others, but for the server.
    pub(crate) question: String,
    /// The same with the server, where that needs saying.
    pub(crate) label: String,
    /// Its transports.
    pub(crate) cells: Vec<Cell<'a>>,
}

/// The trials of one transport under one workload.
#[derive(Debug)]
pub(crate) struct Cell<'a> {
    /// What identifies it.
    pub(crate) key: CellKey,
    /// All trials, in the order in which they ran.
    pub(crate) trials: Vec<Trial<'a>>,
}

impl<'a> Group<'a> {
    /// The workload's part of an element's id.
    pub(crate) fn anchor(&self) -> String {
        anchor(&self.label)
    }

    /// Who received.
    pub(crate) const fn client(&self) -> Client {
        self.conditions.client
    }

    /// Who served.
    pub(crate) fn server(&self) -> &str {
        &self.conditions.server
    }

    /// The network between server and readers, where there was one.
    pub(crate) fn network(&self) -> Option<&str> {
        self.conditions.value(NETWORK)
    }

    /// What that network did, as the first trial over it saw it.
    pub(crate) fn link(&self) -> Option<&'a Link> {
        self.cells.iter().flat_map(Cell::measured).find_map(|trial| trial.link.as_ref())
    }

    /// What carried the bytes.
    pub(crate) fn wire(&self) -> Wire {
        self.conditions.wire()
    }

    /// Whether the server is pushoff's own: what its bytes must be is known.
    pub(crate) fn is_ours(&self) -> bool {
        self.server() == OURS
    }

    /// Whether server and readers were on one machine, as far as the trials tell.
    pub(crate) fn is_at_hand(&self) -> bool {
        let is_here = |it: &Measurement| it.agents.is_empty() && it.server.is_some_and(|server| !server.is_told);
        self.cells.iter().flat_map(Cell::measured).all(is_here)
    }

    /// Where a sentence says that figures hold: `on this machine`; `with nchan` for a server that is not pushoff's own,
    /// whose machine no record names.
    pub(crate) fn place(&self) -> String {
        if self.is_ours() { "on this machine".to_owned() } else { format!("with {}", self.server()) }
    }

    /// The cell of a transport.
    pub(crate) fn cell(&self, transport: Transport) -> Option<&Cell<'a>> {
        self.cells.iter().find(|cell| cell.transport() == transport)
    }

    /// Whether the question is which transport to take: not on a further wire, of which only its cost is told.
    pub(crate) fn asks_for_a_choice(&self) -> bool {
        self.has_a_choice() && !self.is_heavier
    }

    /// Whether there is a choice among its transports, on whatever wire: not where clients are compared, nor over a
    /// network, which only holds the answer to more.
    pub(crate) fn has_a_choice(&self) -> bool {
        self.workload.compared.is_empty() && self.network().is_none()
    }

    /// Whether a record belongs here.
    fn holds(&self, record: &Record) -> bool {
        self.conditions == record.conditions() && self.is_of(&record.workload, record.step.is_some())
    }

    /// Whether another asks the same, of whatever server.
    pub(crate) fn asks_the_same_as(&self, other: &Self) -> bool {
        self.differs_in(SERVER, other)
    }

    /// Whether the two are the same, but for the client.
    pub(crate) fn is_twin_of(&self, other: &Self) -> bool {
        self.differs_in(CLIENT, other)
    }

    /// Whether the two are the same, whatever wire carried either.
    pub(crate) fn differs_in_wire(&self, other: &Self) -> bool {
        let same = self.conditions.off_the_wire() == other.conditions.off_the_wire();
        same && self.is_of(other.workload, other.is_search)
    }

    /// Whether raw TCP in this group is the floor of the other: the same workload and client, whatever the server and
    /// wire.
    pub(crate) fn has_the_floor_of(&self, other: &Self) -> bool {
        let [one, other_one] = [self, other].map(|it| it.conditions.off_the_wire());
        one.is_same_without(&other_one, SERVER) && self.is_of(other.workload, other.is_search)
    }

    /// Whether the two are the same, whatever the value of one factor.
    pub(crate) fn differs_in(&self, factor: &str, other: &Self) -> bool {
        self.conditions.is_same_without(&other.conditions, factor) && self.is_of(other.workload, other.is_search)
    }

    /// Whether the same was asked before, of whatever server, however question and advice were worded then.
    pub(crate) fn asks_again(&self, earlier: &Self) -> bool {
        let (question, advice) = (self.workload.question.clone(), self.workload.advice.clone());
        let reworded = Workload { question, advice, ..earlier.workload.clone() };
        self.conditions.is_same_without(&earlier.conditions, SERVER) && self.is_of(&reworded, earlier.is_search)
    }

    fn is_of(&self, workload: &Workload, is_search: bool) -> bool {
        let same = self.is_search == is_search;
        same && (self.workload == workload || self.is_search && is_same_search(self.workload, workload))
    }

    /// Whether the two differ in nothing but how many subscribers there are.
    pub(crate) fn differs_in_size_alone(&self, other: &Self) -> bool {
        self.server() == other.server() && self.is_at_another_size(other)
    }

    /// The same, of whatever server.
    fn is_at_another_size(&self, other: &Self) -> bool {
        let one_size = |workload: &Workload| workload.at(Growth::Subscribers, 1.0);
        one_size(self.workload) == one_size(other.workload)
    }
}

/// A label as a part of an element's id.
pub(crate) fn anchor(label: &str) -> String {
    label.replace([' ', '(', ')', ',', '/'], "")
}

/// Whether two workloads are steps of one search: equal but for the load that it grows.
fn is_same_search(one: &Workload, other: &Workload) -> bool {
    match (one.search, other.search) {
        (Some(search), Some(theirs)) => search == theirs && one.at(search.grow, 1.0) == other.at(search.grow, 1.0),
        (None, _) | (_, None) => false,
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
        self.record.measurement().is_some() && self.void().is_none()
    }

    /// Why the trial does not count, if it does not.
    pub(crate) fn reason(&self) -> Option<&'a str> {
        match &self.record.outcome {
            Outcome::Measured(_) => self.void().map(|concern| concern.detail.as_str()),
            Outcome::Failed(failure) => Some(&failure.reason),
            Outcome::NotRun(not_run) => Some(&not_run.reason),
        }
    }

    /// What voids it, where it was measured.
    pub(crate) fn void(&self) -> Option<&'a Concern> {
        self.record.measurement()?.void(self.record.workload.slo.as_ref())
    }

    /// How the trial failed, if it did.
    pub(crate) const fn failure(&self) -> Option<FailureKind> {
        match &self.record.outcome {
            Outcome::Failed(failure) => Some(failure.kind),
            Outcome::Measured(_) | Outcome::NotRun(_) => None,
        }
    }

    /// The limits that the trial met.
    pub(crate) fn limits(&self) -> impl Iterator<Item = Limit> + use<'a> {
        let concerns = self.record.measurement().map_or(&[][..], |measurement| &measurement.concerns);
        concerns.iter().map(|concern| concern.limit)
    }
}

impl<'a> Cell<'a> {
    /// How it was carried.
    pub(crate) const fn transport(&self) -> Transport {
        self.key.transport
    }

    /// The measurements that may stand in a ranking.
    pub(crate) fn valid(&self) -> Vec<&'a Measurement> {
        self.trials.iter().filter(|trial| trial.is_valid()).filter_map(|trial| trial.record.measurement()).collect()
    }

    /// The rounds of those, in the same order: the run, and the number of the trial.
    pub(crate) fn rounds(&self) -> Vec<Round<'a>> {
        let valid = self.trials.iter().filter(|trial| trial.is_valid());
        valid.map(|trial| (trial.record.run.as_str(), trial.record.trial)).collect()
    }

    /// Every measurement, whatever limits it.
    pub(crate) fn measured(&self) -> Vec<&'a Measurement> {
        self.trials.iter().filter_map(|trial| trial.record.measurement()).collect()
    }

    /// The measurements that are shown: those that count, or all where none does.
    pub(crate) fn shown(&self) -> Vec<&'a Measurement> {
        let valid = self.valid();
        if valid.is_empty() { self.measured() } else { valid }
    }

    /// Why no trial counts: the reason of the first. `None` where one does.
    pub(crate) fn void_reason(&self) -> Option<&'a str> {
        let none_counts = !self.trials.iter().any(Trial::is_valid);
        none_counts.then(|| self.trials.iter().find_map(Trial::reason)).flatten()
    }
}

/// The servers of a run that records name: in the order in which they were asked for, and then as
/// they first appear.
pub(crate) fn servers(run: &Run) -> Vec<&str> {
    let asked = run.environments.iter().flat_map(|environment| &environment.servers).map(|it| it.name.as_str());
    let seen: Vec<&str> = run.records.iter().map(|record| record.server.as_str()).collect();
    let mut servers = Vec::new();
    for server in asked.filter(|name| seen.contains(name)).chain(seen.iter().copied()) {
        if !servers.contains(&server) {
            servers.push(server);
        }
    }
    servers
}

/// Groups records by workload and conditions. Built-in workloads come first, in their order, then the others in that of
/// their first record; within a workload fewer subscribers, shorter round trips and lighter wires come first, and what
/// several servers were asked stands together. Cells are in the order of [`Transport::ALL`].
pub(crate) fn group(run: &Run) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (number, record) in run.records.iter().enumerate() {
        let trial = Trial { number, record };
        let at = groups.iter().position(|group| group.holds(record)).unwrap_or_else(|| {
            groups.push(Group {
                workload: &record.workload,
                conditions: record.conditions(),
                is_search: record.step.is_some(),
                is_second: false,
                is_heavier: false,
                name: String::new(),
                question: String::new(),
                label: String::new(),
                cells: Vec::new(),
            });
            groups.len() - 1
        });
        let cells = &mut groups[at].cells;
        match cells.iter_mut().find(|cell| cell.transport() == record.transport) {
            Some(cell) => cell.trials.push(trial),
            None => {
                let (workload, conditions) = (String::new(), record.conditions());
                cells.push(Cell {
                    key: CellKey { workload, transport: record.transport, conditions },
                    trials: vec![trial],
                });
            }
        }
    }
    let servers = servers(run);
    naming::name(&mut groups, &servers);
    for group in &mut groups {
        group.cells.iter_mut().for_each(|cell| cell.key.workload.clone_from(&group.name));
    }
    in_order(&mut groups, &servers);
    for cell in groups.iter_mut().flat_map(|group| &mut group.cells) {
        let order = |trial: &Trial<'_>| (trial.record.run.clone(), trial.record.trial, trial.record.position);
        // The steps of a search stand in the order in which it took them.
        cell.trials.sort_by_cached_key(|trial| {
            let (run, number, position) = order(trial);
            if trial.record.step.is_some() { (run, position, number) } else { (run, number, position) }
        });
    }
    groups
}

fn in_order(groups: &mut [Group<'_>], servers: &[&str]) {
    let mut questions: Vec<String> = Vec::new();
    for group in groups.iter() {
        if !questions.contains(&group.question) {
            questions.push(group.question.clone());
        }
    }
    groups.sort_by_cached_key(|group| {
        let built_in = BUILT_IN.iter().position(|(name, _)| *name == group.workload.name);
        let question = questions.iter().position(|question| *question == group.question);
        let server = servers.iter().position(|server| *server == group.server());
        // None first, and then the shortest round trip.
        let network = group.network().map(|name| (group.link().map(Link::round_trip), name.to_owned()));
        (built_in.unwrap_or(BUILT_IN.len()), group.workload.subscribers, network, group.wire(), question, server)
    });
    for group in groups {
        group.cells.sort_by_key(|cell| cell.transport());
    }
}

#[cfg(test)]
mod tests;
