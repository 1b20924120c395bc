//! The purpose of a WebSocket, and the handling of its client's messages.

use pushoff_model::Topic;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data};

use super::close::{close, no_memory};
use super::deflate::Deflate;
use super::publishing::Publishing;
use crate::hub::{Payload, PayloadError, Subscription, Unpublished};
use crate::limits;
use crate::state::Server;
use crate::stats::{Meter, Via};

/// A WebSocket as its handshake made it.
pub(crate) struct Session {
    pub(super) purpose: Purpose,
    /// Where the client and the server agreed on permessage-deflate; boxed because hardly any do.
    pub(super) deflate: Option<Box<Deflate>>,
}

/// The purpose of a connection.
pub(super) enum Purpose {
    /// Subscribes to a topic, publishes to it, or both.
    Topic {
        topic: Topic,
        /// Absent where the connection only publishes.
        subscription: Option<Subscription>,
        may_publish: bool,
        /// Where the store is outside the process.
        outside: Option<Box<Publishing>>,
        meter: Meter,
    },
    /// Sends each message back, for conformance suites and bare round trips.
    Echo,
}

impl Purpose {
    pub(super) const fn subscription(&mut self) -> Option<&mut Subscription> {
        match self {
            Self::Topic { subscription, .. } => subscription.as_mut(),
            Self::Echo => None,
        }
    }

    /// What is on its way to a store outside the process.
    pub(super) fn publishing(&mut self) -> Option<&mut Publishing> {
        match self {
            Self::Topic { outside, .. } => outside.as_deref_mut(),
            Self::Echo => None,
        }
    }

    /// The longest message, in bytes.
    pub(super) const fn longest(&self, server: &Server) -> usize {
        match self {
            Self::Topic { .. } => server.config.max_payload,
            Self::Echo => limits::ECHO_BYTES,
        }
    }

    /// Refuses a message of a kind that is not taken, and any message of a client that may not publish: called as soon as
    /// the message begins, so that nothing more is kept of it.
    pub(super) fn admit(&self, kind: Data) -> Result<(), CloseFrame> {
        match self {
            Self::Topic { .. } if kind != Data::Text => {
                Err(close(CloseCode::Unsupported, "a message is JSON in a text frame"))
            }
            Self::Topic { may_publish: false, .. } => {
                Err(close(CloseCode::Policy, "publishing takes the bearer token in the handshake"))
            }
            Self::Topic { .. } | Self::Echo => Ok(()),
        }
    }

    /// Publishes a message, or gives back the message that answers it. A refused message ends the connection.
    pub(super) fn receive(
        &mut self,
        kind: Data,
        message: Vec<u8>,
        server: &Server,
    ) -> Result<Option<Vec<u8>>, CloseFrame> {
        self.admit(kind)?;
        match self {
            Self::Echo => Ok(Some(message)),
            Self::Topic { topic, outside, .. } => {
                let payload = parse(&message, server)?;
                match outside {
                    None => publish(topic, payload, server)?,
                    Some(publishing) => publishing.add(payload).map_err(no_memory)?,
                }
                Ok(None)
            }
        }
    }
}

fn parse(message: &[u8], server: &Server) -> Result<Payload, CloseFrame> {
    Payload::parse(message, server.config.max_payload).map_err(|error| {
        let code = match error {
            PayloadError::TooLong { .. } => CloseCode::Size,
            PayloadError::NotUtf8(_) | PayloadError::NotJson { .. } => CloseCode::Invalid,
        };
        close(code, &error.to_string())
    })
}

fn publish(topic: &Topic, payload: Payload, server: &Server) -> Result<(), CloseFrame> {
    server.hub.publish(topic, vec![payload]).map_err(|error| unpublished(&error))?;
    server.stats.published(Via::WebSocket, 1);
    Ok(())
}

/// The close that says why a message was not published.
pub(super) fn unpublished(error: &Unpublished) -> CloseFrame {
    let code = match error {
        Unpublished::Complete(_) => CloseCode::Normal,
        // A frame has no key of its publisher's.
        Unpublished::TooManyTopics { .. }
        | Unpublished::NoRoom
        | Unpublished::Reused
        | Unpublished::Store(_)
        | Unpublished::Partly { .. } => CloseCode::Again,
    };
    close(code, &error.to_string())
}
