//! The catalogue of figures: each is defined once, and whatever shows, ranks or compares figures reads it here.
//!
//! A [`Metric`] has an id for machines, a label and a meaning for people, a unit, which way is better, and how
//! it is read from a cell. Tables, charts, `--json`, CSV, `diff` and scaling are metrics × cells.

mod catalogue;
mod evidence;
mod figures;
mod memory;
mod scope;
pub(crate) mod sources;
mod standing;
mod wire;

use serde::{Serialize, Serializer};

use crate::words::number::Quantity;
use pushoff_stats::{Figure, Statistic};

pub(crate) use catalogue::Metric;
pub(crate) use evidence::Evidence;
pub(crate) use figures::{Bound, Figures, LEAST_TRIALS, Value};
pub(crate) use memory::server_side;
pub(crate) use scope::Scope;
pub(crate) use standing::{Standing, standing};

/// Which way of a figure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Better {
    Lower,
    Higher,
    /// No contest.
    Neither,
    /// Anything above zero is a fault.
    Zero,
}

impl Better {
    /// Its name for machines.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Higher => "higher",
            Self::Neither => "neither",
            Self::Zero => "zero",
        }
    }
}

/// How a figure is read from the evidence of a cell.
pub(crate) enum Read {
    /// A figure of its own trials, or of what else is known of the cell.
    Figure(fn(&Evidence<'_>) -> Option<Figure>),
    /// A statistic of its trials, which can be drawn in pairs with another cell's.
    Statistic(fn(&Evidence<'_>) -> Option<Statistic>),
    /// It is not read from one cell: a search, a family of sizes or a choice gives it.
    Given,
}

/// All that is defined of a metric.
pub(crate) struct Definition {
    pub(crate) id: &'static str,
    pub(crate) label: &'static str,
    pub(crate) scope: Scope,
    pub(crate) unit: Quantity,
    pub(crate) better: Better,
    pub(crate) help: &'static str,
    pub(crate) read: Read,
}

impl Metric {
    /// Its name for machines, with the unit where it has one: a key of `--json`, a part of a link.
    pub(crate) const fn id(self) -> &'static str {
        self.definition().id
    }

    /// Its name for people.
    pub(crate) const fn label(self) -> &'static str {
        self.definition().label
    }

    /// What it means.
    pub(crate) const fn help(self) -> &'static str {
        self.definition().help
    }

    /// What it is about: tables set metrics of one scope together.
    pub(crate) const fn scope(self) -> Scope {
        self.definition().scope
    }

    /// How it is written.
    pub(crate) const fn unit(self) -> Quantity {
        self.definition().unit
    }

    /// Which way is better.
    pub(crate) const fn better(self) -> Better {
        self.definition().better
    }

    /// The metric itself where a difference below the noise is no difference: a latency, and of a plan the money.
    pub(crate) fn latency(self) -> Option<Self> {
        let is_latency = matches!(self.scope(), Scope::Latency | Scope::RoundTrip) && self.unit() == Quantity::Time
            || Self::OF_CONNECTING.contains(&self);
        (is_latency || self == Self::PlanMoney).then_some(self)
    }

    /// Of connecting, those that are latencies.
    const OF_CONNECTING: [Self; 2] = [Self::ConnectP50, Self::FirstMessageP50];

    /// Whether it is memory that was held less what was held before: a difference that may be none.
    pub(crate) const fn is_of_memory(self) -> bool {
        matches!(self.scope(), Scope::Memory) || matches!(self, Self::Heap | Self::HeapLeft)
    }

    /// Whether it is the border of a search, which is known to within a step and no finer.
    pub(crate) const fn is_of_a_search(self) -> bool {
        matches!(self.scope(), Scope::Capacity)
    }

    /// Read from the evidence of a cell.
    pub(crate) fn read(self, evidence: &Evidence<'_>) -> Option<Figure> {
        let figure = match &self.definition().read {
            Read::Figure(read) => read(evidence),
            Read::Statistic(read) => read(evidence)?.figure(evidence.trials().len()),
            Read::Given => None,
        };
        figure.filter(|figure| figure.point.is_finite())
    }

    /// Its statistic, where cells can be compared by it trial by trial.
    pub(crate) fn statistic(self, evidence: &Evidence<'_>) -> Option<Statistic> {
        match &self.definition().read {
            Read::Statistic(read) => read(evidence),
            Read::Figure(_) | Read::Given => None,
        }
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_an_id_and_a_meaning_of_its_own() {
        let mut ids: Vec<&str> = Metric::ALL.into_iter().map(Metric::id).collect();
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
        for metric in Metric::ALL {
            let plain = |text: &str| {
                text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            };
            assert!(plain(metric.id()) && !metric.label().is_empty() && !metric.help().is_empty(), "{metric:?}");
        }
    }

    #[test]
    fn an_id_ends_in_its_unit() {
        for metric in Metric::ALL {
            let id = metric.id();
            let fits = match metric.unit() {
                Quantity::Time => id.ends_with("_ns"),
                Quantity::Bytes => id.ends_with("_bytes") || id.ends_with("bytes_a_delivery"),
                Quantity::ByteRate => id.ends_with("_bytes_per_second"),
                Quantity::Rate => id.ends_with("_per_second"),
                Quantity::Money => id.starts_with("cost_"),
                Quantity::Count | Quantity::Share | Quantity::Ratio | Quantity::Deviation => !id.ends_with("_ns"),
            };
            assert!(fits, "{id}: {:?}", metric.unit());
        }
    }
}
