//! What limited a cell, and so what its figures are worth: one verdict a cell, shown wherever they are.

use pushoff_model::Transport;
use pushoff_model::record::{FailureKind, Limit};
use serde::Serialize;

use crate::cells::{Cell, Trial};
use crate::words::text::{capitalised, list};

/// What limited a cell, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Validity {
    /// Nothing: the figures are the transport's at this load, not its most.
    NotSaturated,
    /// The server, in a trial that counts: a result.
    ServerLimited,
    /// The generator: the figures are its own. Void.
    GeneratorLimited,
    /// The machine. Void.
    MachineLimited,
    /// No trial was measured to its end.
    NotMeasured,
}

impl Validity {
    /// The verdict on a cell.
    pub(crate) fn of(cell: &Cell<'_>) -> Self {
        Self::of_trials(&cell.trials.iter().collect::<Vec<_>>())
    }

    /// The verdict on some trials of a cell. Trials that do not count matter only where none counts.
    pub(crate) fn of_trials(trials: &[&Trial<'_>]) -> Self {
        let met = |limit: Limit, kind: FailureKind| {
            trials.iter().any(|trial| trial.limits().any(|it| it == limit) || trial.failure() == Some(kind))
        };
        if trials.iter().any(|trial| trial.is_valid()) {
            let at_limit = |trial: &&&Trial<'_>| trial.is_valid() && trial.limits().any(|limit| limit == Limit::Server);
            if trials.iter().any(|trial| at_limit(&trial)) { Self::ServerLimited } else { Self::NotSaturated }
        } else if met(Limit::Generator, FailureKind::Generator) {
            Self::GeneratorLimited
        } else if met(Limit::Machine, FailureKind::Machine) {
            Self::MachineLimited
        } else {
            Self::NotMeasured
        }
    }

    /// The verdict as tables write it.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::GeneratorLimited => Limit::Generator.label(),
            Self::MachineLimited => Limit::Machine.label(),
            Self::ServerLimited => Limit::Server.label(),
            Self::NotSaturated => "not saturated",
            Self::NotMeasured => "not measured",
        }
    }

    /// What that says of the figures.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::GeneratorLimited => "the generator was too slow: the figures are its own, and void",
            Self::MachineLimited => "the machine was the limit: the figures are void",
            Self::ServerLimited => "the server was at its limit: the figures are a result",
            Self::NotSaturated => {
                "nothing was at its limit: the figures are the transport's at this load, not its most"
            }
            Self::NotMeasured => "no trial was measured to its end",
        }
    }

    /// Whether the figures are void.
    pub(crate) const fn is_void(self) -> bool {
        match self {
            Self::GeneratorLimited | Self::MachineLimited | Self::NotMeasured => true,
            Self::ServerLimited | Self::NotSaturated => false,
        }
    }

    /// The best first.
    pub(crate) const ALL: [Self; 5] =
        [Self::NotSaturated, Self::ServerLimited, Self::GeneratorLimited, Self::MachineLimited, Self::NotMeasured];
}

/// The verdicts of a table in one sentence each: `Server-limited: SSE (…).` None where nothing was at its limit, which
/// is what a reader expects.
pub(crate) fn note(cells: &[(Transport, Validity)]) -> Option<String> {
    let limited = Validity::ALL.into_iter().filter(|it| *it != Validity::NotSaturated);
    let sentence = |validity: Validity| {
        let those: Vec<Transport> = cells.iter().filter(|it| it.1 == validity).map(|it| it.0).collect();
        let who = if those.len() == cells.len() { "all".to_owned() } else { list(&those) };
        let words = format!("{}: {who} ({}).", capitalised(validity.label()), validity.meaning());
        (!those.is_empty()).then_some(words)
    };
    let sentences: Vec<String> = limited.filter_map(sentence).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

#[cfg(test)]
mod tests {
    use pushoff_model::record::{Concern, Outcome};

    use super::*;
    use crate::cells::group;
    use crate::fixture;

    fn verdict(limits: [Option<Limit>; 2]) -> Validity {
        let mut run = fixture::run();
        run.records.retain(|it| it.workload.name == "ticker" && it.transport == Transport::Sse);
        run.records.truncate(2);
        for (record, limit) in run.records.iter_mut().zip(limits) {
            let Outcome::Measured(measurement) = &mut record.outcome else { panic!("a measured record") };
            measurement.concerns = limit.map(|limit| Concern { limit, detail: String::new() }).into_iter().collect();
        }
        Validity::of(&group(&run)[0].cells[0])
    }

    #[test]
    fn a_cell_is_void_only_where_no_trial_counts() {
        assert_eq!(verdict([Some(Limit::Generator), None]), Validity::NotSaturated);
        assert_eq!(verdict([Some(Limit::Generator), Some(Limit::Machine)]), Validity::GeneratorLimited);
        assert_eq!(verdict([Some(Limit::Machine); 2]), Validity::MachineLimited);
        assert!(verdict([Some(Limit::Machine); 2]).is_void());
    }

    #[test]
    fn a_server_at_its_limit_is_said_and_counts() {
        assert_eq!(verdict([Some(Limit::Server), None]), Validity::ServerLimited);
        assert!(!Validity::ServerLimited.is_void());
    }
}
