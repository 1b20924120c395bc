//! Plans: what each transport would need for a load that nobody measured, which to choose, and what would change
//! that, in words, in the terminal, as JSON and for the page.
//!
//! The figures are those of the planner ([`pushoff_planner`]); this module writes them out.

mod document;
mod stops;
#[cfg(test)]
mod tests;
mod words;

use pushoff_model::{Transport, Wire};
use pushoff_planner::costs::{self, CostModel, Source, fit_and_check};
use pushoff_planner::{Answer, Change, answer, changes};
use serde::Serialize;

use crate::cells::group;
use crate::cells::measured::{left_out, measured};
use crate::{ModelError, Run};

pub(crate) use stops::plans;

pub use pushoff_planner::{Asked, Needs, NeedsError, Prices};

/// A cost model to plan with.
#[derive(Clone, Debug)]
pub struct Model {
    costs: CostModel,
    is_shipped: bool,
    /// The wires that its run measured, too: no cost is of theirs.
    left_out: Vec<Wire>,
}

impl Model {
    /// The one that comes with pushoff.
    #[must_use]
    pub fn shipped() -> Self {
        Self { costs: costs::shipped(), is_shipped: true, left_out: Vec::new() }
    }

    /// The one that a report rests on: its own, or the one that comes with pushoff.
    pub(crate) const fn of_report(costs: CostModel, is_own: bool) -> Self {
        Self { costs, is_shipped: !is_own, left_out: Vec::new() }
    }

    /// One fitted to a run of `scripts/model`; none where no cell is held out, because nothing would check the model,
    /// or where the cells are too few.
    #[must_use]
    pub fn of(run: &Run) -> Option<Self> {
        let groups = group(run);
        if !groups.iter().any(|group| group.workload.held_out) {
            return None;
        }
        let costs = fit_and_check(run.environments.first(), &measured(&groups))?;
        Some(Self { costs, is_shipped: false, left_out: left_out(&groups) })
    }

    /// The command with these flags. A report's own model lies beside it, and the command is taken to be given there.
    fn command(&self, flags: &str) -> String {
        format!("pushoff plan{flags}{}", if self.is_shipped { "" } else { " --model ." })
    }

    /// One that was written as `model.json`.
    ///
    /// # Errors
    /// When the text is no cost model, or one of another version.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        Ok(Self { costs: CostModel::parse(text)?, is_shipped: false, left_out: Vec::new() })
    }
}

/// What was needed, what each transport would need for it, and which to take.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    needs: Needs,
    prices: Prices,
    model: Origin,
    #[serde(flatten)]
    answer: Answer,
    changes: Vec<Change>,
    /// The recommendation and what would change it, a sentence each.
    sentences: Vec<String>,
    /// What was assumed, and what is not known.
    notes: Vec<String>,
}

/// Where the figures come from.
#[derive(Clone, Debug, Serialize)]
struct Origin {
    #[serde(flatten)]
    source: Source,
    /// Whether it came with pushoff, and was measured on another machine.
    is_shipped: bool,
    /// The most users of a process that were measured.
    #[serde(skip)]
    most_users: f64,
    /// The transports it knows.
    #[serde(skip)]
    transports: Vec<Transport>,
    /// The wires that were measured beside the one that it is of.
    #[serde(skip)]
    left_out: Vec<Wire>,
}

impl Plan {
    /// Plans.
    #[must_use]
    pub fn of(model: &Model, needs: Needs, prices: Prices) -> Self {
        let mut plan = Self::without_changes(model, needs, prices);
        plan.changes = changes(&model.costs, &needs, &plan.prices, &plan.answer);
        plan.sentences.push(plan.what_would_change());
        plan
    }

    /// As [`Self::of`], but without what would change the choice: that takes a hundred more answers.
    fn without_changes(model: &Model, needs: Needs, prices: Prices) -> Self {
        let answer = answer(&model.costs, &needs, &prices);
        let model = Origin {
            source: model.costs.source.clone(),
            is_shipped: model.is_shipped,
            most_users: model.costs.range.high(costs::Dimension::Users).unwrap_or_default(),
            transports: model.costs.transports.iter().map(|it| it.transport).collect(),
            left_out: model.left_out.clone(),
        };
        let (changes, sentences, notes) = (Vec::new(), Vec::new(), Vec::new());
        let mut plan = Self { needs, prices, model, answer, changes, sentences, notes };
        plan.sentences = plan.recommendation();
        plan.notes = plan.assumptions();
        plan
    }
}
