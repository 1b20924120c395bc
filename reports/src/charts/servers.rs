//! One figure of several servers: a row a transport, a point a server.

use pushoff_model::Transport;
use pushoff_model::target::OURS;

use super::axis::{Axis, snug};
use super::canvas::{Canvas, Drawing, Hold, Ink, LINE, Margins, draw};
use super::{Chart, NOTHING, Rows, widen};
use crate::ReportError;
use crate::findings::servers::{Beside, Line};
use crate::metric::{Bound, Metric, Value};
use crate::palette;
use crate::table::Over;
use crate::words::number::{ABSENT, Quantity};

/// What is drawn of a workload: the first that was measured. Silence in which a server came to its limit
/// by polls is asked how many.
fn drawn(beside: &Beside<'_>) -> Option<(usize, Metric)> {
    let place = |metric: Metric| Some((beside.metrics.iter().position(|it| *it == metric)?, metric));
    let is_exact = |line: &Line<'_>| line.figures.value(Metric::Polls).is_some_and(|it| it.bound == Bound::Exact);
    let silent = if beside.lines.iter().any(is_exact) {
        [Metric::Polls, Metric::IdlePss]
    } else {
        [Metric::IdlePss, Metric::Polls]
    };
    [Metric::P50, Metric::Capacity, Metric::CapacityDelivered].into_iter().chain(silent).find_map(place)
}

/// Draws the most telling figure; `None` where none was measured.
pub(crate) fn chart(beside: &Beside<'_>) -> Result<Option<Chart>, ReportError> {
    let Some((index, metric)) = drawn(beside) else { return Ok(None) };
    let lines: Vec<(&Line<'_>, Value, String)> = (beside.lines.iter().enumerate())
        .filter_map(|(place, line)| Some((line, seen(line, metric)?, says(beside, (index, place)))))
        .collect();
    let mut range = NOTHING;
    for (_, reading, _) in &lines {
        // Room beside the points; of an interval that says nothing, only so much.
        widen(&mut range, reading.figure.low().clamp(reading.figure.point / 3.0, reading.figure.point / 1.15));
        widen(&mut range, reading.figure.high().clamp(reading.figure.point * 1.15, reading.figure.point * 3.0));
    }
    if range.1 <= 0.0 {
        return Ok(None);
    }
    let axis = Axis::log(name(metric), snug(range), metric.unit());
    let drawing = draw(axis, Axis::rows(), Margins { right: 60, ..Margins::ROWS }, |canvas| {
        legend(canvas, beside)?;
        let mut transports: Vec<Transport> = lines.iter().map(|(line, ..)| line.transport()).collect();
        transports.dedup();
        transports.retain(|transport| transport.is_ranked());
        if let Some((line, value, says)) = lines.iter().find(|(line, ..)| !line.transport().is_ranked()) {
            floor(canvas, line, value, says)?;
        }
        canvas.row_labels(&transports)?;
        for (line, reading, says) in lines.iter().filter(|(line, ..)| line.transport().is_ranked()) {
            let row = transports.iter().position(|it| *it == line.transport()).unwrap_or(0);
            let place = beside.place(line.server());
            let y = canvas.row(row, transports.len()) + beside_the_middle(place, beside.servers.len());
            let (ink, figure) = (Ink::of_server(place), reading.figure);
            canvas.rule((canvas.at_x(figure.low()), y), (canvas.at_x(figure.high()), y), ink, 5)?;
            let at = (canvas.at_x(figure.point), y);
            canvas.shape(at, ink, palette::server_marker(place), line.void.is_some(), says);
        }
        Ok(())
    })?;
    Ok(Some(Chart {
        key: "servers",
        title: format!("{}: {}", beside.label, title(beside, index, metric)),
        description: format!(
            "Dot chart of {} with its 95 % interval, a row a transport with a point a server, on a log axis; raw TCP \
             as an upright line where it was measured. Hollow points are void.",
            name(metric)
        ),
        drawing,
        rows: rows(beside, index),
    }))
}

/// What can stand on a log axis.
fn seen(line: &Line<'_>, metric: Metric) -> Option<Value> {
    line.figures.value(metric).filter(|value| value.figure.point > 0.0)
}

fn name(metric: Metric) -> &'static str {
    let named = [
        (Metric::P50, "delivery latency, p50"),
        (Metric::Capacity, "the most deliveries a second"),
        (Metric::CapacityDelivered, "the most deliveries a second"),
        (Metric::IdlePss, "server memory a connection, idle"),
        (Metric::Polls, "polls a second"),
    ];
    named.into_iter().find(|it| it.0 == metric).map_or(metric.label(), |it| it.1)
}

fn legend(canvas: &mut Canvas<'_>, beside: &Beside<'_>) -> Result<(), Drawing> {
    let mut x = canvas.left();
    for (place, server) in beside.servers.iter().enumerate().take(palette::SERVERS) {
        let (ink, y) = (Ink::of_server(place), canvas.top() - 34);
        canvas.shape((x + 14, y), ink, palette::server_marker(place), false, server);
        canvas.text((x + 40, y), server, ink, Hold::Left)?;
        x += 70 + 22 * i32::try_from(server.chars().count()).unwrap_or(0);
    }
    Ok(())
}

fn floor(canvas: &mut Canvas<'_>, line: &Line<'_>, value: &Value, says: &str) -> Result<(), Drawing> {
    let (x, transport) = (canvas.at_x(value.figure.point), line.transport());
    canvas.rule((x, canvas.top()), (x, canvas.bottom()), Ink::of(transport), 4)?;
    canvas.text((x + 10, canvas.bottom() - LINE / 2), transport.label(), Ink::of(transport), Hold::Left)?;
    canvas.touch((x, canvas.bottom() - LINE / 2), says);
    Ok(())
}

/// How far from the middle of its row a server's point stands.
fn beside_the_middle(place: usize, servers: usize) -> i32 {
    let (place, servers) = (i32::try_from(place).unwrap_or(0), i32::try_from(servers.max(1)).unwrap_or(1));
    LINE * 2 * (2 * place + 1 - servers) / (2 * servers)
}

fn says(beside: &Beside<'_>, (metric, place): (usize, usize)) -> String {
    let line = &beside.lines[place];
    let void = if line.void.is_some() { ", void" } else { "" };
    let words = beside.entry((metric, Over::Nothing), place).whole();
    format!("{} on {}: {words}{void}", line.transport().label(), line.server())
}

/// From which to which the ratios to the baseline run, and no more than that.
fn title(beside: &Beside<'_>, index: usize, metric: Metric) -> String {
    let subject = beside.servers.iter().find(|server| **server == OURS);
    let subject = subject.or_else(|| beside.servers.iter().find(|server| **server != beside.baseline));
    let plain = || format!("{} on each server", name(metric));
    let Some(subject) = subject else { return plain() };
    let ratio = |(place, line): (usize, &Line<'_>)| {
        let ratio = beside.relation(index, place).to_baseline.filter(|ratio| ratio.bound == Bound::Exact)?;
        Some((line.transport(), ratio.figure.point))
    };
    let own = beside.lines.iter().enumerate().filter(|(_, line)| line.server() == *subject);
    let mut ratios: Vec<(Transport, f64)> = own.filter_map(ratio).collect();
    ratios.sort_by(|one, other| one.1.total_cmp(&other.1));
    let times = |ratio: f64| Quantity::Ratio.write(ratio).trim_end_matches('×').to_owned();
    let (what, base) = (name(metric), &beside.baseline);
    match ratios.as_slice() {
        [] => plain(),
        [(transport, one)] => format!("{what}, on {subject} {} times {base}’s ({})", times(*one), transport.label()),
        [(least, low), .., (most, high)] => format!(
            "{what}, on {subject} {} ({}) to {} ({}) times {base}’s",
            times(*low),
            least.label(),
            times(*high),
            most.label()
        ),
    }
}

fn rows(beside: &Beside<'_>, index: usize) -> Rows {
    let head = ["transport".to_owned()].into_iter().chain(beside.servers.iter().cloned()).collect();
    let mut transports: Vec<Transport> = beside.lines.iter().map(Line::transport).collect();
    transports.dedup();
    let body = transports.into_iter().map(|transport| {
        let words = |server: &String| {
            let is_it = |line: &Line<'_>| line.transport() == transport && line.server() == server;
            let place = beside.lines.iter().position(is_it);
            place.map_or_else(|| ABSENT.to_owned(), |place| beside.entry((index, Over::Nothing), place).whole())
        };
        [transport.label().to_owned()].into_iter().chain(beside.servers.iter().map(words)).collect()
    });
    Rows { head, body: body.collect() }
}
