//! Servers side by side: what was asked of several, a line a transport and server, and the ratios.
//!
//! Pure. Ratios of what ran in the same rounds are drawn in pairs, so that what the machine did to
//! both cancels out; a ratio to a lower bound is a bound itself.

mod gauge;
mod matrix;
mod table;

use pushoff_model::record::Measurement;
use pushoff_model::target::OURS;
use pushoff_model::{Client, Transport, Workload};
use serde::Serialize;

use crate::cost::CostSheet;
use crate::faults::CellFaults;
use crate::group::{Group, anchor};
use crate::rank::{LEAST_TRIALS, Standing};
use crate::search::{self, Curve, Reach, Searched};
use crate::study::{Comparison, Study};
use crate::table::{Better, Mark};
use crate::validity::Validity;
use pushoff_stats::{Figure, Sampled, paired};

pub(crate) use gauge::Gauge;
use gauge::Statistic;
pub(crate) use matrix::{Matrix, matrices};

/// So many pairs say more than the trials of both sides by themselves, though some of these have none.
const LEAST_PAIRS: usize = 3;

/// One workload on several servers.
#[derive(Debug)]
pub(crate) struct Beside<'a> {
    /// The workload's name, as a report tells it from its namesakes.
    pub(crate) label: String,
    pub(crate) workload: &'a Workload,
    pub(crate) client: Client,
    /// Whether its trials are steps of a search.
    pub(crate) is_search: bool,
    /// The servers, pushoff's own first where it is among those that were asked for first.
    pub(crate) servers: Vec<&'a str>,
    /// Which of them the others are held against: the first that is not pushoff's own.
    pub(crate) baseline: &'a str,
    /// What was measured of any of them.
    pub(crate) gauges: Vec<Gauge>,
    /// By transport, and then by server.
    pub(crate) lines: Vec<Line<'a>>,
}

/// A transport of a server.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) transport: Transport,
    pub(crate) server: &'a str,
    /// Whether it is good enough, where that is asked.
    pub(crate) standing: Option<Standing>,
    /// What limited it.
    pub(crate) validity: Validity,
    /// Why its figures are void, if they are.
    pub(crate) void: Option<String>,
    /// What went wrong in its trials.
    pub(crate) faults: CellFaults,
    /// One a gauge of the table, in the same order.
    pub(crate) readings: Vec<Option<Reading>>,
    /// The trials that count: with those of other lines that ran in the same round they make pairs.
    trials: Vec<(&'a str, u32)>,
    /// What readings were made of, where pairs can be made.
    statistics: Vec<Option<Statistic>>,
}

/// A figure with what it is worth.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Reading {
    #[serde(flatten)]
    pub(crate) figure: Figure,
    pub(crate) bound: Bound,
    /// Over the baseline's, on the same transport.
    pub(crate) to_baseline: Option<Ratio>,
    /// Over raw TCP's.
    pub(crate) to_floor: Option<Ratio>,
    /// How it stands among those of other servers on the same transport.
    #[serde(skip)]
    pub(crate) mark: Mark,
}

/// How many times another's figure one's is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Ratio {
    #[serde(flatten)]
    pub(crate) figure: Figure,
    pub(crate) bound: Bound,
}

/// Whether a figure is known or only bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Bound {
    Exact,
    AtLeast,
    AtMost,
}

impl Bound {
    /// What stands before such a figure.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Exact => "",
            Self::AtLeast => "≥ ",
            Self::AtMost => "≤ ",
        }
    }

    /// Of a ratio; `None` where nothing is known of it.
    pub(crate) const fn over(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Exact, Self::Exact) => Some(Self::Exact),
            (Self::AtLeast, Self::Exact) | (Self::Exact, Self::AtMost) => Some(Self::AtLeast),
            (Self::AtMost, Self::Exact) | (Self::Exact, Self::AtLeast) => Some(Self::AtMost),
            (Self::AtLeast | Self::AtMost, Self::AtLeast | Self::AtMost) => None,
        }
    }
}

/// One server's part of a workload.
#[derive(Clone, Copy)]
enum Part<'s, 'a> {
    Compared(&'s Comparison<'a>),
    Held(&'s CostSheet<'a>),
    Searched(&'s Searched<'a>),
}

impl<'s, 'a> Part<'s, 'a> {
    const fn group(self) -> &'s Group<'a> {
        match self {
            Self::Compared(it) => &it.group,
            Self::Held(it) => &it.group,
            Self::Searched(it) => &it.group,
        }
    }
}

/// Every workload that was asked of at least two servers.
pub(crate) fn beside<'a>(
    comparisons: &[Comparison<'a>],
    holdings: &[CostSheet<'a>],
    searches: &[Searched<'a>],
    noise_ns: f64,
) -> Vec<Beside<'a>> {
    let mut left: Vec<Part<'_, 'a>> = comparisons.iter().map(Part::Compared).collect();
    left.extend(searches.iter().map(Part::Searched));
    left.extend(holdings.iter().map(Part::Held));
    let mut found = Vec::new();
    while let Some(first) = left.first().copied() {
        let (same, others): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|part| part.group().asks_the_same_as(first.group()));
        found.extend(Beside::of(&same, noise_ns));
        left = others;
    }
    found
}

/// Every cell of a study as a line by itself, a reading for each of [`Gauge::ALL`].
pub(crate) fn lines<'s, 'a>(study: &'s Study<'a>) -> Vec<(&'s Group<'a>, Line<'a>)> {
    let compared = study.comparisons.iter().map(Part::Compared);
    let parts = compared.chain(study.searches.iter().map(Part::Searched)).chain(study.holdings.iter().map(Part::Held));
    let lines = |part: Part<'s, 'a>| {
        let of = move |transport| Line::of(part, transport).map(|line| (part.group(), line));
        Transport::ALL.into_iter().filter_map(of)
    };
    parts.flat_map(lines).collect()
}

impl<'a> Beside<'a> {
    fn of(parts: &[Part<'_, 'a>], noise_ns: f64) -> Option<Self> {
        let first = parts.first()?.group();
        let servers: Vec<&'a str> = parts.iter().map(|part| part.group().server).collect();
        let baseline = servers.iter().copied().find(|server| *server != OURS).filter(|_| servers.len() > 1)?;
        let mut lines: Vec<Line<'a>> = Transport::ALL
            .into_iter()
            .flat_map(|transport| parts.iter().filter_map(move |part| Line::of(*part, transport)))
            .collect();
        let is_measured = |gauge: usize| lines.iter().any(|line| line.readings[gauge].is_some());
        let is_shown = |gauge: Gauge, number: usize| gauge.is_of_servers() && is_measured(number);
        let kept: Vec<bool> = Gauge::ALL.into_iter().zip(0..).map(|(gauge, number)| is_shown(gauge, number)).collect();
        for line in &mut lines {
            keep(&mut line.readings, &kept);
            keep(&mut line.statistics, &kept);
        }
        let gauges = Gauge::ALL.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(gauge, _)| gauge).collect();
        let mut beside = Self {
            label: first.question.clone(),
            workload: first.workload,
            client: first.client,
            is_search: first.is_search,
            servers,
            baseline,
            gauges,
            lines,
        };
        beside.relate(noise_ns);
        Some(beside)
    }

    /// The workload's part of an element's id.
    pub(crate) fn anchor(&self) -> String {
        anchor(&self.label)
    }

    /// The number of a server among those of the workload: its colour and its shape.
    pub(crate) fn place(&self, server: &str) -> usize {
        self.servers.iter().position(|it| *it == server).unwrap_or(0)
    }

    /// The line of a transport and server.
    pub(crate) fn line(&self, transport: Transport, server: &str) -> Option<&Line<'a>> {
        self.lines.iter().find(|line| line.transport == transport && line.server == server)
    }

    /// The line of the floor, whoever served it.
    pub(crate) fn floor(&self) -> Option<&Line<'a>> {
        self.lines.iter().find(|line| !line.transport.is_ranked())
    }

    /// How many times another line's figure a line's is, by the gauge's place in the table.
    pub(crate) fn ratio(&self, gauge: usize, one: &Line<'_>, other: &Line<'_>) -> Option<Ratio> {
        one.over(other, gauge)
    }

    fn relate(&mut self, noise_ns: f64) {
        for gauge in 0..self.gauges.len() {
            let related: Vec<_> = self
                .lines
                .iter()
                .map(|line| {
                    let baseline = self.line(line.transport, self.baseline);
                    let floor = self.floor();
                    (
                        baseline.and_then(|baseline| self.ratio(gauge, line, baseline)),
                        floor.and_then(|floor| self.ratio(gauge, line, floor)),
                        self.mark(gauge, line, noise_ns),
                    )
                })
                .collect();
            for (line, related) in self.lines.iter_mut().zip(related) {
                if let Some(reading) = &mut line.readings[gauge] {
                    (reading.to_baseline, reading.to_floor, reading.mark) = related;
                }
            }
        }
    }

    /// Among the servers that have the transport: bounds and void figures are no contest.
    fn mark(&self, gauge: usize, line: &Line<'_>, noise_ns: f64) -> Mark {
        let known = |it: &Line<'_>| {
            let reading = it.readings[gauge].as_ref().filter(|reading| reading.bound == Bound::Exact)?;
            let counts = it.void.is_none() && (self.is_search || it.trials.len() >= LEAST_TRIALS);
            counts.then_some(reading.figure)
        };
        let kind = self.gauges[gauge];
        let contest: Vec<(&Line<'_>, Figure)> = self
            .lines
            .iter()
            .filter(|it| it.transport == line.transport)
            .filter_map(|it| Some((it, known(it)?)))
            .collect();
        let by_point = |one: &&(&Line<'_>, Figure), other: &&(&Line<'_>, Figure)| one.1.point.total_cmp(&other.1.point);
        let best = match kind.better() {
            Better::Less => contest.iter().min_by(by_point),
            Better::More => contest.iter().max_by(by_point),
            Better::Neither => None,
        };
        let Some((best, theirs)) = best.filter(|_| contest.len() > 1 && known(line).is_some()) else {
            return Mark::None;
        };
        // The same trials tell more of the two together than of each alone.
        let is_near = |it: &Line<'_>, figure: &Figure| {
            let is_noise = kind.is_latency() && (figure.point - theirs.point).abs() < noise_ns;
            let is_one = self.ratio(gauge, it, best).map_or_else(|| figure.is_near(theirs), |ratio| ratio.holds_one());
            std::ptr::eq(it, *best) || is_noise || is_one || kind == Gauge::Capacity && figure.overlaps(theirs)
        };
        let near: Vec<&Line<'_>> =
            contest.iter().filter(|(it, figure)| is_near(it, figure)).map(|(it, _)| *it).collect();
        match (near.iter().any(|it| std::ptr::eq(*it, line)), near.len()) {
            (false, _) => Mark::None,
            (true, 1) => Mark::Best,
            (true, _) => Mark::Tied,
        }
    }
}

impl Ratio {
    /// Whether the two may be the same, as far as the data tells. A point without an interval tells nothing.
    pub(crate) fn holds_one(&self) -> bool {
        self.figure.interval.is_none_or(|it| it.low <= 1.0 && 1.0 <= it.high)
    }
}

impl<'a> Line<'a> {
    fn of(part: Part<'_, 'a>, transport: Transport) -> Option<Self> {
        let group = part.group();
        let index = group.cells.iter().position(|cell| cell.transport == transport)?;
        let cell = &group.cells[index];
        let curve = match part {
            Part::Searched(searched) => searched.curves.get(index),
            Part::Compared(_) | Part::Held(_) => None,
        };
        let standing = match part {
            Part::Compared(comparison) => comparison.candidates.get(index).map(|it| it.standing.clone()),
            Part::Searched(_) | Part::Held(_) => None,
        };
        let counting: Vec<_> = cell.trials.iter().filter(|trial| trial.is_valid()).collect();
        let shown: Vec<&Measurement> = cell.shown();
        let validity = curve.map_or_else(|| Validity::of(cell), search::validity);
        let mut line = Self {
            transport,
            server: group.server,
            standing,
            validity,
            void: match curve {
                // What held in spite of a limit is a lower bound.
                Some(curve) => curve.void.clone().filter(|_| curve.capacity.is_none()),
                None => cell.void_reason().map(str::to_owned),
            },
            faults: CellFaults::of(&cell.trials),
            readings: Vec::new(),
            trials: counting.iter().map(|trial| (trial.record.run.as_str(), trial.record.trial)).collect(),
            statistics: Vec::new(),
        };
        for gauge in Gauge::ALL {
            let statistic = if group.is_search { None } else { Statistic::of(gauge, transport, &shown) };
            let figure = statistic.as_ref().and_then(|it| it.figure(shown.len())).filter(|it| it.point.is_finite());
            let bound = if gauge == Gauge::Polls && validity != Validity::ServerLimited {
                Bound::AtLeast
            } else {
                Bound::Exact
            };
            let border = curve.filter(|_| gauge == Gauge::Capacity).and_then(capacity);
            line.readings.push(border.or_else(|| figure.map(|figure| Reading::of(figure, bound))));
            line.statistics.push(statistic);
        }
        Some(line)
    }

    /// How many times another's figure this one's is, of the same run and by the gauge's place among the
    /// readings of both.
    pub(crate) fn over(&self, other: &Self, gauge: usize) -> Option<Ratio> {
        if std::ptr::eq(self, other) {
            return None;
        }
        let (ours, theirs) = (self.readings[gauge].as_ref()?, other.readings[gauge].as_ref()?);
        // What was delivered in spite of a limit is a bound; what is void is no figure.
        let is_void = |line: &Line<'_>, reading: &Reading| line.void.is_some() && reading.bound == Bound::Exact;
        if is_void(self, ours) || is_void(other, theirs) {
            return None;
        }
        let bound = ours.bound.over(theirs.bound)?;
        if bound != Bound::Exact {
            let point = ours.figure.point / theirs.figure.point;
            return Some(Ratio { figure: Figure { point, interval: None }, bound })
                .filter(|_| theirs.figure.point > 0.0);
        }
        let figure = match self.paired(other, gauge) {
            Some(ratio) => Some(ratio.figure),
            None => ours.figure.over(&theirs.figure),
        };
        // A difference that may be none has no ratio.
        figure.filter(|it| it.point > 0.0 && it.point.is_finite()).map(|figure| Ratio { figure, bound })
    }

    /// How many times another line's figure this one's is, over the rounds in which a trial of both counts:
    /// what the machine did in a round cancels out. `None` where too few rounds are in common.
    pub(crate) fn paired(&self, other: &Self, gauge: usize) -> Option<Sampled> {
        let (one, another) = self.statistics[gauge].as_ref().zip(other.statistics[gauge].as_ref())?;
        let place = |trial| other.trials.iter().position(|it| it == trial);
        let pairs: Vec<(usize, usize)> =
            self.trials.iter().enumerate().filter_map(|(own, trial)| Some((own, place(trial)?))).collect();
        if pairs.len() < LEAST_PAIRS && self.trials != other.trials {
            return None;
        }
        // Of each side, every trial as often as its pair was drawn, and what has no pair never.
        let of_side = |trials: usize, side: fn(&(usize, usize)) -> usize, drawn: &[u32]| {
            let mut times = vec![0; trials];
            pairs.iter().zip(drawn).for_each(|(pair, often)| times[side(pair)] = *often);
            times
        };
        let figure = paired(
            pairs.len(),
            |drawn| one.at(&of_side(self.trials(), |pair| pair.0, drawn)),
            |drawn| another.at(&of_side(other.trials(), |pair| pair.1, drawn)),
        )?;
        Some(Sampled { figure, trials: pairs.len() })
    }

    /// How many trials count.
    pub(crate) const fn trials(&self) -> usize {
        self.trials.len()
    }
}

fn capacity(curve: &Curve) -> Option<Reading> {
    let capacity = curve.capacity?;
    let bound = if capacity.reach == Reach::Saturated { Bound::Exact } else { Bound::AtLeast };
    Some(Reading::of(capacity.deliveries_per_second, bound))
}

impl Reading {
    const fn of(figure: Figure, bound: Bound) -> Self {
        Self { figure, bound, to_baseline: None, to_floor: None, mark: Mark::None }
    }
}

fn keep<T>(all: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter().copied();
    all.retain(|_| kept.next().unwrap_or(false));
}

#[cfg(test)]
mod tests;
