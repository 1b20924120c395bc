//! The most that was delivered where latency is not bounded.
//!
//! What was offered says nothing then: a short burst of any size arrives in the end. What counts is
//! what was delivered while it was measured, where more of it no longer brings more.

use pushoff_model::record::{Limit, Measurement};

use super::{Capacity, Offers, Reach};
use crate::cells::{Cell, Trial};
use pushoff_stats::Sums;
use pushoff_stats::{Figure, Interval};

/// Trials that delivered at least this share of what the best one did make up the plateau. Chosen here: a step of the
/// search.
const PLATEAU: f64 = 0.9;
/// A trial of which so many times more was due than was delivered asked for more than the server could deliver. Chosen
/// here.
const ASKED_FOR_MORE: f64 = 1.05;

impl Capacity {
    /// The mean over the trials of the plateau. It is a lower bound where the best trials do not count, or where none
    /// asked for more than was delivered.
    pub(super) fn delivered(cell: &Cell<'_>, offers: &Offers) -> Option<Self> {
        let best = |all: bool| {
            let trials = cell.trials.iter().filter(|trial| all || trial.is_valid());
            trials.max_by(|one, other| rate(one).total_cmp(&rate(other))).filter(|trial| rate(trial) > 0.0)
        };
        let (of_all, of_valid) = (best(true)?, best(false));
        let Some(peak) = of_valid.filter(|peak| rate(peak) >= PLATEAU * rate(of_all)) else {
            return Some(Self::at(Figure { point: rate(of_all), interval: None }, offers, stopped(cell), false));
        };
        let plateau: Vec<&Trial<'_>> =
            cell.trials.iter().filter(|trial| trial.is_valid() && rate(trial) >= PLATEAU * rate(peak)).collect();
        let trials: Vec<&Measurement> = plateau.iter().filter_map(|trial| trial.record.measurement()).collect();
        let figure = Sums::of(&trials).per_second(|trial| trial.window.received)?;
        let reach = if trials.iter().any(|it| asked_for_more(it)) { Reach::Saturated } else { stopped(cell) };
        let is_server_limited = plateau.iter().any(|trial| trial.limits().any(|limit| limit == Limit::Server));
        Some(Self::at(figure, offers, reach, is_server_limited))
    }

    fn at(deliveries_per_second: Figure, offers: &Offers, reach: Reach, is_server_limited: bool) -> Self {
        let of = |deliveries: f64| offers.load_of(deliveries);
        let interval = deliveries_per_second.interval.map(|it| Interval { low: of(it.low), high: of(it.high) });
        let load = Figure { point: of(deliveries_per_second.point), interval };
        Self { load, deliveries_per_second, turns: 0, reach, is_server_limited, is_missing_alone: false }
    }
}

/// Why no trial asked for more than could be delivered.
fn stopped(cell: &Cell<'_>) -> Reach {
    match cell.trials.iter().flat_map(Trial::limits).find(|limit| limit.voids()) {
        Some(Limit::Generator) => Reach::Generator,
        Some(Limit::Machine) => Reach::Machine,
        Some(Limit::Server) | None => Reach::NeverFailed,
    }
}

/// Deliveries a second of the measure phase, of whatever message.
#[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 53 bits")]
fn rate(trial: &Trial<'_>) -> f64 {
    let measured = trial.record.measurement().filter(|it| it.measured_ns > 0);
    measured.map_or(0.0, |it| it.window.received as f64 * 1e9 / it.measured_ns as f64)
}

#[expect(clippy::cast_precision_loss, reason = "a count needs no more than 53 bits")]
fn asked_for_more(trial: &Measurement) -> bool {
    trial.window.due as f64 > ASKED_FOR_MORE * trial.window.received as f64
}
