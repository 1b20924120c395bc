//! What a transport costs: bytes, memory, processor time, connecting, and how messages travel.
//!
//! Pure. Every cost is a ratio of sums over the trials of one cell, with its interval. Some can be
//! seen in a single kind of workload only: an empty poll where nothing is published, a publish where
//! hardly anybody listens. Those are taken from such a workload of the same run, and named.

mod columns;
mod connecting;
mod memory;
mod million;
mod pages;
mod processor;
mod tax;
mod travel;
mod wire;

use pushoff_model::record::Measurement;
use pushoff_model::{Client, Transport};
use serde::Serialize;

use crate::faults::CellFaults;
use crate::group::{Cell, Group};
use crate::sentence::capitalised;
use crate::table::{Subject, Table, noise};
use crate::validity::Validity;

pub(crate) use connecting::ConnectingCosts;
pub(crate) use memory::MemoryCosts;
pub(crate) use million::Million;
pub(crate) use pages::{InPages, Pages, pages};
pub(crate) use processor::ProcessorCosts;
pub(crate) use tax::{Tax, Taxes, taxes};
pub(crate) use travel::Travel;
pub(crate) use wire::{Parts as WireParts, WireCosts};

/// What one cell costs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Costs {
    /// How many trials it rests on.
    pub(crate) trials: usize,
    #[serde(flatten)]
    pub(crate) wire: WireCosts,
    #[serde(flatten)]
    pub(crate) memory: MemoryCosts,
    #[serde(flatten)]
    pub(crate) processor: ProcessorCosts,
    #[serde(flatten)]
    pub(crate) connecting: ConnectingCosts,
    #[serde(flatten)]
    pub(crate) travel: Travel,
    /// What 1 million users would need; only where something is published.
    pub(crate) million: Option<Million>,
}

/// A workload that publishes nothing, with what its connections cost.
#[derive(Debug)]
pub(crate) struct CostSheet<'a> {
    /// The cells.
    pub(crate) group: Group<'a>,
    /// What each costs, in the same order.
    pub(crate) costs: Vec<Costs>,
}

/// The table of a group's costs, a row a transport; `sources` says what was measured elsewhere.
pub(crate) fn table(group: &Group<'_>, costs: &[Costs], sources: &[String], noise_ns: f64) -> Table<'static> {
    let mut table = Table::lay_out(&columns::COLUMNS, subjects(group, costs, Some), noise_ns);
    table.notes.extend(sources.iter().cloned());
    // What is compared has its own table, which says so.
    if group.workload.slo.is_none() {
        let wrong = |cell: &Cell<'_>| CellFaults::of(&cell.trials).notes(&capitalised(cell.transport.label()));
        table.notes.extend(group.cells.iter().flat_map(wrong));
    }
    table.notes.extend(no_theory(group));
    table.notes.extend(noise(noise_ns));
    table
}

/// Framing is weighed by the wire contract that is pushoff's own.
fn no_theory(group: &Group<'_>) -> Option<String> {
    (!group.is_ours()).then(|| {
        format!(
            "There is no theory of the bytes of {}, whose framing is its own: what is neither payload nor heads is in \
             the rest.",
            group.server
        )
    })
}

/// The table of what 1 million users would need.
pub(crate) fn million_table(group: &Group<'_>, costs: &[Costs]) -> Table<'static> {
    let mut table = Table::lay_out(&million::COLUMNS, subjects(group, costs, |costs| costs.million.as_ref()), 0.0);
    table.notes.push(million::basis(group));
    table
}

fn subjects<'v, T>(
    group: &Group<'_>,
    costs: &'v [Costs],
    values: impl Fn(&'v Costs) -> Option<&'v T>,
) -> Vec<Subject<'static, 'v, T>> {
    let cells = group.cells.iter().zip(costs);
    let subject = |(cell, costs): (&Cell<'_>, &'v Costs)| Subject {
        validity: Validity::of(cell),
        void: cell.void_reason().map(str::to_owned),
        trials: costs.trials,
        ..Subject::new(cell.transport, values(costs))
    };
    cells.map(subject).collect()
}

/// Where each cost can be measured: the cell's own trials, and cells of other workloads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trials<'t, 'a> {
    transport: Transport,
    /// Whether it was pushoff's own server that sent them.
    is_ours: bool,
    own: &'t [&'a Measurement],
    /// Of a workload that publishes nothing.
    silent: &'t [&'a Measurement],
    /// Of a workload with one reader a topic.
    publishing: &'t [&'a Measurement],
}

impl Costs {
    fn of(trials: Trials<'_, '_>) -> Self {
        Self {
            trials: trials.own.len(),
            wire: WireCosts::of(trials),
            memory: MemoryCosts::of(trials.own),
            processor: ProcessorCosts::of(trials),
            connecting: ConnectingCosts::of(trials),
            travel: Travel::of(trials),
            million: Million::of(trials.own),
        }
    }
}

/// The workloads of a run that show what others cannot.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    silent: Vec<Source<'a>>,
    publishing: Vec<Source<'a>>,
}

#[derive(Debug)]
struct Source<'a> {
    label: String,
    client: Client,
    server: &'a str,
    measured_ns: u64,
    subscribers: u32,
    cells: Vec<(Transport, Vec<&'a Measurement>)>,
}

impl<'a> Sources<'a> {
    /// Finds them.
    pub(crate) fn of(groups: &[Group<'a>]) -> Self {
        let those = |keep: fn(&Group<'_>) -> bool| {
            groups.iter().filter(|group| !group.is_search && keep(group)).map(Source::of).collect()
        };
        Self {
            silent: those(|group| group.workload.is_silent()),
            publishing: those(|group| {
                !group.workload.is_silent() && group.workload.subscribers == group.workload.topics
            }),
        }
    }

    /// What each cell of a group costs.
    pub(crate) fn costs(&self, group: &Group<'a>) -> Vec<Costs> {
        let (silent, publishing) = (best(&self.silent, group), self.publishing(group));
        let cost = |cell: &Cell<'a>| {
            let own = cell.shown();
            let of = |source: Option<&Source<'a>>| match source {
                // What is void of one's own is shown as such; of another's it is not taken over.
                Some(it) if it.label == group.label => own.clone(),
                Some(it) => it.trials(cell.transport),
                None => Vec::new(),
            };
            let (silent, publishing) = (of(silent), of(publishing));
            let is_ours = group.is_ours();
            Costs::of(Trials {
                transport: cell.transport,
                is_ours,
                own: &own,
                silent: &silent,
                publishing: &publishing,
            })
        };
        group.cells.iter().map(cost).collect()
    }

    /// Where a publish can be seen: that with the fewest readers. Silence publishes nothing.
    fn publishing(&self, group: &Group<'_>) -> Option<&Source<'a>> {
        let fewest = self.publishing.iter().filter(|it| it.server == group.server).min_by_key(|it| it.subscribers);
        best(&self.publishing, group)
            .filter(|it| it.label == group.label)
            .or(fewest)
            .filter(|_| !group.workload.is_silent())
    }

    /// What of a group's costs was measured under another workload, a sentence each.
    pub(crate) fn named(&self, group: &Group<'_>) -> Vec<String> {
        let mut sentences = Vec::new();
        if let Some(silent) = best(&self.silent, group).filter(|it| it.label != group.label) {
            sentences
                .push(format!("Empty polls and silent connections: from {} ({} client).", silent.label, silent.client));
        }
        if let Some(publishing) = self.publishing(group).filter(|it| it.label != group.label) {
            sentences.push(format!("A publish: from {} ({} client).", publishing.label, publishing.client));
        }
        sentences
    }
}

/// The group itself where it is one, else that with the same client, measured longest; of the same server.
fn best<'s, 'a>(sources: &'s [Source<'a>], group: &Group<'_>) -> Option<&'s Source<'a>> {
    let of_this_server = sources.iter().filter(|it| it.server == group.server);
    of_this_server.max_by_key(|it| (it.label == group.label, it.client == group.client, it.measured_ns, it.subscribers))
}

impl<'a> Source<'a> {
    fn of(group: &Group<'a>) -> Self {
        let cells: Vec<_> = group.cells.iter().map(|cell| (cell.transport, cell.valid())).collect();
        let measured_ns = cells.iter().flat_map(|(_, trials)| trials).map(|trial| trial.measured_ns).max();
        Self {
            label: group.label.clone(),
            client: group.client,
            server: group.server,
            measured_ns: measured_ns.unwrap_or(0),
            subscribers: group.workload.subscribers,
            cells,
        }
    }

    fn trials(&self, transport: Transport) -> Vec<&'a Measurement> {
        self.cells.iter().find(|cell| cell.0 == transport).map_or_else(Vec::new, |cell| cell.1.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::study::Study;

    #[test]
    fn only_pushoffs_own_bytes_have_a_theory_and_that_is_said() {
        let run = fixture::servers();
        for it in &Study::of(&run).comparisons {
            let is_ours = it.group.is_ours();
            for costs in &it.costs {
                let down = &costs.wire.down;
                assert!(down.bytes.is_some() && down.rest_bytes.is_some());
                assert_eq!((down.theory_bytes.is_some(), down.framing_bytes.is_some()), (is_ours, is_ours));
                assert_eq!(down.deviation.is_some(), is_ours);
            }
            let notes = table(&it.group, &it.costs, &it.sources, 0.0).notes;
            assert_eq!(notes.iter().any(|note| note.contains("no theory")), !is_ours, "{notes:?}");
        }
    }

    #[test]
    fn what_only_silence_shows_is_taken_from_the_same_server() {
        let run = fixture::servers();
        let study = Study::of(&run);
        let named =
            |server: &str| study.comparisons.iter().find(|it| it.group.server == server).unwrap().sources.clone();
        assert!(named("nchan")[0].contains(", nchan (lean client)"), "{:?}", named("nchan"));
        assert!(named("pushoff")[0].contains(", pushoff (lean client)"), "{:?}", named("pushoff"));
    }
}
