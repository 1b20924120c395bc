//! The part of a record that says what went wrong, why and how often.
//!
//! Causes are the server's or a library's own words, made safe to show, shortened and bounded: a
//! server that says something else each time fills no record.

use serde::{Deserialize, Serialize};

use crate::foreign::{self, shown};

/// Characters of a cause that are kept.
const CAUSE: usize = 200;
/// Distinct causes of one kind that are kept; what comes after them is [`OTHERS`]. Chosen here: more than
/// one can read.
const MOST_CAUSES: usize = 8;
/// The cause of all that had no room.
pub const OTHERS: &str = "other causes";

/// Something that went wrong in a trial, as often as it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// Why: one line.
    #[serde(deserialize_with = "foreign::line")]
    pub cause: String,
    /// How often: messages, or connections.
    pub count: u64,
}

/// What can go wrong and leave a trial that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A message that the server refused, or that could not be sent to it.
    Refused,
    /// A message that the server did not answer for, and that nobody got.
    Unanswered,
    /// A message that was due and never sent: the publisher was still waiting for the server.
    Unsent,
    /// A subscriber's connection that broke, or a poll that failed; it was made again.
    Broke,
}

impl FaultKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Refused, Self::Unanswered, Self::Unsent, Self::Broke];

    /// So many of them, as the beginning of a sentence.
    #[must_use]
    pub fn counted(self, count: u64) -> String {
        let (one, several) = match self {
            Self::Refused => ("message was refused", "messages were refused"),
            Self::Unanswered => ("message was sent and had no answer", "messages were sent and had no answer"),
            Self::Unsent => ("message was due and never sent", "messages were due and never sent"),
            Self::Broke => ("connection broke and was made again", "connections broke and were made again"),
        };
        format!("{count} {}", if count == 1 { one } else { several })
    }
}

/// What went wrong in a trial, by kind and cause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Adds what went wrong `count` times. The cause may be anybody's text.
    pub fn add(&mut self, kind: FaultKind, cause: &str, count: u64) {
        if count == 0 {
            return;
        }
        let cause = shown(cause, CAUSE);
        let is_known = |cause: &str, all: &[Fault]| all.iter().position(|it| it.kind == kind && it.cause == cause);
        let has_room = self.0.iter().filter(|it| it.kind == kind).count() < MOST_CAUSES;
        let cause = if is_known(&cause, &self.0).is_some() || has_room { cause } else { OTHERS.to_owned() };
        match is_known(&cause, &self.0) {
            Some(at) => self.0[at].count += count,
            None => self.0.push(Fault { kind, cause, count }),
        }
    }

    /// Adds all that went wrong elsewhere.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|it| self.add(it.kind, &it.cause, it.count));
    }

    /// Whether nothing went wrong.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How often something of a kind went wrong.
    #[must_use]
    pub fn count(&self, kind: FaultKind) -> u64 {
        self.of(kind).map(|it| it.count).sum()
    }

    /// Of one kind, the most frequent cause first.
    pub fn of(&self, kind: FaultKind) -> impl Iterator<Item = &Fault> {
        let mut all: Vec<&Fault> = self.0.iter().filter(|it| it.kind == kind).collect();
        all.sort_by_key(|it| std::cmp::Reverse(it.count));
        all.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_counted_once_for_all_its_times() {
        let mut faults = Faults::default();
        faults.add(FaultKind::Broke, "the stream ended", 1);
        faults.add(FaultKind::Refused, "503", 2);
        faults.add(FaultKind::Broke, "the stream ended", 3);
        faults.add(FaultKind::Broke, "reset", 9);
        faults.add(FaultKind::Broke, "never", 0);
        let causes: Vec<_> = faults.of(FaultKind::Broke).map(|it| (it.cause.as_str(), it.count)).collect();
        assert_eq!(causes, [("reset", 9), ("the stream ended", 4)]);
        assert_eq!((faults.count(FaultKind::Broke), faults.count(FaultKind::Unsent)), (13, 0));
    }

    #[test]
    fn no_server_fills_a_record_or_steers_a_terminal_with_its_words() {
        let mut faults = Faults::default();
        for number in 0..1_000 {
            faults.add(FaultKind::Refused, &format!("\u{1b}[31m{number}\n{}", "x".repeat(10_000)), 1);
        }
        assert_eq!(faults.count(FaultKind::Refused), 1_000, "none is forgotten");
        let all: Vec<_> = faults.of(FaultKind::Refused).collect();
        assert_eq!((all.len(), all[0].cause.as_str()), (MOST_CAUSES + 1, OTHERS));
        assert!(all.iter().all(|it| it.cause.chars().count() <= CAUSE && !it.cause.contains(['\u{1b}', '\n'])));
    }

    #[test]
    fn merging_keeps_the_sums_and_the_bound() {
        let (mut one, mut other) = (Faults::default(), Faults::default());
        for number in 0..6 {
            one.add(FaultKind::Broke, &number.to_string(), 1);
            other.add(FaultKind::Broke, &(number + 4).to_string(), 1);
        }
        one.merge(&other);
        assert_eq!((one.count(FaultKind::Broke), one.of(FaultKind::Broke).count()), (12, MOST_CAUSES + 1));
    }
}
