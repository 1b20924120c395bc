//! One WebSocket from its opening to its close: one task, which reads and writes.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncWriteExt, ReadBuf};
use tokio::task::yield_now;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::close::{close, going_away, late, no_memory};
use super::frames::{Frames, Received};
use super::session::{Purpose, Session, unpublished};
use crate::framing::{Framing, websocket};
use crate::hub::{Bounds, Reading};
use crate::limits;
use crate::memory::{Buffer, OutOfMemory};
use crate::net::{Io, READ_BYTES, StallDetector, poll_end, read_buffer, write_all};
use crate::state::Server;
use crate::transports::keep_alive::{Due, KeepAlive};

/// How many bytes of pongs may wait. Chosen here: 32 of the longest. A client that sends more pings without
/// reading the pongs is disconnected.
const REPLIES: usize = 4 << 10;

/// How a connection ends.
#[derive(Debug)]
pub(super) enum End {
    /// The client is gone.
    Gone,
    /// The server closes, and the client has to answer.
    Close(CloseFrame),
    /// The server closes; the client's frames cannot be understood any more.
    Fail(CloseFrame),
    /// The client closed, with the close that answers it.
    Answered(Option<CloseFrame>),
}

pub(super) struct Conversation<IO> {
    io: IO,
    session: Purpose,
    frames: Frames,
    /// Whole frames, of which the first may be partly written.
    outgoing: Bytes,
    /// Answers to the client's frames, written before further messages.
    replies: Buffer,
    detector: StallDetector,
    keep_alive: KeepAlive,
    /// Present while the subscription cannot report the server's shutdown: there is none, or it is not polled
    /// because the client is stalled.
    closing: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl<IO: Io> Conversation<IO> {
    pub(super) fn new(session: Session, io: IO, server: &Server) -> Self {
        let Session { purpose: mut session, mut deflate } = session;
        let mut opening = session.subscription().map(|subscription| websocket::opening(subscription.cursor()));
        if let (Some(deflate), Some(clear)) = (&mut deflate, &opening)
            && let Ok(deflated) = deflate.outgoing.frames(clear)
        {
            opening = Some(deflated);
        }
        let mut frames = Frames::new(session.longest(server), &server.memory.incoming);
        frames.deflate = deflate;
        Self {
            io,
            session,
            frames,
            outgoing: opening.unwrap_or_default().into(),
            replies: Buffer::new(&server.memory.incoming),
            detector: StallDetector::default(),
            keep_alive: KeepAlive::new(server.config.heartbeat),
            closing: None,
        }
    }

    /// Reads and writes until the end, beginning with `read`, which came in with the handshake.
    pub(super) async fn run(&mut self, read: Buffer, server: &Server) -> End {
        let begun = self.frames.extend(&read).map_err(End::Fail);
        drop(read);
        let mut turn = begun.and_then(|()| self.receive_all(server));
        loop {
            match turn {
                Ok(()) => turn = poll_fn(|cx| self.poll_turn(cx, server)).await,
                Err(end) => return self.publish_rest().await.unwrap_or(end),
            }
            yield_now().await;
        }
    }

    /// Publishes what was received before the end; gives another end where that fails.
    async fn publish_rest(&mut self) -> Option<End> {
        let publishing = self.session.publishing()?;
        let failed = poll_fn(|cx| publishing.poll(cx)).await.err()?;
        Some(End::Fail(unpublished(&failed)))
    }

    /// Reads and writes while there is work; ready when other tasks should run, or at the end.
    ///
    /// A batch goes from the log to the socket first: the fast path is one write and one read that finds
    /// nothing.
    fn poll_turn(&mut self, cx: &mut Context<'_>, server: &Server) -> Poll<Result<(), End>> {
        for _ in 0..limits::TURNS {
            match self.poll_once(cx, server) {
                Ok(true) => {}
                Ok(false) => return Poll::Pending,
                Err(end) => return Poll::Ready(Err(end)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Writes and reads once; whether there is more work now.
    fn poll_once(&mut self, cx: &mut Context<'_>, server: &Server) -> Result<bool, End> {
        let is_stalled = self.poll_write(cx, server)?.is_pending();
        // A client that does not read its echoes is not read from.
        let mut may_read = !(is_stalled && matches!(self.session, Purpose::Echo));
        if let Some(publishing) = self.session.publishing() {
            if let Poll::Ready(Err(failed)) = publishing.poll(cx) {
                return Err(End::Close(unpublished(&failed)));
            }
            may_read &= !publishing.is_full();
        }
        if may_read && self.poll_read(cx, server)?.is_ready() {
            return Ok(true);
        }
        self.poll_closing(cx, server, is_stalled)?;
        Ok(self.poll_keep_alive(cx, server, is_stalled)?.is_ready())
    }

    /// Writes replies and messages until there are none; pending while the socket accepts no more.
    fn poll_write(&mut self, cx: &mut Context<'_>, server: &Server) -> Result<Poll<()>, End> {
        loop {
            match self.detector.poll_write(cx, &mut self.io, &mut self.outgoing, &server.stall_limit) {
                Poll::Ready(written) => written.or(Err(End::Gone))?,
                Poll::Pending => return Ok(Poll::Pending),
            }
            if !self.replies.is_empty() {
                self.outgoing = self.replies.take();
                continue;
            }
            let Purpose::Topic { subscription: Some(subscription), meter, .. } = &mut self.session else {
                return Ok(Poll::Ready(()));
            };
            match subscription.poll_next(cx, Framing::WebSocket, Bounds::STREAM) {
                Poll::Ready(Reading::Batch(batch)) => {
                    self.keep_alive.wrote(batch.made);
                    self.outgoing = match &mut self.frames.deflate {
                        None => batch.bytes.content(),
                        Some(deflate) => deflate.outgoing.batch(&batch, &server.memory.batches).or(Err(End::Gone))?,
                    };
                    meter.delivered(&batch, self.outgoing.len());
                }
                Poll::Ready(Reading::Complete) => {
                    return Err(End::Close(close(CloseCode::Normal, "the topic is complete")));
                }
                Poll::Ready(Reading::Closing) => return Err(End::Close(going_away())),
                Poll::Ready(Reading::CaughtUp | Reading::NoRoom) | Poll::Pending => return Ok(Poll::Ready(())),
            }
        }
    }

    /// Reads input, and publishes or answers its messages; pending where there is no input.
    fn poll_read(&mut self, cx: &mut Context<'_>, server: &Server) -> Result<Poll<()>, End> {
        match self.poll_extend(cx) {
            Poll::Ready(read) => read.and_then(|()| self.receive_all(server)).map(Poll::Ready),
            Poll::Pending => Ok(Poll::Pending),
        }
    }

    /// Reads input into the frames.
    fn poll_extend(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        let mut room = read_buffer();
        let mut read = ReadBuf::uninit(&mut room);
        match ready!(Pin::new(&mut self.io).poll_read(cx, &mut read)) {
            Ok(()) if !read.filled().is_empty() => Poll::Ready(self.frames.extend(read.filled()).map_err(End::Fail)),
            Ok(()) | Err(_) => Poll::Ready(Err(End::Gone)),
        }
    }

    fn poll_closing(&mut self, cx: &mut Context<'_>, server: &Server, is_stalled: bool) -> Result<(), End> {
        if !is_stalled && self.session.subscription().is_some() {
            self.closing = None;
            return Ok(());
        }
        // A subscriber that takes nothing now has its turn to leave, too.
        let token = if self.session.subscription().is_some() { &server.drained } else { &server.closing };
        let closing = self.closing.get_or_insert_with(|| Box::pin(token.clone().cancelled_owned()));
        match closing.as_mut().poll(cx) {
            Poll::Ready(()) => Err(End::Close(going_away())),
            Poll::Pending => Ok(()),
        }
    }

    fn poll_keep_alive(&mut self, cx: &mut Context<'_>, server: &Server, is_stalled: bool) -> Result<Poll<()>, End> {
        let late_at = self.frames.begun().map(|(since, _)| since + server.config.body_timeout);
        match self.keep_alive.poll_due(cx, late_at) {
            Poll::Pending => return Ok(Poll::Pending),
            Poll::Ready(Due::End) => return Err(End::Gone),
            Poll::Ready(Due::GiveUp) => return Err(End::Fail(late())),
            // Bytes on their way show the client a live connection as well as a ping does.
            Poll::Ready(Due::Ping) if is_stalled => self.keep_alive.wrote(Instant::now()),
            Poll::Ready(Due::Ping) => {
                self.outgoing = Bytes::from_static(websocket::PING);
                self.keep_alive.pinged();
            }
        }
        Ok(Poll::Ready(()))
    }

    /// Handles every whole message and control frame.
    fn receive_all(&mut self, server: &Server) -> Result<(), End> {
        loop {
            let received = self.frames.next().map_err(End::Fail)?;
            match received {
                None => return self.check_begun(server),
                Some(Received::Text(text)) => self.message(Data::Text, text.into_bytes(), server)?,
                Some(Received::Binary(bytes)) => self.message(Data::Binary, bytes, server)?,
                Some(Received::Pong) => self.keep_alive.answered(),
                Some(Received::Ping(sign)) => self.reply(Frame::pong(sign))?,
                Some(Received::Close(answer)) => return Err(End::Answered(answer)),
            }
        }
    }

    /// Refuses a message that has begun and is not taken, or has taken too long: a client that sends without a pause
    /// leaves no time for the timer.
    fn check_begun(&self, server: &Server) -> Result<(), End> {
        let Some((since, kind)) = self.frames.begun() else { return Ok(()) };
        kind.map_or(Ok(()), |kind| self.session.admit(kind)).map_err(End::Close)?;
        if since.elapsed() < server.config.body_timeout { Ok(()) } else { Err(End::Fail(late())) }
    }

    fn message(&mut self, kind: Data, message: Vec<u8>, server: &Server) -> Result<(), End> {
        match self.session.receive(kind, message, server).map_err(End::Close)? {
            // Writing to memory has no other error.
            Some(answer) => {
                self.data(kind, answer)?.format(&mut self.replies).map_err(|_error| End::Fail(no_memory(OutOfMemory)))
            }
            None => Ok(()),
        }
    }

    /// A message in one frame.
    fn data(&mut self, kind: Data, message: Vec<u8>) -> Result<Frame, End> {
        match &mut self.frames.deflate {
            None => Ok(Frame::message(message, OpCode::Data(kind), true)),
            Some(deflate) => deflate.outgoing.message(kind, message).or(Err(End::Gone)),
        }
    }

    /// Queues a control frame; ends the connection of a client that does not read the frames queued before.
    fn reply(&mut self, frame: Frame) -> Result<(), End> {
        let most = REPLIES + self.held_back();
        frame.format(&mut self.replies).or(Err(End::Gone))?;
        if self.replies.len() > most { Err(End::Gone) } else { Ok(()) }
    }

    /// How many bytes of echoes may wait among the pongs.
    const fn held_back(&self) -> usize {
        match self.session {
            Purpose::Topic { .. } => 0,
            Purpose::Echo => limits::ECHO_BYTES + 2 * READ_BYTES,
        }
    }

    /// The closing handshake, and the end of the TCP connection (RFC 6455 §7.1.1).
    pub(super) async fn end(&mut self, end: End, server: &Server) {
        let is_answer_due = matches!(end, End::Close(_));
        let frame = match end {
            End::Gone => return,
            End::Answered(answer) => answer,
            End::Close(frame) | End::Fail(frame) => Some(frame),
        };
        if Frame::close(frame).format(&mut self.replies).is_err() {
            return;
        }
        let mut last = self.replies.take();
        if write_all(&mut self.io, &mut self.outgoing, &server.stall_limit).await.is_err()
            || write_all(&mut self.io, &mut last, &server.stall_limit).await.is_err()
        {
            return;
        }
        if is_answer_due {
            self.await_answer().await;
        }
        if self.io.shutdown().await.is_ok() {
            poll_fn(|cx| poll_end(cx, &mut self.io, &mut 0)).await.unwrap_or_default();
        }
    }

    /// Discards input until the client closes or the connection breaks.
    async fn await_answer(&mut self) {
        loop {
            match self.frames.next() {
                Ok(None) => {
                    if poll_fn(|cx| self.poll_extend(cx)).await.is_err() {
                        return;
                    }
                }
                Ok(Some(Received::Close(_))) | Err(_) => return,
                Ok(Some(Received::Text(_) | Received::Binary(_) | Received::Ping(_) | Received::Pong)) => {}
            }
        }
    }
}
