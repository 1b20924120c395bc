//! WebSocket: text frames in both directions on one upgraded connection. Source: RFC 6455.
//!
//! What is written to subscribers is the same bytes for all of them, because a server's frames are
//! not masked: replies and the shared batches meet in one outgoing buffer, each whole. Reading never
//! waits for writing, so that a client which sends before it reads cannot lock up. Nothing is held
//! for a connection that lies idle but its timer.

mod conversation;
mod frames;

use std::sync::Arc;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use pushoff_model::Transport;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use self::conversation::Conversation;
use super::{Ask, Upgrade, handshake};
use crate::http::answer::Answer;
use crate::http::problem::Problem;
use crate::hub::{Subscription, TopicLog};
use crate::limits;
use crate::payload::{Payload, PayloadError};
use crate::publish;
use crate::server::Server;
use crate::stats::{Meter, Via};

/// Who is at the other end and what for.
pub(crate) struct Session {
    log: Arc<TopicLog>,
    /// Absent where the connection only publishes.
    subscription: Option<Subscription>,
    may_publish: bool,
    meter: Meter,
}

/// Answers a handshake. A token, where one is asked for, is needed to publish and not to listen.
pub(super) fn upgrade(ask: Ask<'_>) -> Result<Answer, Problem> {
    let response = handshake::accept(ask.head)?;
    let authorized = publish::authorize(ask.server, ask.head);
    let may_publish = authorized.is_ok();
    if !ask.query.subscribe || ask.head.field(&AUTHORIZATION).is_some() {
        authorized?;
    }
    let session = Session {
        log: ask.log,
        subscription: ask.query.subscribe.then_some(ask.subscription),
        may_publish,
        meter: ask.server.stats.connect(Transport::WebSocket),
    };
    Ok(Answer::Upgrade(response, Upgrade::WebSocket(session)))
}

impl Session {
    /// Serves the connection until either side closes it.
    pub(super) async fn run<IO>(self, io: IO, read: Bytes, server: &Server)
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let mut conversation = Conversation::new(self, io, &read, server);
        drop(read);
        let end = conversation.hold(server).await;
        // Whoever does not answer the close in this time is not waited for.
        timeout(limits::CLOSE_WAIT, conversation.end(end, server)).await.unwrap_or_default();
    }

    /// Publishes what a frame holds. A frame that is refused ends the connection.
    fn receive(&self, text: &str, server: &Server) -> Result<(), CloseFrame> {
        if !self.may_publish {
            return Err(close(CloseCode::Policy, "publishing takes the bearer token in the handshake"));
        }
        let payload = Payload::parse(text.as_bytes(), server.config.max_payload).map_err(|error| {
            let code = match error {
                PayloadError::TooLong { .. } => CloseCode::Size,
                PayloadError::NotUtf8(_) | PayloadError::NotJson { .. } => CloseCode::Invalid,
            };
            close(code, &error.to_string())
        })?;
        self.log.append(payload).map_err(|error| close(CloseCode::Normal, &error.to_string()))?;
        server.stats.published(Via::WebSocket, 1);
        Ok(())
    }
}

fn close(code: CloseCode, reason: &str) -> CloseFrame {
    CloseFrame { code, reason: handshake::reason(reason) }
}
