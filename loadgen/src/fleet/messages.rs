//! The messages between coordinator and agents, and their subjects.
//!
//! `pushoff.agents` asks who is there. `pushoff.agents.ID` is an agent's inbox; below it, `.lease` and `.time` are answered
//! at once. `pushoff.runs.RUN` is a coordinator's inbox.

use std::sync::Arc;
use std::time::Duration;

use pushoff_model::environment::Agent;
use pushoff_model::record::Failure;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::share::Share;
use crate::peers::Moment;
use crate::trial::Drained;

/// The subject to which every agent answers that it is there.
pub(super) const EVERYONE: &str = "pushoff.agents";
/// How often both sides say that they live.
pub(super) const BEAT: Duration = Duration::from_secs(1);
/// The silence after which the other side counts as gone. Chosen here: ten beats.
pub(super) const SILENT: Duration = Duration::from_secs(10);

/// An agent's inbox.
pub(super) fn inbox(agent: &str) -> String {
    format!("{EVERYONE}.{agent}")
}

/// The subject by which an agent is leased.
pub(super) fn lease(agent: &str) -> String {
    format!("{EVERYONE}.{agent}.lease")
}

/// The subject by which an agent tells the time of its clock.
pub(super) fn time(agent: &str) -> String {
    format!("{EVERYONE}.{agent}.time")
}

/// A coordinator's inbox.
pub(super) fn results(run: &str) -> String {
    format!("pushoff.runs.{run}")
}

/// An agent, as it announces itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct About {
    /// Random: names may be the same.
    pub(super) id: String,
    pub(super) agent: Agent,
    /// The run that it belongs to, if it belongs to one.
    pub(super) holder: Option<String>,
}

/// A coordinator that wants an agent for its run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lease {
    pub(super) run: String,
    /// The run, for a person.
    pub(super) holder: String,
}

/// An agent's answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Leased {
    Granted,
    /// To another run.
    Held(String),
}

/// From a coordinator to an agent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToAgent {
    /// Run this part of a trial.
    Begin { run: String, share: Box<Share> },
    /// The words of all at a moment.
    Met { trial: u64, moment: Moment, all: Arc<[Box<RawValue>]> },
    /// Run it no longer.
    Stop { trial: u64 },
    /// The run goes on.
    Beat { run: String },
    /// The run is over.
    Release { run: String },
}

impl ToAgent {
    /// Whether an agent heeds the letter that belongs to `run` and runs `trial`. A run that gave an agent up may write
    /// to the agent after another run has leased it.
    pub(super) fn is_for(&self, run: &str, trial: Option<u64>) -> bool {
        match self {
            Self::Begin { run: its, .. } | Self::Beat { run: its } | Self::Release { run: its } => its == run,
            Self::Met { trial: its, .. } | Self::Stop { trial: its } => trial == Some(*its),
        }
    }
}

/// From an agent to its coordinator.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ToCoordinator {
    pub(super) from: String,
    pub(super) news: News,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum News {
    Beat,
    /// It has come to a moment, and says this.
    Meets {
        trial: u64,
        moment: Moment,
        says: Box<RawValue>,
    },
    /// Its part is over.
    Ended {
        trial: u64,
        part: Result<Box<Drained>, Failure>,
    },
    /// It ends.
    Leaves,
}

#[cfg(test)]
mod tests {
    use pushoff_model::Transport;
    use pushoff_model::target::{self, OURS};
    use pushoff_model::workload::built_in;

    use super::*;
    use crate::plan::Trial;
    use crate::server::Server;

    #[test]
    fn an_agent_heeds_the_run_that_holds_it_and_the_trial_that_it_runs_alone() {
        let target = Arc::new(target::built_in(OURS).unwrap().unwrap());
        let workload = Arc::new(built_in("ticker").unwrap().unwrap());
        let trial = Trial::new(workload, Transport::Sse, target.clone(), 1);
        let share = Share::of(&trial, &Server::at(target, "127.0.0.1:7001".parse().unwrap()));
        let of_run = |run: &str| {
            let begin = ToAgent::Begin { run: run.to_owned(), share: Box::new(share.clone()) };
            [begin, ToAgent::Beat { run: run.to_owned() }, ToAgent::Release { run: run.to_owned() }]
        };
        assert!(of_run("held").iter().all(|letter| letter.is_for("held", None)));
        assert!(!of_run("former").iter().any(|letter| letter.is_for("held", Some(7))));
        let met = ToAgent::Met { trial: 7, moment: Moment::Sent, all: Arc::default() };
        for letter in [ToAgent::Stop { trial: 7 }, met] {
            assert_eq!([Some(7), Some(8), None].map(|trial| letter.is_for("held", trial)), [true, false, false]);
        }
    }
}
