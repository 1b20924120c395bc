//! The progress of a run: a bar with an estimate on a terminal, plain lines elsewhere.

use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use pushoff_loadgen::{Left, Plan, Trial};
use pushoff_model::Workload;
use pushoff_model::foreign::shown;
use pushoff_model::record::{Outcome, Record, Step};
use pushoff_model::workload::Growth;

use crate::terminal;

/// Time of a trial beyond its load (set-up, drain, end), for the estimate. Chosen here.
const OVERHEAD: Duration = Duration::from_millis(400);
/// Time that each subscriber adds: connecting, reading its ledger, disconnecting. Chosen here.
const EACH: Duration = Duration::from_micros(400);

/// Reports the progress of a run on standard error.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Announces a run.
    pub(crate) fn new(plan: &Plan) -> Self {
        let left = plan.left(expected_time);
        terminal::remark(&format!("{}; Ctrl-C ends early and keeps what was measured", announced(&left)));
        let bar = ProgressBar::with_draw_target(Some(left.trials), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} ({eta} left)");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_secs(1));
        Self { bar }
    }

    /// A trial begins.
    pub(crate) fn begin(&self, trial: &Trial) {
        let at = trial.step.map_or_else(String::new, |step| at(&trial.asked, step));
        self.bar.set_message(format!("{} over {}{at}", trial.asked.name, trial.transport.label()));
    }

    /// A trial ended.
    pub(crate) fn end(&self, record: &Record, plan: &Plan) {
        let at = record.step.map_or_else(String::new, |step| at(&record.workload, step));
        let most = u64::from(record.position) + plan.left(expected_time).trials;
        let line = format!(
            "{:>3}/{most} {} over {}{at}: {}",
            record.position,
            record.workload.name,
            record.transport.label(),
            outcome(&record.outcome)
        );
        self.bar.set_length(most);
        self.bar.inc(1);
        if self.bar.is_hidden() {
            terminal::remark(&line);
        } else if !matches!(record.outcome, Outcome::Measured(_)) {
            self.bar.println(shown(&line, usize::MAX));
        }
    }

    /// The run is over.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn announced(left: &Left) -> String {
    let most = if left.at_most { " at most" } else { "" };
    let time = HumanDuration(left.time.max(Duration::from_secs(1)));
    format!("{}{most}, about {time}{most}", count(left.trials, "trial"))
}

/// A number of things: `1 trial`, `2 trials`.
pub(crate) fn count(number: impl Into<u64>, thing: &str) -> String {
    let number = number.into();
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

fn expected_time(workload: &Workload) -> Duration {
    let connecting = EACH.saturating_mul(workload.subscribers);
    workload.phases.warm_up + workload.phases.measure + OVERHEAD + connecting
}

/// The load of a search step.
fn at(workload: &Workload, step: Step) -> String {
    let unit = match workload.search.map(|search| search.grow) {
        Some(Growth::Subscribers) => "subscribers",
        Some(Growth::Rate) | None => "messages/s",
    };
    format!(" at {:.0} {unit}", step.load)
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Measured(measurement) => {
            let median = measurement.delivery_latency.quantile(0.5);
            let median = median.map_or_else(|| "–".to_owned(), pushoff_reports::describe::duration);
            let counts = &measurement.counts;
            let measured = match measurement.window.due {
                0 => format!("{} connections held", counts.subscribers),
                due => format!("{} of {due} deliveries, p50 {median}", measurement.window.delivered),
            };
            let wrong = [
                (counts.unpublished + counts.unsent, "messages not published"),
                (counts.reconnects, "connections broken"),
            ];
            let wrong = wrong.into_iter().filter(|it| it.0 > 0).map(|(count, what)| format!(", {count} {what}"));
            [measured].into_iter().chain(wrong).collect()
        }
        Outcome::Failed(failure) => format!("failed: {}", failure.reason),
        Outcome::NotRun(not_run) => format!("not run: {}", not_run.reason),
    }
}
