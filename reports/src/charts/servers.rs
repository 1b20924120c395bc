//! One figure of several servers: a row a transport, a point a server.

use pushoff_model::Transport;
use pushoff_model::target::OURS;

use super::axis::{Axis, snug};
use super::canvas::{Canvas, Drawing, Hold, Ink, LINE, Margins, draw};
use super::{Chart, NOTHING, Rows, widen};
use crate::ReportError;
use crate::number::{ABSENT, Quantity};
use crate::palette;
use crate::servers::{Beside, Bound, Gauge, Line, Reading};

/// What is drawn of a workload: the first that was measured. Silence in which a server came to its limit
/// by polls is asked how many.
fn drawn(beside: &Beside<'_>) -> Option<(usize, Gauge)> {
    let place = |gauge: Gauge| Some((beside.gauges.iter().position(|it| *it == gauge)?, gauge));
    let is_known = |(polls, _): (usize, Gauge)| {
        beside.lines.iter().any(|line| line.readings[polls].as_ref().is_some_and(|it| it.bound == Bound::Exact))
    };
    let silent = if place(Gauge::Polls).is_some_and(is_known) {
        [Gauge::Polls, Gauge::IdleMemory]
    } else {
        [Gauge::IdleMemory, Gauge::Polls]
    };
    [Gauge::P50, Gauge::Capacity].into_iter().chain(silent).find_map(place)
}

/// Draws the most telling figure; `None` where none was measured.
pub(crate) fn chart(beside: &Beside<'_>) -> Result<Option<Chart>, ReportError> {
    let Some((index, gauge)) = drawn(beside) else { return Ok(None) };
    let lines: Vec<(&Line<'_>, &Reading)> =
        beside.lines.iter().filter_map(|line| Some((line, seen(line, index)?))).collect();
    let mut range = NOTHING;
    for (_, reading) in &lines {
        // Room beside the points; of an interval that says nothing, only so much.
        widen(&mut range, reading.figure.low().clamp(reading.figure.point / 3.0, reading.figure.point / 1.15));
        widen(&mut range, reading.figure.high().clamp(reading.figure.point * 1.15, reading.figure.point * 3.0));
    }
    if range.1 <= 0.0 {
        return Ok(None);
    }
    let axis = Axis::log(name(gauge), snug(range), gauge.quantity());
    let drawing = draw(axis, Axis::rows(), Margins { right: 60, ..Margins::ROWS }, |canvas| {
        legend(canvas, beside)?;
        let mut transports: Vec<Transport> = lines.iter().map(|(line, _)| line.transport).collect();
        transports.dedup();
        transports.retain(|transport| transport.is_ranked());
        if let Some((line, reading)) = lines.iter().find(|(line, _)| !line.transport.is_ranked()) {
            floor(canvas, line, reading, gauge)?;
        }
        canvas.row_labels(&transports)?;
        for (line, reading) in lines.iter().filter(|(line, _)| line.transport.is_ranked()) {
            let row = transports.iter().position(|it| *it == line.transport).unwrap_or(0);
            let place = beside.place(line.server);
            let y = canvas.row(row, transports.len()) + beside_the_middle(place, beside.servers.len());
            let (ink, figure) = (Ink::of_server(place), reading.figure);
            canvas.rule((canvas.at_x(figure.low()), y), (canvas.at_x(figure.high()), y), ink, 5)?;
            let at = (canvas.at_x(figure.point), y);
            canvas.shape(at, ink, palette::server_marker(place), line.void.is_some(), &says(line, reading, gauge));
        }
        Ok(())
    })?;
    Ok(Some(Chart {
        key: "servers",
        title: format!("{}: {}", beside.label, title(beside, index, gauge)),
        description: format!(
            "Dot chart of {} with its 95 % interval, a row a transport with a point a server, on a log axis; raw TCP \
             as an upright line where it was measured. Hollow points are void.",
            name(gauge)
        ),
        drawing,
        rows: rows(beside, index, gauge),
    }))
}

/// What can stand on a log axis.
fn seen<'l>(line: &'l Line<'_>, gauge: usize) -> Option<&'l Reading> {
    line.readings[gauge].as_ref().filter(|reading| reading.figure.point > 0.0)
}

const fn name(gauge: Gauge) -> &'static str {
    match gauge {
        Gauge::P50 => "delivery latency, p50",
        Gauge::P99 => "delivery latency, p99",
        Gauge::DeliveryCpu => "server CPU a delivery",
        Gauge::DeliveryBytes => "bytes a delivery",
        Gauge::Capacity => "the most deliveries a second",
        Gauge::IdleMemory => "server memory a connection, idle",
        Gauge::Connections => "connections a second",
        Gauge::ConnectionCpu => "server CPU a connection",
        Gauge::Polls => "polls a second",
    }
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

fn floor(canvas: &mut Canvas<'_>, line: &Line<'_>, reading: &Reading, gauge: Gauge) -> Result<(), Drawing> {
    let x = canvas.at_x(reading.figure.point);
    canvas.rule((x, canvas.top()), (x, canvas.bottom()), Ink::of(line.transport), 4)?;
    canvas.text((x + 10, canvas.bottom() - LINE / 2), line.transport.label(), Ink::of(line.transport), Hold::Left)?;
    canvas.touch((x, canvas.bottom() - LINE / 2), &says(line, reading, gauge));
    Ok(())
}

/// How far from the middle of its row a server's point stands.
fn beside_the_middle(place: usize, servers: usize) -> i32 {
    let (place, servers) = (i32::try_from(place).unwrap_or(0), i32::try_from(servers.max(1)).unwrap_or(1));
    LINE * 2 * (2 * place + 1 - servers) / (2 * servers)
}

fn says(line: &Line<'_>, reading: &Reading, gauge: Gauge) -> String {
    let void = if line.void.is_some() { ", void" } else { "" };
    format!("{} on {}: {}{void}", line.transport.label(), line.server, reading.entry(gauge).whole())
}

/// From which to which the ratios to the baseline run, and no more than that.
fn title(beside: &Beside<'_>, index: usize, gauge: Gauge) -> String {
    let subject = beside.servers.iter().find(|server| **server == OURS);
    let subject = subject.or_else(|| beside.servers.iter().find(|server| **server != beside.baseline));
    let plain = || format!("{} on each server", name(gauge));
    let Some(subject) = subject else { return plain() };
    let ratio = |line: &Line<'_>| {
        let ratio = line.readings[index].as_ref()?.to_baseline.filter(|ratio| ratio.bound == Bound::Exact)?;
        Some((line.transport, ratio.figure.point))
    };
    let mut ratios: Vec<(Transport, f64)> =
        beside.lines.iter().filter(|line| line.server == *subject).filter_map(ratio).collect();
    ratios.sort_by(|one, other| one.1.total_cmp(&other.1));
    let times = |ratio: f64| Quantity::Ratio.write(ratio).trim_end_matches('×').to_owned();
    let (what, base) = (name(gauge), beside.baseline);
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

fn rows(beside: &Beside<'_>, index: usize, gauge: Gauge) -> Rows {
    let head = ["transport".to_owned()].into_iter().chain(beside.servers.iter().map(|it| (*it).to_owned())).collect();
    let mut transports: Vec<Transport> = beside.lines.iter().map(|line| line.transport).collect();
    transports.dedup();
    let body = transports.into_iter().map(|transport| {
        let words = |server: &&str| {
            let reading = beside.line(transport, server).and_then(|line| line.readings[index].as_ref());
            reading.map_or_else(|| ABSENT.to_owned(), |reading| reading.entry(gauge).whole())
        };
        [transport.label().to_owned()].into_iter().chain(beside.servers.iter().map(words)).collect()
    });
    Rows { head, body: body.collect() }
}
