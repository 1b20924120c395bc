//! Bytes a delivery, down and up, stacked by what they are.

use pushoff_model::Transport;

use super::axis::Axis;
use super::canvas::{Hold, Ink, LINE, Margins, draw};
use super::{Chart, Rows};
use crate::ReportError;
use crate::cost::{Costs, WireParts};
use crate::group::Group;
use crate::number::{ABSENT, Quantity};
use crate::validity::Validity;
use pushoff_stats::Figure;

/// The parts, and how strongly each is drawn.
const PARTS: [(&str, f64); 4] = [("payload", 1.0), ("framing", 0.62), ("heads", 0.42), ("rest", 0.16)];

struct Bar<'a> {
    transport: Transport,
    down: &'a WireParts,
    up: &'a WireParts,
}

/// Draws bytes a delivery; `None` where nothing was delivered or counted.
pub(crate) fn chart(group: &Group<'_>, costs: &[Costs]) -> Result<Option<Chart>, ReportError> {
    let bars: Vec<Bar<'_>> = group
        .cells
        .iter()
        .zip(costs)
        .filter(|(cell, costs)| !Validity::of(cell).is_void() && costs.wire.down.bytes.is_some())
        .map(|(cell, costs)| Bar { transport: cell.transport, down: &costs.wire.down, up: &costs.wire.up })
        .collect();
    if bars.is_empty() {
        return Ok(None);
    }
    let most = bars.iter().flat_map(|bar| [bar.down.bytes, bar.up.bytes]).flatten().map(|it| it.point);
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
            for (parts, way, y) in [(bar.down, "down", middle - LINE / 2 - 2), (bar.up, "up", middle + LINE / 2 + 2)] {
                let ink = Ink::of(bar.transport);
                let mut from = 0.0;
                for ((words, strength), part) in PARTS.into_iter().zip(stacked(parts)) {
                    if part > 0.0 {
                        canvas.bar(from, from + part, y, LINE / 2 - 3, ink, strength)?;
                        let middle = canvas.at_x(from + part / 2.0);
                        let says = format!(
                            "{}, {way}, {words}: {} a delivery",
                            bar.transport.label(),
                            Quantity::Bytes.write(part)
                        );
                        canvas.touch((middle, y), &says);
                    }
                    from += part;
                }
                let words = parts.bytes.map_or_else(|| ABSENT.to_owned(), |it| Quantity::Bytes.write(it.point));
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
fn stacked(parts: &WireParts) -> [f64; 4] {
    let value = |figure: Option<Figure>| figure.map_or(0.0, |it| it.point);
    let rest = value(parts.rest_bytes);
    let framing = value(parts.framing_bytes) + rest.min(0.0);
    [value(parts.payload_bytes), framing.max(0.0), value(parts.head_bytes), rest.max(0.0)]
}

fn title(bars: &[Bar<'_>]) -> String {
    let both = |bar: &Bar<'_>| bar.down.bytes.zip(bar.up.bytes).map(|(down, up)| down.point + up.point);
    let payload = |bar: &Bar<'_>| bar.down.payload_bytes.map_or(0.0, |it| it.point);
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
        [("down", bar.down), ("up", bar.up)].map(|(way, it)| {
            let figures = [it.bytes, it.payload_bytes, it.framing_bytes, it.head_bytes, it.rest_bytes, it.theory_bytes];
            let words =
                |it: Option<Figure>| it.map_or_else(|| ABSENT.to_owned(), |it| Quantity::Bytes.write_figure(&it));
            [bar.transport.label().to_owned(), way.to_owned()].into_iter().chain(figures.map(words)).collect()
        })
    });
    Rows::new(["transport", "way", "bytes", "payload", "framing", "heads", "rest", "theory"], body.collect())
}
