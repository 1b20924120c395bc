//! Published rules of thumb, held against a surface: at which part of its points each is right.

use pushoff_model::Transport;

use super::{Map, Surface, float, rate_at, users_at};
use crate::number::{Quantity, tick};
use pushoff_planner::costs::{CostModel, Quantity as Cost, Regressor};

/// A rule that draws a line through a map, on one side of which a transport is to be taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    /// Polling wins once users ≤ requests a second × acceptable latency, where that is some 10 s or more.
    /// Source: Van de Vyvere et al. 2020.
    Polling {
        /// Requests a second that one processor answers.
        requests: f64,
    },
    /// `WebSocket` once network latency exceeds half the time between updates. Source: Pimentel & Nickerson
    /// 2012, who compared it with long polling and polling, not with other streams.
    Latency {
        /// Seconds that a packet takes, one way.
        one_way: f64,
    },
}

/// Where the line of a rule lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Line {
    /// At so many users: the rule's transport is to be taken below.
    Users(f64),
    /// At so many updates a second: it is to be taken above.
    Rate(f64),
}

/// From how many seconds on the rule of polling is said to hold.
const PATIENT: f64 = 10.0;
/// From which part of the points on a rule that is right at them holds, and below which it does not.
/// Chosen here: nine of ten, and half, which a coin would reach.
const HOLDS: f64 = 0.9;
const FAILS: f64 = 0.5;

/// The rules, with what the model and the users' round trip put in them.
pub(crate) fn rules(model: &CostModel, round_trip: f64) -> Vec<Rule> {
    let short = model.transports.iter().find(|it| it.transport == Transport::ShortPolling);
    let processor = short.and_then(|it| it.fitted.get(&Cost::Processor));
    let empty = processor.and_then(|law| law.terms.iter().find(|term| term.regressor == Regressor::Empties));
    let polling = empty.filter(|term| term.value > 0.0).map(|term| Rule::Polling { requests: 1e9 / term.value });
    let latency = (round_trip > 0.0).then(|| Rule::Latency { one_way: round_trip / 2.0 });
    polling.into_iter().chain(latency).collect()
}

/// At how many of the points of which a rule speaks it is right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    right: usize,
    all: usize,
}

impl Tally {
    fn count(&mut self, is_right: bool) {
        self.all += 1;
        self.right += usize::from(is_right);
    }

    fn share(self) -> Option<f64> {
        (self.all > 0).then(|| float(self.right) / float(self.all))
    }

    fn words(self) -> String {
        self.share().map_or_else(|| "no point".to_owned(), |share| Quantity::Share.write(share))
    }
}

impl Rule {
    /// Its line on the map of a staleness; none where it is not said to hold.
    pub(crate) fn line(self, within: f64) -> Option<Line> {
        match self {
            Self::Polling { requests } => (within >= PATIENT).then_some(Line::Users(requests * within)),
            Self::Latency { one_way } => Some(Line::Rate(1.0 / (2.0 * one_way))),
        }
    }

    /// As the line is labelled.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Polling { .. } => "Van de Vyvere 2020: polling below",
            Self::Latency { .. } => "Pimentel 2012: WebSocket right of it",
        }
    }

    const fn is_its_own(self, choice: Transport) -> bool {
        match self {
            Self::Polling { .. } => matches!(choice, Transport::ShortPolling),
            Self::Latency { .. } => matches!(choice, Transport::WebSocket),
        }
    }

    /// Where the rule says that its transport is to be taken, and where it says another.
    fn tallies(self, maps: &[Map], is_its_own: impl Fn(Transport) -> bool) -> (Tally, Tally) {
        let (mut within_it, mut outside) = (Tally::default(), Tally::default());
        for map in maps {
            let Some(line) = self.line(map.needs.staleness) else { continue };
            for (column, row, point) in map.points() {
                // What is too close to call speaks neither for a rule nor against it.
                let Some(choice) = point.choice.filter(|_| !point.is_close) else { continue };
                let is_inside = match line {
                    Line::Users(users) => users_at(float(row)) <= users,
                    Line::Rate(rate) => rate_at(float(column)) > rate,
                };
                if is_inside {
                    within_it.count(is_its_own(choice));
                } else {
                    outside.count(!is_its_own(choice));
                }
            }
        }
        (within_it, outside)
    }

    /// What the rule says, and whether it is so on this surface.
    pub(crate) fn sentence(self, surface: &Surface) -> String {
        let (inside, outside) = self.tallies(&surface.maps, |choice| self.is_its_own(choice));
        let verdict = verdict(inside, outside);
        match self {
            Self::Polling { requests } => format!(
                "Van de Vyvere et al. (2020): polling wins while users ≤ requests a second × acceptable latency, if that \
                 is some 10 s or more. By this model one processor answers {} empty polls. Of the points on that side, \
                 short polling is the one to take at {}; of the others, another at {}: {verdict}.",
                Quantity::Rate.write(requests),
                inside.words(),
                outside.words()
            ),
            Self::Latency { one_way } => {
                let is_stream = |it| matches!(it, Transport::WebSocket | Transport::Sse | Transport::HttpStreaming);
                let (streams, _) = self.tallies(&surface.maps, is_stream);
                format!(
                    "Pimentel & Nickerson (2012): WebSocket, rather than polling or long polling, once network latency \
                     exceeds half the time between updates; at {} one way that is above {}. Of the points on that side, \
                     WebSocket is the one to take at {}, a stream of any kind at {}; of the others, another than \
                     WebSocket at {}: {verdict}.",
                    tick(one_way * 1e9),
                    Quantity::Rate.write(1.0 / (2.0 * one_way)),
                    inside.words(),
                    streams.words(),
                    outside.words()
                )
            }
        }
    }
}

fn verdict(inside: Tally, outside: Tally) -> &'static str {
    match (inside.share(), outside.share()) {
        (Some(one), Some(other)) if one.min(other) >= HOLDS => "it holds here",
        (Some(one), Some(other)) if one.min(other) < FAILS => "it does not hold here",
        (Some(_), Some(_)) => "it holds in part",
        (None, _) | (_, None) => "whether it holds cannot be seen here",
    }
}
