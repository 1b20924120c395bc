//! Why agents cannot be found, reached or leased.

use std::error::Error;
use std::time::Duration;

/// Why a run has no agents.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// NATS did not do what it was asked.
    #[error("{0} over NATS")]
    Nats(&'static str, #[source] Box<dyn Error + Send + Sync>),
    /// A message is none of ours.
    #[error("reading a message of another pushoff")]
    Message(#[source] Box<dyn Error + Send + Sync>),
    /// Fewer agents than were asked for.
    #[error(
        "--agents is {wanted}, and {found} free agents answered at {at} within {within:?}: start more with \
             pushoff agent --nats {at}"
    )]
    TooFew {
        /// How many were asked for.
        wanted: usize,
        /// How many answered.
        found: usize,
        /// The address of NATS.
        at: String,
        /// How long was waited.
        within: Duration,
    },
    /// Another run has them.
    #[error(
        "the agents at {at} belong to another run ({holder}): wait until it ends, or start agents of your own at another NATS"
    )]
    Held {
        /// The other run.
        holder: String,
        /// The address of NATS.
        at: String,
    },
    /// Another build.
    #[error("agent {name} on {host} is pushoff {theirs}, and this is {ours}: use the same build everywhere")]
    Version {
        /// The agent's name.
        name: String,
        /// Its machine.
        host: String,
        /// Its version.
        theirs: String,
        /// Our version.
        ours: String,
    },
}

impl FleetError {
    /// The attempt, and why it failed.
    pub(super) fn nats(attempted: &'static str) -> impl Fn(Box<dyn Error + Send + Sync>) -> Self {
        move |error| Self::Nats(attempted, error)
    }
}
