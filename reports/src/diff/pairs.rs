//! Which figure of one run is held against which of the other, and what has no counterpart.

use pushoff_model::Transport;

use super::judge::Matched;
use super::{By, LeftOut, Place};
use crate::compare::{Figure, Sampled};
use crate::group::{Cell, Group};
use crate::servers::{Bound, Gauge, Line, lines};
use crate::study::Study;

/// What can be compared, and what cannot.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    pub(super) matched: Vec<Matched>,
    pub(super) left_out: Vec<LeftOut>,
    /// What the ledgers of the new run hold against it alone.
    pub(super) faults: Vec<String>,
}

/// The lines of a run, each with its group.
type Lines<'s, 'a> = Vec<(&'s Group<'a>, Line<'a>)>;

/// A figure that is compared, and the least latency that it is made of.
#[derive(Clone, Copy, Debug)]
struct Side {
    figure: Figure,
    bound: Bound,
    is_ratio: bool,
    latency: f64,
}

/// Pairs the cells of two runs.
pub(super) fn pairs(base: &Study<'_>, new: &Study<'_>, by: By) -> Pairs {
    let (base, new) = (lines(base), lines(new));
    let mut pairs = Pairs::default();
    for (group, line) in &new {
        let earlier = base.iter().find(|(other, it)| it.transport == line.transport && group.is_again(other));
        match earlier {
            Some((before, earlier)) => pairs.cell((*group, line), (*before, earlier), (&new, &base), by),
            None => pairs.alone(group, line, "NEW", &base),
        }
    }
    for (group, line) in &base {
        if !new.iter().any(|(other, it)| it.transport == line.transport && other.is_again(group)) {
            pairs.alone(group, line, "BASE", &new);
        }
    }
    pairs
}

impl Pairs {
    fn leave_out(&mut self, what: String, reason: String) {
        self.left_out.push(LeftOut { what, reason });
    }

    /// A cell that only one run has.
    fn alone(&mut self, group: &Group<'_>, line: &Line<'_>, run: &str, others: &Lines<'_, '_>) {
        let namesake = others.iter().any(|(other, it)| {
            it.transport == line.transport
                && (other.server, other.client, other.is_search) == (group.server, group.client, group.is_search)
                && other.workload.name == group.workload.name
                && other.workload.subscribers == group.workload.subscribers
        });
        let reason = if namesake {
            format!("only in {run}: the other's workload of this name has other parameters")
        } else {
            format!("only in {run}")
        };
        self.leave_out(cell(group, line), reason);
    }

    /// Every gauge of a cell that both runs have.
    fn cell(
        &mut self,
        (group, line): (&Group<'_>, &Line<'_>),
        (before, earlier): (&Group<'_>, &Line<'_>),
        (new, base): (&Lines<'_, '_>, &Lines<'_, '_>),
        by: By,
    ) {
        for (run, void) in [("BASE", &earlier.void), ("NEW", &line.void)] {
            if let Some(reason) = void {
                return self.leave_out(cell(group, line), format!("void in {run}: {reason}"));
            }
        }
        self.faults.extend(new_fault(before, group, line));
        if by == By::RatioToFloor && !line.transport.is_ranked() {
            return;
        }
        for (number, gauge) in Gauge::ALL.into_iter().enumerate() {
            let (is_old, is_new) = (earlier.readings[number].is_some(), line.readings[number].is_some());
            let what = || format!("{}, {}", cell(group, line), gauge.head());
            match (is_old, is_new) {
                (false, false) => continue,
                (true, false) => self.leave_out(what(), "no figure in NEW".into()),
                (false, true) => self.leave_out(what(), "no figure in BASE".into()),
                (true, true) => {
                    let sides = side(line, group, new, (number, gauge), by).zip(side(
                        earlier,
                        before,
                        base,
                        (number, gauge),
                        by,
                    ));
                    match sides {
                        Some((now, then)) => self.gauge(group, (line, now), (earlier, then), gauge),
                        None => self.leave_out(what(), no_ratio(line.transport, gauge).into()),
                    }
                }
            }
        }
    }

    fn gauge(
        &mut self,
        group: &Group<'_>,
        (line, now): (&Line<'_>, Side),
        (earlier, then): (&Line<'_>, Side),
        gauge: Gauge,
    ) {
        let what = || format!("{}, {}", cell(group, line), gauge.head());
        let Some(bound) = now.bound.over(then.bound) else {
            return self.leave_out(what(), "only lower bounds are known".into());
        };
        if now.figure.point <= 0.0 || then.figure.point <= 0.0 {
            return self.leave_out(what(), "not above zero, so that there is no ratio".into());
        }
        self.matched.push(Matched {
            place: Place {
                workload: group.label.clone(),
                transport: line.transport,
                client: group.client,
                server: group.server.to_owned(),
            },
            gauge,
            base: Sampled { figure: then.figure, trials: earlier.trials() },
            new: Sampled { figure: now.figure, trials: line.trials() },
            bound,
            is_ratio: now.is_ratio,
            latency: gauge.is_latency().then_some(now.latency.min(then.latency)),
        });
    }
}

/// What is compared of a line: its figure, or how many times that of raw TCP in the same run it is.
fn side(
    line: &Line<'_>,
    group: &Group<'_>,
    all: &Lines<'_, '_>,
    (number, gauge): (usize, Gauge),
    by: By,
) -> Option<Side> {
    let own = line.readings[number].as_ref()?;
    if by == By::Figure {
        return Some(Side { figure: own.figure, bound: own.bound, is_ratio: false, latency: own.figure.point });
    }
    if gauge.is_latency() && line.transport == Transport::ShortPolling {
        return None;
    }
    let floors = || all.iter().filter(|(other, it)| !it.transport.is_ranked() && other.asks_the_same_as(group));
    let (_, floor) = floors().find(|(other, _)| other.server == group.server).or_else(|| floors().next())?;
    let ratio = line.over(floor, number)?;
    let least = floor.readings[number].as_ref().map_or(0.0, |it| it.figure.point).min(own.figure.point);
    Some(Side { figure: ratio.figure, bound: ratio.bound, is_ratio: true, latency: least })
}

/// Lost, repeated or reordered deliveries of a cell that had none before: that needs no statistics.
fn new_fault(before: &Group<'_>, group: &Group<'_>, line: &Line<'_>) -> Option<String> {
    let count = |group: &Group<'_>| {
        let trials = group.cell(line.transport).map_or_else(Vec::new, Cell::valid);
        trials.iter().map(|trial| trial.counts).fold([0; 3], |[lost, repeated, reordered], counts| {
            [lost + counts.lost, repeated + counts.duplicated, reordered + counts.reordered]
        })
    };
    let both = count(before).into_iter().zip(count(group)).zip(["lost", "repeated", "reordered"]);
    let new = both.filter(|((then, now), _)| *then == 0 && *now > 0);
    let words: Vec<String> = new.map(|((_, now), what)| format!("{now} {what}")).collect();
    (!words.is_empty()).then(|| format!("{}: {} in NEW, none in BASE", cell(group, line), words.join(", ")))
}

/// Why a figure cannot be held against raw TCP's.
const fn no_ratio(transport: Transport, gauge: Gauge) -> &'static str {
    match (transport, gauge) {
        (Transport::ShortPolling, Gauge::P50 | Gauge::P99) => {
            "on another machine: the wait for the next poll is the interval's, not the machine's"
        }
        _ => "on another machine, and raw TCP has no figure to hold it against",
    }
}

fn cell(group: &Group<'_>, line: &Line<'_>) -> String {
    format!("{}, {}", group.label, line.transport.label())
}
