//! The progress of a run, on standard error: a table that fills in on a terminal, a line a trial and round elsewhere.
//!
//! The table fits 60 columns. Its figures are those of the last trial until a round is complete, and then the report's.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use pushoff_loadgen::{Asked, AskedCell, Plan, Trial};
use pushoff_model::foreign::shown;
use pushoff_model::record::{Outcome, Record, Step};
use pushoff_model::workload::Growth;
use pushoff_model::{Conditions, Transport, Workload};
use pushoff_reports::{Question, describe};

use crate::budget::Budget;
use crate::terminal;

/// The columns of the table.
const WIDTH: usize = 60;
/// Most characters of a note in the table.
const NOTE: usize = 15;

/// Reports the progress of a run.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    rows: Vec<Row>,
    /// How many trials there will be, where that is known.
    trials: Option<u64>,
}

/// A transport in the table.
#[derive(Debug)]
struct Row {
    workload: Workload,
    conditions: Conditions,
    transport: Transport,
    p50: String,
    p99: String,
    cost: String,
    note: String,
}

impl Progress {
    /// Announces a run.
    pub(crate) fn new(asked: &Asked<'_>, plan: &Plan, budget: &Budget) -> Self {
        let left = plan.left(|workload| workload.phases.measure);
        let has_end = budget.length.rounds().is_some();
        let rounds = if has_end || left.at_most { "" } else { "rounds of " };
        let most = if left.at_most { "at most " } else { "" };
        let (trials, time) =
            (count(left.trials, "trial"), HumanDuration(budget.left(plan).max(Duration::from_secs(1))));
        terminal::remark(&format!("{rounds}{most}{trials}, {most}about {time}, seed {}", asked.seed));
        terminal::remark("Ctrl-C ends early and keeps what was measured.");
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{spinner} {prefix}\n{msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_secs(1));
        let in_table = asked.workloads.iter().filter(|workload| workload.compared.is_empty());
        let rows = in_table.flat_map(|workload| rows_of(asked, workload)).collect();
        Self { bar, rows, trials: Some(left.trials).filter(|_| has_end && !left.at_most) }
    }

    /// Trials begin, at the same time.
    pub(crate) fn begin(&self, trials: &[Trial], plan: &Plan, budget: &Budget) {
        let Some(trial) = trials.first() else { return };
        let what = match (&trial.network, trials.len()) {
            (None, _) | (_, 1) => {
                let at = trial.step.map_or_else(String::new, |step| at(&trial.asked, step));
                format!("{} over {}{at}", trial.asked.name, trial.transport.label())
            }
            (Some(_), several) => format!("{several} trials over networks"),
        };
        let left = HumanDuration(budget.left(plan));
        let now = format!("{left} left, round {}: {what}", trial.number);
        self.bar.set_prefix(shown(&now, WIDTH - 2));
        self.bar.set_message(self.table());
    }

    /// A trial ended.
    pub(crate) fn end(&mut self, record: &Record) {
        let at = record.step.map_or_else(String::new, |step| at(&record.workload, step));
        let further: String = record.conditions.values().map(|value| format!(", {value}")).collect();
        let most = self.trials.map_or_else(String::new, |trials| format!("/{trials}"));
        let line = format!(
            "{:>3}{most} {} over {}{at}{further}: {}",
            record.position,
            record.workload.name,
            record.transport.label(),
            outcome(&record.outcome)
        );
        if self.bar.is_hidden() {
            terminal::remark(&line);
        } else if record.measurement().is_none() {
            self.bar.println(shown(&line, usize::MAX));
        }
        let conditions = record.conditions();
        let row = self.rows.iter_mut().find(|row| row.is(&record.workload, &conditions, record.transport));
        if let (Some(row), Some(measurement)) = (row, record.measurement()) {
            let quantile = |share| measurement.delivery_latency.quantile(share).map(describe::duration);
            row.p50 = quantile(0.5).unwrap_or_else(|| ABSENT.into());
            row.p99 = quantile(0.99).unwrap_or_else(|| ABSENT.into());
            row.note = at;
        }
    }

    /// A round is complete.
    pub(crate) fn round(&mut self, questions: &[Question], plan: &Plan, budget: &Budget) {
        for question in questions {
            for runner in &question.runners {
                let is_it = |row: &&mut Row| row.is(&question.workload, &question.conditions, runner.transport);
                let Some(row) = self.rows.iter_mut().find(is_it) else { continue };
                (row.p50, row.p99) = (runner.p50.clone(), runner.p99.clone());
                row.cost.clone_from(&runner.cost);
                let is_choice = question.choice == Some(runner.transport);
                row.note = if is_choice { "take it" } else { runner.out.unwrap_or_default() }.to_owned();
            }
        }
        if self.bar.is_hidden() {
            let stand: Vec<String> = questions.iter().map(stands).collect();
            let rest = if plan.is_over() {
                "the last".to_owned()
            } else {
                format!("{} left", HumanDuration(budget.left(plan)))
            };
            terminal::remark(&format!("round {} ({rest}): {}", plan.round(), stand.join("; ")));
        }
        self.bar.set_message(self.table());
    }

    /// The run is over.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn table(&self) -> String {
        let mut lines = vec![format!("  {:<14} {:>8} {:>8} {:>10}", "", "p50", "p99", "a month")];
        let mut before = String::new();
        for row in &self.rows {
            let Row { transport, p50, p99, cost, note, .. } = row;
            let heading = row.heading();
            if heading != before {
                lines.push(shown(&heading, WIDTH));
                before = heading;
            }
            let note = shown(note, NOTE);
            lines.push(format!("  {:<14} {p50:>8} {p99:>8} {cost:>10}  {note}", transport.label()));
        }
        lines.join("\n")
    }
}

/// The rows of a workload, those of one question together.
fn rows_of(asked: &Asked<'_>, workload: &Arc<Workload>) -> Vec<Row> {
    let ranked = asked.cells(workload).filter(|cell| cell.transport.is_ranked() && cell.network.is_none());
    let row = |cell: AskedCell<'_>| Row {
        workload: Workload::clone(workload),
        conditions: cell.conditions(),
        transport: cell.transport,
        p50: ABSENT.to_owned(),
        p99: ABSENT.to_owned(),
        cost: ABSENT.to_owned(),
        note: String::new(),
    };
    let mut rows: Vec<Row> = ranked.map(row).collect();
    rows.sort_by_cached_key(Row::heading);
    rows
}

impl Row {
    fn is(&self, workload: &Workload, conditions: &Conditions, transport: Transport) -> bool {
        self.transport == transport && self.conditions == *conditions && self.workload == *workload
    }

    /// What the rows of a question stand under.
    fn heading(&self) -> String {
        let Conditions { client, server, others } = &self.conditions;
        let further: String = others.values().map(|value| format!(", {value}")).collect();
        let Workload { name, subscribers, .. } = &self.workload;
        format!("{name}, {}, {client} on {server}{further}", count(*subscribers, "subscriber"))
    }
}

/// A figure that is not there yet.
const ABSENT: &str = "–";

/// How a question stands, in a line.
fn stands(question: &Question) -> String {
    match question.choice {
        Some(choice) => format!("{} {} ({})", question.label, question.outcome, choice.label()),
        None => format!("{} {}", question.label, question.outcome),
    }
}

/// A number of things: `1 trial`, `2 trials`.
pub(crate) fn count(number: impl Into<u64>, thing: &str) -> String {
    let number = number.into();
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
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
            let median = median.map_or_else(|| ABSENT.to_owned(), describe::duration);
            let counts = &measurement.counts;
            let measured = match measurement.window.due {
                0 => format!("{} held", count(counts.subscribers, "connection")),
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
