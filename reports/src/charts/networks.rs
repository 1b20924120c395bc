//! Latency over networks: by round trip or by loss, beside what theory expects.

use pushoff_model::Transport;
use pushoff_model::latency::LatencyTheory;

use super::axis::{Axis, snug};
use super::canvas::{Canvas, Drawing, Ink, Margins, draw};
use super::{Chart, Rows, widen};
use crate::ReportError;
use crate::findings::comparison::Comparison;
use crate::findings::networks::{OneOver, OverNetwork};
use crate::metric::Metric;
use crate::words::number::{ABSENT, Quantity, asked_share, tick};
use crate::words::text::{capitalised, list};
use pushoff_stats::Figure;

/// What networks differ by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Along {
    RoundTrip,
    Loss,
}

/// Which latency is charted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Latency {
    Median,
    P99,
}

/// What was measured of a transport over a network, and what theory expects: at least and at most.
struct Point<'n> {
    network: &'n OverNetwork,
    transport: Transport,
    measured: Figure,
    theory: Option<(f64, f64)>,
}

impl Along {
    fn of(self, network: &OverNetwork) -> f64 {
        match self {
            Self::RoundTrip => nanos(network.round_trip()),
            Self::Loss => network.loss,
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::RoundTrip => Self::Loss,
            Self::Loss => Self::RoundTrip,
        }
    }

    fn axis(self, most: f64) -> Axis {
        match self {
            Self::RoundTrip => Axis::even("round trip", most, Quantity::Time),
            Self::Loss => Axis::even("packets lost each way", most, Quantity::Share),
        }
    }

    fn written(self, network: &OverNetwork) -> String {
        match self {
            Self::RoundTrip => format!("{} round trip", tick(self.of(network))),
            Self::Loss => format!("{} lost", asked_share(network.loss)),
        }
    }
}

impl Latency {
    pub(crate) const BOTH: [Self; 2] = [Self::Median, Self::P99];

    const fn metric(self) -> Metric {
        match self {
            Self::Median => Metric::P50,
            Self::P99 => Metric::P99,
        }
    }

    const fn share(self) -> f64 {
        match self {
            Self::Median => 0.5,
            Self::P99 => 0.99,
        }
    }

    const fn axis_name(self) -> &'static str {
        match self {
            Self::Median => "delivery latency, p50",
            Self::P99 => "delivery latency, p99",
        }
    }

    const fn key(self, along: Along) -> &'static str {
        match (along, self) {
            (Along::RoundTrip, Self::Median) => "round-trips-p50",
            (Along::RoundTrip, Self::P99) => "round-trips-p99",
            (Along::Loss, Self::Median) => "losses-p50",
            (Along::Loss, Self::P99) => "losses-p99",
        }
    }
}

/// Draws a latency by round trip or by loss; `None` where there is one network, or where no two differ in loss alone.
pub(crate) fn chart(comparison: &Comparison<'_>, along: Along, latency: Latency) -> Result<Option<Chart>, ReportError> {
    let networks = series(&comparison.networks, along);
    let points: Vec<Point<'_>> = networks.iter().flat_map(|network| points(comparison, network, latency)).collect();
    if networks.len() < 2 || points.is_empty() {
        return Ok(None);
    }
    let within = nanos(comparison.slo.within);
    let (mut most, mut range) = (0.0_f64, (within, within));
    for point in &points {
        most = most.max(along.of(point.network));
        let theory = point.theory.into_iter().flat_map(|(low, high)| [low, high]);
        theory.chain([point.measured.point]).for_each(|value| widen(&mut range, value));
    }
    let up = Axis::latency(latency.axis_name(), snug(range));
    let drawing = draw(along.axis(most), up, Margins::LINES, |canvas| {
        let slo = asked_share(comparison.slo.share.as_f64());
        canvas.slo_across(within, &format!("SLO: {slo} in {}", tick(within)))?;
        curves(canvas, along, &points)
    })?;
    let is_alike = |two: &[&OverNetwork]| along.other().of(two[0]).total_cmp(&along.other().of(two[1])).is_eq();
    let fixed = if networks.windows(2).all(is_alike) {
        networks.first().map_or_else(String::new, |it| format!("With {}, ", along.other().written(it)))
    } else {
        String::new()
    };
    let title = match latency {
        Latency::Median => beside_theory(&points, &fixed),
        Latency::P99 => capitalised(&within_slo(&points, along, &fixed)),
    };
    Ok(Some(Chart {
        key: latency.key(along),
        title,
        description: "Line chart of delivery latency on a log axis over networks, a line a transport with a point a network, \
                      and the SLO as a horizontal line. Grey lines are what theory expects, with a band between them where \
                      packets are lost."
            .into(),
        drawing,
        rows: rows(&points),
    }))
}

/// Theory behind, then what was measured.
fn curves(canvas: &mut Canvas<'_>, along: Along, points: &[Point<'_>]) -> Result<(), Drawing> {
    let transports = || Transport::ALL.into_iter().filter(|it| points.iter().any(|point| point.transport == *it));
    let of = |transport| points.iter().filter(move |it| it.transport == transport);
    for transport in transports() {
        let edge = |end: fn((f64, f64)) -> f64| -> Vec<(f64, f64)> {
            of(transport).filter_map(|it| Some((along.of(it.network), end(it.theory?)))).collect()
        };
        let (low, high) = (edge(|it| it.0), edge(|it| it.1));
        canvas.band(&low, &high, Ink::of(transport))?;
        canvas.line(&low, Ink::RULE, 3)?;
        canvas.line(&high, Ink::RULE, 3)?;
    }
    let mut ends = Vec::new();
    for transport in transports() {
        let line: Vec<_> = of(transport).map(|it| (along.of(it.network), it.measured.point)).collect();
        canvas.line(&line, Ink::of(transport), 6)?;
        ends.extend(line.last().map(|end| (end.0, end.1, transport)));
    }
    canvas.end_labels(&ends)?;
    for point in points {
        let at = (canvas.at_x(along.of(point.network)), canvas.at_y(point.measured.point));
        let measured = Quantity::Time.write_figure(&point.measured);
        let (label, name) = (point.transport.label(), &point.network.name);
        canvas.point(at, point.transport, false, &format!("{label} over {name}: {measured}, theory {}", theory(point)));
    }
    Ok(())
}

/// The networks that differ in this alone: of several such series, the longest; of those, the one with the least loss, or
/// the middle round trip. Where no two differ in the round trip alone, those that differ in it.
fn series(all: &[OverNetwork], along: Along) -> Vec<&OverNetwork> {
    let other = |it: &OverNetwork| along.other().of(it);
    let mut others: Vec<f64> = all.iter().map(other).collect();
    others.sort_by(f64::total_cmp);
    others.dedup();
    let of = |at: &f64| -> Vec<&OverNetwork> {
        let mut them: Vec<_> = all.iter().filter(|it| other(it).total_cmp(at).is_eq()).collect();
        them.sort_by(|one, two| along.of(one).total_cmp(&along.of(two)));
        them.dedup_by(|one, two| along.of(one).total_cmp(&along.of(two)).is_eq());
        them
    };
    let series: Vec<_> = others.iter().map(of).collect();
    let longest = series.iter().map(Vec::len).max().unwrap_or(0);
    if longest < 2 && along == Along::RoundTrip {
        let mut them: Vec<_> = all.iter().collect();
        them.dedup_by_key(|it| it.round_trip_ns);
        return them;
    }
    let longest: Vec<_> = series.into_iter().filter(|it| it.len() == longest).collect();
    let at = if along == Along::Loss { longest.len() / 2 } else { 0 };
    longest.into_iter().nth(at).unwrap_or_default()
}

fn points<'n>(comparison: &Comparison<'_>, network: &'n OverNetwork, latency: Latency) -> Vec<Point<'n>> {
    let point = |it: &OneOver| {
        let theory = LatencyTheory::of(comparison.group.workload, it.transport, &network.link);
        let theory = theory.map(|theory| theory.quantile(latency.share())).map(|(low, high)| (nanos(low), nanos(high)));
        Some(Point { network, transport: it.transport, measured: it.figures.as_ref()?.get(latency.metric())?, theory })
    };
    network.transports.iter().filter_map(point).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a place on a drawing")]
const fn nanos(time: std::time::Duration) -> f64 {
    time.as_nanos() as f64
}

/// How far from what theory expects, as a share of it: 0 within its band.
fn off(point: &Point<'_>) -> Option<f64> {
    let (low, high) = point.theory?;
    let measured = point.measured.point;
    Some(if measured < low { 1.0 - measured / low } else { (measured / high - 1.0).max(0.0) })
}

/// `Medians lie within 4 % of theory, those of long polling within 20 %`.
fn beside_theory(points: &[Point<'_>], fixed: &str) -> String {
    let worst = |polls: bool| {
        let them = points.iter().filter(|it| it.transport.is_polling() == polls);
        them.filter_map(off).max_by(f64::total_cmp).map(|it| format!("{} %", (it * 100.0).ceil()))
    };
    let said = match (worst(false), worst(true)) {
        (Some(streams), Some(polls)) => {
            format!("medians of streams lie within {streams} of theory, of polls within {polls}")
        }
        (Some(one), None) | (None, Some(one)) => format!("medians lie within {one} of theory"),
        (None, None) => "medians of delivery latency".into(),
    };
    capitalised(&format!("{fixed}{said}"))
}

/// Up to which round trip or loss each transport is shown to meet the SLO.
fn within_slo(points: &[Point<'_>], along: Along, fixed: &str) -> String {
    let mut reached: Vec<(Option<&OverNetwork>, Vec<Transport>)> = Vec::new();
    for transport in Transport::ALL.into_iter().filter(|it| points.iter().any(|point| point.transport == *it)) {
        let mut of = points.iter().filter(|it| it.transport == transport).map(|it| it.network);
        let farthest = of.rfind(|network| network.is_met_by(transport));
        let same = |it: &Option<&OverNetwork>| it.map(|it| along.of(it)) == farthest.map(|it| along.of(it));
        match reached.iter_mut().find(|(it, _)| same(it)) {
            Some((_, those)) => those.push(transport),
            None => reached.push((farthest, vec![transport])),
        }
    }
    let said = reached.iter().map(|(farthest, those)| match farthest {
        Some(network) => format!("by {} up to {}", list(those), along.written(network)),
        None => format!("by {} nowhere", list(those)),
    });
    format!("{fixed}the SLO is shown to be met {}", said.collect::<Vec<_>>().join("; "))
}

fn theory(point: &Point<'_>) -> String {
    let write = |value| Quantity::Time.write(value);
    match point.theory {
        Some((low, high)) if write(low) == write(high) => write(low),
        Some((low, high)) => format!("{} to {}", write(low), write(high)),
        None => ABSENT.into(),
    }
}

fn rows(points: &[Point<'_>]) -> Rows {
    let row = |it: &Point<'_>| {
        vec![
            it.network.name.clone(),
            tick(Along::RoundTrip.of(it.network)),
            asked_share(it.network.loss),
            it.transport.label().to_owned(),
            Quantity::Time.write_figure(&it.measured),
            theory(it),
        ]
    };
    Rows::new(["network", "round trip", "lost", "transport", "measured", "theory"], points.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::study::Study;
    use crate::fixture;

    fn networks(those: &[(u64, f64)]) -> Vec<OverNetwork> {
        let mut run = fixture::over_networks();
        run.records.retain(|record| record.trial == 1);
        let study = Study::of(&run);
        let one = &study.answers().find(|it| !it.networks.is_empty()).unwrap().networks[0];
        let network = |&(round_trip_ns, loss)| OverNetwork { round_trip_ns, loss, ..one.clone() };
        those.iter().map(network).collect()
    }

    #[test]
    fn a_chart_is_drawn_along_what_alone_networks_differ_in() {
        let found = |those: &[(u64, f64)], along| -> Vec<(u64, f64)> {
            series(&networks(those), along).iter().map(|it| (it.round_trip_ns, it.loss)).collect()
        };
        let grid = [(1, 0.0), (1, 0.1), (1, 0.2), (2, 0.0), (2, 0.1), (2, 0.2), (3, 0.0), (3, 0.1), (3, 0.2)];
        assert_eq!(found(&grid, Along::RoundTrip), [(1, 0.0), (2, 0.0), (3, 0.0)]);
        assert_eq!(found(&grid, Along::Loss), [(2, 0.0), (2, 0.1), (2, 0.2)]);
        let several = [(1, 0.0), (2, 0.1), (3, 0.2)];
        assert_eq!(found(&several, Along::RoundTrip), several);
        assert_eq!(found(&several, Along::Loss).len(), 1);
    }

    #[test]
    fn what_was_measured_stands_beside_theory() {
        let mut run = fixture::over_networks();
        run.records.retain(|record| record.trial <= 2);
        let study = Study::of(&run);
        let ticker = study.answers().find(|it| it.group.workload.name == "ticker").unwrap();
        let chart = chart(ticker, Along::RoundTrip, Latency::Median).unwrap().unwrap();
        let theory = |network: &str, transport: &str| {
            chart.rows.body.iter().find(|row| row[0] == network && row[3] == transport).unwrap()[5].clone()
        };
        assert_eq!(theory("cable", "SSE"), "14.0 ms");
        // An even 20 messages a second: each waits for the poll after the one that brought the last.
        assert_eq!(theory("fast-4g", "long polling"), "60.0 ms");
        assert!(chart.title.starts_with("With 0 % lost, medians of streams lie within "), "{}", chart.title);
    }
}
