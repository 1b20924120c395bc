//! The figures of one cell, by metric.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::{Better, Evidence, Metric};
use pushoff_stats::Figure;

/// Fewer valid trials say nothing about the spread, and so decide nothing.
pub(crate) const LEAST_TRIALS: usize = 2;

/// What is known of a cell: at most one value a metric.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    /// How many trials they rest on.
    pub(crate) trials: usize,
    values: BTreeMap<Metric, Value>,
}

/// A figure, and whether it is known or only bounded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Value {
    #[serde(flatten)]
    pub(crate) figure: Figure,
    #[serde(skip_serializing_if = "Bound::is_exact")]
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

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    const fn is_exact(&self) -> bool {
        matches!(self, Self::Exact)
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

impl Value {
    /// A figure that is known.
    pub(crate) const fn exact(figure: Figure) -> Self {
        Self { figure, bound: Bound::Exact }
    }
}

impl Figures {
    /// All that is read from the evidence; `None` without a trial.
    pub(crate) fn of(evidence: &Evidence<'_>) -> Option<Self> {
        let trials = evidence.trials().len();
        let mut figures = Self { trials, values: BTreeMap::new() };
        for metric in Metric::ALL {
            let bound = evidence.bound(metric);
            figures.insert(metric, metric.read(evidence).map(|figure| Value { figure, bound }));
        }
        (trials > 0).then_some(figures)
    }

    /// Figures that are not read from a cell.
    pub(crate) fn given(trials: usize, values: impl IntoIterator<Item = (Metric, Option<Figure>)>) -> Self {
        let mut figures = Self { trials, values: BTreeMap::new() };
        for (metric, figure) in values {
            figures.insert(metric, figure.filter(|it| it.point.is_finite()).map(Value::exact));
        }
        figures
    }

    /// Without what a trial over a network does not show.
    pub(crate) fn over_a_network(mut self) -> Self {
        self.values.retain(|metric, _| metric.scope().shows_over_a_network());
        self
    }

    /// Sets a value, or takes it away.
    pub(crate) fn insert(&mut self, metric: Metric, value: Option<Value>) {
        match value {
            Some(value) => self.values.insert(metric, value),
            None => self.values.remove(&metric),
        };
    }

    /// The figure of a metric.
    pub(crate) fn get(&self, metric: Metric) -> Option<Figure> {
        self.values.get(&metric).map(|value| value.figure)
    }

    /// The figure with its bound.
    pub(crate) fn value(&self, metric: Metric) -> Option<Value> {
        self.values.get(&metric).copied()
    }

    /// A count, zero where it is not known.
    pub(crate) fn count(&self, metric: Metric) -> f64 {
        self.get(metric).map_or(0.0, |figure| figure.point)
    }

    /// Whether something happened that should not.
    pub(crate) fn has_fault(&self, metric: Metric) -> bool {
        metric.better() == Better::Zero && self.count(metric) > 0.0
    }

    /// Every metric that has a value, in the order of the catalogue.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Metric, Value)> {
        self.values.iter().map(|(metric, value)| (*metric, *value))
    }
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}
