//! Cost as it grows: what a connection costs at several sizes, and the slope.
//!
//! Pure. Groups that differ in nothing but how many subscribers there are make a family. The slope is
//! that of a line through the logarithms: 0 means that a connection costs the same at every size.

use pushoff_model::Transport;
use pushoff_model::record::Measurement;
use serde::Serialize;
use statrs::distribution::{ContinuousCDF as _, StudentsT};

use crate::group::Group;
use crate::number::Quantity;
use crate::table::{Column, Reading, Subject, Table, column};
use crate::validity::Validity;
use pushoff_stats::Sums;
use pushoff_stats::{Figure, Interval};

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
    pub(crate) transport: Transport,
    /// The worst of its verdicts.
    validity: Validity,
    /// What a connection costs at each size, by what is measured.
    pub(crate) points: [Vec<Point>; Gauge::ALL.len()],
}

/// A cost at a size.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Point {
    pub(crate) connections: u32,
    pub(crate) cost: Figure,
    pub(crate) is_void: bool,
}

/// What is measured of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gauge {
    /// The server's process.
    Memory,
    /// The kernel, both ends.
    Kernel,
    /// The server's processor time, a second.
    Processor,
    /// Its share of the time that all took to connect.
    Connecting,
}

impl Gauge {
    /// In the order of the page.
    pub(crate) const ALL: [Self; 4] = [Self::Memory, Self::Kernel, Self::Processor, Self::Connecting];

    /// As an axis names it.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Memory => "server memory a connection",
            Self::Kernel => "kernel memory a connection, both ends",
            Self::Processor => "server CPU a second of a connection",
            Self::Connecting => "time a connection in the burst",
        }
    }

    /// For links.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Memory => "growth-memory",
            Self::Kernel => "growth-kernel",
            Self::Processor => "growth-processor",
            Self::Connecting => "growth-connecting",
        }
    }

    /// How it is written.
    pub(crate) const fn quantity(self) -> Quantity {
        match self {
            Self::Memory | Self::Kernel => Quantity::Bytes,
            Self::Processor | Self::Connecting => Quantity::Time,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a cost needs no more than 53 bits")]
    fn of(self, trials: &[&Measurement]) -> Option<Figure> {
        let sums = Sums::of(trials);
        let connections = |trial: &Measurement| trial.counts.subscribers as f64;
        match self {
            Self::Memory => sums.difference(|it| {
                let (idle, empty) = (it.memory.idle.server?, it.memory.empty.server?);
                Some((idle.pss_bytes as f64 - empty.pss_bytes as f64, connections(it)))
            }),
            Self::Kernel => sums.difference(|it| {
                let held = |kernel: pushoff_model::record::KernelMemory| (kernel.slab_bytes + kernel.tcp_bytes) as f64;
                Some((held(it.memory.idle.kernel?) - held(it.memory.empty.kernel?), connections(it)))
            }),
            Self::Processor => sums.quotient(|it| {
                let server = it.server?;
                Some((server.cpu_ns as f64, server.wall_ns as f64 / 1e9 * connections(it)))
            }),
            Self::Connecting => sums.ratio(|it| Some((it.connecting.took_ns, it.connecting.connections))),
        }
    }
}

impl Line {
    /// The slope over sizes, of what counts and is above zero; `None` below two sizes.
    pub(crate) fn slope(&self, gauge: Gauge) -> Option<Figure> {
        let points = self.points[gauge as usize].iter().filter(|it| !it.is_void && it.cost.point > 0.0);
        slope(&points.map(|it| (f64::from(it.connections).ln(), it.cost.point.ln())).collect::<Vec<_>>())
    }
}

/// The least-squares line through points, its interval by Student's t where a point is left over.
#[expect(clippy::cast_precision_loss, reason = "a number of sizes is far below 2^53")]
fn slope(points: &[(f64, f64)]) -> Option<Figure> {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|it| it.0), mean(|it| it.1));
    let spread: f64 = points.iter().map(|it| (it.0 - x).powi(2)).sum();
    if points.len() < 2 || spread <= 0.0 {
        return None;
    }
    let point = points.iter().map(|it| (it.0 - x) * (it.1 - y)).sum::<f64>() / spread;
    let left: f64 = points.iter().map(|it| (it.1 - y - point * (it.0 - x)).powi(2)).sum();
    let interval = (points.len() > 2).then(|| StudentsT::new(0.0, 1.0, count - 2.0).ok()).flatten().map(|t| {
        let half = t.inverse_cdf(0.975) * (left / (count - 2.0) / spread).sqrt();
        Interval { low: point - half, high: point + half }
    });
    Some(Figure { point, interval })
}

/// The families of a run.
pub(crate) fn families(groups: &[Group<'_>]) -> Vec<Family> {
    let mut kinds: Vec<Vec<&Group<'_>>> = Vec::new();
    for group in groups.iter().filter(|group| !group.is_search) {
        let is_kin = |kind: &&mut Vec<&Group<'_>>| {
            kind.first().is_some_and(|it| it.client == group.client && it.differs_in_size_alone(group))
        };
        match kinds.iter_mut().find(is_kin) {
            Some(kind) => kind.push(group),
            None => kinds.push(vec![group]),
        }
    }
    kinds.into_iter().filter(|kind| kind.len() > 1).map(|kind| Family::of(&kind)).collect()
}

impl Family {
    fn of(groups: &[&Group<'_>]) -> Self {
        let mut groups = groups.to_vec();
        groups.sort_by_key(|group| group.workload.subscribers);
        let mut label = groups.first().map(|group| group.workload.name.clone()).unwrap_or_default();
        if let Some(second) = groups.iter().find(|group| group.is_second) {
            label.push_str(&format!(", {} client", second.client));
        }
        if let Some(group) = groups.first().filter(|group| group.label != group.question) {
            label.push_str(&format!(", {}", group.server));
        }
        let lines = Transport::ALL.into_iter().filter_map(|transport| Line::of(transport, &groups)).collect();
        Self { label, sizes: groups.iter().map(|group| group.workload.subscribers).collect(), lines }
    }

    /// The table of slopes.
    pub(crate) fn table(&self) -> Table<'static> {
        let slopes: Vec<Slopes> = self.lines.iter().map(Slopes::of).collect();
        let subjects = self
            .lines
            .iter()
            .zip(&slopes)
            .map(|(line, slopes)| Subject { validity: line.validity, ..Subject::new(line.transport, Some(slopes)) });
        let mut table = Table::lay_out(&COLUMNS, subjects.collect(), 0.0);
        table.notes.push(
            "A slope of 0 is a constant cost a connection; 1 would be a cost that grows as the number does. The \
             interval needs three sizes, and is that of the line through them."
                .into(),
        );
        table
    }
}

impl Line {
    fn of(transport: Transport, groups: &[&Group<'_>]) -> Option<Self> {
        let mut line = Self { transport, validity: Validity::NotSaturated, points: [const { Vec::new() }; 4] };
        let mut is_measured = false;
        for group in groups {
            let Some(cell) = group.cell(transport) else { continue };
            let validity = Validity::of(cell);
            if validity != Validity::NotSaturated {
                line.validity = validity;
            }
            for gauge in Gauge::ALL {
                if let Some(cost) = gauge.of(&cell.shown()) {
                    let connections = group.workload.subscribers;
                    line.points[gauge as usize].push(Point { connections, cost, is_void: validity.is_void() });
                    is_measured = true;
                }
            }
        }
        is_measured.then_some(line)
    }
}

/// The slopes of a transport.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Slopes {
    server_memory_slope: Option<Figure>,
    kernel_memory_slope: Option<Figure>,
    server_cpu_slope: Option<Figure>,
    connecting_time_slope: Option<Figure>,
}

impl Slopes {
    /// Of a line.
    pub(crate) fn of(line: &Line) -> Self {
        Self {
            server_memory_slope: line.slope(Gauge::Memory),
            kernel_memory_slope: line.slope(Gauge::Kernel),
            server_cpu_slope: line.slope(Gauge::Processor),
            connecting_time_slope: line.slope(Gauge::Connecting),
        }
    }
}

#[rustfmt::skip]
const COLUMNS: [Column<Slopes>; 4] = [
    column!(1, "server memory", Growth, Power, Neither, "of the server's process (PSS) a connection, over size",
        |it| Reading::Figure(it.server_memory_slope)),
    column!(2, "kernel memory", Growth, Power, Neither, "of slab and TCP buffers a connection, over size",
        |it| Reading::Figure(it.kernel_memory_slope)),
    column!(3, "server CPU", Growth, Power, Neither, "of the server's processor time a second of a connection, over size",
        |it| Reading::Figure(it.server_cpu_slope)),
    column!(4, "connecting", Growth, Power, Neither, "of a connection's share of the time that all took to connect, over size",
        |it| Reading::Figure(it.connecting_time_slope)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::group::group;

    #[test]
    fn what_costs_the_same_at_every_size_has_no_slope_and_what_doubles_has_one_of_one() {
        let at = |size: f64, cost: f64| (size.ln(), cost.ln());
        assert!(slope(&[at(100.0, 7.0), at(10_000.0, 7.0)]).unwrap().point.abs() < 1e-12);
        let figure = slope(&[at(100.0, 1.0), at(1_000.0, 10.0), at(10_000.0, 100.0)]).unwrap();
        assert!((figure.point - 1.0).abs() < 1e-9 && (figure.high() - 1.0).abs() < 1e-6, "{figure:?}");
    }

    #[test]
    fn two_sizes_have_a_slope_without_an_interval_and_one_has_none() {
        assert!(slope(&[(1.0, 1.0), (2.0, 2.0)]).unwrap().interval.is_none());
        assert!(slope(&[(1.0, 1.0)]).is_none() && slope(&[]).is_none());
    }

    #[test]
    fn a_family_is_what_differs_in_its_size_alone() {
        let run = fixture::whole();
        let families = families(&group(&run));
        let names: Vec<&str> = families.iter().map(|family| family.label.as_str()).collect();
        assert_eq!(names, ["idle"]);
        assert_eq!(families[0].sizes, [100, 1_000, 10_000]);
        assert_eq!(families[0].lines.len(), Transport::ALL.len());
    }
}
