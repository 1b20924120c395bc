//! Where the figures of a cell come from that its own trials cannot show.
//!
//! An empty poll can be seen where nothing is published, a publish where hardly anybody listens. Those trials are
//! taken from such a workload of the same run, and named.

use std::cell::OnceCell;

use pushoff_model::Transport;
use pushoff_model::record::Measurement;

use crate::cells::faults::CellFaults;
use crate::cells::validity::Validity;
use crate::cells::{Cell, Group};
use crate::metric::{Evidence, Figures};

/// The groups of a run, as sources of each other's figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sources<'g, 'a> {
    groups: &'g [Group<'a>],
}

impl<'g, 'a> Sources<'g, 'a> {
    pub(crate) const fn of(groups: &'g [Group<'a>]) -> Self {
        Self { groups }
    }

    /// The figures of each cell of a group; `None` where no trial was measured.
    pub(crate) fn figures(&self, group: &Group<'a>) -> Vec<Option<Figures>> {
        let figures = |cell| {
            let all = Figures::of(&self.evidence(group, cell))?;
            Some(if group.network().is_some() { all.over_a_network() } else { all })
        };
        group.cells.iter().map(figures).collect()
    }

    fn evidence(&self, group: &Group<'a>, cell: &Cell<'a>) -> Evidence<'a> {
        // The steps of a search stood at different loads: together they say nothing of any.
        let own = if group.is_search { Vec::new() } else { cell.shown() };
        let of = |source: Option<&Group<'a>>| match source {
            // A cell shows its own void trials, marked as void; it takes none from another cell.
            Some(it) if it.label == group.label => own.clone(),
            Some(it) => it.cell(cell.transport()).map_or_else(Vec::new, Cell::valid),
            None => Vec::new(),
        };
        let floor = group.cells.iter().find(|it| !it.transport().is_ranked() && cell.transport().is_ranked());
        Evidence {
            transport: cell.transport(),
            is_ours: group.is_ours(),
            wire: group.wire(),
            slo: group.workload.slo,
            validity: Validity::of(cell),
            faults: CellFaults::of(&cell.trials),
            silent: of(self.silent(group)),
            publishing: of(self.publishing(group)),
            floor: floor.map_or_else(Vec::new, Cell::valid),
            twins: self.twins(group, cell.transport()),
            own,
            delivery: OnceCell::new(),
        }
    }

    /// The same cell with other clients.
    fn twins(&self, group: &Group<'a>, transport: Transport) -> Vec<(pushoff_model::Client, Vec<&'a Measurement>)> {
        let twins = self.groups.iter().filter(|it| it.is_twin_of(group) && it.client() != group.client());
        twins.filter_map(|twin| Some((twin.client(), twin.cell(transport)?.valid()))).collect()
    }

    /// Where silence can be seen.
    fn silent(&self, group: &Group<'_>) -> Option<&'g Group<'a>> {
        best(self.groups.iter().filter(|it| !it.is_search && it.workload.is_silent()), group)
    }

    /// Where a publish can be seen: that with the fewest readers. Silence publishes nothing.
    fn publishing(&self, group: &Group<'_>) -> Option<&'g Group<'a>> {
        let is_one = |it: &&Group<'_>| it.workload.subscribers == it.workload.topics && !it.workload.is_silent();
        let all = || self.groups.iter().filter(|it| !it.is_search && it.network().is_none()).filter(is_one);
        let fewest = all().filter(|it| is_served_alike(it, group)).min_by_key(|it| it.workload.subscribers);
        let own = best(all(), group).filter(|it| it.label == group.label);
        own.or(fewest).filter(|_| !group.workload.is_silent())
    }

    /// What of a group's figures was measured under another workload, a sentence each.
    pub(crate) fn named(&self, group: &Group<'_>) -> Vec<String> {
        let others =
            [("Empty polls and silent connections", self.silent(group)), ("A publish", self.publishing(group))];
        let others = others.into_iter().filter_map(|(what, source)| Some((what, source?)));
        let others = others.filter(|(_, source)| source.label != group.label);
        others.map(|(what, it)| format!("{what}: from {} ({} client).", it.label, it.client())).collect()
    }
}

/// Whether the same server served both on the same wire: what one shows is then true of the other.
fn is_served_alike(one: &Group<'_>, other: &Group<'_>) -> bool {
    one.server() == other.server() && one.wire() == other.wire()
}

/// The group itself where it is one, else that with the same client, measured longest; of the same server and wire.
fn best<'g, 'a: 'g>(sources: impl Iterator<Item = &'g Group<'a>>, group: &Group<'_>) -> Option<&'g Group<'a>> {
    let measured_ns = |it: &Group<'a>| it.cells.iter().flat_map(Cell::valid).map(|trial| trial.measured_ns).max();
    let served_alike = sources.filter(|it| is_served_alike(it, group));
    served_alike.max_by_key(|it| {
        (it.label == group.label, it.client() == group.client(), measured_ns(it).unwrap_or(0), it.workload.subscribers)
    })
}
