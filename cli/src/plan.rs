//! `pushoff plan`: estimates transport, servers and cost for a load.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use pushoff_model::file::read_text;
use pushoff_model::foreign;
use pushoff_reports::plan::{Asked, Model, Needs, Plan, Prices};

use crate::arguments::PlanOptions;
use crate::report::{self, RECORDS};
use crate::{Exit, terminal};

/// The cost model that `pushoff report` writes for a run of scripts/model.
const MODEL: &str = "model.json";

pub(crate) fn plan(options: &PlanOptions, json: bool) -> anyhow::Result<Exit> {
    let needs = Needs::parse(&Asked {
        users: options.users.as_deref(),
        rate: options.rate.as_deref(),
        payload: options.payload.as_deref(),
        staleness: options.staleness.as_deref(),
        audience: options.audience.as_deref(),
        up_rate: options.up_rate.as_deref(),
        direction: options.direction.as_deref(),
        rtt: options.rtt.as_deref(),
        margin: options.margin.as_deref(),
        freshness: options.freshness.as_deref(),
    })?;
    let prices = options.prices.as_deref().map_or_else(|| Ok(Prices::shipped()), Prices::read).context("--prices")?;
    let model = options.model.as_deref().map_or_else(|| Ok(Model::shipped()), model).context("--model")?;
    let plan = Plan::of(&model, needs, prices).document();
    Ok(terminal::result(&if json {
        serde_json::to_string_pretty(&plan.json()).context("writing the plan")?
    } else {
        plan.terminal(terminal::width(), terminal::colour())
    }))
}

/// Fits a model to a run's records, or reads a written model.
fn model(path: &Path) -> anyhow::Result<Model> {
    if path.join(RECORDS).exists() {
        let run = report::read(&[path.to_owned()])?.run;
        ensure!(
            run.records.iter().any(|record| record.workload.held_out),
            "{} is not a run of scripts/model, so no cost model can be fitted to it: run scripts/model, or leave \
             --model out",
            foreign::path(path)
        );
        return Model::of(&run).with_context(|| {
            format!(
                "{} has too few cells over HTTP/1.1 without TLS, uncompressed, for a cost model: scripts/model \
                 measures enough",
                foreign::path(path)
            )
        });
    }
    let file = if path.is_dir() { path.join(MODEL) } else { path.to_owned() };
    if path.is_dir() && !file.exists() {
        bail!("{} holds neither {RECORDS} nor {MODEL}: name the folder of a run of scripts/model", foreign::path(path));
    }
    let text = read_text(&file)?;
    Model::parse(&text).with_context(|| format!("reading {}", foreign::path(&file)))
}
