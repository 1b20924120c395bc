//! The usual advice beside the data: called wrong only where a better choice was shown.

use pushoff_model::Transport;
use pushoff_model::workload::Advice;
use serde::Serialize;

use super::{Candidate, Verdict};

/// The usual advice beside the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AdviceHolds {
    /// The advice names the choice, or one that would do as well.
    Agrees,
    /// The data shows a better choice than any that the advice names, or that those fail.
    Disagrees,
    /// An advised transport is still open, or measured dearer without being told apart.
    Undecided,
}

impl AdviceHolds {
    /// What becomes of the advice.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Agrees => "holds",
            Self::Disagrees => "does not hold",
            Self::Undecided => "is left undecided",
        }
    }
}

/// What the data says of the advice; `None` where there is none.
pub(super) fn advice(advice: &Advice, verdict: &Verdict, ranked: &[&Candidate]) -> Option<AdviceHolds> {
    if advice.transports.is_empty() {
        return None;
    }
    let advised = |transport: &Transport| advice.transports.contains(transport);
    let standing_of = |transport: Transport| {
        ranked.iter().find(|candidate| candidate.transport == transport).map(|candidate| &candidate.standing)
    };
    // One that is open speaks for the advice only if it might still cost less than the choice.
    let open = advice.transports.iter().any(|&transport| match (standing_of(transport), verdict.choice) {
        (None, _) => true,
        (Some(standing), None) => standing.is_open(),
        (Some(_), Some(_)) => verdict.contenders.contains(&transport),
    });
    Some(if verdict.affordable.iter().any(advised) {
        AdviceHolds::Agrees
    } else if open || verdict.tied.iter().any(advised) {
        AdviceHolds::Undecided
    } else {
        AdviceHolds::Disagrees
    })
}
