//! WebSocket: text frames in both directions on one upgraded connection. Source: RFC 6455.
//!
//! What is written to subscribers is the same bytes for all of them, because a server's frames are
//! not masked: replies and the shared batches meet in one outgoing buffer, each whole. Reading never
//! waits for writing, so that a client which sends before it reads cannot lock up. Nothing is held
//! for a connection that lies idle but its timer.

mod conversation;
mod frames;

#[cfg(fuzzing)]
pub(crate) use self::frames::fuzz;

use http::header::AUTHORIZATION;
use pushoff_model::{Topic, Transport};
use tokio::io::AsyncRead;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

use self::conversation::Conversation;
pub(super) use self::frames::FrameError;
use super::{Ask, handshake};
use crate::http::answer::Answer;
use crate::http::head::Head;
use crate::http::problem::Problem;
use crate::hub::cache::Run;
use crate::hub::payload::{Payload, PayloadError};
use crate::hub::{Subscription, Unpublished};
use crate::limits;
use crate::memory::Buffer;
use crate::net::write::Link;
use crate::publish;
use crate::server::Server;
use crate::stats::{Meter, Via};

/// What a connection is for.
pub(crate) enum Session {
    /// A topic, which it reads, publishes to, or both.
    Topic {
        topic: Topic,
        /// Absent where the connection only publishes.
        subscription: Option<Subscription>,
        may_publish: bool,
        meter: Meter,
    },
    /// To send each message back: for conformance suites and bare round trips.
    Echo,
}

/// Answers a handshake. A token, where one is asked for, is needed to publish and not to listen.
pub(super) fn upgrade(ask: &Ask<'_>) -> Result<Answer, Problem> {
    let response = handshake::accept(ask.head)?;
    let authorized = publish::authorize(ask.server, ask.head);
    let may_publish = authorized.is_ok();
    if !ask.query.subscribe || ask.head.field(&AUTHORIZATION).is_some() {
        authorized?;
    }
    let subscription = ask.query.subscribe.then(|| ask.subscribe());
    let meter = ask.server.stats.connect(Transport::WebSocket);
    Ok(Answer::Upgrade(response, Session::Topic { topic: ask.topic.clone(), subscription, may_publish, meter }))
}

/// Answers a handshake for `/echo`.
pub(crate) fn echo(head: &Head<'_>) -> Result<Answer, Problem> {
    Ok(Answer::Upgrade(handshake::accept(head)?, Session::Echo))
}

impl Session {
    /// Serves the connection until either side closes it. `read` is what came in with the request.
    pub(crate) async fn run<IO>(self, io: IO, read: Buffer, server: &Server)
    where
        IO: AsyncRead + Link,
    {
        let mut conversation = Conversation::new(self, io, server);
        let end = conversation.hold(read, server).await;
        // Whoever does not answer the close in this time is not waited for.
        timeout(limits::CLOSE_WAIT, conversation.end(end, server)).await.unwrap_or_default();
    }

    const fn subscription(&mut self) -> Option<&mut Subscription> {
        match self {
            Self::Topic { subscription, .. } => subscription.as_mut(),
            Self::Echo => None,
        }
    }

    /// How long a message may be.
    const fn longest(&self, server: &Server) -> usize {
        match self {
            Self::Topic { .. } => server.config.max_payload,
            Self::Echo => limits::ECHO_BYTES,
        }
    }

    /// Takes a message, and gives back what answers it. One that is refused ends the connection.
    fn receive(&self, kind: Data, message: Vec<u8>, server: &Server) -> Result<Option<Frame>, CloseFrame> {
        match self {
            Self::Echo => Ok(Some(Frame::message(message, OpCode::Data(kind), true))),
            Self::Topic { .. } if kind != Data::Text => {
                Err(close(CloseCode::Unsupported, "a message is JSON in a text frame"))
            }
            Self::Topic { may_publish: false, .. } => {
                Err(close(CloseCode::Policy, "publishing takes the bearer token in the handshake"))
            }
            Self::Topic { topic, .. } => publish(topic, &message, server).map(|()| None),
        }
    }
}

fn publish(topic: &Topic, message: &[u8], server: &Server) -> Result<(), CloseFrame> {
    let payload = Payload::parse(message, server.config.max_payload).map_err(|error| {
        let code = match error {
            PayloadError::TooLong { .. } => CloseCode::Size,
            PayloadError::NotUtf8(_) | PayloadError::NotJson { .. } => CloseCode::Invalid,
        };
        close(code, &error.to_string())
    })?;
    server.hub.publish_run(topic, Run { skipped: 0, newest: vec![payload] }).map_err(|error| {
        let code = match error {
            Unpublished::Complete(_) => CloseCode::Normal,
            Unpublished::TooManyTopics { .. } | Unpublished::NoRoom => CloseCode::Again,
        };
        close(code, &error.to_string())
    })?;
    server.stats.published(Via::WebSocket, 1);
    Ok(())
}

fn close(code: CloseCode, reason: &str) -> CloseFrame {
    CloseFrame { code, reason: handshake::reason(reason) }
}
