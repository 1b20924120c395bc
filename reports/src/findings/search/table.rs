//! The table of a search: the most that each transport carries, and what becomes of it beyond.

use pushoff_model::workload::Growth;

use super::{Curve, Reach, Searched, Stand};
use crate::cells::validity::Validity;
use crate::metric::{Bound, Figures, LEAST_TRIALS, Metric, Value};
use crate::table::metrics::SEARCH;
use crate::table::{Subject, Table, noise};
use crate::words::number::tick;
use crate::words::text::capitalised;
use pushoff_stats::Figure;

/// The figures of the knee and of the highest load beyond it. Without a bound on latency a load that held is a
/// burst that arrived in the end, and says nothing.
pub(crate) fn figures(curve: &Curve, searched: &Searched<'_>) -> Figures {
    let (growth, is_bounded) = (searched.growth, searched.is_bounded);
    let load = curve.capacity.map(|it| it.load).filter(|_| is_bounded);
    let highest = curve.highest_held.map(alone).filter(|_| is_bounded);
    let deliveries = curve.capacity.map(|it| it.deliveries_per_second);
    let grew = |growth_of: Growth, figure: Option<Figure>| figure.filter(|_| growth == growth_of);
    let beyond = curve.beyond();
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let counted = |of: fn(&Stand) -> u64| beyond.map(|it| alone(of(it) as f64));
    let capacity = [
        (Metric::Capacity, deliveries.filter(|_| is_bounded)),
        (Metric::CapacityDelivered, deliveries.filter(|_| !is_bounded)),
        (Metric::CapacityMessages, grew(Growth::Rate, load)),
        (Metric::CapacitySubscribers, grew(Growth::Subscribers, load)),
    ];
    let others = [
        (Metric::CapacityToFloor, to_floor(curve, &searched.curves)),
        (Metric::HeldMessages, grew(Growth::Rate, highest)),
        (Metric::HeldSubscribers, grew(Growth::Subscribers, highest)),
        (Metric::BeyondOffered, beyond.map(|it| alone(it.offered_per_second))),
        (Metric::BeyondWithin, beyond.and_then(|it| it.share_within)),
        (Metric::BeyondP99, beyond.and_then(|it| it.p99_ns)),
        (Metric::BeyondMessages, beyond.and_then(|it| it.messages_a_segment)),
        (Metric::BeyondLost, counted(|it| it.lost)),
        (Metric::BeyondMissed, counted(|it| it.missed)),
        (Metric::BeyondUnsent, counted(|it| it.unsent)),
    ];
    let is_known = curve.capacity.is_none_or(|it| it.reach.reason().is_none());
    let bound = if is_known { Bound::Exact } else { Bound::AtLeast };
    let mut figures = Figures::given(curve.stands.iter().map(|it| it.trials).sum(), others);
    for (metric, figure) in capacity {
        figures.insert(metric, figure.map(|figure| Value { figure, bound }));
    }
    figures
}

/// A capacity over that of the floor, where both were found and not only bounded: what remains the
/// same when the machine is quicker one day than the other.
fn to_floor(curve: &Curve, all: &[Curve]) -> Option<Figure> {
    let found = |curve: &Curve| curve.capacity.filter(|it| it.reach == Reach::Saturated);
    let floor = all.iter().find(|other| !other.transport.is_ranked() && curve.transport.is_ranked())?;
    found(curve)?.deliveries_per_second.over(&found(floor)?.deliveries_per_second)
}

const fn alone(point: f64) -> Figure {
    Figure { point, interval: None }
}

/// Lays out a search.
pub(crate) fn table(searched: &Searched<'_>, noise_ns: f64) -> Table {
    let figures: Vec<Figures> = searched.curves.iter().map(|curve| figures(curve, searched)).collect();
    let curves = searched.curves.iter().zip(&searched.group.cells).zip(&figures);
    let subjects = curves.map(|((curve, cell), figures)| {
        let is_saturated = curve.capacity.is_some_and(|it| it.reach == Reach::Saturated);
        Subject {
            validity: validity(curve),
            void: curve.void.clone(),
            // Lower bounds are no contest.
            trials: if is_saturated { LEAST_TRIALS } else { 0 },
            ..Subject::new(cell.key.clone(), Some(figures))
        }
    });
    let mut table = Table::lay_out(&SEARCH, subjects.collect(), noise_ns);
    table.notes = notes(searched);
    table.notes.extend(noise(noise_ns));
    table
}

/// The verdict on the knee, not on what was put beyond it on purpose.
pub(crate) fn validity(curve: &Curve) -> Validity {
    match curve.capacity {
        None => curve.validity,
        Some(capacity) => match capacity.reach {
            Reach::Saturated if capacity.is_server_limited => Validity::ServerLimited,
            Reach::Saturated | Reach::NeverFailed => Validity::NotSaturated,
            Reach::Generator => Validity::GeneratorLimited,
            Reach::Machine => Validity::MachineLimited,
        },
    }
}

fn notes(searched: &Searched<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if !searched.is_bounded {
        notes.push(format!(
            "{} is no bound on latency: what is given is the most that was delivered a second while it was measured, \
             over all trials within a tenth of the best.",
            tick(searched.slo.within.as_secs_f64() * 1e9)
        ));
    }
    for curve in &searched.curves {
        let name = capitalised(curve.transport.label());
        let reason = curve.capacity.and_then(|it| it.reach.reason());
        match (&curve.void, curve.capacity, reason) {
            (Some(void), ..) => notes.push(format!("{name} is void: {void}.")),
            (None, None, _) => notes.push(format!("{name}: the search did not come so far as to confirm a capacity.")),
            (None, Some(_), Some(reason)) => notes.push(format!("{name} carries at least (≥) that: {reason}.")),
            (None, Some(capacity), None) if !capacity.is_server_limited => {
                let broke = if searched.is_bounded { "broke the SLO" } else { "delivered no more" };
                notes.push(format!("{name} {broke} with nothing at its limit: waiting, not work, is its border."));
            }
            (None, Some(_), None) => {}
        }
        notes.extend(curve.faults.notes(&name));
    }
    notes
}
