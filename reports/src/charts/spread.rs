//! Every trial by itself: how far the trials of a cell agree.

use pushoff_model::{LatencyHistogram, Transport};

use super::axis::Axis;
use super::canvas::{Ink, LINE, Margins, draw};
use super::{Chart, Rows, Scales};
use crate::ReportError;
use crate::findings::comparison::Comparison;
use crate::words::number::{Quantity, tick};

struct Strip {
    transport: Transport,
    /// Number, median and 99th percentile of each trial.
    trials: Vec<(u32, f64, f64)>,
}

/// Draws each trial's median and 99th percentile.
pub(super) fn chart(comparison: &Comparison<'_>, scales: &Scales) -> Result<Option<Chart>, ReportError> {
    let strips: Vec<Strip> = comparison
        .charted()
        .map(|(cell, ..)| {
            let valid = cell.trials.iter().filter(|trial| trial.is_valid());
            let trials = valid.filter_map(|trial| {
                let latency = &trial.record.measurement()?.delivery_latency;
                Some((trial.record.trial, at(latency, 0.5)?, at(latency, 0.99)?))
            });
            Strip { transport: cell.transport(), trials: trials.collect() }
        })
        .filter(|strip| !strip.trials.is_empty())
        .collect();
    if strips.is_empty() {
        return Ok(None);
    }
    let within = comparison.slo.within.as_secs_f64() * 1e9;
    let latency = Axis::latency("each trial: p50 filled, p99 hollow", scales.latency);
    let drawing = draw(latency, Axis::rows(), Margins { right: 60, ..Margins::ROWS }, |canvas| {
        canvas.slo_up(within, &format!("SLO {}", tick(within)))?;
        let transports: Vec<Transport> = strips.iter().map(|strip| strip.transport).collect();
        canvas.row_labels(&transports)?;
        for (index, strip) in strips.iter().enumerate() {
            let middle = canvas.row(index, strips.len());
            for (place, &(number, median, tail)) in strip.trials.iter().enumerate() {
                let y = middle + beside(place, strip.trials.len());
                let (from, to) = ((canvas.at_x(median), y), (canvas.at_x(tail), y));
                canvas.rule(from, to, Ink::of(strip.transport), 2)?;
                for (at, name, value, is_hollow) in [(from, "p50", median, false), (to, "p99", tail, true)] {
                    let label = strip.transport.label();
                    let says = format!("{label}, trial {number}, {name}: {}", Quantity::Time.write(value));
                    canvas.point(at, strip.transport, is_hollow, &says);
                }
            }
        }
        Ok(())
    })?;
    Ok(Some(Chart {
        key: "spread",
        title: title(&strips),
        description: "Dot chart of the median and the 99th percentile of delivery latency of every trial, a row a \
                      transport, latency on a log axis."
            .into(),
        drawing,
        rows: rows(&strips),
    }))
}

#[expect(clippy::cast_precision_loss, reason = "a place on a drawing")]
fn at(latency: &LatencyHistogram, share: f64) -> Option<f64> {
    latency.quantile(share).map(|value| value.as_nanos() as f64)
}

/// How far from the middle of its row a trial stands, all within a line and a half.
fn beside(place: usize, trials: usize) -> i32 {
    let (place, trials) = (i32::try_from(place).unwrap_or(0), i32::try_from(trials.max(1)).unwrap_or(1));
    LINE * 3 / 2 * (2 * place + 1 - trials) / (2 * trials)
}

fn title(strips: &[Strip]) -> String {
    let ranked = strips.iter().filter(|strip| strip.transport.is_ranked() && strip.trials.len() > 1);
    let apart = ranked.map(|strip| {
        let tails = || strip.trials.iter().map(|trial| trial.2);
        (strip.transport, tails().fold(0.0, f64::max) / tails().fold(f64::INFINITY, f64::min))
    });
    apart.max_by(|one, other| one.1.total_cmp(&other.1)).map_or_else(
        || "There is one trial a transport: nothing is known of the spread".into(),
        |(transport, times)| {
            let times = Quantity::Ratio.write(times);
            format!(
                "From trial to trial p99 differs most on {}: {} times",
                transport.label(),
                times.trim_end_matches('×')
            )
        },
    )
}

fn rows(strips: &[Strip]) -> Rows {
    let body = strips.iter().flat_map(|strip| {
        strip.trials.iter().map(|&(number, median, tail)| {
            let label = strip.transport.label().to_owned();
            vec![label, number.to_string(), Quantity::Time.write(median), Quantity::Time.write(tail)]
        })
    });
    Rows::new(["transport", "trial", "p50", "p99"], body.collect())
}
