//! Why a connection broke, and why a subscription ended.

use std::error::Error;
use std::io;

use pushoff_model::Transport;
use pushoff_model::record::FailureKind;

/// Why a connection was not made, or broke.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The socket failed.
    #[error("the socket failed")]
    Io(#[from] io::Error),
    /// The HTTP client failed.
    #[error("the HTTP request failed")]
    Http(#[source] reqwest::Error),
    /// The lean client cannot parse the response, or could parse it in two ways.
    #[error("the server's answer cannot be read: {0}")]
    Response(&'static str),
    /// The server's certificate is not trusted; why.
    #[error(
        "the server's certificate is not trusted ({0}): trust the authority that signed it with --ca FILE, or any \
         certificate with --insecure"
    )]
    Certificate(String),
    /// The HTTP/2 connection failed.
    #[error("the HTTP/2 connection failed")]
    Http2(#[from] h2::Error),
    /// The transport under the event stream's client failed.
    #[error("the event stream failed")]
    EventStreamTransport(#[source] launchdarkly_sdk_transport::TransportError),
    /// The event stream's client failed.
    #[error("the event stream failed")]
    EventStream(#[source] eventsource_client::Error),
    /// The WebSocket's client failed.
    #[error("the WebSocket failed")]
    WebSocket(#[source] Box<tokio_tungstenite::tungstenite::Error>),
    /// The server violated RFC 6455.
    #[error("the WebSocket is broken: {0}")]
    Frame(&'static str),
    /// The server answered with an unexpected status.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// The server's handshake answer agrees to something that was not asked for.
    #[error("the server's answer to the WebSocket handshake is not RFC 6455's (§4.1): {0}")]
    Handshake(String),
    /// The content is compressed in a way that was not asked for.
    #[error("the answer is compressed ({0}), which no client asked for; switch compression off for this path")]
    Compressed(String),
    /// One piece is longer than a client accepts.
    #[error("the server sent {what} of more than {mebibytes} MiB, and no client accepts more in one piece")]
    TooLong {
        /// The kind of piece.
        what: &'static str,
        /// The limit.
        mebibytes: usize,
    },
    /// A message came as a binary frame.
    #[error("the server sent a binary frame, and messages are read from text frames alone; let it send text frames")]
    Binary,
    /// The server answers empty long polls at once, again and again.
    #[error(
        "a long poll that brings nothing is answered at once, again and again: the server does not wait, and this is \
         short polling; let it hold a poll back until there is a message, or describe it as [short-polling]"
    )]
    DoesNotWait,
    /// The server closed the WebSocket with a code other than "normal".
    #[error("the server closed the WebSocket with code {0}")]
    Closed(u16),
    /// The content does not match the target's dialect.
    #[error("the content cannot be parsed as the target's dialect says")]
    Unit(#[source] serde_json::Error),
    /// A message of pushoff's own protocol had no valid cursor.
    #[error("a message came without a cursor")]
    Cursor,
    /// An id that no header field can carry.
    #[error("an id of the server cannot be sent in a header field")]
    Id,
    /// The server's address is no valid URL.
    #[error("{0} is no valid URL")]
    Address(String),
    /// The target does not describe that transport.
    #[error("the target does not speak {0}: leave it out, or describe it")]
    NotSpoken(Transport),
    /// Subscribers in a browser connect from their pages.
    #[error("subscribers in a browser connect from their pages")]
    InAPage,
    /// A page's client gave up; its reason.
    #[error("in a page: {0}")]
    Page(String),
    /// The stream ended before its topic was complete.
    #[error("the stream ended before its topic was complete")]
    Ended,
    /// The target has no raw TCP port.
    #[error("the target has no raw TCP port: give it one, or leave raw-tcp out")]
    NoRawTcp,
}

/// The longest message that a client accepts, as a frame, a line or an event. Chosen here: sixteen times the largest
/// payload of a workload. Escapes and line breaks make a payload longer, but not by that much.
pub(crate) const LONGEST_MESSAGE: usize = 1 << 20;
/// The longest answer to a poll that a client accepts. Chosen here: four times what a topic of pushoff keeps.
pub(crate) const LONGEST_ANSWER: usize = 16 << 20;

impl ConnectionError {
    /// A message longer than [`LONGEST_MESSAGE`].
    pub(crate) const fn too_long(what: &'static str) -> Self {
        Self::TooLong { what, mebibytes: LONGEST_MESSAGE >> 20 }
    }

    /// Refuses an incomplete piece that is already longer than [`LONGEST_MESSAGE`].
    pub(crate) const fn bounded(what: &'static str, begun: usize) -> Result<(), Self> {
        if begun > LONGEST_MESSAGE { Err(Self::too_long(what)) } else { Ok(()) }
    }

    /// An answer longer than [`LONGEST_ANSWER`].
    pub(crate) const fn long_answer() -> Self {
        Self::TooLong { what: "an answer to a poll", mebibytes: LONGEST_ANSWER >> 20 }
    }

    /// An error that comes from a certificate says so in one sentence, whichever client met it; others stay as they are.
    pub(crate) fn told(self) -> Self {
        distrust(&self).map_or(self, Self::Certificate)
    }

    /// Whether the server's address refused the connection.
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

    /// Whether the error's text already says what to do.
    pub(crate) const fn is_plain(&self) -> bool {
        matches!(
            self,
            Self::Handshake(_)
                | Self::Certificate(_)
                | Self::Compressed(_)
                | Self::TooLong { .. }
                | Self::Binary
                | Self::DoesNotWait
        )
    }

    /// Whether a retry would fail in the same way: the request is wrong, or the server does not match its target
    /// description. Timeouts, overload and broken connections pass.
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
            | Self::Certificate(_)
            | Self::Compressed(_)
            | Self::TooLong { .. }
            | Self::Binary
            | Self::DoesNotWait
            | Self::NoRawTcp => true,
            Self::Io(_)
            | Self::Http(_)
            | Self::Http2(_)
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

/// Why a certificate is not trusted, if that is what an error comes from.
fn distrust(error: &(dyn Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(rustls::Error::InvalidCertificate(why)) = error.downcast_ref() {
            return Some(why.to_string());
        }
        // An input or output error does not name what it wraps as its source.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = wrapped.map(|error| -> &(dyn Error + 'static) { error }).or_else(|| error.source());
    }
    None
}

/// The error for a frame that only a client may send (RFC 6455 §5.1).
pub(crate) const MASKED: &str = "a server's frame is masked";

/// Without the URL: it holds the topic, and equal causes must compare equal.
impl From<reqwest::Error> for ConnectionError {
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error.without_url()).told()
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
        .told()
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
        .told()
    }
}

/// Why a subscription ended.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// The first connection could not be made.
    #[error("connecting for the first time")]
    Connect(#[source] ConnectionError),
    /// A retry would fail in the same way.
    #[error("the subscription cannot go on")]
    Refused(#[source] ConnectionError),
    /// The server's address no longer accepts connections.
    #[error("connecting again, several times: the server is gone")]
    Gone(#[source] ConnectionError),
    /// The sink stopped after a broken connection.
    #[error("the subscriber gave up after a break")]
    Stopped(#[source] ConnectionError),
}

impl SubscribeError {
    /// The error of the connection.
    #[must_use]
    pub const fn cause(&self) -> &ConnectionError {
        match self {
            Self::Connect(cause) | Self::Refused(cause) | Self::Gone(cause) | Self::Stopped(cause) => cause,
        }
    }

    /// Which kind of failure it is for a trial.
    #[must_use]
    pub const fn kind(&self) -> FailureKind {
        match self {
            Self::Connect(_) => FailureKind::Connect,
            Self::Refused(_) | Self::Gone(_) | Self::Stopped(_) => FailureKind::Server,
        }
    }
}

#[cfg(test)]
mod tests {
    use rustls::CertificateError;

    use super::*;

    #[test]
    fn an_untrusted_certificate_is_one_sentence_whichever_client_meets_it() {
        let met =
            || io::Error::other(io::Error::other(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)));
        let web_socket = tokio_tungstenite::tungstenite::Error::Io(met()).into();
        let transport = launchdarkly_sdk_transport::TransportError::new(met());
        let event_stream = eventsource_client::Error::Transport(transport).into();
        for error in [ConnectionError::from(met()).told(), web_socket, event_stream] {
            let said = error.to_string();
            assert!(error.is_final() && said.contains("UnknownIssuer") && said.contains("--ca FILE"), "{said}");
        }
        let other = ConnectionError::from(io::Error::other("the cable is cut")).told();
        assert!(matches!(other, ConnectionError::Io(_)), "{other:?}");
    }
}
