//! The model that comes with pushoff: fitted to a recorded run, whose report checks it.

use super::model::CostModel;

/// Written by `pushoff report` of that run, which `scripts/model` measured.
const MODEL: &str = include_str!("../../../results/model-2026-11-28/model.json");

/// The model of the recorded run.
#[must_use]
#[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a test parses what is built in")]
pub fn shipped() -> CostModel {
    CostModel::parse(MODEL).expect("the model that is built in is one")
}
