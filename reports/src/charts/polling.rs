//! What polling spends on waiting for the next poll, on that poll being late, and on the transfer.
//!
//! Means, because means add up: latency = wait + queueing + transfer. Theory stands beside it: with polls at
//! a fixed interval and messages at any time, the mean wait is half the interval.

use pushoff_model::Transport;

use super::axis::Axis;
use super::canvas::{Hold, Ink, LINE, Margins, draw};
use super::{Chart, Rows, Scales};
use crate::ReportError;
use crate::findings::comparison::Comparison;
use crate::metric::Metric;
use crate::words::number::{ABSENT, Quantity, tick};
use pushoff_stats::Figure;

struct Parts {
    transport: Transport,
    wait: Figure,
    /// Absent where the client did not say when a poll was due.
    queueing: Option<Figure>,
    transfer: Figure,
}

impl Parts {
    fn whole(&self) -> f64 {
        self.sent() + self.transfer.point
    }

    /// When the poll that brought a message was sent, after the message was due.
    fn sent(&self) -> f64 {
        self.wait.point + self.queueing.map_or(0.0, |queueing| queueing.point)
    }
}

/// Draws wait and transfer of the polling transports.
pub(super) fn chart(comparison: &Comparison<'_>, _scales: &Scales) -> Result<Option<Chart>, ReportError> {
    let all: Vec<Parts> = comparison
        .charted()
        .filter_map(|(cell, _, figures)| {
            let (wait, transfer) = (figures.get(Metric::PollWait)?, figures.get(Metric::Transfer)?);
            Some(Parts { transport: cell.transport(), wait, queueing: figures.get(Metric::PollQueueing), transfer })
        })
        .collect();
    if all.is_empty() {
        return Ok(None);
    }
    let half = comparison.group.workload.polling.interval.as_secs_f64() * 1e9 / 2.0;
    let has_short = all.iter().any(|it| it.transport.polls_on_a_timer());
    let most = all.iter().map(Parts::whole).fold(if has_short { half } else { 0.0 }, f64::max);
    let axis = Axis::time("mean delivery latency", most * 1.1);
    let drawing = draw(axis, Axis::rows(), Margins { right: 90, ..Margins::ROWS }, |canvas| {
        if has_short {
            let x = canvas.at_x(half);
            canvas.rule((x, canvas.top()), (x, canvas.bottom()), Ink::SLO, 4)?;
            let words = format!("theory: half the interval, {}", tick(half));
            canvas.text((canvas.right(), canvas.top() - LINE / 2 - 4), &words, Ink::SLO, Hold::Right)?;
        }
        let transports: Vec<Transport> = all.iter().map(|parts| parts.transport).collect();
        canvas.row_labels(&transports)?;
        for (index, parts) in all.iter().enumerate() {
            let (y, ink) = (canvas.row(index, all.len()), Ink::of(parts.transport));
            canvas.bar(0.0, parts.wait.point, y, LINE, ink, 0.35)?;
            canvas.bar(parts.wait.point, parts.sent(), y, LINE, ink, 0.65)?;
            canvas.bar(parts.sent(), parts.whole(), y, LINE, ink, 1.0)?;
            let queueing = parts.queueing.map(|it| format!(" + queueing {}", wait_words(it.point)));
            let words = format!(
                "wait {}{} + transfer {}",
                wait_words(parts.wait.point),
                queueing.unwrap_or_default(),
                Quantity::Time.write(parts.transfer.point)
            );
            canvas.text((canvas.left() + 10, y + LINE * 2), &words, Ink::INK, Hold::Left)?;
            let label = parts.transport.label();
            let middle = canvas.at_x(parts.wait.point / 2.0);
            let says = format!("{label}, wait for the next poll: {}", Quantity::Time.write_figure(&parts.wait));
            canvas.point((middle, y), parts.transport, false, &says);
            if let Some(queueing) = &parts.queueing {
                let says = format!("{label}, the poll late: {}", Quantity::Time.write_figure(queueing));
                canvas.touch((canvas.at_x(parts.sent()), y), &says);
            }
            let says = format!("{label}, transfer: {}", Quantity::Time.write_figure(&parts.transfer));
            canvas.point((canvas.at_x(parts.whole()), y), parts.transport, false, &says);
        }
        Ok(())
    })?;
    Ok(Some(Chart {
        key: "polling",
        title: title(&all, half),
        description: "Bar chart of mean delivery latency on the polling transports, split into the wait for the next \
                      poll (pale), the poll being late, and the transfer (full), with half the polling interval as a vertical line."
            .into(),
        drawing,
        rows: rows(&all),
    }))
}

/// A histogram counts no wait as its least, a nanosecond: that is no wait.
fn wait_words(wait: f64) -> String {
    if wait <= 1.0 { "0".into() } else { Quantity::Time.write(wait) }
}

fn title(all: &[Parts], half: f64) -> String {
    let short = all.iter().find(|parts| parts.transport.polls_on_a_timer()).or_else(|| all.first());
    short.map_or_else(String::new, |parts| {
        let theory = if parts.transport.polls_on_a_timer() {
            format!(" (half the interval: {})", tick(half))
        } else {
            String::new()
        };
        format!(
            "On {}, {} of the mean latency is waiting for the next poll{theory}",
            parts.transport.label(),
            Quantity::Share.write(if parts.whole() > 0.0 { parts.wait.point / parts.whole() } else { 0.0 }),
        )
    })
}

fn rows(all: &[Parts]) -> Rows {
    let body = all.iter().map(|parts| {
        let figures = [Some(parts.wait), parts.queueing, Some(parts.transfer)];
        let figures = figures.map(|it| it.map_or_else(|| ABSENT.to_owned(), |it| Quantity::Time.write_figure(&it)));
        [parts.transport.label().to_owned()].into_iter().chain(figures).collect()
    });
    Rows::new(["transport", "mean wait for the next poll", "mean queueing", "mean transfer"], body.collect())
}
