//! Cost as the number of connections grows: what a connection costs at several sizes, and the slope.
//!
//! Pure. Groups that differ in nothing but how many subscribers there are make a family. The slope is
//! that of a line through the logarithms: 0 means that a connection costs the same at every size.

use pushoff_model::{CellKey, Transport};
use serde::Serialize;

use crate::cells::Group;
use crate::cells::validity::Validity;
use crate::metric::{Figures, Metric};
use crate::table::metrics::SCALING;
use crate::table::{Subject, Table};
use pushoff_stats::{Figure, slope};

/// Workloads that differ in their size alone.
#[derive(Debug)]
pub(crate) struct Family {
    /// Their name.
    pub(crate) label: String,
    /// The sizes, ascending.
    pub(crate) sizes: Vec<u32>,
    /// One a transport that was measured at any of them.
    pub(crate) lines: Vec<Line>,
}

/// A transport at several sizes.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) key: CellKey,
    /// The worst of its verdicts.
    validity: Validity,
    /// What a connection costs at each size, by metric.
    points: Vec<(Metric, Point)>,
    /// The slopes.
    pub(crate) slopes: Figures,
}

/// A cost at a size.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Point {
    pub(crate) connections: u32,
    pub(crate) cost: Figure,
    pub(crate) is_void: bool,
}

/// The families of a run; `figures` are those of each group's cells.
pub(crate) fn families(groups: &[Group<'_>], figures: &[&[Option<Figures>]]) -> Vec<Family> {
    let mut kinds: Vec<Vec<Member<'_, '_>>> = Vec::new();
    for (group, figures) in groups.iter().zip(figures).filter(|(group, _)| !group.is_search) {
        let is_kin = |kind: &&mut Vec<Member<'_, '_>>| {
            kind.first().is_some_and(|it| it.0.conditions == group.conditions && it.0.differs_in_size_alone(group))
        };
        match kinds.iter_mut().find(is_kin) {
            Some(kind) => kind.push((group, figures)),
            None => kinds.push(vec![(group, figures)]),
        }
    }
    kinds.into_iter().filter(|kind| kind.len() > 1).map(Family::of).collect()
}

/// A group of a family, with the figures of its cells.
type Member<'g, 'a> = (&'g Group<'a>, &'g [Option<Figures>]);

impl Family {
    fn of(mut members: Vec<Member<'_, '_>>) -> Self {
        members.sort_by_key(|(group, _)| group.workload.subscribers);
        let groups = || members.iter().map(|(group, _)| *group);
        let mut label = groups().next().map(|group| group.workload.name.clone()).unwrap_or_default();
        if let Some(second) = groups().find(|group| group.is_second) {
            label.push_str(&format!(", {} client", second.client()));
        }
        if let Some(group) = groups().next().filter(|group| group.label != group.question) {
            label.push_str(&format!(", {}", group.server()));
        }
        let lines = Transport::ALL.into_iter().filter_map(|transport| Line::of(transport, &members)).collect();
        Self { label, sizes: groups().map(|group| group.workload.subscribers).collect(), lines }
    }

    /// The table of slopes.
    pub(crate) fn table(&self) -> Table {
        let subjects = self
            .lines
            .iter()
            .map(|line| Subject { validity: line.validity, ..Subject::new(line.key.clone(), Some(&line.slopes)) });
        let mut table = Table::lay_out(&SCALING.map(|it| it.slope), subjects.collect(), 0.0);
        table.notes.push(
            "A slope of 0 is a constant cost a connection; 1 would be a cost that grows as the number does. The \
             interval needs three sizes, and is that of the line through them."
                .into(),
        );
        table
    }
}

impl Line {
    fn of(transport: Transport, members: &[Member<'_, '_>]) -> Option<Self> {
        let (mut worst, mut points, mut key) = (Validity::NotSaturated, Vec::new(), None);
        for (group, figures) in members {
            let cells = group.cells.iter().zip(*figures);
            let Some((cell, figures)) = cells.into_iter().find(|(cell, _)| cell.transport() == transport) else {
                continue;
            };
            let validity = Validity::of(cell);
            worst = worst.max(validity);
            key.get_or_insert_with(|| cell.key.clone());
            let costs = SCALING.into_iter().filter_map(|it| Some((it.metric, figures.as_ref()?.get(it.metric)?)));
            let connections = group.workload.subscribers;
            points
                .extend(costs.map(|(metric, cost)| (metric, Point { connections, cost, is_void: validity.is_void() })));
        }
        let mut line = Self { key: key?, validity: worst, points, slopes: Figures::default() };
        line.slopes = Figures::given(members.len(), SCALING.map(|it| (it.slope, line.slope(it.metric))));
        (!line.points.is_empty()).then_some(line)
    }

    pub(crate) const fn transport(&self) -> Transport {
        self.key.transport
    }

    /// What a connection costs at each size.
    pub(crate) fn points(&self, metric: Metric) -> impl DoubleEndedIterator<Item = &Point> {
        self.points.iter().filter(move |(it, _)| *it == metric).map(|(_, point)| point)
    }

    /// The slope over sizes, of what counts and is above zero; `None` below two sizes.
    fn slope(&self, metric: Metric) -> Option<Figure> {
        let points = self.points(metric).filter(|it| !it.is_void && it.cost.point > 0.0);
        slope(&points.map(|it| (f64::from(it.connections).ln(), it.cost.point.ln())).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::study::Study;
    use crate::fixture;

    #[test]
    fn a_family_is_what_differs_in_its_size_alone() {
        let run = fixture::whole();
        let families = Study::of(&run).families;
        let names: Vec<&str> = families.iter().map(|family| family.label.as_str()).collect();
        assert_eq!(names, ["idle"]);
        assert_eq!(families[0].sizes, [100, 1_000, 10_000]);
        assert_eq!(families[0].lines.len(), Transport::ALL.len());
    }
}
