//! How far a run is: a bar with an estimate on a terminal, plain lines elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pushoff_loadgen::Trial;
use pushoff_model::record::{Outcome, Record};

use crate::terminal;

/// Set-up, the drain and the end of a trial, beside its load: what the estimate starts from.
const OVERHEAD: Duration = Duration::from_millis(400);

/// Tells how a run goes, on standard error.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    trials: u64,
}

impl Progress {
    /// Announces a run of these trials.
    pub(crate) fn new(trials: &[Trial]) -> Self {
        let estimate: Duration = trials.iter().map(expected_time).sum();
        let count = trials.len() as u64;
        terminal::remark(&format!(
            "{count} trials, about {} s; Ctrl-C ends early and keeps what was measured",
            estimate.as_secs().max(1)
        ));
        let bar = ProgressBar::with_draw_target(Some(count), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} ({eta} left)");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_secs(1));
        Self { bar, trials: count }
    }

    /// A trial begins.
    pub(crate) fn begin(&self, trial: &Trial) {
        self.bar.set_message(format!("{} over {}", trial.workload.name, trial.transport.label()));
    }

    /// A trial ended.
    pub(crate) fn end(&self, record: &Record) {
        let line = format!(
            "{:>3}/{} {} over {}: {}",
            record.position,
            self.trials,
            record.workload.name,
            record.transport.label(),
            outcome(&record.outcome)
        );
        self.bar.inc(1);
        if self.bar.is_hidden() {
            terminal::remark(&line);
        } else if !matches!(record.outcome, Outcome::Measured(_)) {
            self.bar.println(line);
        }
    }

    /// The run is over.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn expected_time(trial: &Trial) -> Duration {
    trial.workload.phases.warm_up + trial.workload.phases.measure + OVERHEAD
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Measured(measurement) => {
            let median = measurement.delivery_latency.quantile(0.5);
            let median = median.map_or_else(|| "–".to_owned(), pushoff_reports::describe::duration);
            format!("{} deliveries, p50 {median}", measurement.window.delivered)
        }
        Outcome::Failed(failure) => format!("failed: {}", failure.reason),
        Outcome::NotRun(not_run) => format!("not run: {}", not_run.reason),
    }
}
