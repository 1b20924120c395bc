//! One connection from its opening to its close: one task, one socket, one look at each of what it
//! waits for whenever it is woken.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::frames::{Frames, Received};
use super::{Session, close};
use crate::framing::{Framing, websocket};
use crate::http::connection::drain;
use crate::hub::Reading;
use crate::limits;
use crate::server::Server;
use crate::transports::handshake;
use crate::transports::pulse::{Beat, Pulse};
use crate::write::{self, Patience};

/// What is read at once, on the stack: a chat line and its kin fit many times.
const READ_BYTES: usize = 4 << 10;

/// How many bytes of replies may wait. Chosen here: 32 of the longest. Whoever pings on without
/// reading the pongs is cut off.
const REPLIES: usize = 4 << 10;

/// How a conversation ends.
#[derive(Debug)]
pub(super) enum End {
    /// There is nobody to end it with.
    Gone,
    /// The server closes, and the client is to answer.
    Close(CloseFrame),
    /// The server closes on a client that cannot be understood any more.
    Fail(CloseFrame),
    /// The client closed, and the answer is among the replies.
    Answered,
}

pub(super) struct Conversation<IO> {
    io: IO,
    session: Session,
    frames: Frames,
    /// Whole frames, of which the first may be written in part.
    outgoing: Bytes,
    /// What answers the client's own frames, written before anything else that is still to come.
    replies: Vec<u8>,
    patience: Patience,
    pulse: Pulse,
    /// There while the log would not tell that the server goes away: it is not read, or not asked
    /// because the client does not take what was read before.
    closing: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

/// Whether there is more to do at once.
enum Progress {
    More,
    None,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Conversation<IO> {
    /// A conversation that begins with `read`, which came in with the handshake.
    pub(super) fn new(session: Session, io: IO, read: &[u8], server: &Server) -> Self {
        let opening = session.subscription.as_ref().map(|subscription| websocket::opening(subscription.cursor()));
        let mut frames = Frames::new(server.config.max_payload);
        frames.extend(read);
        Self {
            io,
            session,
            frames,
            outgoing: opening.unwrap_or_default().into(),
            replies: Vec::new(),
            patience: Patience::default(),
            pulse: Pulse::new(server.config.heartbeat),
            closing: None,
        }
    }

    /// Reads and writes until the end.
    pub(super) async fn hold(&mut self, server: &Server) -> End {
        if let Err(end) = self.receive_all(server) {
            return end;
        }
        poll_fn(|cx| self.poll_hold(cx, server)).await
    }

    /// The fast path is the first call and a read that finds nothing: a batch goes from the log to
    /// the socket before anything else is looked at.
    fn poll_hold(&mut self, cx: &mut Context<'_>, server: &Server) -> Poll<End> {
        loop {
            match self.poll_once(cx, server) {
                Ok(Progress::More) => {}
                Ok(Progress::None) => return Poll::Pending,
                Err(end) => return Poll::Ready(end),
            }
        }
    }

    fn poll_once(&mut self, cx: &mut Context<'_>, server: &Server) -> Result<Progress, End> {
        let is_stalled = self.poll_write(cx, server)?.is_pending();
        if matches!(self.poll_read(cx, server)?, Progress::More) {
            return Ok(Progress::More);
        }
        self.poll_closing(cx, server, is_stalled)?;
        self.poll_pulse(cx, is_stalled)
    }

    /// Writes replies and messages until there are none; pending where the socket takes no more.
    fn poll_write(&mut self, cx: &mut Context<'_>, server: &Server) -> Result<Poll<()>, End> {
        loop {
            match self.patience.poll_write(cx, &mut self.io, &mut self.outgoing, server) {
                Poll::Ready(written) => written.or(Err(End::Gone))?,
                Poll::Pending => return Ok(Poll::Pending),
            }
            if !self.replies.is_empty() {
                self.outgoing = std::mem::take(&mut self.replies).into();
                continue;
            }
            let Some(subscription) = &mut self.session.subscription else { return Ok(Poll::Ready(())) };
            match subscription.poll_next(cx, Framing::WebSocket, limits::STREAM) {
                Poll::Ready(Reading::Batch(batch)) => {
                    self.session.meter.delivered(&batch);
                    self.pulse.wrote(batch.made);
                    self.outgoing = batch.bytes;
                }
                Poll::Ready(Reading::Complete) => {
                    return Err(End::Close(close(CloseCode::Normal, "the topic is complete")));
                }
                Poll::Ready(Reading::Closing) => return Err(End::Close(handshake::going_away())),
                Poll::Ready(Reading::CaughtUp) | Poll::Pending => return Ok(Poll::Ready(())),
            }
        }
    }

    /// Reads what has come in, and publishes or answers it.
    fn poll_read(&mut self, cx: &mut Context<'_>, server: &Server) -> Result<Progress, End> {
        match self.poll_extend(cx) {
            Poll::Ready(Ok(1..)) => self.receive_all(server).map(|()| Progress::More),
            Poll::Ready(_) => Err(End::Gone),
            Poll::Pending => Ok(Progress::None),
        }
    }

    /// How many bytes came in, which the frames now have.
    fn poll_extend(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut room = [MaybeUninit::uninit(); READ_BYTES];
        let mut read = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut read))?;
        self.frames.extend(read.filled());
        Poll::Ready(Ok(read.filled().len()))
    }

    fn poll_closing(&mut self, cx: &mut Context<'_>, server: &Server, is_stalled: bool) -> Result<(), End> {
        if !is_stalled && self.session.subscription.is_some() {
            self.closing = None;
            return Ok(());
        }
        let closing = self.closing.get_or_insert_with(|| Box::pin(server.closing.clone().cancelled_owned()));
        match closing.as_mut().poll(cx) {
            Poll::Ready(()) => Err(End::Close(handshake::going_away())),
            Poll::Pending => Ok(()),
        }
    }

    fn poll_pulse(&mut self, cx: &mut Context<'_>, is_stalled: bool) -> Result<Progress, End> {
        match self.pulse.poll_due(cx) {
            Poll::Pending => return Ok(Progress::None),
            Poll::Ready(Beat::Dead) => return Err(End::Gone),
            // What is on its way is a sign of life to the other end as good as a ping.
            Poll::Ready(Beat::Ping) if is_stalled => self.pulse.wrote(Instant::now()),
            Poll::Ready(Beat::Ping) => {
                self.outgoing = Bytes::from_static(websocket::PING);
                self.pulse.pinged();
            }
        }
        Ok(Progress::More)
    }

    /// Takes every message and control frame that is there.
    fn receive_all(&mut self, server: &Server) -> Result<(), End> {
        loop {
            let received =
                self.frames.next().map_err(|error| handshake::close_for(&error).map_or(End::Gone, End::Fail))?;
            match received {
                None => return Ok(()),
                Some(Received::Text(text)) => {
                    self.session.receive(&text, server).map_err(End::Close)?;
                }
                Some(Received::Binary) => {
                    let refusal = close(CloseCode::Unsupported, "a message is JSON in a text frame");
                    return Err(End::Close(refusal));
                }
                Some(Received::Pong) => self.pulse.answered(),
                Some(Received::Ping(sign)) => self.reply(Frame::pong(sign)).or(Err(End::Gone))?,
                Some(Received::Close(answer)) => {
                    self.reply(Frame::close(answer)).or(Err(End::Gone))?;
                    return Err(End::Answered);
                }
            }
        }
    }

    fn reply(&mut self, frame: Frame) -> Result<(), Error> {
        frame.format(&mut self.replies)?;
        if self.replies.len() > REPLIES { Err(io::Error::from(io::ErrorKind::QuotaExceeded).into()) } else { Ok(()) }
    }

    /// The closing handshake, and then the end of the connection underneath (RFC 6455 §7.1.1).
    pub(super) async fn end(&mut self, end: End, server: &Server) {
        let is_answer_due = matches!(end, End::Close(_));
        match end {
            End::Gone => return,
            End::Answered => {}
            End::Close(frame) | End::Fail(frame) => {
                if Frame::close(Some(frame)).format(&mut self.replies).is_err() {
                    return;
                }
            }
        }
        let mut last: Bytes = std::mem::take(&mut self.replies).into();
        if write::all(&mut self.io, &mut self.outgoing, server).await.is_err()
            || write::all(&mut self.io, &mut last, server).await.is_err()
        {
            return;
        }
        if is_answer_due {
            self.await_answer().await;
        }
        if self.io.shutdown().await.is_ok() {
            drain(&mut self.io).await;
        }
    }

    /// Reads on until the client closes too, or breaks off. What it says meanwhile is too late.
    async fn await_answer(&mut self) {
        loop {
            match self.frames.next() {
                Ok(None) => {
                    if !matches!(poll_fn(|cx| self.poll_extend(cx)).await, Ok(1..)) {
                        return;
                    }
                }
                Ok(Some(Received::Close(_))) | Err(_) => return,
                Ok(Some(Received::Text(_) | Received::Binary | Received::Ping(_) | Received::Pong)) => {}
            }
        }
    }
}
