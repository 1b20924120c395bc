//! Who carries the most, in words that are never stronger than the intervals.

use std::time::Duration;

use pushoff_model::Transport;

use super::{Capacity, Curve};
use crate::number::{Quantity, tick};
use crate::sentence::{capitalised, list};

/// The verdict on a search; `no_bound` is the time of an SLO that is none.
pub(super) fn verdict(curves: &[Curve], no_bound: Option<Duration>) -> String {
    let mut found: Vec<(Transport, Capacity)> = curves
        .iter()
        .filter(|curve| curve.transport.is_ranked())
        .filter_map(|curve| Some((curve.transport, curve.capacity?)))
        .collect();
    found.sort_by(|one, other| point(other).total_cmp(&point(one)));
    let (known, open): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, it)| it.reach.reason().is_none());
    let within = if no_bound.is_some() { "" } else { " within the SLO" };
    // Of two, one of which carries at least more than the other carries, the other does not carry the most.
    let is_beaten = open.first().zip(known.first()).is_some_and(|(least, most)| point(least) > point(most));
    let mut sentences: Vec<String> = known_words(&known, within, is_beaten).into_iter().collect();
    sentences.extend(open_words(&open));
    if sentences.is_empty() {
        return "No search came so far that a capacity can be named.".into();
    }
    let opening = no_bound.map(|it| format!("However late, up to {}: ", tick(it.as_secs_f64() * 1e9)));
    opening.unwrap_or_default() + &sentences.join(" ")
}

fn known_words(known: &[(Transport, Capacity)], within: &str, is_beaten: bool) -> Option<String> {
    let (first, best) = known.first()?;
    let near: Vec<Transport> = known
        .iter()
        .filter(|(_, it)| it.deliveries_per_second.overlaps(&best.deliveries_per_second))
        .map(|(transport, _)| *transport)
        .collect();
    let most = Quantity::Rate.write_figure(&best.deliveries_per_second);
    if known.len() == 1 {
        return Some(format!("{} carries {most} deliveries{within}.", capitalised(first.label())));
    }
    if near.len() == known.len() {
        return Some(format!("What {} carry is too close to call: up to {most} deliveries.", list(&near)));
    }
    let least = known.last().map_or_else(String::new, |(transport, it)| {
        let share = Quantity::Share.write(it.deliveries_per_second.point / best.deliveries_per_second.point);
        format!("; {} carries {share} of that", transport.label())
    });
    Some(match (near.len(), is_beaten) {
        (1, false) => format!("{} carries the most{within}, {most} deliveries{least}.", capitalised(first.label())),
        (1, true) => format!("{} carries {most} deliveries{within}{least}.", capitalised(first.label())),
        (_, false) => {
            format!("{} carry the most, up to {most} deliveries (too close to call){least}.", capitalised(&list(&near)))
        }
        (_, true) => {
            format!("{} carry up to {most} deliveries (too close to call){least}.", capitalised(&list(&near)))
        }
    })
}

/// Lower bounds, a sentence a reason: those that came equally far together, the farthest first.
fn open_words(open: &[(Transport, Capacity)]) -> Vec<String> {
    let mut reasons: Vec<&'static str> = Vec::new();
    for reason in open.iter().filter_map(|(_, it)| it.reach.reason()) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let bounds = |reason: &str| {
        let mut bounds: Vec<(String, Vec<Transport>)> = Vec::new();
        for (transport, it) in open.iter().filter(|(_, it)| it.reach.reason() == Some(reason)) {
            let least = Quantity::Rate.write(it.deliveries_per_second.point);
            match bounds.last_mut() {
                Some((same, transports)) if *same == least => transports.push(*transport),
                Some(_) | None => bounds.push((least, vec![*transport])),
            }
        }
        bounds
    };
    let sentence = |reason: &str| {
        let parts: Vec<String> = bounds(reason)
            .iter()
            .enumerate()
            .map(|(index, (least, transports))| match (index, transports.len()) {
                (0, 1) => format!("{} carries at least {least} deliveries", capitalised(&list(transports))),
                (0, _) => format!("{} carry at least {least} deliveries", capitalised(&list(transports))),
                (_, _) => format!("{} at least {least}", list(transports)),
            })
            .collect();
        format!("{}: {reason}.", parts.join("; "))
    };
    reasons.into_iter().map(sentence).collect()
}

const fn point(found: &(Transport, Capacity)) -> f64 {
    found.1.deliveries_per_second.point
}
