//! What is bounded, and by what, beside the settings in [`Config`](crate::Config).

use std::time::Duration;

use crate::log::Bounds;

/// The longest head of a request, in bytes; beyond it is 431. Chosen here: what common servers
/// allow, and twice the least that hyper can be set to.
pub(crate) const HEAD_BYTES: usize = 16 << 10;

/// What a stream writes at once. Chosen here: long enough that system calls no longer count,
/// short enough that a reader that stopped holds little.
pub(crate) const STREAM: Bounds = Bounds { messages: usize::MAX, bytes: 64 << 10 };

/// How many messages a poll is answered with where `?limit=` does not say.
pub(crate) const POLL_MESSAGES: usize = 1000;

/// What a poll is answered with at most. Chosen here: the byte bound leaves room for a thousand
/// messages of a kilobyte.
pub(crate) const fn poll(messages: usize) -> Bounds {
    Bounds { messages, bytes: 1 << 20 }
}

/// What `?wait=` may say at most.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_mins(2);

/// How long a long poll waits where `?wait=` does not say: below the 30 s at which proxies
/// commonly give up (RFC 6202 §5.5).
pub(crate) const WAIT: Duration = Duration::from_secs(25);

/// What `?interval=` may say at most.
pub(crate) const LONGEST_INTERVAL: Duration = Duration::from_hours(1);

/// What an event stream's `retry:` says where `?interval=` does not.
pub(crate) const RETRY: Duration = Duration::from_secs(1);

/// How long everything may be held back on demand. Chosen here: long enough to be seen, and less than
/// anybody's patience.
pub(crate) const LONGEST_HOLD: Duration = Duration::from_secs(10);

/// What a 503 asks its reader to wait.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(5);

/// How long a connection that was answered is read from before it is closed: a close with
/// unread bytes resets the connection, and the reset may overtake the answer.
pub(crate) const LINGER: Duration = Duration::from_secs(1);

/// How long a peer has to answer a close frame. Chosen here: well within the grace period.
pub(crate) const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// How many refused connections are told so at a time; more are closed without a word.
pub(crate) const REFUSALS: usize = 128;

/// The longest queue of connections that wait to be accepted, as far as the kernel's
/// `net.core.somaxconn` lets it. Chosen here: 5,000 that come at once are everyday.
pub(crate) const BACKLOG: i32 = 8192;

/// What the kernel takes for one connection and has not sent yet, as far as it can be told so.
/// Chosen here: two of a stream's batches, so that the next is there when the other end has room.
pub(crate) const UNSENT_BYTES: u32 = 128 << 10;
