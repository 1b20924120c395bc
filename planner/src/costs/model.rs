//! What every transport costs: how the model is fitted, written, read and asked.

use std::collections::BTreeMap;

use pushoff_model::workload::Arrival;
use pushoff_model::{Environment, Transport, foreign};
use pushoff_stats::{Figure, Interval};
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::fit;
use super::fitted::FittedModel;
use super::load::Load;
use super::measured::{MeasuredCell, Observed};
use super::quantity::Quantity;
use super::queue;
use super::range::{Beyond, Range, widening};
use super::regressors::{Regressor, Regressors};

/// The version of `model.json` that this build writes and reads.
const SCHEMA: u32 = 1;

/// What every transport costs, and where that is known from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CostModel {
    schema: u32,
    /// Where it was measured.
    pub source: Source,
    /// Between what it was measured.
    pub range: Range,
    /// How far it was off on the cells that were held out; empty where none was.
    #[serde(default)]
    pub errors: Vec<Error>,
    /// One a transport that was measured, in the order of [`Transport::ALL`].
    pub transports: Vec<TransportModel>,
}

/// Why a text is not a model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It is not what this build writes.
    #[error("it is not a cost model: `pushoff report` of a run of scripts/model writes one")]
    Format(#[source] serde_json::Error),
    /// It predicts nothing.
    #[error("it is a cost model without a transport: make it anew with scripts/model")]
    Empty,
    /// Another build wrote it.
    #[error("it is a cost model of version {found}, and this build reads version {SCHEMA}: make it anew")]
    Version {
        /// What it says.
        found: u32,
    },
}

/// Where a model comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The run's name.
    #[serde(deserialize_with = "foreign::line")]
    pub run: String,
    /// When it began, RFC 3339, UTC.
    #[serde(deserialize_with = "foreign::line")]
    pub started: String,
    /// Git revision of the build.
    #[serde(deserialize_with = "foreign::line")]
    pub revision: String,
    /// Processor model.
    #[serde(deserialize_with = "foreign::line")]
    pub cpu: String,
    /// How many processors the run had.
    pub cpus: u32,
    /// Operating system and kernel release.
    #[serde(deserialize_with = "foreign::line")]
    pub kernel: String,
    /// Whether a debug build measured it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub debug_build: bool,
}

/// What one transport costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransportModel {
    /// The transport.
    pub transport: Transport,
    /// One a cost that could be fitted.
    #[serde(rename = "laws")]
    pub fitted: BTreeMap<Quantity, FittedModel>,
}

/// What one server process would need and do under a load.
#[derive(Clone, Debug)]
pub struct Forecast {
    costs: BTreeMap<Quantity, Figure>,
    /// In what the load lies outside the range that was measured.
    pub beyond: Vec<Beyond>,
    /// Polls a second.
    pub requests: f64,
    /// The share of one processor that the server would use; above 1 where one is not enough.
    pub utilisation: f64,
}

impl Forecast {
    /// A cost; none where it was not fitted, or where it is not known for such a load.
    pub fn cost(&self, quantity: Quantity) -> Option<Figure> {
        self.costs.get(&quantity).copied()
    }

    /// With no interval narrower than the error that the model's own check found.
    pub fn checked(mut self, model: &CostModel, transport: Transport) -> Self {
        for (quantity, figure) in &mut self.costs {
            let error = model.error(transport, *quantity);
            if error > 0.0 && figure.point > 0.0 {
                let (low, high) = (figure.point * (-error).exp(), figure.point * error.exp());
                figure.interval = Some(Interval { low: figure.low().min(low), high: figure.high().max(high) });
            }
        }
        self
    }
}

impl CostModel {
    /// Reads what [`Self::to_json`] wrote.
    ///
    /// # Errors
    /// When it is something else, or of another version.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let model: Self = serde_json::from_str(text).map_err(ModelError::Format)?;
        if model.schema != SCHEMA {
            return Err(ModelError::Version { found: model.schema });
        }
        if model.transports.is_empty() { Err(ModelError::Empty) } else { Ok(model) }
    }

    /// As `model.json` holds it.
    ///
    /// # Errors
    /// When a figure cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// Fits a model to measured cells, except those held out; none where every transport has too few.
    pub(super) fn fit(environment: Option<&Environment>, cells: &[MeasuredCell<'_>]) -> Option<Self> {
        let observed = Observed::of(cells.iter().filter(|cell| !cell.workload.held_out));
        let loads: Vec<_> = observed.iter().map(|it| (it.load, it.transport)).collect();
        let mut model = Self {
            schema: SCHEMA,
            source: environment.map(Source::of).unwrap_or_default(),
            range: Range::of(&loads),
            errors: Vec::new(),
            transports: Vec::new(),
        };
        for transport in Transport::ALL {
            let of_it: Vec<_> = observed.iter().filter(|it| it.transport == transport).collect();
            model.transports.extend(TransportModel::fit(transport, &of_it));
        }
        let busiest = observed.iter().filter_map(|it| Some(it.sample(Quantity::Processor)?.cost / 1e9));
        model.range.utilisation = busiest.fold(0.0, f64::max);
        (!model.transports.is_empty()).then_some(model)
    }

    /// The largest error of a cost on a cell that was held out, as |ln(predicted ÷ measured)|; 0 where none was. What
    /// is counted errs by the wire of its transport, and so alike in every cell. What is timed errs by chance: of so
    /// few cells a transport the worst of all transports counts.
    fn error(&self, transport: Transport, quantity: Quantity) -> f64 {
        let of_it = self.errors.iter().filter(|it| it.check.parts().contains(&quantity));
        let counts = of_it.filter(|it| !quantity.is_exact() || it.transport == transport);
        counts.map(|it| it.worst).fold(0.0, f64::max)
    }

    /// What was fitted of a transport.
    #[must_use]
    pub fn transport(&self, transport: Transport) -> Option<&TransportModel> {
        self.transports.iter().find(|it| it.transport == transport)
    }

    /// The fitted model of one cost of a transport.
    #[must_use]
    pub fn fitted(&self, transport: Transport, quantity: Quantity) -> Option<&FittedModel> {
        self.transport(transport)?.fitted.get(&quantity)
    }

    /// What a process needs for a load over a transport; none where the transport was not measured.
    pub fn forecast(&self, transport: Transport, load: &Load) -> Option<Forecast> {
        self.forecast_of(&Quantity::ALL, transport, load)
    }

    /// As [`Self::forecast`], for some costs alone.
    pub fn forecast_of(&self, quantities: &[Quantity], transport: Transport, load: &Load) -> Option<Forecast> {
        let fitted = &self.transport(transport)?.fitted;
        let beyond = self.range.beyond(load, transport);
        let widening = widening(&beyond);
        let mut counts = load.regressors(transport);
        let processor = fitted.get(&Quantity::Processor)?;
        let utilisation = busy(processor, &counts);
        queueing(&mut counts, load, transport, processor);
        // A flush holds the frames of its messages: they are as many bytes as if each were written by itself.
        let at_once = Load { hold: 0.0, ..*load }.regressors(transport);
        // For arrivals at random the wait is known from theory, and takes the place of what was fitted to even ones.
        let is_random = load.arrival == Arrival::Poisson;
        let service = counts[Regressor::Event];
        if is_random {
            counts[Regressor::Queue] = 0.0;
        }
        let shares = [(Quantity::LatencyP50, 0.5), (Quantity::LatencyP99, 0.99)];
        let wait = |quantity: Quantity| {
            let share = shares.iter().find(|it| is_random && it.0 == quantity).map(|it| it.1);
            share.map_or(0.0, |share| 1e9 * queue::wait(service, load.events(transport), share))
        };
        let predicted = |quantity: Quantity, fitted: &FittedModel| {
            let is_held = matches!(quantity, Quantity::BytesDown | Quantity::BytesUp);
            let figure = fitted.predict(if is_held { &at_once } else { &counts }, widening);
            figure.plus(&Figure { point: wait(quantity), interval: None })
        };
        // A server that is busier than every measured one may be past its knee.
        let is_known = |quantity: Quantity| {
            !matches!(quantity, Quantity::LatencyP50 | Quantity::LatencyP99) || utilisation <= self.range.utilisation
        };
        let is_asked = |quantity: Quantity| quantities.contains(&quantity) && is_known(quantity);
        let costs = fitted.iter().filter(|(quantity, _)| is_asked(**quantity));
        Some(Forecast {
            costs: costs.map(|(quantity, fitted)| (*quantity, predicted(*quantity, fitted))).collect(),
            beyond,
            requests: counts.polls(),
            utilisation,
        })
    }
}

impl TransportModel {
    fn fit(transport: Transport, observed: &[&Observed<'_>]) -> Option<Self> {
        let mut fitted = BTreeMap::new();
        for quantity in Quantity::ALL {
            let observations: Vec<_> = observed
                .iter()
                .filter_map(|it| {
                    let sample = it.sample(quantity)?;
                    let mut counts = sample.counted;
                    if let Some(processor) = fitted.get(&Quantity::Processor) {
                        queueing(&mut counts, &it.load, transport, processor);
                    }
                    Some(fit::Observation { counts, cost: sample.cost })
                })
                .collect();
            let best = fit::fit(quantity.regressors(transport), quantity.is_exact(), &observations);
            fitted.extend(best.map(|best| (quantity, best)));
        }
        fitted.contains_key(&Quantity::Processor).then_some(Self { transport, fitted })
    }
}

/// The share of one processor that these counts take.
fn busy(processor: &FittedModel, counts: &Regressors) -> f64 {
    processor.predict(counts, 1.0).point / 1e9
}

/// Adds the service time of one event and its waiting time in the queue: for independent events of equal length the
/// wait is ρ ÷ 2(1 − ρ) of the service time (M/D/1; Kleinrock 1975, ch. 5). An event is a publish with all its
/// deliveries, or a short poll. Heartbeats and empty long polls belong to no event.
fn queueing(counts: &mut Regressors, load: &Load, transport: Transport, processor: &FittedModel) {
    let mut own = *counts;
    let events = load.events(transport);
    if !transport.polls_on_a_timer() {
        own[Regressor::Heartbeats] = 0.0;
        own[Regressor::Empties] = 0.0;
        own[Regressor::Wakes] = own[Regressor::Wakes].min(load.publishes());
    }
    let utilisation = busy(processor, counts);
    if events <= 0.0 || utilisation >= 1.0 {
        return;
    }
    counts[Regressor::Event] = busy(processor, &own) / events;
    counts[Regressor::Queue] = counts[Regressor::Event] * utilisation / (2.0 * (1.0 - utilisation));
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
    use pushoff_model::workload::Arrival;

    use super::super::{HEARTBEAT, KEPT_SECONDS, shipped};
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
            up: 0.0,
            interval: 1.0,
            hold: 0.0,
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
