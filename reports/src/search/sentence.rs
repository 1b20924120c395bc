//! Who carries the most, in words that are never stronger than the intervals.

use pushoff_model::Transport;

use super::{Capacity, Curve};
use crate::number::Quantity;
use crate::sentence::{capitalised, list};

/// The verdict on a search.
pub(super) fn verdict(curves: &[Curve]) -> String {
    let mut found: Vec<(Transport, Capacity)> = curves
        .iter()
        .filter(|curve| curve.transport.is_ranked())
        .filter_map(|curve| Some((curve.transport, curve.capacity?)))
        .collect();
    found.sort_by(|one, other| point(other).total_cmp(&point(one)));
    let (known, open): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, it)| it.reach.reason().is_none());
    let mut sentences: Vec<String> = known_words(&known).into_iter().collect();
    for (transport, capacity) in &open {
        let reason = capacity.reach.reason().unwrap_or_default();
        sentences.push(format!(
            "{} carries at least {}: {reason}.",
            capitalised(transport.label()),
            rate(capacity.deliveries_per_second.point)
        ));
    }
    if sentences.is_empty() {
        return "No search came so far that a capacity can be named.".into();
    }
    sentences.join(" ")
}

fn known_words(known: &[(Transport, Capacity)]) -> Option<String> {
    let (first, best) = known.first()?;
    let near: Vec<Transport> = known
        .iter()
        .filter(|(_, it)| it.deliveries_per_second.overlaps(&best.deliveries_per_second))
        .map(|(transport, _)| *transport)
        .collect();
    let most = Quantity::Rate.write_figure(&best.deliveries_per_second);
    if known.len() == 1 {
        return Some(format!("{} carries {most} deliveries within the SLO.", capitalised(first.label())));
    }
    if near.len() == known.len() {
        return Some(format!("What {} carry is too close to call: up to {most} deliveries.", list(&near)));
    }
    let least = known.last().map_or_else(String::new, |(transport, it)| {
        let share = Quantity::Share.write(it.deliveries_per_second.point / best.deliveries_per_second.point);
        format!("; {} carries {share} of that", transport.label())
    });
    Some(if near.len() > 1 {
        format!("{} carry the most, up to {most} deliveries (too close to call){least}.", capitalised(&list(&near)))
    } else {
        format!("{} carries the most within the SLO, {most} deliveries{least}.", capitalised(first.label()))
    })
}

const fn point(found: &(Transport, Capacity)) -> f64 {
    found.1.deliveries_per_second.point
}

fn rate(value: f64) -> String {
    format!("{} deliveries", Quantity::Rate.write(value))
}
