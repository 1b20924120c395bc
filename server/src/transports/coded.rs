//! Responses in a content coding: whole ones, and streams that are flushed after every batch. Source: RFC 9110 §8.4.
//!
//! A stream keeps a compressor, for which there is a lease before the stream begins: without one the stream goes
//! uncompressed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, VARY};
use http::{HeaderValue, StatusCode};
use tokio::time::{Sleep, sleep};

use super::ask::Ask;
use crate::compression::{Accepts, Coding, Compressor, Form, Forms, Keeper, Kept, SHORTEST, whole};
use crate::http::{Chunkable, Problem, Response};
use crate::hub::Batch;
use crate::memory::{self, Budget, OutOfMemory};
use crate::state::Server;

/// How long a stream waits before it looks for memory again.
const PAUSE: Duration = Duration::from_millis(100);

/// What the client takes; `None` where the server does not compress.
pub(super) fn accepts(ask: &Ask<'_>) -> Result<Option<Accepts>, Problem> {
    if ask.server.compressors.is_none() {
        return Ok(None);
    }
    let accepts = Accepts::of(ask.head.every(&ACCEPT_ENCODING));
    if accepts.coding.is_none() && !accepts.identity {
        let detail = "what is sent is compressed by zstd, gzip or br, or not at all: Accept-Encoding refuses all four";
        return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, detail));
    }
    Ok(Some(accepts))
}

/// The response with the fields about its coding.
pub(super) fn mark(response: Response, accepts: Option<Accepts>, coding: Option<Coding>) -> Response {
    if accepts.is_none() {
        return response;
    }
    let response = response.with(VARY, HeaderValue::from_static("Accept-Encoding"));
    match coding {
        Some(coding) => response.with(CONTENT_ENCODING, HeaderValue::from_static(coding.name())),
        None => response,
    }
}

/// A whole body as the client takes it, and its coding. The coded body is made once for all who share `forms`. A body
/// that would not become shorter is not compressed.
pub(super) fn body(
    content: Bytes,
    forms: Option<&Forms>,
    accepts: Option<Accepts>,
    room: &Arc<Budget>,
) -> Result<(Bytes, Option<Coding>), OutOfMemory> {
    let Some(Accepts { coding: Some(coding), identity }) = accepts else { return Ok((content, None)) };
    if identity && content.len() < SHORTEST {
        return Ok((content, None));
    }
    let make = || memory::shared(whole(coding, &content).ok()?, room);
    let coded = match forms {
        Some(forms) => forms.of(Form::Coded(coding), make),
        None => make(),
    };
    match coded {
        Some(coded) if !identity || coded.len() < content.len() => Ok((coded, Some(coding))),
        Some(_) | None if identity => Ok((content, None)),
        Some(_) | None => Err(OutOfMemory),
    }
}

/// The compressor of one stream.
pub(super) struct Coder {
    pub(super) coding: Coding,
    compressor: Compressor,
    kept: Kept,
    room: Arc<Budget>,
    /// A batch for whose coded bytes there was no memory, and the time until the next attempt.
    waiting: Option<(Batch, Pin<Box<Sleep>>)>,
}

impl Coder {
    /// `None` where no memory is left.
    pub(super) fn new(coding: Coding, server: &Server) -> Option<Self> {
        let kept = server.compressors.as_ref()?.keep(Keeper::Coding(coding))?;
        let (compressor, room) = (Compressor::new(coding).ok()?, Arc::clone(&server.memory.batches));
        Some(Self { coding, compressor, kept, room, waiting: None })
    }

    /// A few bytes, coded and flushed: an opening or a heartbeat.
    pub(super) fn write(&mut self, content: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        self.compressor.write(content, &mut out)?;
        Ok(out)
    }

    /// A batch, coded and flushed; without memory for it now, the batch waits.
    pub(super) fn batch(&mut self, batch: Batch) -> io::Result<Option<(Batch, Chunkable)>> {
        let longest = batch.bytes.len() + batch.bytes.len() / 4 + 1024;
        let mut out = Chunkable::buffer(longest);
        let Some(lease) = self.room.lease(out.capacity()) else {
            self.waiting = Some((batch, Box::pin(sleep(PAUSE))));
            return Ok(None);
        };
        self.compressor.write(&batch.bytes, &mut out)?;
        Ok(Some((batch, Chunkable::leased(out, lease))))
    }

    /// The batch that waited for memory, once there may be some.
    pub(super) fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<Option<Batch>> {
        if let Some((_, pause)) = &mut self.waiting {
            ready!(pause.as_mut().poll(cx));
        }
        Poll::Ready(self.waiting.take().map(|(batch, _)| batch))
    }

    /// The end of the coding.
    pub(super) fn end(self) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        self.compressor.finish(b"", &mut out)?;
        drop(self.kept);
        Ok(out)
    }
}
