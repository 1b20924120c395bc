//! Whether the usual advice holds: it is called wrong only where a better choice was shown.

use pushoff_model::Transport;
use pushoff_model::workload::Advice;
use pushoff_planner::{Chosen, Outcome};
use serde::Serialize;

use super::{Case, Verdict};

/// Whether the usual advice holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AdviceHolds {
    /// The advice names the choice, or one shown to cost the same.
    Agrees,
    /// The data shows a better choice than any that the advice names, or that those fail.
    Disagrees,
    /// The question is undecided, and an advised transport may still be the answer.
    Undecided,
}

impl AdviceHolds {
    /// What becomes of the advice.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Agrees => "holds",
            Self::Disagrees => "does not hold",
            Self::Undecided => "is undecided",
        }
    }
}

/// What the data says of the advice; `None` where there is none, or nothing that it names was measured.
pub(super) fn advice(advice: &Advice, verdict: &Verdict, case: Case<'_>) -> Option<AdviceHolds> {
    if !advice.transports.iter().any(|it| case.candidate(*it).is_some()) {
        return None;
    }
    let any_advised = |all: &[Transport]| advice.transports.iter().any(|it| all.contains(it));
    let is_open = |it: &Transport| case.candidate(*it).is_none_or(|it| it.standing.is_open());
    let holds = |all: &[Transport]| if any_advised(all) { AdviceHolds::Agrees } else { AdviceHolds::Disagrees };
    Some(match verdict.decision.outcome {
        // Of equivalent cost, and yet passed over for its age, is not as good.
        Outcome::Equivalent if verdict.decision.chosen != Some(Chosen::ByFreshness) => {
            holds(&verdict.decision.equivalent)
        }
        Outcome::Decided | Outcome::Equivalent => holds(verdict.choice().as_slice()),
        Outcome::NothingMeets => AdviceHolds::Disagrees,
        Outcome::Undecided => {
            let may_be_right = any_advised(&verdict.decision.contenders) || advice.transports.iter().any(is_open);
            if may_be_right { AdviceHolds::Undecided } else { AdviceHolds::Disagrees }
        }
    })
}
