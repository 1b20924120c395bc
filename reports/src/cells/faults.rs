//! What did not happen as it should in a cell: messages that were not published, connections that
//! broke, trials that failed, with their counts and causes.
//!
//! Counts come from all trials of a cell, whether they count or not: what went wrong in one of them is
//! not forgotten because another went well.

use pushoff_model::foreign::{SENTENCE, shown};
use pushoff_model::record::{Counts, FailureKind, Fault, FaultKind, Faults, Outcome};
use serde::Serialize;

use crate::cells::Trial;
use crate::words::number::Quantity;

/// Causes that a sentence names; `--json` and the records have all.
const MOST_NAMED: usize = 3;

/// What went wrong in the trials of a cell. `--json` has the fields that are skipped here among the cell's trials and figures.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct CellFaults {
    /// Trials that were begun.
    #[serde(skip)]
    pub(crate) trials: usize,
    /// Trials that the server failed: it was not there, refused, or did not deliver what was published.
    pub(crate) failed_trials: usize,
    /// Why, each reason once.
    failures: Vec<String>,
    /// Trials in which the counts of a subscriber do not add up, or a content was altered.
    unbalanced_trials: usize,
    /// Messages that were due.
    due: u64,
    /// Messages that the server refused, or did not answer for.
    #[serde(skip)]
    pub(crate) unpublished: u64,
    /// Messages that were never sent, because the server had not taken those before them.
    #[serde(skip)]
    pub(crate) unsent: u64,
    /// Deliveries whose content was not what was published.
    altered: u64,
    lost: u64,
    missed: u64,
    /// Subscribers' connections that broke and were made again.
    #[serde(skip)]
    pub(crate) connections_broken: u64,
    /// Why, as far as records say.
    causes: Faults,
}

impl CellFaults {
    /// Of these trials.
    pub(crate) fn of(trials: &[Trial<'_>]) -> Self {
        let mut all = Self::default();
        for trial in trials {
            match &trial.record.outcome {
                Outcome::Measured(it) => {
                    all.trials += 1;
                    all.count(&it.counts);
                    all.causes.merge(&it.faults);
                }
                Outcome::Failed(failure) => {
                    all.trials += 1;
                    all.count(&failure.counts.unwrap_or_default());
                    all.causes.merge(&failure.faults);
                    if is_the_servers(failure.kind) {
                        all.failed_trials += 1;
                        all.unbalanced_trials += usize::from(failure.kind == FailureKind::Unbalanced);
                        let reason = shown(&failure.reason, SENTENCE);
                        if !all.failures.contains(&reason) {
                            all.failures.push(reason);
                        }
                    }
                }
                Outcome::NotRun(_) => {}
            }
        }
        all
    }

    fn count(&mut self, counts: &Counts) {
        self.due += counts.published + counts.unpublished + counts.unsent;
        self.unpublished += counts.unpublished;
        self.unsent += counts.unsent;
        self.altered += counts.altered;
        self.lost += counts.lost;
        self.missed += counts.missed;
        self.connections_broken += counts.reconnects;
    }

    /// Those of several cells together.
    pub(crate) fn plus(mut self, other: &Self) -> Self {
        self.trials += other.trials;
        self.failed_trials += other.failed_trials;
        self.unbalanced_trials += other.unbalanced_trials;
        self.due += other.due;
        self.unpublished += other.unpublished;
        self.unsent += other.unsent;
        self.altered += other.altered;
        self.lost += other.lost;
        self.missed += other.missed;
        self.connections_broken += other.connections_broken;
        self
    }

    /// Whether a trial shows that what came is not what was published.
    pub(crate) const fn is_unbalanced(&self) -> bool {
        self.unbalanced_trials > 0
    }

    /// That trials failed by the server, and why: `1 of 3 trials failed: …`.
    pub(crate) fn failed(&self) -> Option<String> {
        let why: Vec<&str> = self.failures.iter().map(String::as_str).take(MOST_NAMED).collect();
        (self.failed_trials > 0).then(|| {
            let trials = plural(self.trials as u64, "trial", "trials");
            format!("{} of {trials} failed: {}", self.failed_trials, why.join("; "))
        })
    }

    /// What did not happen as it should, in a few words each: `45 of 135 messages not published`.
    pub(crate) fn clauses(&self) -> Vec<String> {
        let of_due = |count| format!("{} of {}", number(count), plural(self.due, "message", "messages"));
        let deliveries = |count| plural(count, "delivery", "deliveries");
        let connections = plural(self.connections_broken, "connection", "connections");
        let all = [
            (self.unpublished, of_due(self.unpublished), "not published"),
            (self.unsent, of_due(self.unsent), "due and never sent"),
            (self.altered, deliveries(self.altered), "altered"),
            (self.lost, deliveries(self.lost), "lost"),
            (self.missed, deliveries(self.missed), "missed"),
            (self.connections_broken, connections, "broken"),
        ];
        all.into_iter().filter(|it| it.0 > 0).map(|(_, counted, what)| format!("{counted} {what}")).collect()
    }

    /// The causes of what was not published and of what broke, as far as records say.
    pub(crate) fn causes(&self) -> impl Iterator<Item = String> {
        let kinds = FaultKind::ALL.into_iter().filter(|kind| self.causes.count(*kind) > 0);
        kinds.map(|kind| named(self.causes.of(kind)))
    }

    /// What was not published and what broke, with causes: a sentence each.
    pub(crate) fn notes(&self, name: &str) -> Vec<String> {
        let mut notes = Vec::new();
        for kind in FaultKind::ALL {
            let count = self.causes.count(kind);
            if count > 0 {
                notes.push(format!("{name}: {}: {}.", kind.counted(count), named(self.causes.of(kind))));
            }
        }
        // A record of an older build has counts alone.
        let known = |kinds: &[FaultKind]| kinds.iter().map(|kind| self.causes.count(*kind)).sum::<u64>();
        let unexplained = self.unpublished.saturating_sub(known(&[FaultKind::Refused, FaultKind::Unanswered]));
        if unexplained > 0 {
            notes.push(format!("{name}: {} not published.", plural(unexplained, "message was", "messages were")));
        }
        let broken = self.connections_broken.saturating_sub(known(&[FaultKind::Broke]));
        if broken > 0 {
            notes.push(format!("{name}: {}.", FaultKind::Broke.counted(broken)));
        }
        notes
    }
}

/// Whether a failure is the server's.
const fn is_the_servers(kind: FailureKind) -> bool {
    match kind {
        FailureKind::Server | FailureKind::Connect | FailureKind::Unbalanced => true,
        FailureKind::Interrupted | FailureKind::Generator | FailureKind::Machine => false,
    }
}

/// `the stream ended (12×); reset (3×)`; a cause that is alone needs no count.
fn named<'f>(causes: impl Iterator<Item = &'f Fault>) -> String {
    let all: Vec<&Fault> = causes.collect();
    let words = |it: &&Fault| {
        if all.len() == 1 { it.cause.clone() } else { format!("{} ({}×)", it.cause, it.count) }
    };
    let mut text = all.iter().take(MOST_NAMED).map(words).collect::<Vec<_>>().join("; ");
    if all.len() > MOST_NAMED {
        text.push_str(&format!("; and {} more causes", all.len() - MOST_NAMED));
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(crate) fn number(count: u64) -> String {
    Quantity::Count.write(count as f64)
}

fn plural(count: u64, one: &str, several: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { several })
}

#[cfg(test)]
mod tests;
