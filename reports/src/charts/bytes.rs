//! Bytes a delivery, down and up, stacked by what they are.

use pushoff_model::Transport;

use super::axis::Axis;
use super::canvas::{Hold, Ink, LINE, Margins, draw};
use super::{Chart, Rows};
use crate::ReportError;
use crate::cells::Group;
use crate::cells::validity::Validity;
use crate::metric::{Direction, Figures, Metric};
use crate::words::number::{ABSENT, Quantity};
use pushoff_stats::Figure;

/// The parts, and how strongly each is drawn.
const PARTS: [(&str, f64); 4] = [("payload", 1.0), ("framing", 0.62), ("heads", 0.42), ("rest", 0.16)];

/// The two directions.
const WAYS: [Direction; 2] = [Direction::DOWN, Direction::UP];

struct Bar<'a> {
    transport: Transport,
    figures: &'a Figures,
}

/// Draws bytes a delivery; `None` where nothing was delivered or counted.
pub(crate) fn chart(group: &Group<'_>, figures: &[Option<&Figures>]) -> Result<Option<Chart>, ReportError> {
    let bars: Vec<Bar<'_>> = group
        .cells
        .iter()
        .zip(figures)
        .filter_map(|(cell, figures)| {
            Some(Bar { transport: cell.transport(), figures: (*figures)? }).filter(|_| !Validity::of(cell).is_void())
        })
        .filter(|bar| bar.figures.get(Metric::Down).is_some())
        .collect();
    if bars.is_empty() {
        return Ok(None);
    }
    let most = bars.iter().flat_map(|bar| WAYS.map(|way| bar.figures.get(way.bytes))).flatten().map(|it| it.point);
    let axis = Axis::even("bytes a delivery: down above, up below", most.fold(0.0, f64::max), Quantity::Bytes);
    let drawing = draw(axis, Axis::rows(), Margins::ROWS, |canvas| {
        let mut x = canvas.left();
        for (words, strength) in PARTS {
            canvas.block((x, canvas.top() - 50), (x + 30, canvas.top() - 20), Ink::FAINT, strength)?;
            canvas.text((x + 40, canvas.top() - 34), words, Ink::FAINT, Hold::Left)?;
            x += 240;
        }
        canvas.row_labels(&bars.iter().map(|bar| bar.transport).collect::<Vec<_>>())?;
        for (index, bar) in bars.iter().enumerate() {
            let middle = canvas.row(index, bars.len());
            for (way, y) in WAYS.into_iter().zip([middle - LINE / 2 - 2, middle + LINE / 2 + 2]) {
                let ink = Ink::of(bar.transport);
                let mut from = 0.0;
                for ((words, strength), part) in PARTS.into_iter().zip(stacked(bar.figures, way)) {
                    if part > 0.0 {
                        canvas.bar(from, from + part, y, LINE / 2 - 3, ink, strength)?;
                        let middle = canvas.at_x(from + part / 2.0);
                        let says = format!(
                            "{}, {}, {words}: {} a delivery",
                            bar.transport.label(),
                            way.name,
                            Quantity::Bytes.write(part)
                        );
                        canvas.touch((middle, y), &says);
                    }
                    from += part;
                }
                let words =
                    bar.figures.get(way.bytes).map_or_else(|| ABSENT.to_owned(), |it| Quantity::Bytes.write(it.point));
                canvas.text((canvas.at_x(from) + 14, y), &words, Ink::INK, Hold::Left)?;
            }
        }
        Ok(())
    })?;
    Ok(Some(Chart {
        key: "bytes",
        title: format!("{}: {}", group.label, title(&bars)),
        description: "Bar chart of bytes above TCP for one delivery, a row a transport with a bar down and one up, \
                      each stacked by payload, framing, heads of HTTP and the rest."
            .into(),
        drawing,
        rows: rows(&bars),
    }))
}

/// Payload, framing, heads and the rest. What was saved by going together comes off the framing.
fn stacked(figures: &Figures, way: Direction) -> [f64; 4] {
    let rest = figures.count(way.rest);
    let framing = way.framing.map_or(0.0, |framing| figures.count(framing)) + rest.min(0.0);
    [figures.count(way.payload), framing.max(0.0), figures.count(way.heads), rest.max(0.0)]
}

fn title(bars: &[Bar<'_>]) -> String {
    let both = |bar: &Bar<'_>| {
        bar.figures.get(Metric::Down).zip(bar.figures.get(Metric::Up)).map(|(down, up)| down.point + up.point)
    };
    let payload = |bar: &Bar<'_>| bar.figures.count(Metric::DownPayload);
    let ranked = || bars.iter().filter(|bar| bar.transport.is_ranked());
    let all = || ranked().filter_map(|bar| Some((bar, both(bar)?)));
    let (Some(least), Some(most)) =
        (all().min_by(|one, other| one.1.total_cmp(&other.1)), all().max_by(|one, other| one.1.total_cmp(&other.1)))
    else {
        return "bytes a delivery".into();
    };
    format!(
        "a message of {} takes from {} ({}) to {} ({})",
        Quantity::Bytes.write(payload(least.0).round()),
        Quantity::Bytes.write(least.1),
        least.0.transport.label(),
        Quantity::Bytes.write(most.1),
        most.0.transport.label()
    )
}

fn rows(bars: &[Bar<'_>]) -> Rows {
    let body = bars.iter().flat_map(|bar| {
        WAYS.map(|way| {
            let metrics =
                [Some(way.bytes), Some(way.payload), way.framing, Some(way.heads), Some(way.rest), Some(way.theory)];
            let figures = metrics.map(|metric| bar.figures.get(metric?));
            let words =
                |it: Option<Figure>| it.map_or_else(|| ABSENT.to_owned(), |it| Quantity::Bytes.write_figure(&it));
            [bar.transport.label().to_owned(), way.name.to_owned()].into_iter().chain(figures.map(words)).collect()
        })
    });
    Rows::new(["transport", "way", "bytes", "payload", "framing", "heads", "rest", "theory"], body.collect())
}
