//! Which figure of one run is held against which of the other, and what has no counterpart.

use pushoff_model::{CellKey, Transport};

use super::change::{By, LeftOut};
use super::judge::Matched;
use crate::cells::{Cell, Group};
use crate::findings::servers::Line;
use crate::findings::study::Study;
use crate::metric::{Metric, Value};
use crate::table::metrics::DIFF;
use pushoff_stats::Sampled;

/// What can be compared, and what cannot.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    pub(super) matched: Vec<Matched>,
    pub(super) left_out: Vec<LeftOut>,
    /// What went wrong in NEW (lost, repeated, failed …) and not in BASE: a sentence a cell.
    pub(super) faults: Vec<String>,
}

/// All cells of a run, and of which server they are compared, where it is not of all.
struct Cells<'s, 'a> {
    all: Vec<(&'s Group<'a>, Line<'a>)>,
    server: Option<&'s str>,
}

/// A cell.
#[derive(Clone, Copy)]
struct Spot<'c, 'a> {
    group: &'c Group<'a>,
    line: &'c Line<'a>,
    /// Its workload, with its server where cells are told apart by that.
    workload: &'c str,
}

/// A figure that is compared, and the least latency that it is made of.
#[derive(Clone, Copy, Debug)]
struct Side {
    value: Value,
    is_ratio: bool,
    latency: f64,
}

/// Pairs the cells of two runs; where a server of each is named, those of the two servers, whatever
/// they are called.
pub(super) fn pairs(base: &Study<'_>, new: &Study<'_>, servers: Option<[&str; 2]>, by: By) -> Pairs {
    let [base, new] = [(base, 0), (new, 1)]
        .map(|(study, side)| Cells { all: lines(study), server: servers.map(|servers| servers[side]) });
    let mut pairs = Pairs::default();
    for now in new.taken() {
        match base.taken().find(|then| now.is_again(then, servers)) {
            Some(then) => pairs.cell((now, &new), (then, &base), by),
            None => pairs.alone(now, "NEW", base.taken().any(|it| now.is_namesake(&it, servers))),
        }
    }
    for then in base.taken() {
        if !new.taken().any(|now| now.is_again(&then, servers)) {
            pairs.alone(then, "BASE", new.taken().any(|it| then.is_namesake(&it, servers)));
        }
    }
    pairs
}

/// Every cell of a study as a line by itself.
fn lines<'s, 'a>(study: &'s Study<'a>) -> Vec<(&'s Group<'a>, Line<'a>)> {
    study.parts().flat_map(|part| part.lines().map(move |line| (part.group(), line))).collect()
}

impl<'a> Cells<'_, 'a> {
    /// Those that are compared.
    fn taken(&self) -> impl Iterator<Item = Spot<'_, 'a>> {
        self.all.iter().filter_map(|(group, line)| match self.server {
            None => Some(Spot { group, line, workload: &group.label }),
            Some(server) => (group.server() == server).then_some(Spot { group, line, workload: &group.question }),
        })
    }

    /// The line of raw TCP in the same run, which is in the clear whatever wire it stands beside.
    fn floor(&self, of: &Group<'_>) -> Option<&Line<'a>> {
        let floors = || self.all.iter().filter(|(it, line)| !line.transport().is_ranked() && it.has_the_floor_of(of));
        floors().find(|(it, _)| it.server() == of.server()).or_else(|| floors().next()).map(|(_, line)| line)
    }
}

impl Spot<'_, '_> {
    /// Whether this is that cell, measured again.
    fn is_again(&self, earlier: &Spot<'_, '_>, servers: Option<[&str; 2]>) -> bool {
        let is_served_again = servers.is_some() || self.group.server() == earlier.group.server();
        is_served_again && self.line.transport() == earlier.line.transport() && self.group.asks_again(earlier.group)
    }

    /// Whether the other is called the same, whatever was asked.
    fn is_namesake(&self, other: &Spot<'_, '_>, servers: Option<[&str; 2]>) -> bool {
        let (group, other_group) = (self.group, other.group);
        (servers.is_some() || group.server() == other_group.server())
            && self.line.transport() == other.line.transport()
            && (group.client(), group.is_search) == (other_group.client(), other_group.is_search)
            && group.workload.name == other_group.workload.name
            && group.workload.subscribers == other_group.workload.subscribers
    }

    /// `ticker, SSE`.
    fn name(&self) -> String {
        format!("{}, {}", self.workload, self.line.transport().label())
    }

    /// What is compared of it: a figure, or how many times that of raw TCP in the same run it is.
    fn side(&self, all: &Cells<'_, '_>, metric: Metric, by: By) -> Option<Side> {
        let own = self.line.figures.value(metric)?;
        if by == By::Figure {
            return Some(Side { value: own, is_ratio: false, latency: own.figure.point });
        }
        if metric.latency().is_some() && self.line.transport().polls_on_a_timer() {
            return None;
        }
        let floor = all.floor(self.group)?;
        let ratio = self.line.over(floor, metric)?;
        let least = floor.figures.get(metric).map_or(0.0, |it| it.point).min(own.figure.point);
        Some(Side { value: ratio, is_ratio: true, latency: least })
    }
}

impl Pairs {
    fn leave_out(&mut self, what: String, reason: &str) {
        self.left_out.push(LeftOut { what, reason: reason.to_owned() });
    }

    /// A cell that only one side has, though the other may have a namesake.
    fn alone(&mut self, spot: Spot<'_, '_>, side: &str, has_namesake: bool) {
        let why = if has_namesake { ": the other's workload of this name has other parameters" } else { "" };
        self.leave_out(spot.name(), &format!("only in {side}{why}"));
    }

    /// Every metric of a cell that both sides have.
    fn cell(
        &mut self,
        (now, new): (Spot<'_, '_>, &Cells<'_, '_>),
        (then, base): (Spot<'_, '_>, &Cells<'_, '_>),
        by: By,
    ) {
        for (side, void) in [("BASE", &then.line.void), ("NEW", &now.line.void)] {
            if let Some(reason) = void {
                return self.leave_out(now.name(), &format!("void in {side}: {reason}"));
            }
        }
        self.faults.extend(new_fault(then, now));
        if by == By::RatioToFloor && !now.line.transport().is_ranked() {
            return;
        }
        for metric in DIFF {
            let what = || format!("{}, {}", now.name(), metric.label());
            match (then.line.figures.get(metric).is_some(), now.line.figures.get(metric).is_some()) {
                (false, false) => {}
                (true, false) => self.leave_out(what(), "no figure in NEW"),
                (false, true) => self.leave_out(what(), "no figure in BASE"),
                (true, true) => {
                    let of = |spot: Spot<'_, '_>, all| spot.side(all, metric, by);
                    let matched = match of(now, new).zip(of(then, base)) {
                        Some(sides) => matched((now, sides.0), (then, sides.1), metric),
                        None => Err(no_ratio(now.line.transport(), metric)),
                    };
                    match matched {
                        Ok(matched) => self.matched.push(matched),
                        Err(reason) => self.leave_out(what(), reason),
                    }
                }
            }
        }
    }
}

/// A metric of both sides, or why there is no ratio of the two.
fn matched(
    (now, new): (Spot<'_, '_>, Side),
    (then, base): (Spot<'_, '_>, Side),
    metric: Metric,
) -> Result<Matched, &'static str> {
    let bound = new.value.bound.over(base.value.bound).ok_or("only lower bounds are known")?;
    if new.value.figure.point <= 0.0 || base.value.figure.point <= 0.0 {
        return Err("not above zero, so that there is no ratio");
    }
    Ok(Matched {
        key: CellKey { workload: now.workload.to_owned(), ..now.line.key.clone() },
        metric,
        base: Sampled { figure: base.value.figure, trials: then.line.trials() },
        new: Sampled { figure: new.value.figure, trials: now.line.trials() },
        paired: if new.is_ratio { None } else { now.line.paired(then.line, metric) },
        bound,
        is_ratio: new.is_ratio,
        latency: metric.latency().is_some().then_some(new.latency.min(base.latency)),
    })
}

/// What went wrong in a cell where it did not before: that needs no statistics.
fn new_fault(then: Spot<'_, '_>, now: Spot<'_, '_>) -> Option<String> {
    let both = WRONG.into_iter().zip(wrong(then)).zip(wrong(now));
    let new = both.filter(|((_, before), after)| *before == 0 && *after > 0);
    let words: Vec<String> = new.map(|((what, _), after)| format!("{after} {what}")).collect();
    if words.is_empty() {
        return None;
    }
    let faults = &now.line.faults;
    let causes =
        if now.group.is_search { Vec::new() } else { faults.failed().into_iter().chain(faults.causes()).collect() };
    let why = if causes.is_empty() { String::new() } else { format!(" ({})", causes.join("; ")) };
    Some(format!("{}: {} in NEW, none in BASE{why}", now.name(), words.join(", ")))
}

/// What can go wrong in a cell, in the order of [`wrong`].
const WRONG: [&str; 7] =
    ["lost", "repeated", "reordered", "not published", "never sent", "connections broken", "trials failed"];

/// How often each of that went wrong. A search overloads a server on purpose, and what a server does not take
/// then is no fault.
fn wrong(spot: Spot<'_, '_>) -> [u64; WRONG.len()] {
    let trials = spot.group.cell(spot.line.transport()).map_or_else(Vec::new, Cell::valid);
    let deliveries = trials.iter().map(|trial| trial.counts).fold([0; 3], |[lost, repeated, reordered], counts| {
        [lost + counts.lost, repeated + counts.duplicated, reordered + counts.reordered]
    });
    let [lost, repeated, reordered] = deliveries;
    let faults = &spot.line.faults;
    let others = if spot.group.is_search {
        [0; 4]
    } else {
        [faults.unpublished, faults.unsent, faults.connections_broken, faults.failed_trials as u64]
    };
    let [unpublished, unsent, broken, failed] = others;
    [lost, repeated, reordered, unpublished, unsent, broken, failed]
}

/// Why a figure cannot be held against raw TCP's.
fn no_ratio(transport: Transport, metric: Metric) -> &'static str {
    if transport.polls_on_a_timer() && metric.latency().is_some() {
        "on another machine: the wait for the next poll is the interval's, not the machine's"
    } else {
        "on another machine, and raw TCP has no figure to hold it against"
    }
}
