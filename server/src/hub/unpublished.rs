//! Why messages were not published.

use super::cache::Complete;

/// Why messages were not published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unpublished {
    /// Nothing can be appended to a complete topic.
    #[error(transparent)]
    Complete(#[from] Complete),
    /// The number of topics is at its limit, and all are in use.
    #[error("there are {limit} topics, as many as this server takes (--max-topics); try again when one has been idle")]
    TooManyTopics {
        /// The limit.
        limit: usize,
    },
    /// The logs are at their limit of memory, and none can drop a message.
    #[error("the logs hold as much as they may (half of --memory); try again later")]
    NoRoom,
    /// The publisher's key belongs to another message.
    #[error("this Idempotency-Key was used for another message in the last 2 minutes: a new message takes a new key")]
    Reused,
    /// The store outside the process did not store anything.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store outside the process stored only the first messages of a batch.
    #[error(
        "the first {stored} of {count} messages are stored: {why}; with an Idempotency-Key, a retry stores the rest once"
    )]
    Partly {
        /// How many messages were stored.
        stored: usize,
        /// How many there are.
        count: usize,
        /// Why no more.
        why: StoreError,
    },
}

/// Why the store did not do as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no answer.
    #[error("the store (NATS JetStream) cannot be reached; try again later")]
    Unreachable,
    /// The answer is no.
    #[error("the store (NATS JetStream) refused: {0}")]
    Refused(String),
}
