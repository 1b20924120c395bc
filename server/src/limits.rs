//! Fixed limits, besides the settings in [`Config`](crate::Config).

use std::ops::RangeInclusive;
use std::time::Duration;

/// The longest head of a request, in bytes; a longer head gets 431. Chosen here: the limit of common servers.
pub(crate) const HEAD_BYTES: usize = 16 << 10;

/// The most fields of a head; more get 431. Chosen here: browsers send some twenty.
pub(crate) const HEAD_FIELDS: usize = 100;

/// The same over HTTP/2, as its standard counts: 32 bytes more a field (RFC 9113 §10.5.1).
pub(crate) const HTTP2_HEAD_BYTES: u32 = 16 << 10;

/// The most streams of an HTTP/2 connection at a time: what the standard advises at the least (RFC 9113 §6.5.2), and
/// what other servers take.
pub(crate) const HTTP2_STREAMS: u32 = 100;

/// How many requests of a connection may be reset by the client before they are looked at; further ones end the
/// connection (CVE-2023-44487). The `h2` crate's own limit.
pub(crate) const HTTP2_RESETS: usize = 20;

/// How many of a connection's streams the server may have to reset for errors of the client; further ones end the
/// connection. The `h2` crate's own limit.
pub(crate) const HTTP2_ERRORS: usize = 1024;

/// How much of a batch is checked before other tasks run, in bytes. Chosen here: some 30 µs.
pub(crate) const TURN: usize = 16 << 10;

/// How many pipelined requests are answered, or reads of a WebSocket made, before other tasks run. Chosen here:
/// some 50 µs.
pub(crate) const TURNS: usize = 8;

/// The longest payload that is checked on the connection's thread. Chosen here: some 300 µs.
pub(crate) const LONG_PAYLOAD: usize = 256 << 10;

/// The bytes of one write of a stream. Chosen here: so long that system calls no longer count, so short that a
/// stuck reader holds little.
pub(crate) const STREAM_BYTES: usize = 64 << 10;

/// The most messages in a poll's response, unless `?limit=` sets another number.
pub(crate) const POLL_MESSAGES: usize = 1000;

/// The bytes of payload after which a poll's response takes no further message. Chosen here: room for a
/// thousand messages of a kilobyte.
pub(crate) const POLL_BYTES: usize = 1 << 20;

/// The largest `?wait=`.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_mins(2);

/// How long a long poll waits without `?wait=`: below the 30 s at which proxies give up (RFC 6202 §5.5).
pub(crate) const WAIT: Duration = Duration::from_secs(25);

/// The largest `?interval=`.
pub(crate) const LONGEST_INTERVAL: Duration = Duration::from_hours(1);

/// The `retry:` of an event stream without `?interval=`.
pub(crate) const RETRY: Duration = Duration::from_secs(1);

/// The `retry:` at the end of an event stream whose client is to come back, in milliseconds. Drawn for each stream: the
/// clients of a server that shuts down must not come to another one all at once. Chosen here: around [`RETRY`].
pub(crate) const LAST_RETRY_MS: RangeInclusive<u64> = 500..=1500;

/// The longest outage on demand. Chosen here: long enough to be seen, short enough to wait for.
pub(crate) const LONGEST_HOLD: Duration = Duration::from_secs(10);

/// The `Retry-After` of a 503, in seconds. Drawn for each answer: clients that are refused together must not come back
/// together. Chosen here: around the 5 s after which a store is given up.
pub(crate) const RETRY_AFTER_S: RangeInclusive<u64> = 3..=7;

/// How long the server reads from a connection before it closes it after the last response: closing with unread
/// input resets the connection, and the reset may overtake the response.
pub(crate) const LINGER: Duration = Duration::from_secs(1);

/// How long a client has to answer a close frame. Chosen here: well within the grace period.
pub(crate) const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// The longest message of `/echo`. Chosen here: the longest message of the Autobahn conformance suite.
pub(crate) const ECHO_BYTES: usize = 16 << 20;

/// How many refused connections are closed gently at a time, so that the 503 arrives; further ones are closed
/// at once. Chosen here: with the connections that are served, fewer than a process may have descriptors.
pub(crate) const REFUSALS: usize = 1024;

/// How long the server waits after dropping cached batches before it drops batches again.
pub(crate) const RELIEF: Duration = Duration::from_millis(100);

/// The longest queue of connections to be accepted, as far as `net.core.somaxconn` allows. Chosen here: 5,000
/// connections at once are common.
pub(crate) const BACKLOG: i32 = 8192;

/// The unsent bytes that the kernel buffers for one connection, as far as this can be set. Chosen here: two
/// batches of a stream, so that the next is ready when the client has room.
pub(crate) const UNSENT_BYTES: u32 = 128 << 10;
