//! When a run ends: after so many rounds, or when its time is used. A round is never cut in two.

use std::num::NonZeroU32;
use std::time::Duration;

use pushoff_loadgen::{Plan, Trial};
use pushoff_model::{RunClock, RunInstant, Workload};

use crate::arguments::RunOptions;

/// The time of a run that names none. Chosen here: under five minutes; three rounds of the default workloads take about
/// four on two processors, which leaves time for a round or more of contenders, who are few.
const DEFAULT: Duration = Duration::from_secs(280);
/// The time of `--quick`.
const QUICK: Duration = Duration::from_secs(90);
/// The fewest rounds of a race: before the third no interval of a cost has bounds. Rounds of contenders alone are short.
const LEAST_ROUNDS: u32 = 3;
/// Time of a trial beyond its load (set-up, drain, end), until trials have shown it. Chosen here.
const OVERHEAD: Duration = Duration::from_millis(400);
/// Time that each subscriber adds: connecting, reading its ledger, disconnecting. Chosen here.
const EACH: Duration = Duration::from_micros(400);

/// How long a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// So many rounds of everything.
    Rounds(NonZeroU32),
    /// A race: at least so many rounds, and others as long as they fit into the time.
    Race {
        /// The fewest rounds.
        least: u32,
        /// The time to spend.
        time: Duration,
    },
}

impl Length {
    /// What the command line asks for.
    pub(crate) fn asked(options: &RunOptions) -> Self {
        // Nothing meets an SLO after one trial.
        let gate = u32::from(options.fail_on.is_some());
        match options.trials {
            Some(rounds) => Self::Rounds(rounds),
            None if options.quick => Self::Race { least: 1 + gate, time: QUICK },
            None => Self::Race { least: LEAST_ROUNDS, time: options.budget.unwrap_or(DEFAULT) },
        }
    }

    /// The number of rounds, if one was asked for.
    pub(crate) const fn rounds(self) -> Option<NonZeroU32> {
        match self {
            Self::Rounds(rounds) => Some(rounds),
            Self::Race { .. } => None,
        }
    }
}

/// The time of a run: what it has spent, and whether another round fits.
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) length: Length,
    clock: RunClock,
    /// How long the trials so far were expected to take.
    expected: Duration,
}

impl Budget {
    /// The clock starts now.
    pub(crate) fn begin(length: Length) -> Self {
        Self { length, clock: RunClock::start(), expected: Duration::ZERO }
    }

    /// Notes a trial that has ended.
    pub(crate) fn note(&mut self, trial: &Trial) {
        self.expected += expected(&trial.workload).mul_f64(trial.share());
    }

    /// Whether the rounds that had to be are done, after `round` of them: from then on only contenders go on.
    pub(crate) const fn is_free_after(&self, round: u32) -> bool {
        match self.length {
            Length::Rounds(_) => false,
            Length::Race { least, .. } => round >= least,
        }
    }

    /// Whether the time is used: what the machine spoilt is not measured again any more.
    pub(crate) fn is_used(&self) -> bool {
        match self.length {
            Length::Rounds(_) => false,
            Length::Race { time, .. } => self.spent() > time,
        }
    }

    /// Whether another round would take more than is left, by how long trials have taken so far.
    pub(crate) fn is_used_before_another(&self, plan: &Plan) -> bool {
        match self.length {
            Length::Rounds(_) => false,
            Length::Race { time, .. } => self.spent() + self.probable(plan.next_round(expected)) > time,
        }
    }

    /// How long the run will probably go on.
    pub(crate) fn left(&self, plan: &Plan) -> Duration {
        match self.length {
            Length::Rounds(_) => self.remaining(plan),
            Length::Race { least, time } => {
                let current = plan.round() + u32::from(plan.is_round_complete());
                let round = (self.spent() + self.remaining(plan)) / current.max(1);
                let fewest = self.remaining(plan) + round.saturating_mul(least.saturating_sub(current));
                time.saturating_sub(self.spent()).max(fewest)
            }
        }
    }

    fn spent(&self) -> Duration {
        self.clock.now().since(RunInstant::default())
    }

    /// How long the plan's present or next round takes, or all that is left of a plan with an end.
    fn remaining(&self, plan: &Plan) -> Duration {
        self.probable(plan.left(expected).time)
    }

    /// How long trials will probably take that are expected to take so long, by how long trials have taken so far.
    fn probable(&self, expected: Duration) -> Duration {
        if self.expected.is_zero() {
            return expected;
        }
        expected.mul_f64(self.spent().div_duration_f64(self.expected))
    }
}

/// How long a trial takes, before any was measured.
fn expected(workload: &Workload) -> Duration {
    workload.phases.warm_up + workload.phases.measure + OVERHEAD + EACH.saturating_mul(workload.subscribers)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use clap::Parser;
    use pushoff_loadgen::{Anchor, Asked, Whole};
    use pushoff_model::target::{self, OURS};
    use pushoff_model::workload::built_in;
    use pushoff_model::{Transport, Wire};

    use super::*;
    use crate::arguments::Arguments;

    fn length(words: &[&str]) -> Length {
        Length::asked(&Arguments::try_parse_from([&["pushoff"], words].concat()).unwrap().run)
    }

    #[test]
    fn a_run_is_a_race_unless_it_is_told_how_many_rounds() {
        assert_eq!(length(&[]), Length::Race { least: 3, time: Duration::from_secs(280) });
        assert_eq!(length(&["--budget", "10s"]), Length::Race { least: 3, time: Duration::from_secs(10) });
        assert_eq!(length(&["--quick"]), Length::Race { least: 1, time: Duration::from_secs(90) });
        assert_eq!(length(&["--quick", "--fail-on", "slo"]), Length::Race { least: 2, time: Duration::from_secs(90) });
        assert_eq!(length(&["--trials", "7"]).rounds(), NonZeroU32::new(7));
        for both in [["--trials=7", "--budget=1min"], ["--trials=7", "--quick"], ["--quick", "--budget=1min"]] {
            assert!(Arguments::try_parse_from([&["pushoff"], &both[..]].concat()).is_err(), "{both:?}");
        }
    }

    #[test]
    fn beside_a_search_a_race_goes_on_while_another_round_fits() {
        let asked = Asked {
            workloads: &["ticker", "capacity"].map(|name| Arc::new(built_in(name).unwrap().unwrap())),
            transports: &Transport::ALL,
            clients: &[],
            targets: &[Arc::new(target::built_in(OURS).unwrap().unwrap())],
            networks: &[],
            wires: &[Wire::default()],
            trust: &Anchor::System,
            whole: Whole::default(),
            rounds: None,
            seed: 7,
            descriptors: 1 << 20,
        };
        let plan = Plan::new(&asked);
        let round = plan.next_round(expected);
        let is_used = |time| Budget::begin(Length::Race { least: 3, time }).is_used_before_another(&plan);
        assert_eq!([round * 2, round / 2].map(is_used), [false, true]);
    }

    #[test]
    fn the_fewest_rounds_are_done_whatever_the_budget() {
        let budget = Budget::begin(Length::Race { least: 3, time: Duration::from_secs(1) });
        assert_eq!([1, 2, 3, 4].map(|round| budget.is_free_after(round)), [false, false, true, true]);
        let budget = Budget::begin(Length::Rounds(NonZeroU32::MIN));
        assert!(!budget.is_free_after(9), "nothing leaves a run that has its number of rounds");
    }
}
