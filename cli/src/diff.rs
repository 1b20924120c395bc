//! `pushoff diff`: a recorded run held against an earlier one, and a gate for CI.

use std::path::Path;

use anyhow::{Context, ensure};
use pushoff_reports::Diff;

use crate::arguments::{DiffOptions, Gate};
use crate::{Exit, report, terminal};

pub(crate) fn diff(options: &DiffOptions, json: bool) -> anyhow::Result<Exit> {
    let read = |folder: &Path| report::read(&[folder.to_owned()]);
    let diff = pushoff_reports::diff(&read(&options.base)?, &read(&options.new)?, options.floor);
    ensure!(
        diff.tally.compared() > 0,
        "{} and {} have no figure in common that counts: {}",
        options.base.display(),
        options.new.display(),
        diff.why_nothing()
    );
    terminal::result(&written(&diff, options, json)?);
    Ok(if fails(&diff, options.fail_on) { Exit::GateFailed } else { Exit::Done })
}

fn written(diff: &Diff, options: &DiffOptions, json: bool) -> anyhow::Result<String> {
    Ok(if json {
        serde_json::to_string_pretty(diff).context("writing the comparison")?
    } else if options.markdown {
        diff.markdown()
    } else {
        diff.terminal(terminal::width(), terminal::colour())
    })
}

const fn fails(diff: &Diff, gate: Option<Gate>) -> bool {
    match gate {
        Some(Gate::Regressed) => diff.has_regressed(),
        None => false,
    }
}
