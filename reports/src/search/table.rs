//! The table of a search: the most that each transport carries, and what becomes of it beyond.

use pushoff_model::workload::Growth;
use serde::Serialize;

use super::{Curve, Reach, Searched, Stand};
use crate::number::tick;
use crate::rank::LEAST_TRIALS;
use crate::sentence::capitalised;
use crate::table::{Column, Reading, Subject, Table, column, noise};
use crate::validity::Validity;
use pushoff_stats::Figure;

/// What a row shows: figures of the knee and of the highest load beyond it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Found {
    deliveries_per_second: Option<Figure>,
    /// However late.
    delivered_per_second: Option<Figure>,
    deliveries_to_floor: Option<Figure>,
    messages_per_second: Option<Figure>,
    subscribers: Option<Figure>,
    highest_held_messages_per_second: Option<Figure>,
    highest_held_subscribers: Option<Figure>,
    beyond_offered_per_second: Option<Figure>,
    beyond_share_within: Option<Figure>,
    beyond_p99_ns: Option<Figure>,
    beyond_messages_a_segment: Option<Figure>,
    beyond_lost: Option<Figure>,
    beyond_missed: Option<Figure>,
    beyond_unsent: Option<Figure>,
}

impl Found {
    /// Of a curve among all of its search. Without a bound on latency a load that held is a burst that
    /// arrived in the end, and says nothing.
    fn of(curve: &Curve, searched: &Searched<'_>) -> Self {
        let (growth, is_bounded) = (searched.growth, searched.is_bounded);
        let load = curve.capacity.map(|it| it.load).filter(|_| is_bounded);
        let highest = curve.highest_held.map(alone).filter(|_| is_bounded);
        let deliveries = curve.capacity.map(|it| it.deliveries_per_second);
        let grew = |growth_of: Growth, figure: Option<Figure>| figure.filter(|_| growth == growth_of);
        let beyond = curve.beyond();
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        let counted = |of: fn(&Stand) -> u64| beyond.map(|it| alone(of(it) as f64));
        Self {
            deliveries_per_second: deliveries.filter(|_| is_bounded),
            delivered_per_second: deliveries.filter(|_| !is_bounded),
            deliveries_to_floor: to_floor(curve, &searched.curves),
            messages_per_second: grew(Growth::Rate, load),
            subscribers: grew(Growth::Subscribers, load),
            highest_held_messages_per_second: grew(Growth::Rate, highest),
            highest_held_subscribers: grew(Growth::Subscribers, highest),
            beyond_offered_per_second: beyond.map(|it| alone(it.offered_per_second)),
            beyond_share_within: beyond.and_then(|it| it.share_within),
            beyond_p99_ns: beyond.and_then(|it| it.p99_ns),
            beyond_messages_a_segment: beyond.and_then(|it| it.messages_a_segment),
            beyond_lost: counted(|it| it.lost),
            beyond_missed: counted(|it| it.missed),
            beyond_unsent: counted(|it| it.unsent),
        }
    }
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

/// The heads that prose takes its figures from.
pub(super) const DELIVERIES: &str = "deliveries";
pub(super) const DELIVERED: &str = "delivered";

#[rustfmt::skip]
const COLUMNS: [Column<Found>; 14] = [
    column!(1, DELIVERIES, Capacity, Rate, More, "the most deliveries a second within the SLO, nothing lost",
        |it| Reading::Figure(it.deliveries_per_second)),
    column!(1, DELIVERED, Capacity, Rate, More, "the most deliveries that really happened in a second, however late",
        |it| Reading::Figure(it.delivered_per_second)),
    column!(2, "÷ floor", Capacity, Ratio, More, "the same over that of raw TCP, where both were found: what travels between machines and days",
        |it| Reading::Figure(it.deliveries_to_floor)),
    column!(2, "messages", Capacity, Rate, More, "the rate of each publisher at that",
        |it| Reading::Figure(it.messages_per_second)),
    column!(2, "subscribers", Capacity, Count, More, "how many subscribers that is",
        |it| Reading::Figure(it.subscribers)),
    column!(3, "highest held, messages", Held, Rate, Neither, "the highest rate at which the SLO held, once or over its trials",
        |it| Reading::Figure(it.highest_held_messages_per_second)),
    column!(3, "highest held, subscribers", Held, Count, Neither, "the most subscribers with whom the SLO held, once or over its trials",
        |it| Reading::Figure(it.highest_held_subscribers)),
    column!(5, "offered beyond", Beyond, Rate, Neither, "deliveries a second that were due at the highest load beyond",
        |it| Reading::Figure(it.beyond_offered_per_second)),
    column!(4, "in time", Beyond, Share, More, "share of those that arrived in time all the same",
        |it| Reading::Figure(it.beyond_share_within)),
    column!(6, "p99 beyond", Beyond, Time, Less, "99 of 100 that arrived took at most so long",
        |it| Reading::Figure(it.beyond_p99_ns)),
    column!(7, "messages a segment", Beyond, Count, Neither, "how far messages were joined there",
        |it| Reading::Figure(it.beyond_messages_a_segment)),
    column!(8, "lost", Beyond, Count, Neither, "deliveries there that did not happen, in silence",
        |it| Reading::Figure(it.beyond_lost)),
    column!(9, "missed", Beyond, Count, Neither, "deliveries there that did not happen, and the reader was told",
        |it| Reading::Figure(it.beyond_missed)),
    column!(10, "unsent", Beyond, Count, Neither, "messages there that the server had not taken when the trial was over",
        |it| Reading::Figure(it.beyond_unsent)),
];

/// Lays out a search.
pub(crate) fn table(searched: &Searched<'_>, noise_ns: f64) -> Table<'static> {
    let found: Vec<Found> = searched.curves.iter().map(|curve| Found::of(curve, searched)).collect();
    let subjects = searched.curves.iter().zip(&found).map(|(curve, found)| {
        let reach = curve.capacity.map(|it| it.reach);
        Subject {
            validity: validity(curve),
            void: curve.void.clone(),
            // Lower bounds are no contest.
            trials: if reach == Some(Reach::Saturated) { LEAST_TRIALS } else { 0 },
            is_at_least: reach.is_some_and(|reach| reach.reason().is_some()),
            ..Subject::new(curve.transport, Some(found))
        }
    });
    let mut table = Table::lay_out(&COLUMNS, subjects.collect(), noise_ns);
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
