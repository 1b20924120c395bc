//! What is bounded, and by what, beside the settings in [`Config`](crate::Config).

use std::time::Duration;

/// The longest head of a request, in bytes; beyond it is 431. Chosen here: what common servers
/// allow.
pub(crate) const HEAD_BYTES: usize = 16 << 10;

/// The most fields of a head; beyond them is 431. Chosen here: browsers send some twenty.
pub(crate) const HEAD_FIELDS: usize = 100;

/// How much of a batch is checked before others have their turn, as [`weight_of`] counts it. Chosen
/// here: some 30 µs.
///
/// [`weight_of`]: crate::publish
pub(crate) const TURN: usize = 16 << 10;

/// How many requests that came together are answered, or reads of a WebSocket are taken, before others
/// have their turn. Chosen here: some 50 µs.
pub(crate) const TURNS: usize = 8;

/// From which length on a payload is checked beside the connections and not among them. Chosen
/// here: some 300 µs.
pub(crate) const LONG_PAYLOAD: usize = 256 << 10;

/// What a stream writes at once. Chosen here: long enough that system calls no longer count,
/// short enough that a reader that stopped holds little.
pub(crate) const STREAM_BYTES: usize = 64 << 10;

/// How many messages a poll is answered with where `?limit=` does not say.
pub(crate) const POLL_MESSAGES: usize = 1000;

/// After how many bytes of payload a poll's response takes no further message. Chosen here: room for a
/// thousand messages of a kilobyte.
pub(crate) const POLL_BYTES: usize = 1 << 20;

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

/// The longest message that `/echo` sends back. Chosen here: the longest that the Autobahn conformance
/// suite sends.
pub(crate) const ECHO_BYTES: usize = 16 << 20;

/// How many refused connections are waited for at a time, so that the refusal arrives; more are closed
/// right after it. Chosen here: with the connections that are served, fewer than a process may have
/// descriptors.
pub(crate) const REFUSALS: usize = 1024;

/// How long the server waits after it let go of what it could, before it looks for more.
pub(crate) const RELIEF: Duration = Duration::from_millis(100);

/// The longest queue of connections that wait to be accepted, as far as the kernel's
/// `net.core.somaxconn` lets it. Chosen here: 5,000 that come at once are everyday.
pub(crate) const BACKLOG: i32 = 8192;

/// What the kernel takes for one connection and has not sent yet, as far as it can be told so.
/// Chosen here: two of a stream's batches, so that the next is there when the other end has room.
pub(crate) const UNSENT_BYTES: u32 = 128 << 10;
