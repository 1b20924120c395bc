//! Who carries the most, in words that are never stronger than the intervals.

use std::time::Duration;

use pushoff_model::Transport;
use pushoff_model::workload::Growth;
use pushoff_stats::Figure;

use super::{Capacity, Curve, Reach};
use crate::metric::Metric;
use crate::prose::{Place, Prose, prose};
use crate::words::number::tick;
use crate::words::text::{capitalised, list};

/// Lower bounds that differ by no more than this are not said to differ: one doubling of the search, and a little.
const ONE_DOUBLING: f64 = 2.05;

/// The verdict on a search that grew `growth`. `no_bound` is the SLO's time where it bounds no latency, else absent.
pub(super) fn verdict(curves: &[Curve], growth: Growth, no_bound: Option<Duration>) -> Prose {
    let words = Words::of(growth, no_bound.is_none());
    let mut found: Vec<Found> = curves
        .iter()
        .filter(|curve| curve.transport.is_ranked())
        .filter_map(|curve| {
            let capacity = curve.capacity?;
            Some(Found { transport: curve.transport, most: (words.of)(&capacity), reach: capacity.reach })
        })
        .collect();
    found.sort_by(|one, other| other.most.point.total_cmp(&one.most.point));
    let (known, open): (Vec<_>, Vec<_>) = found.into_iter().partition(|it| it.reach.reason().is_none());
    // Of two, one of which carries at least more than the other carries, the other does not carry the most.
    let is_beaten = open.first().zip(known.first()).is_some_and(|(least, most)| least.most.point > most.most.point);
    let sentences = words.known(&known, is_beaten).into_iter().chain(words.open(&open));
    let Some(all) = sentences.reduce(|all, one| all.then(" ").then(one)) else {
        return "No search came so far that a capacity can be named.".into();
    };
    let limit = |it: Duration| Prose::asked(tick(it.as_secs_f64() * 1e9));
    match no_bound {
        Some(it) => prose!["However late, up to ", limit(it), ": ", all],
        None => all,
    }
}

/// The most that a transport carries, and what stopped its search.
struct Found {
    transport: Transport,
    most: Figure,
    reach: Reach,
}

/// How figures are written: where they stand, and what they are of.
struct Words {
    metric: Metric,
    noun: &'static str,
    is_bounded: bool,
    of: fn(&Capacity) -> Figure,
}

impl Words {
    /// Readers where readers were asked for, else deliveries a second.
    fn of(growth: Growth, is_bounded: bool) -> Self {
        let deliveries = |metric| Self { metric, noun: "deliveries", is_bounded, of: |it| it.deliveries_per_second };
        match (growth, is_bounded) {
            (Growth::Subscribers, true) => {
                Self { metric: Metric::CapacitySubscribers, noun: "readers", is_bounded, of: |it| it.load }
            }
            (Growth::Rate, true) => deliveries(Metric::Capacity),
            (Growth::Rate | Growth::Subscribers, false) => deliveries(Metric::CapacityDelivered),
        }
    }

    fn within(&self) -> &'static str {
        if self.is_bounded { " within the SLO" } else { "" }
    }

    fn figure(&self, written: String, transport: Transport) -> Prose {
        Prose::figure(written, Place::Cell(transport, self.metric))
    }

    fn known(&self, known: &[Found], is_beaten: bool) -> Option<Prose> {
        let (best, unit, noun) = (known.first()?, self.metric.unit(), self.noun);
        let near: Vec<Transport> =
            known.iter().filter(|it| it.most.overlaps(&best.most)).map(|it| it.transport).collect();
        let most = self.figure(unit.write_figure(&best.most), best.transport);
        let names = capitalised(&list(&near));
        if known.len() == 1 {
            return Some(prose![names, " carries ", most, " ", noun, self.within(), "."]);
        }
        if near.len() == known.len() {
            return Some(prose![names, " carry up to ", most, " ", noun, self.within(), "; no difference is shown."]);
        }
        // Who overlaps the most as well as the least is not shown to differ from either.
        let last = known.last().filter(|last| !near.contains(&last.transport));
        let overlaps_both =
            |it: &&Found| it.most.overlaps(&best.most) && last.is_some_and(|last| it.most.overlaps(&last.most));
        let between: Vec<Transport> = known[1..].iter().filter(overlaps_both).map(|it| it.transport).collect();
        let near: Vec<Transport> = near.into_iter().filter(|it| !between.contains(it)).collect();
        let names = capitalised(&list(&near));
        let either = match between.len() {
            0 => String::new(),
            1 => format!("; {} is not shown to differ from either", list(&between)),
            _ => format!("; {} are not shown to differ from either", list(&between)),
        };
        let least = known.last().map_or_else(Prose::default, |it| {
            let carried = self.figure(unit.write(it.most.point), it.transport);
            prose!["; ", it.transport.label(), " carries ", carried, either]
        });
        Some(match (near.len(), is_beaten) {
            (1, false) => prose![names, " carries the most", self.within(), ", ", most, " ", noun, least, "."],
            (1, true) => prose![names, " carries ", most, " ", noun, self.within(), least, "."],
            (_, false) => {
                prose![names, " carry the most, up to ", most, " ", noun, " (no difference is shown)", least, "."]
            }
            (_, true) => prose![names, " carry up to ", most, " ", noun, " (no difference is shown)", least, "."],
        })
    }

    /// Lower bounds, a sentence a reason, the farthest first.
    fn open(&self, open: &[Found]) -> Vec<Prose> {
        let mut reasons: Vec<&'static str> = Vec::new();
        for reason in open.iter().filter_map(|it| it.reach.reason()) {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        reasons.into_iter().map(|reason| self.bounded_by(reason, open)).collect()
    }

    /// Those within a doubling of each other have one bound, the least of theirs.
    fn bounded_by(&self, reason: &'static str, open: &[Found]) -> Prose {
        let mut bounds: Vec<Vec<&Found>> = Vec::new();
        for it in open.iter().filter(|it| it.reach.reason() == Some(reason)) {
            match bounds.last_mut() {
                Some(together) if together[0].most.point <= ONE_DOUBLING * it.most.point => together.push(it),
                Some(_) | None => bounds.push(vec![it]),
            }
        }
        let parts = bounds.into_iter().enumerate().map(|(index, together)| {
            let names = list(&together.iter().map(|it| it.transport).collect::<Vec<_>>());
            let least = together
                .last()
                .map_or_else(Prose::default, |it| self.figure(self.metric.unit().write(it.most.point), it.transport));
            match (index, together.len()) {
                (0, 1) => prose![capitalised(&names), " carries at least ", least, " ", self.noun],
                (0, _) => prose![capitalised(&names), " each carry at least ", least, " ", self.noun],
                (_, _) => prose!["; ", names, " at least ", least],
            }
        });
        prose![parts.fold(Prose::default(), Prose::then), ": ", reason, "."]
    }
}
