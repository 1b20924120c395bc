//! Latency by percentile, each nine with the same room: what the slowest deliveries take.

use pushoff_model::Transport;
use pushoff_model::record::Measurement;

use super::axis::{Axis, snug};
use super::canvas::{Ink, Margins, draw};
use super::{Chart, Rows, named, widen};
use crate::ReportError;
use crate::findings::comparison::Comparison;
use crate::metric::{Figures, Metric};
use crate::words::number::{ABSENT, Quantity, asked_share, tick};
use pushoff_stats::{Figure, Pool, resamples};

/// Points of a curve.
const STEPS: u32 = 40;

/// Where the range of latencies begins, 1 ÷ (1 − share): one in a hundred may lie below the axis.
const LEFT: f64 = 1.01;

/// A transport's latency along the axis of nines.
struct Curve {
    transport: Transport,
    /// Place on the axis, 1 ÷ (1 − share), and the latency there.
    points: Vec<(f64, Figure)>,
    marks: Vec<(f64, String)>,
}

/// Draws latency by percentile.
pub(crate) fn chart(comparison: &Comparison<'_>) -> Result<Option<Chart>, ReportError> {
    let curves: Vec<Curve> = comparison
        .charted()
        .map(|(cell, _, figures)| Curve {
            transport: cell.transport(),
            points: curve(&cell.valid()),
            marks: marks(cell.transport(), figures),
        })
        .filter(|curve| !curve.points.is_empty())
        .collect();
    if curves.is_empty() {
        return Ok(None);
    }
    let slo = &comparison.slo;
    let within = slo.within.as_secs_f64() * 1e9;
    let (mut latency, mut most) = ((within, within), 0.0_f64);
    for (place, figure) in curves.iter().flat_map(|curve| &curve.points) {
        most = most.max(*place);
        // The quickest delivery of thousands is no news.
        if *place >= LEFT {
            widen(&mut latency, figure.point);
        }
    }
    let axes = (Axis::nines("percentile of deliveries", most), Axis::latency("delivery latency", snug(latency)));
    let drawing = draw(axes.0, axes.1, Margins::LINES, |canvas| {
        canvas.slo_across(within, &format!("SLO: {} in {}", asked_share(slo.share.as_f64()), tick(within)))?;
        for curve in curves.iter().rev() {
            let edge = |end: fn(&Figure) -> f64| -> Vec<_> { curve.points.iter().map(|(x, y)| (*x, end(y))).collect() };
            canvas.band(&edge(Figure::low), &edge(Figure::high), Ink::of(curve.transport))?;
            let width = if curve.transport.is_ranked() { 6 } else { 3 };
            canvas.line(&edge(|figure| figure.point), Ink::of(curve.transport), width)?;
        }
        let ends: Vec<_> =
            curves.iter().filter_map(|it| it.points.last().map(|(x, y)| (*x, y.point, it.transport))).collect();
        canvas.end_labels(&ends)?;
        for curve in &curves {
            for (x, says) in &curve.marks {
                let Some((_, y)) = curve
                    .points
                    .iter()
                    .min_by(|one, other| (one.0.ln() - x.ln()).abs().total_cmp(&(other.0.ln() - x.ln()).abs()))
                else {
                    continue;
                };
                canvas.point((canvas.at_x(*x), canvas.at_y(y.point)), curve.transport, false, says);
            }
        }
        Ok(())
    })?;
    Ok(Some(Chart {
        key: "percentiles",
        title: title(comparison, within),
        description: "Line chart of delivery latency on a log axis by percentile, a line a transport with its \
                      95 % interval as a band, and the SLO as a horizontal line."
            .into(),
        drawing,
        rows: rows(comparison),
    }))
}

/// Latencies at the shares that there are deliveries for, and at the marked percentiles.
fn curve(trials: &[&Measurement]) -> Vec<(f64, Figure)> {
    let pool = Pool::new(&trials.iter().map(|it| &it.delivery_latency).collect::<Vec<_>>());
    #[expect(clippy::cast_precision_loss, reason = "a place on a drawing")]
    let most = pool.count() as f64;
    if most < 1.0 {
        return Vec::new();
    }
    let even = (0..=STEPS).map(|step| most.powf(f64::from(step) / f64::from(STEPS)));
    let marked = [2.0, 10.0, 100.0, 1_000.0].into_iter().filter(|place| *place <= most);
    let mut places: Vec<f64> = even.chain(marked).collect();
    places.sort_by(f64::total_cmp);
    let shares: Vec<f64> = places.iter().map(|place| 1.0 - 1.0 / place).collect();
    let messages = trials.iter().map(|it| it.window.published).sum();
    let figures = pool.estimate(messages, trials.len(), &resamples(trials.len()), &shares);
    places.into_iter().zip(figures).filter_map(|(place, figure)| Some((place, figure?))).collect()
}

fn marks(transport: Transport, figures: &Figures) -> Vec<(f64, String)> {
    let shown = [
        (2.0, "p50", figures.get(Metric::P50)),
        (10.0, "p90", figures.get(Metric::P90)),
        (100.0, "p99", figures.get(Metric::P99)),
    ];
    shown
        .into_iter()
        .chain([(1_000.0, "p99.9", figures.get(Metric::P999))])
        .filter_map(|(place, name, figure)| {
            Some((place, format!("{}, {name}: {}", transport.label(), Quantity::Time.write_figure(&figure?))))
        })
        .collect()
}

/// Who stays under the SLO's time to the 99th percentile, and who does not.
fn title(comparison: &Comparison<'_>, within: f64) -> String {
    let seen: Vec<(Transport, Figure)> =
        comparison.compared().filter_map(|(transport, figures)| Some((transport, figures.get(Metric::P99)?))).collect();
    if seen.is_empty() {
        return "Delivery latency by percentile: too few trials to compare".into();
    }
    let those = |keep: fn(&Figure, f64) -> bool| -> Vec<Transport> {
        seen.iter().filter(|(_, p99)| keep(p99, within)).map(|(transport, _)| *transport).collect()
    };
    let (under, over) = (those(|p99, within| p99.high() <= within), those(|p99, within| p99.low() > within));
    let limit = tick(within);
    let verb = |count: usize, one: &'static str, many: &'static str| if count == 1 { one } else { many };
    match (under.as_slice(), over.as_slice()) {
        ([], []) => format!("No transport is clearly on either side of {limit} at the 99th percentile"),
        ([], over) => {
            let verb = verb(over.len(), "takes", "take");
            format!("{} {verb} longer than {limit} at the 99th percentile", named(over))
        }
        (under, over) => {
            let stay = verb(under.len(), "stays", "stay");
            let rest = if over.is_empty() {
                String::new()
            } else {
                format!("; {} {} not", crate::words::text::list(over), verb(over.len(), "does", "do"))
            };
            format!("{} {stay} under {limit} to the 99th percentile{rest}", named(under))
        }
    }
}

fn rows(comparison: &Comparison<'_>) -> Rows {
    let body = comparison.charted().map(|(cell, _, it)| {
        let figures =
            [it.get(Metric::P50), it.get(Metric::P90), it.get(Metric::P99), it.get(Metric::P999), it.get(Metric::Max)];
        let words = figures.map(|it| it.map_or_else(|| ABSENT.to_owned(), |it| Quantity::Time.write_figure(&it)));
        [cell.transport().label().to_owned()].into_iter().chain(words).collect()
    });
    Rows::new(["transport", "p50", "p90", "p99", "p99.9", "max"], body.collect())
}
