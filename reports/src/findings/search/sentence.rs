//! Who carries the most, in words that are never stronger than the intervals.

use std::time::Duration;

use pushoff_model::Transport;

use super::{Capacity, Curve};
use crate::metric::Metric;
use crate::prose::{Place, Prose, prose};
use crate::words::number::{Quantity, tick};
use crate::words::text::{capitalised, list};

/// The verdict on a search; `no_bound` is the time of an SLO that is none.
pub(super) fn verdict(curves: &[Curve], no_bound: Option<Duration>) -> Prose {
    let mut found: Vec<(Transport, Capacity)> = curves
        .iter()
        .filter(|curve| curve.transport.is_ranked())
        .filter_map(|curve| Some((curve.transport, curve.capacity?)))
        .collect();
    found.sort_by(|one, other| point(other).total_cmp(&point(one)));
    let (known, open): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, it)| it.reach.reason().is_none());
    let words = Words {
        metric: if no_bound.is_some() { Metric::CapacityDelivered } else { Metric::Capacity },
        is_bounded: no_bound.is_none(),
    };
    // Of two, one of which carries at least more than the other carries, the other does not carry the most.
    let is_beaten = open.first().zip(known.first()).is_some_and(|(least, most)| point(least) > point(most));
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

/// How figures are written: where they stand, and what they are of.
struct Words {
    metric: Metric,
    is_bounded: bool,
}

impl Words {
    fn within(&self) -> &'static str {
        if self.is_bounded { " within the SLO" } else { "" }
    }

    fn figure(&self, written: String, transport: Transport) -> Prose {
        Prose::figure(written, Place::Cell(transport, self.metric))
    }

    fn known(&self, known: &[(Transport, Capacity)], is_beaten: bool) -> Option<Prose> {
        let (first, best) = known.first()?;
        let near: Vec<Transport> = known
            .iter()
            .filter(|(_, it)| it.deliveries_per_second.overlaps(&best.deliveries_per_second))
            .map(|(transport, _)| *transport)
            .collect();
        let most = self.figure(Quantity::Rate.write_figure(&best.deliveries_per_second), *first);
        let (name, names) = (capitalised(first.label()), capitalised(&list(&near)));
        if known.len() == 1 {
            return Some(prose![name, " carries ", most, " deliveries", self.within(), "."]);
        }
        if near.len() == known.len() {
            return Some(prose!["What ", list(&near), " carry is too close to call: up to ", most, " deliveries."]);
        }
        let least = known.last().map_or_else(Prose::default, |(transport, it)| {
            let carried = self.figure(Quantity::Rate.write(it.deliveries_per_second.point), *transport);
            prose!["; ", transport.label(), " carries ", carried]
        });
        Some(match (near.len(), is_beaten) {
            (1, false) => prose![name, " carries the most", self.within(), ", ", most, " deliveries", least, "."],
            (1, true) => prose![name, " carries ", most, " deliveries", self.within(), least, "."],
            (_, false) => {
                prose![names, " carry the most, up to ", most, " deliveries (too close to call)", least, "."]
            }
            (_, true) => prose![names, " carry up to ", most, " deliveries (too close to call)", least, "."],
        })
    }

    /// Lower bounds, a sentence a reason: those that came equally far together, the farthest first.
    fn open(&self, open: &[(Transport, Capacity)]) -> Vec<Prose> {
        let mut reasons: Vec<&'static str> = Vec::new();
        for reason in open.iter().filter_map(|(_, it)| it.reach.reason()) {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        reasons.into_iter().map(|reason| self.bounded_by(reason, open)).collect()
    }

    fn bounded_by(&self, reason: &'static str, open: &[(Transport, Capacity)]) -> Prose {
        let mut bounds: Vec<(String, Vec<Transport>)> = Vec::new();
        for (transport, it) in open.iter().filter(|(_, it)| it.reach.reason() == Some(reason)) {
            let least = Quantity::Rate.write(it.deliveries_per_second.point);
            match bounds.last_mut() {
                Some((same, transports)) if *same == least => transports.push(*transport),
                Some(_) | None => bounds.push((least, vec![*transport])),
            }
        }
        let parts = bounds.into_iter().enumerate().map(|(index, (least, transports))| {
            let least = transports.first().map_or_else(Prose::default, |first| self.figure(least, *first));
            let names = list(&transports);
            match (index, transports.len()) {
                (0, 1) => prose![capitalised(&names), " carries at least ", least, " deliveries"],
                (0, _) => prose![capitalised(&names), " carry at least ", least, " deliveries"],
                (_, _) => prose!["; ", names, " at least ", least],
            }
        });
        prose![parts.fold(Prose::default(), Prose::then), ": ", reason, "."]
    }
}

const fn point(found: &(Transport, Capacity)) -> f64 {
    found.1.deliveries_per_second.point
}
