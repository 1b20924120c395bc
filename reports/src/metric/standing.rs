//! Whether a transport is good enough: shown to be, shown not to be, or neither.

use pushoff_model::workload::Slo;
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
    /// Neither: the interval holds the SLO's share, or there are too few trials.
    Undecided {
        /// What is open.
        reason: String,
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
            Self::Fails { reason } | Self::Undecided { reason } | Self::Void { reason } => Some(reason),
            Self::Meets | Self::Unranked => None,
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
        return Standing::Undecided { reason: "no delivery was due in the measure phase".into() };
    };
    let wanted = slo.share.as_f64();
    let seen = format!(
        "{} within {}, {} needed",
        Quantity::Share.write_figure(&share),
        tick(slo.within.as_secs_f64() * 1e9),
        asked_share(wanted)
    );
    if figures.trials < LEAST_TRIALS {
        Standing::Undecided { reason: format!("one trial: {seen}") }
    } else if share.low() >= wanted {
        match failed {
            Some(failed) => Standing::Undecided { reason: format!("{failed}; in the others {seen}") },
            None => Standing::Meets,
        }
    } else if share.high() < wanted {
        Standing::Fails { reason: seen }
    } else {
        Standing::Undecided { reason: seen }
    }
}

fn deliveries(count: f64) -> String {
    let number = Quantity::Count.write(count);
    if number == "1" { "1 delivery".into() } else { format!("{number} deliveries") }
}
