//! The cost model: what a message, a poll, a connection and an idle second cost, fitted to measured
//! cells, and so what a load costs that nobody measured.
//!
//! Pure. [`Load`] is what is asked of one server process; it has the server do so much of each
//! [`Driver`] a second; a [`Law`] makes a cost of that. A prediction never leaves the range that was
//! measured without saying how far, and where a server would be busier than any that was measured, its
//! latency is not known.

mod check;
mod drivers;
mod fit;
mod law;
mod load;
mod observe;
mod pace;
mod quantity;
mod range;
mod shipped;

use std::collections::BTreeMap;

use pushoff_model::workload::Direction;
use pushoff_model::{Environment, Transport, foreign};
use serde::{Deserialize, Serialize};

use crate::Run;
use crate::group::Group;
use pushoff_stats::Figure;

pub(crate) use check::{Check, Checked, Summary, checks, summaries};
pub(crate) use drivers::{Driver, Drivers};
pub(crate) use law::Law;
pub(crate) use load::{FIRST, HEARTBEAT, KEPT_MESSAGES, KEPT_SECONDS, Load, WAKEFUL, WARM};
pub(crate) use observe::Observed;
pub(crate) use quantity::Quantity;
pub(crate) use range::{Beyond, Dimension, Range, widening};
pub(crate) use shipped::shipped;

/// The version of `model.json` that this build writes and reads.
const SCHEMA: u32 = 1;

/// What every transport costs, and where that is known from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CostModel {
    schema: u32,
    /// Where it was measured.
    pub(crate) source: Source,
    /// Between what it was measured.
    pub(crate) range: Range,
    /// What it was fitted to.
    #[serde(default)]
    pub(crate) cells: Vec<Fitted>,
    /// One a transport that was measured, in the order of [`Transport::ALL`].
    pub(crate) transports: Vec<Laws>,
}

/// A load that a model was fitted to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fitted {
    /// As its report calls it.
    #[serde(deserialize_with = "foreign::line")]
    pub(crate) label: String,
    pub(crate) users: f64,
    pub(crate) topics: f64,
    /// Messages a second to each user.
    pub(crate) rate: f64,
    pub(crate) direction: Direction,
}

/// Why a text is not a model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It is not what this build writes.
    #[error("it is not a cost model: `pushoff report` of a run of scripts/model writes one")]
    Format(#[source] serde_json::Error),
    /// Another build wrote it.
    #[error("it is a cost model of version {found}, and this build reads version {SCHEMA}: make it anew")]
    Version {
        /// What it says.
        found: u32,
    },
}

/// Where a model comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    /// The run's name.
    #[serde(deserialize_with = "foreign::line")]
    pub(crate) run: String,
    /// When it began, RFC 3339, UTC.
    #[serde(deserialize_with = "foreign::line")]
    pub(crate) started: String,
    /// Git revision of the build.
    #[serde(deserialize_with = "foreign::line")]
    pub(crate) revision: String,
    /// Processor model.
    #[serde(deserialize_with = "foreign::line")]
    pub(crate) cpu: String,
    /// How many processors the run had.
    pub(crate) cpus: u32,
    /// Operating system and kernel release.
    #[serde(deserialize_with = "foreign::line")]
    pub(crate) kernel: String,
    /// Whether a build that means nothing measured it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) debug_build: bool,
}

/// What one transport costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Laws {
    pub(crate) transport: Transport,
    /// Those that could be fitted.
    pub(crate) laws: BTreeMap<Quantity, Law>,
}

/// What one server process would need and do under a load.
#[derive(Clone, Debug)]
pub(crate) struct Forecast {
    costs: BTreeMap<Quantity, Figure>,
    /// In what the load lies outside the range that was measured.
    pub(crate) beyond: Vec<Beyond>,
    /// Requests a second that its users make to receive.
    pub(crate) requests: f64,
    /// The part of one processor that the server is busy, 0 to 1 and, where it cannot be, above.
    pub(crate) utilisation: f64,
}

impl Forecast {
    /// A cost; none where no law is known for it, or the load is one of which it is not known.
    pub(crate) fn cost(&self, quantity: Quantity) -> Option<Figure> {
        self.costs.get(&quantity).copied()
    }
}

impl CostModel {
    /// Reads what [`Self::to_json`] wrote.
    ///
    /// # Errors
    /// When it is something else, or of another version.
    pub(crate) fn parse(text: &str) -> Result<Self, ModelError> {
        let model: Self = serde_json::from_str(text).map_err(ModelError::Format)?;
        if model.schema == SCHEMA { Ok(model) } else { Err(ModelError::Version { found: model.schema }) }
    }

    /// As `model.json` holds it.
    pub(crate) fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// Fits a model to the cells of a run that are not held out; none where no transport has enough.
    pub(crate) fn of(run: &Run, groups: &[Group<'_>]) -> Option<Self> {
        let observed = Observed::of(groups.iter().filter(|group| !group.workload.held_out));
        let loads: Vec<_> = observed.iter().map(|it| (it.load, it.transport)).collect();
        let range = Range::of(&loads);
        let mut model = Self {
            schema: SCHEMA,
            source: run.environments.first().map(Source::of).unwrap_or_default(),
            range,
            cells: Fitted::all(&observed),
            transports: Vec::new(),
        };
        for transport in Transport::ALL {
            let of_it: Vec<_> = observed.iter().filter(|it| it.transport == transport).collect();
            model.transports.extend(Laws::fit(transport, &of_it));
        }
        let busiest = observed.iter().filter_map(|it| Some(it.sample(Quantity::Processor)?.cost / 1e9));
        model.range.utilisation = busiest.fold(0.0, f64::max);
        (!model.transports.is_empty()).then_some(model)
    }

    /// What a process needs that carries a load over a transport; none where that was not measured.
    pub(crate) fn forecast(&self, transport: Transport, load: &Load) -> Option<Forecast> {
        self.forecast_of(&Quantity::ALL, transport, load)
    }

    /// As [`Self::forecast`], of some costs alone.
    pub(crate) fn forecast_of(&self, quantities: &[Quantity], transport: Transport, load: &Load) -> Option<Forecast> {
        let laws = self.transports.iter().find(|it| it.transport == transport)?;
        let beyond = self.range.beyond(load, transport);
        let widening = widening(&beyond);
        let mut drivers = load.drivers(transport);
        let processor = laws.laws.get(&Quantity::Processor)?;
        let utilisation = busy(processor, &drivers);
        queueing(&mut drivers, load, transport, processor);
        // A server that is busier than any that was measured may be past its knee.
        let is_known = |quantity: Quantity| {
            !matches!(quantity, Quantity::LatencyP50 | Quantity::LatencyP99) || utilisation <= self.range.utilisation
        };
        let is_asked = |quantity: Quantity| quantities.contains(&quantity) && is_known(quantity);
        let costs = laws.laws.iter().filter(|(quantity, _)| is_asked(**quantity));
        Some(Forecast {
            costs: costs.map(|(quantity, law)| (*quantity, law.predict(&drivers, widening))).collect(),
            beyond,
            requests: drivers[Driver::Answers] + drivers[Driver::Empties],
            utilisation,
        })
    }
}

impl Fitted {
    /// The loads of these cells, each once.
    pub(crate) fn all(observed: &[Observed<'_>]) -> Vec<Self> {
        let mut cells: Vec<Self> = Vec::new();
        for Observed { label, load, .. } in observed {
            if !cells.iter().any(|it| it.label == *label) {
                let label = (*label).to_owned();
                let Load { users, topics, rate, direction, .. } = *load;
                cells.push(Self { label, users, topics, rate, direction });
            }
        }
        cells
    }
}

impl Laws {
    fn fit(transport: Transport, observed: &[&Observed<'_>]) -> Option<Self> {
        let mut laws = BTreeMap::new();
        for quantity in Quantity::ALL {
            let observations: Vec<_> = observed
                .iter()
                .filter_map(|it| {
                    let sample = it.sample(quantity)?;
                    let mut drivers = sample.counted;
                    if let Some(processor) = laws.get(&Quantity::Processor) {
                        queueing(&mut drivers, &it.load, transport, processor);
                    }
                    Some(fit::Observation { drivers, cost: sample.cost })
                })
                .collect();
            let law = fit::fit(quantity.drivers(transport), quantity.is_exact(), &observations);
            laws.extend(law.map(|law| (quantity, law)));
        }
        laws.contains_key(&Quantity::Processor).then_some(Self { transport, laws })
    }
}

/// The part of one processor that this takes.
fn busy(processor: &Law, drivers: &Drivers) -> f64 {
    processor.predict(drivers, 1.0).point / 1e9
}

/// How long one event has the server busy, and how long it waits for those before it: of events that
/// come independently and take as long each, on average ρ ÷ 2(1 − ρ) of one (M/D/1; Kleinrock 1975,
/// ch. 5). An event is a publish with all its deliveries, or a short poll; each reader of a publish sees
/// a part of its own event. What silence costs, heartbeats and empty long polls, is no part of it.
fn queueing(drivers: &mut Drivers, load: &Load, transport: Transport, processor: &Law) {
    let mut own = *drivers;
    let events = if transport == Transport::ShortPolling {
        drivers[Driver::Answers] + drivers[Driver::Empties]
    } else {
        own[Driver::Heartbeats] = 0.0;
        own[Driver::Empties] = 0.0;
        own[Driver::Wakes] = own[Driver::Wakes].min(load.publishes());
        load.publishes()
    };
    let utilisation = busy(processor, drivers);
    if events <= 0.0 || utilisation >= 1.0 {
        return;
    }
    drivers[Driver::Event] = busy(processor, &own) / events;
    drivers[Driver::Queue] = drivers[Driver::Event] * utilisation / (2.0 * (1.0 - utilisation));
}

impl Source {
    fn of(environment: &Environment) -> Self {
        Self {
            run: environment.run.clone(),
            started: environment.started.clone(),
            revision: environment.revision.clone(),
            cpu: environment.cpu.clone(),
            cpus: environment.cpus,
            kernel: environment.kernel.clone(),
            debug_build: environment.is_debug_build(),
        }
    }
}

#[cfg(test)]
mod tests {
    use pushoff_model::workload::{Arrival, Direction};

    use super::*;

    #[test]
    fn what_silence_costs_makes_no_message_late() {
        // One message an hour to ten thousand: their heartbeats have the server busier than it does.
        let rare = Load {
            users: 10_000.0,
            topics: 1.0,
            rate: 1.0 / 3_600.0,
            arrival: Arrival::Poisson,
            payload: 512.0,
            direction: Direction::Down,
            interval: 1.0,
            wait: 25.0,
            heartbeat: HEARTBEAT,
            turnaround: 0.0,
            kept_for: KEPT_SECONDS,
        };
        let often = Load { rate: 1.0, ..rare };
        for transport in [Transport::LongPolling, Transport::HttpStreaming, Transport::Sse, Transport::WebSocket] {
            let p99 =
                |load: &Load| shipped().forecast(transport, load).unwrap().cost(Quantity::LatencyP99).unwrap().point;
            assert!(p99(&rare) < 2.0 * p99(&often), "{transport}: {} and {}", p99(&rare), p99(&often));
        }
    }
}
