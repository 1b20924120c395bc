//! Why messages were not published.

use super::cache::Complete;

/// Why messages were not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
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
}
