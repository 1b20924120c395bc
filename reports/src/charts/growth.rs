//! What a connection costs at several sizes; a level line is a constant cost.

use super::axis::{Axis, snug};
use super::canvas::{Ink, Margins, draw};
use super::{Chart, NOTHING, Rows, widen};
use crate::ReportError;
use crate::findings::scaling::{Family, Line, Point};
use crate::metric::Metric;
use crate::table::metrics::{SCALING, Scaled};
use crate::words::number::{ABSENT, Quantity, thousands};
use crate::words::text::capitalised;

/// Draws a chart a metric that was measured.
pub(crate) fn charts(family: &Family) -> Result<Vec<Chart>, ReportError> {
    SCALING.into_iter().filter_map(|scaled| chart(family, scaled).transpose()).collect()
}

fn chart(family: &Family, scaled: Scaled) -> Result<Option<Chart>, ReportError> {
    let metric = scaled.metric;
    let (mut sizes, mut costs) = (NOTHING, NOTHING);
    for point in family.lines.iter().flat_map(|line| seen(line, metric)) {
        widen(&mut sizes, f64::from(point.connections));
        widen(&mut costs, point.cost.point);
    }
    if sizes.1 <= sizes.0 || costs.1 <= 0.0 {
        return Ok(None);
    }
    let axes = (
        Axis::log("connections", (sizes.0 / 1.5, sizes.1 * 1.5), Quantity::Count),
        Axis::log(scaled.axis, snug(costs), metric.unit()),
    );
    let drawing = draw(axes.0, axes.1, Margins::LINES, |canvas| {
        for line in family.lines.iter().rev() {
            let Some(first) = seen(line, metric).next() else { continue };
            let level = canvas.at_y(first.cost.point);
            let from = canvas.at_x(f64::from(first.connections));
            canvas.rule((from, level), (canvas.right(), level), Ink::RULE, 6)?;
        }
        for line in family.lines.iter().rev() {
            let values: Vec<_> = seen(line, metric).map(|it| (f64::from(it.connections), it.cost.point)).collect();
            canvas.line(&values, Ink::of(line.transport()), if line.transport().is_ranked() { 6 } else { 3 })?;
        }
        let last = |line: &Line| {
            seen(line, metric).last().map(|it| (f64::from(it.connections), it.cost.point, line.transport()))
        };
        canvas.end_labels(&family.lines.iter().filter_map(last).collect::<Vec<_>>())?;
        for line in &family.lines {
            for it in seen(line, metric) {
                let says = format!(
                    "{} at {}: {}",
                    line.transport().label(),
                    thousands(&it.connections.to_string()),
                    metric.unit().write_figure(&it.cost)
                );
                let at = (canvas.at_x(f64::from(it.connections)), canvas.at_y(it.cost.point));
                canvas.point(at, line.transport(), it.is_void, &says);
            }
        }
        Ok(())
    })?;
    Ok(Some(Chart {
        key: scaled.key,
        title: title(family, scaled),
        description: format!(
            "Line chart of {} over the number of connections, both on log axes, a line a transport with a point a \
             size; from the first point of each a thin level line, which is a constant cost.",
            scaled.axis
        ),
        drawing,
        rows: rows(family, metric),
    }))
}

/// What can stand on a log axis: a difference of two readings may be none.
fn seen(line: &Line, metric: Metric) -> impl DoubleEndedIterator<Item = &Point> {
    line.points(metric).filter(|it| it.cost.point > 0.0)
}

/// From which to which the slopes run.
fn title(family: &Family, scaled: Scaled) -> String {
    let ranked = || family.lines.iter().filter(|line| line.transport().is_ranked());
    let slopes = || ranked().filter_map(|line| Some((line.transport(), line.slopes.get(scaled.slope)?.point)));
    let name = capitalised(scaled.axis);
    let (Some(least), Some(most)) = (
        slopes().min_by(|one, other| one.1.total_cmp(&other.1)),
        slopes().max_by(|one, other| one.1.total_cmp(&other.1)),
    ) else {
        return name;
    };
    let [low, high] = [least.1, most.1].map(|slope| Quantity::Power.write(slope));
    if low == high {
        return format!("{name}: slope {low} on every transport");
    }
    format!("{name}: slopes from {low} ({}) to {high} ({})", least.0.label(), most.0.label())
}

fn rows(family: &Family, metric: Metric) -> Rows {
    let sizes = family.sizes.iter().map(|size| thousands(&size.to_string()));
    let head = ["transport".to_owned()].into_iter().chain(sizes).collect();
    let body = family.lines.iter().map(|line| {
        let at = |size: &u32| {
            let found = line.points(metric).find(|it| it.connections == *size);
            found.map_or_else(|| ABSENT.to_owned(), |it| metric.unit().write_figure(&it.cost))
        };
        [line.transport().label().to_owned()].into_iter().chain(family.sizes.iter().map(at)).collect()
    });
    Rows { head, body: body.collect() }
}
