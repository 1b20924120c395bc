//! Whether a transport is good enough: shown to be, shown not to be, or neither.

use pushoff_model::workload::Slo;
use pushoff_stats::messages_to_tell;
use serde::Serialize;

use crate::cells::faults::CellFaults;
use crate::metric::LEAST_TRIALS;
use crate::metric::{Figures, Metric};
use crate::words::number::{Quantity, asked_share, tick};

/// Whether a transport is good enough for the workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub(crate) enum Standing {
    /// Shown to meet the SLO.
    Meets,
    /// Shown to fail it.
    Fails {
        /// How.
        reason: String,
    },
    /// Neither: the interval holds the SLO's share, or there are too few trials or messages.
    Undecided {
        /// What is open.
        reason: String,
        /// Rounds in all that have enough messages to tell, if the share stays what it is; absent where the messages so
        /// far are enough, or nobody can say.
        #[serde(skip_serializing_if = "Option::is_none")]
        rounds: Option<usize>,
    },
    /// No trial can be believed.
    Void {
        /// Why.
        reason: String,
    },
    /// The floor: shown, never a candidate.
    Unranked,
}

impl Standing {
    /// The standing in a word.
    pub(crate) const fn label(&self) -> &'static str {
        match self {
            Self::Meets => "meets",
            Self::Fails { .. } => "fails",
            Self::Undecided { .. } => "undecided",
            Self::Void { .. } => "void",
            Self::Unranked => "floor",
        }
    }

    /// Why, where it needs a reason.
    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::Fails { reason } | Self::Undecided { reason, .. } | Self::Void { reason } => Some(reason),
            Self::Meets | Self::Unranked => None,
        }
    }

    /// Neither shown to meet the SLO nor to fail it, for a reason that no number of messages mends.
    pub(crate) fn undecided(reason: impl Into<String>) -> Self {
        Self::Undecided { reason: reason.into(), rounds: None }
    }

    /// Rounds in all that have enough messages to tell; see [`Self::Undecided`].
    pub(crate) const fn rounds(&self) -> Option<usize> {
        match self {
            Self::Undecided { rounds, .. } => *rounds,
            Self::Meets | Self::Fails { .. } | Self::Void { .. } | Self::Unranked => None,
        }
    }

    /// Whether the transport may yet turn out good enough.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(self, Self::Undecided { .. } | Self::Void { .. })
    }
}

/// Whether these figures meet the SLO.
///
/// A trial that the server failed has no share, and yet says something: where all did, or what came is
/// not what was published, the SLO is not met; where some did, it is not shown to be.
pub(crate) fn standing(figures: Option<&Figures>, void: Option<&str>, faults: &CellFaults, slo: &Slo) -> Standing {
    let failed = faults.failed();
    match &failed {
        Some(reason) if faults.is_unbalanced() || figures.is_none() => {
            return Standing::Fails { reason: reason.clone() };
        }
        Some(_) | None => {}
    }
    if let Some(reason) = void {
        return Standing::Void { reason: reason.to_owned() };
    }
    let Some(figures) = figures else {
        return Standing::Void { reason: "not measured".into() };
    };
    if figures.has_fault(Metric::Lost) {
        let lost = deliveries(figures.count(Metric::Lost));
        return Standing::Fails { reason: format!("{lost} lost in silence") };
    }
    if figures.has_fault(Metric::Missed) && !slo.may_skip {
        let missed = deliveries(figures.count(Metric::Missed));
        return Standing::Fails { reason: format!("{missed} missed, where none may be") };
    }
    let Some(share) = figures.get(Metric::WithinSlo) else {
        return Standing::undecided("no delivery was due in the measure phase");
    };
    let wanted = slo.share.as_f64();
    let seen = format!(
        "{} within {}, {} needed",
        Quantity::Share.write_figure(&share),
        tick(slo.within.as_secs_f64() * 1e9),
        asked_share(wanted)
    );
    let more = Messages::missing(figures, share.point, wanted);
    let open = |seen: String| {
        let reason = more.as_ref().map_or_else(|| seen.clone(), |more| format!("{seen}; {}", more.said));
        Standing::Undecided { reason, rounds: more.as_ref().and_then(|it| it.rounds) }
    };
    if figures.trials < LEAST_TRIALS {
        open(format!("one trial: {seen}"))
    } else if share.low() >= wanted {
        match failed {
            Some(failed) => Standing::undecided(format!("{failed}; in the others {seen}")),
            None => Standing::Meets,
        }
    } else if share.high() < wanted {
        Standing::Fails { reason: seen }
    } else {
        open(seen)
    }
}

/// That there were too few messages to tell on which side of the SLO's share a transport lies.
struct Messages {
    said: String,
    rounds: Option<usize>,
}

/// The most rounds that are proposed: more messages than those have need a longer trial, or another question.
const MOST_ROUNDS: f64 = 1_000.0;

impl Messages {
    /// How many messages more would tell, if they are as late as those so far; `None` where there were enough.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts that are shown, and a small number of rounds"
    )]
    fn missing(figures: &Figures, share: f64, wanted: f64) -> Option<Self> {
        let due = figures.get(Metric::MessagesDue)?.point;
        let needed = messages_to_tell(share, wanted).map(|it| it as f64);
        if needed.is_some_and(|needed| needed <= due) {
            return None;
        }
        let write = |count| Quantity::Count.write(count);
        let said = match needed {
            Some(needed) => format!("{} messages, {} needed to tell", write(due), write(needed.ceil())),
            None => format!("{} messages do not tell", write(due)),
        };
        let rounds = needed.map(|needed| (needed * figures.trials as f64 / due).ceil());
        let rounds = rounds.filter(|rounds| *rounds <= MOST_ROUNDS).map(|rounds| rounds as usize);
        Some(Self { said, rounds })
    }
}

fn deliveries(count: f64) -> String {
    let number = Quantity::Count.write(count);
    if number == "1" { "1 delivery".into() } else { format!("{number} deliveries") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pushoff_model::record::{Measurement, WindowCounts};
    use pushoff_model::units::Share;
    use pushoff_model::workload::built_in;
    use pushoff_model::{LatencyHistogram, Transport};

    use super::*;
    use crate::metric::Evidence;

    /// Three trials of so many messages in all to a hundred readers each, of which so many were late to all, judged by
    /// the ticker's SLO with another share.
    fn judged(messages: u64, late: u64, wanted: f64) -> Standing {
        let slo = Slo { share: Share::new(wanted).unwrap(), ..built_in("ticker").unwrap().unwrap().slo.unwrap() };
        let trial = |number: u64| {
            let published = messages / 3 + u64::from(number < messages % 3);
            let mut delivery_latency = LatencyHistogram::new();
            let slow = late / 3 + u64::from(number < late % 3);
            for message in 0..published {
                let took = if message < slow { slo.within * 2 } else { Duration::from_millis(1) };
                (0..100).for_each(|_| delivery_latency.record(took));
            }
            let due = published * 100;
            let window = WindowCounts { published, due, expected: due, delivered: due, ..WindowCounts::default() };
            Measurement { delivery_latency, window, ..Measurement::default() }
        };
        let trials: Vec<Measurement> = (0..3).map(trial).collect();
        let evidence = Evidence { slo: Some(slo), ..Evidence::of_trials(Transport::Sse, trials.iter().collect()) };
        standing(Figures::of(&evidence).as_ref(), None, &CellFaults::default(), &slo)
    }

    #[test]
    fn an_slo_is_met_where_enough_messages_show_it() {
        let open = judged(120, 0, 0.99);
        assert_eq!((open.label(), open.rounds()), ("undecided", Some(8)));
        let why = "100 % (97.6–100) within 100 ms, 99 % needed; 120 messages, 297 needed to tell";
        assert_eq!(open.reason(), Some(why));
        assert_eq!([296, 297].map(|all| judged(all, 0, 0.99).label()), ["undecided", "meets"]);
        assert_eq!([56, 57].map(|all| judged(all, 0, 0.95).label()), ["undecided", "meets"]);
    }

    #[test]
    fn an_slo_is_failed_where_enough_messages_show_it() {
        assert_eq!([(30, 30), (300, 30)].map(|(all, late)| judged(all, late, 0.99).label()), ["fails"; 2]);
        // One of thirty late is no proof that more than one of a hundred are.
        let open = judged(30, 1, 0.99);
        assert_eq!((open.label(), open.rounds().is_some()), ("undecided", true), "{open:?}");
    }
}
