//! Servers side by side: what was asked of several, a line a transport and server, and the ratios.
//!
//! Pure. Ratios of what ran in the same rounds are drawn in pairs, so that what the machine did to
//! both cancels out; a ratio to a lower bound is a bound itself.

mod line;
mod matrix;
mod table;

use pushoff_model::target::OURS;
use pushoff_model::{Client, Transport, Workload};

use crate::cells::anchor;
use crate::metric::{Bound, LEAST_TRIALS, Metric, Value};
use crate::table::metrics::SERVERS;
use crate::table::{Mark, contested};
use pushoff_stats::Figure;

pub(crate) use line::{Line, Part, holds_one};
pub(crate) use matrix::{Matrix, matrices};

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
    pub(crate) servers: Vec<String>,
    /// Which of them the others are held against: the first that is not pushoff's own.
    pub(crate) baseline: String,
    /// What was measured of any of them.
    pub(crate) metrics: Vec<Metric>,
    /// By transport, and then by server.
    pub(crate) lines: Vec<Line<'a>>,
    /// How each figure stands: one relation a metric and line, in their order.
    relations: Vec<Vec<Relation>>,
}

/// How a figure stands among those of other servers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relation {
    /// Over the baseline's, on the same transport.
    pub(crate) to_baseline: Option<Value>,
    /// Over raw TCP's.
    pub(crate) to_floor: Option<Value>,
    /// Among those of other servers on the same transport.
    pub(crate) mark: Mark,
}

/// Every workload that was asked of at least two servers.
pub(crate) fn beside<'a>(parts: Vec<Part<'_, 'a>>, noise_ns: f64) -> Vec<Beside<'a>> {
    let mut left = parts;
    let mut found = Vec::new();
    while let Some(first) = left.first().copied() {
        let (same, others): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|part| part.group().asks_the_same_as(first.group()));
        found.extend(Beside::of(&same, noise_ns));
        left = others;
    }
    found
}

impl<'a> Beside<'a> {
    fn of(parts: &[Part<'_, 'a>], noise_ns: f64) -> Option<Self> {
        let first = parts.first()?.group();
        let servers: Vec<String> = parts.iter().map(|part| part.group().server().to_owned()).collect();
        let baseline = servers.iter().find(|server| *server != OURS).filter(|_| servers.len() > 1)?.clone();
        let lines: Vec<Line<'a>> = Transport::ALL
            .into_iter()
            .flat_map(|transport| parts.iter().filter_map(move |part| part.line_of(transport)))
            .collect();
        let is_measured = |metric: &Metric| lines.iter().any(|line| line.figures.get(*metric).is_some());
        let mut beside = Self {
            label: first.question.clone(),
            workload: first.workload,
            client: first.client(),
            is_search: first.is_search,
            servers,
            baseline,
            metrics: SERVERS.into_iter().filter(is_measured).collect(),
            lines,
            relations: Vec::new(),
        };
        beside.relations = beside.metrics.iter().map(|metric| beside.related(*metric, noise_ns)).collect();
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
        self.lines.iter().find(|line| line.transport() == transport && line.server() == server)
    }

    /// The line of the floor, whoever served it.
    pub(crate) fn floor(&self) -> Option<&Line<'a>> {
        self.lines.iter().find(|line| !line.transport().is_ranked())
    }

    /// How a figure of a line stands, both by their places.
    pub(crate) fn relation(&self, metric: usize, line: usize) -> &Relation {
        &self.relations[metric][line]
    }

    fn related(&self, metric: Metric, noise_ns: f64) -> Vec<Relation> {
        let marks = self.marks(metric, noise_ns);
        let relation = |(line, mark): (&Line<'a>, Mark)| {
            let baseline = self.line(line.transport(), &self.baseline);
            Relation {
                to_baseline: baseline.and_then(|baseline| line.over(baseline, metric)),
                to_floor: self.floor().and_then(|floor| line.over(floor, metric)),
                mark,
            }
        };
        self.lines.iter().zip(marks).map(relation).collect()
    }

    /// Among the servers that have the transport: bounds and void figures are no contest.
    fn marks(&self, metric: Metric, noise_ns: f64) -> Vec<Mark> {
        let known = |it: &Line<'_>| {
            let value = it.figures.value(metric).filter(|value| value.bound == Bound::Exact)?;
            let counts = it.void.is_none() && (self.is_search || it.trials() >= LEAST_TRIALS);
            counts.then_some(value.figure)
        };
        let mut marks = vec![Mark::None; self.lines.len()];
        for transport in Transport::ALL {
            let is_in = |it: &Line<'_>| it.transport() == transport;
            let contest: Vec<Option<Figure>> = self.lines.iter().map(|it| known(it).filter(|_| is_in(it))).collect();
            // The same trials tell more of the two together than of each alone.
            let is_near = |one: usize, best: usize| {
                let Some((figure, theirs)) = contest[one].zip(contest[best]) else { return false };
                let is_noise = metric.latency().is_some() && (figure.point - theirs.point).abs() < noise_ns;
                let ratio = self.lines[one].over(&self.lines[best], metric);
                let is_one = ratio.map_or_else(|| figure.is_near(&theirs), |ratio| holds_one(&ratio));
                is_noise || is_one || metric.is_of_a_search() && figure.overlaps(&theirs)
            };
            for (mark, own) in marks.iter_mut().zip(contested(metric, &contest, is_near)) {
                if own != Mark::None {
                    *mark = own;
                }
            }
        }
        marks
    }
}

#[cfg(test)]
mod tests;
