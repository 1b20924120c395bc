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
use crate::metric::{Metric, Value};
use crate::table::metrics::SERVERS;

pub(crate) use line::{Line, Part, holds_one};
pub(crate) use matrix::{Matrix, judged, matrices};

/// One workload on several servers.
#[derive(Debug)]
pub(crate) struct OnServers<'a> {
    /// The workload's name, as a report tells it from its namesakes.
    pub(crate) label: String,
    pub(crate) workload: &'a Workload,
    pub(crate) client: Client,
    /// Whether its trials are steps of a search.
    pub(crate) is_search: bool,
    /// Whether the same was measured on a lighter wire.
    pub(crate) is_heavier: bool,
    /// The servers, pushoff's own first where it is among those that were asked for first.
    pub(crate) servers: Vec<String>,
    /// The server that divides the others' figures: the first that is not pushoff's own.
    pub(crate) baseline: String,
    /// What was measured of any of them.
    pub(crate) metrics: Vec<Metric>,
    /// By transport, and then by server.
    pub(crate) lines: Vec<Line<'a>>,
}

/// Every workload that was asked of at least two servers.
pub(crate) fn on_servers<'a>(parts: Vec<Part<'_, 'a>>) -> Vec<OnServers<'a>> {
    let mut left = parts;
    let mut found = Vec::new();
    while let Some(first) = left.first().copied() {
        let (same, others): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|part| part.group().asks_the_same_as(first.group()));
        found.extend(OnServers::of(&same));
        left = others;
    }
    found
}

impl<'a> OnServers<'a> {
    fn of(parts: &[Part<'_, 'a>]) -> Option<Self> {
        let first = parts.first()?.group();
        let servers: Vec<String> = parts.iter().map(|part| part.group().server().to_owned()).collect();
        let baseline = servers.iter().find(|server| *server != OURS).filter(|_| servers.len() > 1)?.clone();
        let lines: Vec<Line<'a>> = Transport::ALL
            .into_iter()
            .flat_map(|transport| parts.iter().filter_map(move |part| part.line_of(transport)))
            .collect();
        let is_measured = |metric: &Metric| lines.iter().any(|line| line.figures.get(*metric).is_some());
        Some(Self {
            label: first.question.clone(),
            workload: first.workload,
            client: first.client(),
            is_search: first.is_search,
            is_heavier: first.is_heavier,
            servers,
            baseline,
            metrics: SERVERS.into_iter().filter(is_measured).collect(),
            lines,
        })
    }

    /// The workload's part of an element's id.
    pub(crate) fn anchor(&self) -> String {
        anchor(&self.label)
    }

    /// The line of a transport and server.
    pub(crate) fn line(&self, transport: Transport, server: &str) -> Option<&Line<'a>> {
        self.lines.iter().find(|line| line.transport() == transport && line.server() == server)
    }

    /// How many times the baseline's figure on the same transport a line's is.
    pub(crate) fn to_baseline(&self, metric: Metric, line: &Line<'a>) -> Option<Value> {
        line.over(self.line(line.transport(), &self.baseline)?, metric)
    }
}

#[cfg(test)]
mod tests;
