//! The table of a search: the most that each transport carries, and what becomes of it beyond.

use pushoff_model::Transport;
use pushoff_model::workload::Growth;

use super::{Curve, Reach, Searched};
use crate::cells::validity::Validity;
use crate::metric::{Bound, Figures, LEAST_TRIALS, Metric, Value};
use crate::table::metrics::SEARCH;
use crate::table::{Subject, Table};
use crate::words::number::tick;
use crate::words::text::{capitalised, list};
use pushoff_stats::Figure;

/// The figures of the knee and of the highest load beyond it. Without a bound on latency a load that held is a
/// burst that arrived in the end, and says nothing.
pub(crate) fn figures(curve: &Curve, searched: &Searched<'_>) -> Figures {
    let (growth, is_bounded) = (searched.growth, searched.is_bounded);
    let load = curve.capacity.map(|it| it.load).filter(|_| is_bounded);
    let deliveries = curve.capacity.map(|it| it.deliveries_per_second);
    let grew = |growth_of: Growth, figure: Option<Figure>| figure.filter(|_| growth == growth_of);
    let past = |metric: Metric| curve.beyond()?.figures.get(metric);
    let capacity = [
        (Metric::Capacity, deliveries.filter(|_| is_bounded)),
        (Metric::CapacityDelivered, deliveries.filter(|_| !is_bounded)),
        (Metric::CapacityMessages, grew(Growth::Rate, load)),
        (Metric::CapacitySubscribers, grew(Growth::Subscribers, load)),
    ];
    let others = [
        (Metric::BeyondWithin, past(Metric::WithinSlo)),
        (Metric::BeyondP99, past(Metric::P99)),
        (Metric::BeyondLost, past(Metric::Lost)),
    ];
    let is_known = curve.capacity.is_none_or(|it| it.reach.reason().is_none());
    let bound = if is_known { Bound::Exact } else { Bound::AtLeast };
    let mut figures = Figures::given(curve.points.iter().map(|it| it.trials).sum(), others);
    for (metric, figure) in capacity {
        figures.insert(metric, figure.map(|figure| Value { figure, bound }));
    }
    figures
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
    table
}

/// What limited the transport at its capacity, whatever limited the loads beyond it.
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
    let mut bounds: Vec<(&'static str, Vec<Transport>)> = Vec::new();
    for curve in &searched.curves {
        let name = capitalised(curve.transport.label());
        match (&curve.void, curve.capacity) {
            (Some(void), _) => notes.push(format!("{name} is void: {void}.")),
            (None, None) => notes.push(format!("{name}: the search did not come so far as to confirm a capacity.")),
            (None, Some(capacity)) => match capacity.reach.reason() {
                Some(reason) => match bounds.iter_mut().find(|(same, _)| *same == reason) {
                    Some((_, those)) => those.push(curve.transport),
                    None => bounds.push((reason, vec![curve.transport])),
                },
                None if capacity.is_missing_alone => {
                    let when = if curve.transport.polls_on_a_timer() {
                        "between two polls"
                    } else {
                        "before a reader read on"
                    };
                    notes.push(format!(
                        "{name} broke the SLO by missed messages alone, and what arrived was in time: {when} more came \
                         than a topic keeps (`serve --replay`)."
                    ));
                }
                None if !capacity.is_server_limited => {
                    let broke = if searched.is_bounded { "broke the SLO" } else { "delivered no more" };
                    notes.push(format!("{name} {broke} with nothing at its limit: waiting, not work, is its border."));
                }
                None => {}
            },
        }
        notes.extend(curve.faults.notes(&name));
    }
    notes.extend(bounds.iter().map(|(reason, those)| format!("At least (≥): {}, because {reason}.", list(those))));
    notes
}
