//! What a client library costs: the same cell with the libraries and with the lean client.

use pushoff_model::record::Measurement;
use pushoff_model::{Client, Transport};
use serde::Serialize;

use crate::group::{Cell, Group};
use crate::table::{Column, Reading, Subject, Table, column};
use crate::validity::Validity;
use pushoff_stats::Figure;
use pushoff_stats::Sums;

/// Library and lean client under one workload.
#[derive(Debug)]
pub(crate) struct Taxes {
    /// The label of the group that the libraries received.
    pub(crate) label: String,
    cells: Vec<(Transport, Validity, Option<String>, usize, Tax)>,
}

/// What a library adds, on one transport.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Tax {
    pub(crate) library_cpu_a_message_ns: Option<Figure>,
    pub(crate) lean_cpu_a_message_ns: Option<Figure>,
    /// The first over the second.
    pub(crate) library_to_lean: Option<Figure>,
    pub(crate) library_p50_ns: Option<Figure>,
    pub(crate) lean_p50_ns: Option<Figure>,
    pub(crate) library_p99_ns: Option<Figure>,
    pub(crate) lean_p99_ns: Option<Figure>,
}

/// The pairs of a run.
pub(crate) fn taxes(groups: &[Group<'_>]) -> Vec<Taxes> {
    let libraries = groups.iter().filter(|group| group.client == Client::Library && !group.is_search);
    libraries
        .filter_map(|library| {
            let is_twin = |it: &&Group<'_>| {
                it.client == Client::Lean
                    && !it.is_search
                    && it.server == library.server
                    && it.workload == library.workload
            };
            let lean = groups.iter().find(is_twin)?;
            let both = library.cells.iter().filter_map(|cell| Some((cell, lean.cell(cell.transport)?)));
            let cells: Vec<_> = both.map(|(one, other)| pair(one, other)).collect();
            (!cells.is_empty() && !library.workload.is_silent()).then(|| Taxes { label: library.label.clone(), cells })
        })
        .collect()
}

fn pair(library: &Cell<'_>, lean: &Cell<'_>) -> (Transport, Validity, Option<String>, usize, Tax) {
    let (ours, theirs) = (library.shown(), lean.shown());
    let void = library.void_reason().or_else(|| lean.void_reason()).map(str::to_owned);
    let (one, other) = (Validity::of(library), Validity::of(lean));
    let validity = if one.is_void() || !other.is_void() { one } else { other };
    (library.transport, validity, void, ours.len().min(theirs.len()), Tax::of(&ours, &theirs))
}

impl Tax {
    fn of(library: &[&Measurement], lean: &[&Measurement]) -> Self {
        let [one, other] = [library, lean].map(|trials| {
            let sums = Sums::of(trials);
            let cpu = sums.ratio(|trial| Some((trial.generator.cpu_ns, trial.window.received)));
            let pool = sums.pool(|trial| Some(&trial.delivery_latency));
            let [p50, p99] = sums.percentiles(pool.as_ref(), [0.5, 0.99]);
            (cpu, p50, p99)
        });
        Self {
            library_to_lean: one.0.zip(other.0).and_then(|(one, other)| one.over(&other)),
            library_cpu_a_message_ns: one.0,
            lean_cpu_a_message_ns: other.0,
            library_p50_ns: one.1,
            lean_p50_ns: other.1,
            library_p99_ns: one.2,
            lean_p99_ns: other.2,
        }
    }
}

#[rustfmt::skip]
const COLUMNS: [Column<Tax>; 7] = [
    column!(1, "library", Processor, Time, Neither, "the generator's processor time a message received by the library",
        |it| Reading::Figure(it.library_cpu_a_message_ns)),
    column!(2, "lean", Processor, Time, Neither, "the same with the lean client",
        |it| Reading::Figure(it.lean_cpu_a_message_ns)),
    column!(3, "library ÷ lean", Processor, Ratio, Neither, "how many times the lean client's time the library takes",
        |it| Reading::Figure(it.library_to_lean)),
    column!(4, "library p50", Latency, Time, Neither, "half of the deliveries took at most so long",
        |it| Reading::Figure(it.library_p50_ns)),
    column!(5, "lean p50", Latency, Time, Neither, "the same with the lean client",
        |it| Reading::Figure(it.lean_p50_ns)),
    column!(6, "library p99", Latency, Time, Neither, "99 of 100 deliveries took at most so long",
        |it| Reading::Figure(it.library_p99_ns)),
    column!(7, "lean p99", Latency, Time, Neither, "the same with the lean client",
        |it| Reading::Figure(it.lean_p99_ns)),
];

impl Taxes {
    /// One a transport.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Transport, &Tax)> {
        self.cells.iter().map(|cell| (cell.0, &cell.4))
    }

    /// The table of the pairs.
    pub(crate) fn table(&self) -> Table<'static> {
        let subjects = self.cells.iter().map(|(transport, validity, void, trials, tax)| Subject {
            validity: *validity,
            void: void.clone(),
            trials: *trials,
            ..Subject::new(*transport, Some(tax))
        });
        Table::lay_out(&COLUMNS, subjects.collect(), 0.0)
    }
}
