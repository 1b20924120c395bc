//! WebSocket: text frames in both directions on one upgraded connection. Source: RFC 6455.
//!
//! tungstenite reads: it unmasks, joins fragments, checks UTF-8, answers pings and closes. What is
//! written to subscribers does not pass through it, because a server's frames are the same for all
//! of them: its replies and the shared batches meet in one outgoing buffer, each whole. Reading
//! never waits for writing, so that a client which sends before it reads cannot lock up.

mod inbound;

use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::header::AUTHORIZATION;
use pushoff_model::Transport;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};

use self::inbound::Inbound;
use super::pulse::{Beat, Pulse};
use super::{Ask, Upgrade, handshake};
use crate::framing::{Framing, websocket};
use crate::http::answer::Answer;
use crate::http::connection::drain;
use crate::http::problem::Problem;
use crate::hub::{Reading, Subscription, TopicLog};
use crate::limits;
use crate::payload::{Payload, PayloadError};
use crate::publish;
use crate::server::Server;
use crate::stats::{Meter, Via};
use crate::write::Patience;

/// What a connection reads at once. Chosen here: a chat line and its kin fit many times, and an
/// idle connection costs no more than this.
const READ_BUFFER: usize = 2 << 10;

/// The longest control frame (RFC 6455 §5.5), which must fit whatever the limit on payloads is.
const LONGEST_CONTROL: usize = 125;

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
        let limit = server.config.max_payload;
        let settings = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(limit))
            .max_frame_size(Some(limit.max(LONGEST_CONTROL)));
        // Copied, because it is usually nothing in a buffer of hyper's.
        let begun = read.to_vec();
        drop(read);
        let (reader, writer) = tokio::io::split(io);
        let frames =
            WebSocketStream::from_partially_read(Inbound::new(reader), begun, Role::Server, Some(settings)).await;
        let opening = self.subscription.as_ref().map(|subscription| websocket::opening(subscription.cursor()));
        let mut conversation = Conversation {
            frames,
            writer,
            outgoing: opening.unwrap_or_default().into(),
            session: self,
            pulse: Pulse::new(server.config.heartbeat),
            patience: Patience::default(),
        };
        if let Some(end) = conversation.hold(server).await {
            // Whoever does not answer the close in this time is not waited for.
            timeout(limits::CLOSE_WAIT, conversation.end(end)).await.unwrap_or_default();
        }
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

/// How a conversation ends, where there is still somebody to end it with.
enum End {
    /// The server closes.
    Close(CloseFrame),
    /// The client closed, and the answer is on its way.
    Answered,
}

struct Conversation<IO> {
    frames: WebSocketStream<Inbound<ReadHalf<IO>>>,
    writer: WriteHalf<IO>,
    /// Whole frames, of which the first may be written in part.
    outgoing: Bytes,
    session: Session,
    pulse: Pulse,
    patience: Patience,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Conversation<IO> {
    /// Reads and writes until the end; `None` where the connection is gone.
    async fn hold(&mut self, server: &Server) -> Option<End> {
        let mut closing = std::pin::pin!(server.closing.cancelled());
        loop {
            if self.outgoing.is_empty()
                && let Some(end) = self.refill()
            {
                return Some(end);
            }
            let is_idle = self.outgoing.is_empty();
            tokio::select! {
                frame = self.frames.next() => match frame {
                    // tungstenite keeps its pong until it is asked to write: now, to the replies.
                    Some(Ok(Message::Ping(_))) => self.frames.flush().await.ok()?,
                    Some(Ok(message)) => {
                        if let Err(close) = self.receive(message, server) {
                            return Some(End::Close(close));
                        }
                    }
                    Some(Err(error)) => return handshake::close_for(&error).map(End::Close),
                    None => return Some(End::Answered),
                },
                written = poll_fn(|cx| self.patience.poll_write(cx, &mut self.writer, &mut self.outgoing, server)),
                    if !is_idle => written.ok()?,
                () = changed(self.session.subscription.as_mut()), if is_idle => {}
                beat = self.pulse.due() => match beat {
                    Beat::Ping if is_idle => {
                        self.outgoing = Bytes::from_static(websocket::PING);
                        self.pulse.pinged();
                    }
                    // What is on its way is a sign of life to the other end as good as a ping.
                    Beat::Ping => self.pulse.wrote(),
                    Beat::Dead => return None,
                },
                () = &mut closing => return Some(End::Close(handshake::going_away())),
            }
        }
    }

    /// Puts out what is to be written next: replies first, then what the log has.
    fn refill(&mut self) -> Option<End> {
        let replies = self.frames.get_mut().take_replies();
        if !replies.is_empty() {
            self.outgoing = replies;
            return None;
        }
        match self.session.subscription.as_mut()?.read(Framing::WebSocket, limits::STREAM) {
            Reading::Batch(batch) => {
                self.session.meter.delivered(&batch);
                self.pulse.wrote();
                self.outgoing = batch.bytes;
                None
            }
            Reading::CaughtUp => None,
            Reading::Complete => Some(End::Close(close(CloseCode::Normal, "the topic is complete"))),
            Reading::Closing => Some(End::Close(handshake::going_away())),
        }
    }

    fn receive(&mut self, message: Message, server: &Server) -> Result<(), CloseFrame> {
        match message {
            Message::Text(text) => self.session.receive(&text, server),
            Message::Binary(_) => Err(close(CloseCode::Unsupported, "a message is JSON in a text frame")),
            Message::Pong(_) => {
                self.pulse.answered();
                Ok(())
            }
            // tungstenite answers by itself.
            Message::Ping(_) | Message::Close(_) | Message::Frame(_) => Ok(()),
        }
    }

    /// The closing handshake, and then the end of the connection underneath (RFC 6455 §7.1.1).
    async fn end(&mut self, end: End) {
        let closed = match end {
            End::Close(frame) => self.frames.close(Some(frame)).await.is_ok(),
            End::Answered => true,
        };
        if !closed || self.flush().await.is_err() {
            return;
        }
        while let Some(Ok(_)) = self.frames.next().await {}
        if self.flush().await.is_ok() && self.writer.shutdown().await.is_ok() {
            drain(self.frames.get_mut()).await;
        }
    }

    /// Writes the rest of what is outgoing, and all replies.
    async fn flush(&mut self) -> std::io::Result<()> {
        self.writer.write_all_buf(&mut self.outgoing).await?;
        let mut replies = self.frames.get_mut().take_replies();
        self.writer.write_all_buf(&mut replies).await
    }
}

fn close(code: CloseCode, reason: &str) -> CloseFrame {
    CloseFrame { code, reason: handshake::reason(reason) }
}

async fn changed(subscription: Option<&mut Subscription>) {
    match subscription {
        Some(subscription) => subscription.changed().await,
        None => std::future::pending().await,
    }
}
