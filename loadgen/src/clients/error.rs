//! Why a connection broke, and why a subscription was given up.

use std::error::Error;
use std::io;

use pushoff_model::Transport;
use pushoff_model::foreign::{NAME, shown};
use pushoff_model::record::FailureKind;

/// Why one connection was not made, or broke.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The socket failed.
    #[error("the socket failed")]
    Io(#[from] io::Error),
    /// The HTTP client failed.
    #[error("the HTTP request failed")]
    Http(#[source] reqwest::Error),
    /// What answered the lean client is no response of HTTP/1.1 that can be read in one way only.
    #[error("the server's answer cannot be read: {0}")]
    Response(&'static str),
    /// The event stream's transport failed.
    #[error("the event stream failed")]
    EventStreamTransport(#[source] launchdarkly_sdk_transport::TransportError),
    /// The event stream's client failed.
    #[error("the event stream failed")]
    EventStream(#[source] eventsource_client::Error),
    /// The WebSocket failed.
    #[error("the WebSocket failed")]
    WebSocket(#[source] Box<tokio_tungstenite::tungstenite::Error>),
    /// The server's side of a WebSocket is not RFC 6455's.
    #[error("the WebSocket is broken: {0}")]
    Frame(&'static str),
    /// The server answered with a status that is no subscription.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// The server's answer to the handshake of a WebSocket agrees to something else.
    #[error("the server's answer to the WebSocket handshake is not RFC 6455's (§4.1): {0}")]
    Handshake(String),
    /// Content that is coded, which no client here reads.
    #[error("the answer is compressed ({0}), unasked; switch compression off for this path")]
    Compressed(String),
    /// More came in one piece than a client takes.
    #[error("the server sent {what} of more than {mebibytes} MiB, and no client takes more in one piece")]
    TooLong {
        /// Which piece.
        what: &'static str,
        /// How much is taken.
        mebibytes: usize,
    },
    /// A message came as a binary frame.
    #[error("the server sent a binary frame, and messages are read from text frames alone; let it send text frames")]
    Binary,
    /// Long polls that bring nothing are answered at once, again and again.
    #[error(
        "a long poll that brings nothing is answered at once, again and again: the server does not wait, and this is \
         short polling; let it hold a poll back until there is a message, or describe it as [short-polling]"
    )]
    DoesNotWait,
    /// The server closed the WebSocket with a code that is not "complete".
    #[error("the server closed the WebSocket with code {0}")]
    Closed(u16),
    /// What came is not what the target's dialect says.
    #[error("what came cannot be read as the target's dialect says")]
    Unit(#[source] serde_json::Error),
    /// A message of our own wire contract had no cursor that can be read.
    #[error("a message came without a cursor")]
    Cursor,
    /// An id that cannot be said back.
    #[error("an id that the server gave cannot stand in a field")]
    Id,
    /// The server's address makes no URL.
    #[error("{0} is no address that can be asked")]
    Address(String),
    /// The target's description knows nothing of that transport.
    #[error("the target does not speak {0}: leave it out, or describe it")]
    NotSpoken(Transport),
    /// Pages subscribe for themselves.
    #[error("a browser subscribes by its pages, not from here")]
    InAPage,
    /// A page's client broke off, for the reason that it gives.
    #[error("in a page: {0}")]
    Page(String),
    /// The stream ended though its topic is not complete.
    #[error("the stream ended before its time")]
    Ended,
    /// The target has no raw TCP port.
    #[error("the target has no raw TCP port: give it one, or leave raw-tcp out")]
    NoRawTcp,
}

/// The longest message that is taken, in whatever frame, line or event. Chosen here: sixteen times
/// the largest payload of a workload, which swells by escapes and line breaks, but not so far.
pub(crate) const LONGEST_MESSAGE: usize = 1 << 20;
/// The longest answer to a poll that is taken. Chosen here: four times what a topic of pushoff's
/// keeps.
pub(crate) const LONGEST_ANSWER: usize = 16 << 20;

impl ConnectionError {
    /// A message of which more came than is taken.
    pub(crate) const fn too_long(what: &'static str) -> Self {
        Self::TooLong { what, mebibytes: LONGEST_MESSAGE >> 20 }
    }

    /// Refuses what has begun and is longer than is taken.
    pub(crate) const fn bounded(what: &'static str, begun: usize) -> Result<(), Self> {
        if begun > LONGEST_MESSAGE { Err(Self::too_long(what)) } else { Ok(()) }
    }

    /// An answer to a poll of which more came than is taken.
    pub(crate) const fn long_answer() -> Self {
        Self::TooLong { what: "an answer to a poll", mebibytes: LONGEST_ANSWER >> 20 }
    }

    /// Whether nobody listens at the server's address.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        let mut cause: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(error) = cause {
            if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
                return true;
            }
            cause = error.source();
        }
        false
    }

    /// Whether its sentence says all that is to be done.
    pub(crate) const fn is_plain(&self) -> bool {
        matches!(
            self,
            Self::Handshake(_) | Self::Compressed(_) | Self::TooLong { .. } | Self::Binary | Self::DoesNotWait
        )
    }

    /// Whether asking again would get the same answer: the request itself is wrong, or the
    /// server does not keep to what its target says. Timeouts, overload and failures pass.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 400..=499) && !matches!(status, 408 | 425 | 429),
            Self::Unit(_)
            | Self::Cursor
            | Self::Id
            | Self::Address(_)
            | Self::NotSpoken(_)
            | Self::InAPage
            | Self::Handshake(_)
            | Self::Compressed(_)
            | Self::TooLong { .. }
            | Self::Binary
            | Self::DoesNotWait
            | Self::NoRawTcp => true,
            Self::Io(_)
            | Self::Http(_)
            | Self::Response(_)
            | Self::Frame(_)
            | Self::EventStreamTransport(_)
            | Self::EventStream(_)
            | Self::WebSocket(_)
            | Self::Closed(_)
            | Self::Page(_)
            | Self::Ended => false,
        }
    }
}

/// What is wrong with a frame that only a client may send (RFC 6455 §5.1).
pub(crate) const MASKED: &str = "a server's frame is masked";

/// Without the address: it holds the topic, and equal causes are to be equal.
impl From<reqwest::Error> for ConnectionError {
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error.without_url())
    }
}

impl From<tokio_tungstenite::tungstenite::Error> for ConnectionError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "another crate's list: what is not named is kept whole")]
    fn from(error: tokio_tungstenite::tungstenite::Error) -> Self {
        use tokio_tungstenite::tungstenite::Error as WebSocketError;
        use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
        match error {
            WebSocketError::Http(response) => Self::Status(response.status().as_u16()),
            WebSocketError::Io(error) => Self::Io(error),
            WebSocketError::Capacity(CapacityError::MessageTooLong { .. }) => Self::too_long("a message"),
            WebSocketError::Protocol(ProtocolError::MaskedFrameFromServer) => Self::Frame(MASKED),
            error => Self::WebSocket(Box::new(error)),
        }
    }
}

impl From<eventsource_client::Error> for ConnectionError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "another crate's list: what is not named is kept whole")]
    fn from(error: eventsource_client::Error) -> Self {
        use eventsource_client::Error as EventStreamError;
        match error {
            EventStreamError::Transport(error) => Self::EventStreamTransport(error),
            EventStreamError::UnexpectedResponse(response, _) => Self::Status(response.status()),
            error => Self::EventStream(error),
        }
    }
}

/// Refuses content that is coded: nobody here asks for that, nor reads it (RFC 9110 §8.4).
pub(crate) fn uncoded(coding: Option<&str>) -> Result<(), ConnectionError> {
    match coding.map(str::trim) {
        None | Some("") => Ok(()),
        Some(coding) if coding.eq_ignore_ascii_case("identity") => Ok(()),
        Some(coding) => Err(ConnectionError::Compressed(shown(coding, NAME))),
    }
}

/// Why a subscription was given up.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// The first connection was not made.
    #[error("connecting for the first time")]
    Connect(#[source] ConnectionError),
    /// Asking again would bring the same.
    #[error("the subscription cannot go on")]
    Refused(#[source] ConnectionError),
    /// Nobody listens at the server's address any more.
    #[error("connecting again, several times: the server is gone")]
    Gone(#[source] ConnectionError),
    /// The sink did not want to go on after a break.
    #[error("the subscriber gave up after a break")]
    Stopped(#[source] ConnectionError),
}

impl SubscribeError {
    /// What happened to the connection.
    #[must_use]
    pub const fn cause(&self) -> &ConnectionError {
        match self {
            Self::Connect(cause) | Self::Refused(cause) | Self::Gone(cause) | Self::Stopped(cause) => cause,
        }
    }

    /// What it means for a trial.
    #[must_use]
    pub const fn kind(&self) -> FailureKind {
        match self {
            Self::Connect(_) => FailureKind::Connect,
            Self::Refused(_) | Self::Gone(_) | Self::Stopped(_) => FailureKind::Server,
        }
    }
}
