//! Bytes a delivery by wire: a line a transport, from the lightest wire to the heaviest; hollow where compressed.

use pushoff_model::Transport;
use pushoff_model::wire::Wire;

use super::axis::{Axis, snug};
use super::canvas::{Canvas, Drawing, Ink, Margins, draw};
use super::{Chart, NOTHING, Rows, widen};
use crate::ReportError;
use crate::findings::servers::Line;
use crate::findings::wires::OnWires;
use crate::metric::Metric;
use crate::words::describe;
use pushoff_stats::Figure;

/// What is drawn.
const DRAWN: Metric = Metric::Down;
/// As in the chart of cost: beyond this the axis is logarithmic.
const FAR: f64 = 12.0;

/// A cell, and the place of its wire along the axis.
struct Point<'l> {
    line: &'l Line<'l>,
    place: f64,
    bytes: Figure,
}

/// Draws the bytes of a delivery by wire; `None` where none were counted.
pub(crate) fn chart(on: &OnWires<'_>) -> Result<Option<Chart>, ReportError> {
    let places = places(on);
    let points: Vec<Point<'_>> = on.lines.iter().filter_map(|line| point(line, &places)).collect();
    if points.is_empty() {
        return Ok(None);
    }
    let mut range = NOTHING;
    points.iter().for_each(|it| widen(&mut range, it.bytes.point));
    let (name, unit) = ("bytes a delivery, down", DRAWN.unit());
    let is_far = range.1 > FAR * range.0;
    let up = if is_far { Axis::log(name, snug(range), unit) } else { Axis::even(name, range.1, unit) };
    let across = Axis::places("", places.iter().map(ToString::to_string));
    let drawing = draw(across, up, Margins::LINES, |canvas| curves(canvas, &points))?;
    let rows = points.iter().map(|it| {
        let named = format!("{}, {}", it.line.transport().label(), it.line.wire());
        vec![named, unit.write_figure(&it.bytes)]
    });
    Ok(Some(Chart {
        key: "wires",
        title: title(on),
        description: format!(
            "Line chart of the bytes of a delivery from server to client on an axis {}, a line a transport with a point a \
             wire, from the lightest to the heaviest. Hollow points on thin lines are compressed.",
            if is_far { "that is logarithmic" } else { "from zero" }
        ),
        drawing,
        rows: Rows::new(["transport and wire", name], rows.collect()),
    }))
}

/// Where a wire stands: with and without compression at one place.
fn places(on: &OnWires<'_>) -> Vec<Wire> {
    let mut places: Vec<Wire> = on.wires.iter().map(|wire| Wire { compressed: false, ..*wire }).collect();
    places.dedup();
    places
}

fn point<'l>(line: &'l Line<'l>, places: &[Wire]) -> Option<Point<'l>> {
    let place = (0..).zip(places).find(|(_, it)| **it == Wire { compressed: false, ..line.wire() })?.0;
    let bytes = line.figures.get(DRAWN).filter(|_| line.void.is_none())?;
    Some(Point { line, place: f64::from(place), bytes })
}

fn curves(canvas: &mut Canvas<'_>, points: &[Point<'_>]) -> Result<(), Drawing> {
    let mut ends = Vec::new();
    for transport in Transport::ALL {
        let of = |compressed| -> Vec<(f64, f64)> {
            let them = points.iter().filter(|it| it.line.transport() == transport);
            let them = them.filter(|it| it.line.wire().compressed == compressed);
            them.map(|it| (it.place, it.bytes.point)).collect()
        };
        let (plain, compressed) = (of(false), of(true));
        canvas.line(&compressed, Ink::of(transport), 3)?;
        canvas.line(&plain, Ink::of(transport), 6)?;
        ends.extend(plain.last().or_else(|| compressed.last()).map(|end| (end.0, end.1, transport)));
    }
    canvas.end_labels(&ends)?;
    if points.iter().any(|it| it.line.wire().compressed) {
        canvas.remark("hollow: compressed")?;
    }
    for Point { line, place, bytes } in points {
        let says = format!("{}, {}: {}", line.transport().label(), line.wire(), DRAWN.unit().write_figure(bytes));
        let at = (canvas.at_x(*place), canvas.at_y(bytes.point));
        canvas.point(at, line.transport(), line.wire().compressed, &says);
    }
    Ok(())
}

/// How much heavier the heaviest wire is than the lightest, compression apart where there is another.
fn title(on: &OnWires<'_>) -> String {
    let further = || on.wires.iter().skip(1);
    let heaviest = further().rfind(|it| !it.compressed).or_else(|| further().last());
    let (Some(lightest), Some(heaviest)) = (on.wires.first(), heaviest) else { return String::new() };
    let of = on.lines.iter().filter(|line| line.wire() == *heaviest);
    let mut range = NOTHING;
    of.filter_map(|line| on.to_lightest(DRAWN, line)).for_each(|ratio| widen(&mut range, ratio.figure.point));
    let [heaviest, lightest] = [heaviest, lightest].map(|it| describe::wire(*it));
    if range.0 > range.1 {
        return format!("Bytes of a delivery with {heaviest} and with {lightest}");
    }
    let [low, high] = [range.0, range.1].map(|it| crate::words::number::Quantity::Ratio.write(it));
    let times = if low == high { low } else { format!("{low} to {high}") };
    format!("With {heaviest} a delivery takes {times} the bytes of {lightest}")
}
