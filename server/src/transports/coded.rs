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
use crate::compression::{Accepts, Coding, Compressor, Form, Forms, Keeper, Kept, SHORTEST, aside, whole};
use crate::http::{Chunkable, Problem, Response};
use crate::hub::Batch;
use crate::memory::{self, Budget, OutOfMemory};
use crate::state::Server;

/// What it takes to name a coding in a head.
const NAMED: usize = "content-encoding: zstd\r\n".len();

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
/// that would not become shorter, with the field that names its coding, is not compressed.
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
    let coded = aside(content.len(), || match forms {
        Some(forms) => forms.of(Form::Coded(coding), make),
        None => make(),
    });
    match coded {
        Some(coded) if !identity || coded.len() + NAMED < content.len() => Ok((coded, Some(coding))),
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
        aside(batch.bytes.len(), || self.compressor.write(&batch.bytes, &mut out))?;
        Ok(Some((batch, Chunkable::leased(out, lease))))
    }

    /// The batch that waited for memory, once there may be some.
    pub(super) fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<Option<Batch>> {
        if let Some((_, pause)) = &mut self.waiting {
            ready!(pause.as_mut().poll(cx));
        }
        Poll::Ready(self.waiting.take().map(|(batch, _)| batch))
    }

    /// The last bytes, coded, and the end of the coding.
    pub(super) fn end(self, content: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        self.compressor.finish(content, &mut out)?;
        drop(self.kept);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::Read;

    use pushoff_model::{Start, Topic};

    use super::*;
    use crate::config::Config;
    use crate::framing::Framing;
    use crate::hub::{Bounds, Payload, Reading, Subscription};
    use crate::state::LOOPBACK;

    fn server(memory: usize) -> Server {
        Server::new(Config { compress: true, memory, ..Config::default() }, LOOPBACK)
    }

    fn name() -> Topic {
        "t".parse().unwrap()
    }

    fn publish(server: &Server, length: usize) {
        let payload = format!("\"{}\"", "1".repeat(length));
        server.hub.publish(&name(), vec![Payload::parse(payload.as_bytes(), usize::MAX).unwrap()]).unwrap();
    }

    fn read(reader: &mut Subscription) -> Batch {
        match reader.read(Framing::Ndjson, Bounds::poll(10)) {
            Reading::Batch(batch) => batch,
            other @ (Reading::CaughtUp | Reading::Complete | Reading::Closing | Reading::NoRoom) => panic!("{other:?}"),
        }
    }

    fn accepts(field: &str) -> Option<Accepts> {
        Some(Accepts::of(std::iter::once(field.as_bytes())))
    }

    #[test]
    fn polls_of_one_batch_share_the_bytes_of_a_coding() {
        let server = server(1 << 24);
        let mut readers = [Start::Now, Start::Now].map(|start| server.hub.subscribe(&name(), start));
        publish(&server, 1000);
        let room = &server.memory.batches;
        let [one, other] = readers.each_mut().map(|reader| {
            let batch = read(reader);
            body(batch.bytes.content(), batch.forms.as_deref(), accepts("gzip"), room).unwrap()
        });
        assert_eq!((one.0.as_ptr(), one.1), (other.0.as_ptr(), Some(Coding::Gzip)));
        let mut clear = String::new();
        flate2::read::GzDecoder::new(&one.0[..]).read_to_string(&mut clear).unwrap();
        assert!(clear.ends_with("1\"}\n"), "{clear}");
        let batch = read(&mut server.hub.subscribe(&name(), Start::Oldest));
        let (bytes, coding) = body(batch.bytes.content(), batch.forms.as_deref(), None, room).unwrap();
        assert_eq!((bytes.as_ptr(), coding), (batch.bytes.as_ptr(), None));
    }

    #[test]
    fn a_body_is_not_compressed_where_that_wins_nothing_unless_it_must_be() {
        let server = server(1 << 24);
        let room = &server.memory.batches;
        let coding = |content: &'static [u8], field| {
            body(Bytes::from_static(content), None, accepts(field), room).map(|(_, coding)| coding)
        };
        assert_eq!(coding(b"short", "gzip"), Ok(None));
        assert_eq!(coding(b"short", "gzip, identity;q=0"), Ok(Some(Coding::Gzip)));
        assert_eq!(coding(&[b'1'; 1000], "br;q=0.1"), Ok(Some(Coding::Brotli)));
        assert_eq!(coding(&[b'1'; 1000], "deflate"), Ok(None));
        let _all = room.lease(4 << 20).unwrap();
        assert_eq!(coding(&[b'1'; 1000], "gzip"), Ok(None));
        assert_eq!(coding(&[b'1'; 1000], "gzip, identity;q=0"), Err(OutOfMemory));
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_without_memory_for_its_coded_bytes_waits_and_is_not_lost() {
        let server = server(1 << 24);
        let mut reader = server.hub.subscribe(&name(), Start::Now);
        publish(&server, 100);
        let batch = read(&mut reader);
        let mut coder = Coder::new(Coding::Zstd, &server).unwrap();
        let taken = server.memory.batches.lease((4 << 20) - 1024).unwrap();
        assert!(coder.batch(batch).unwrap().is_none());
        drop(taken);
        let batch = poll_fn(|cx| coder.poll_waiting(cx)).await.unwrap();
        let (batch, coded) = coder.batch(batch).unwrap().unwrap();
        let mut clear = vec![0; batch.bytes.len()];
        zstd::Decoder::new(&coded[..]).unwrap().read_exact(&mut clear).unwrap();
        assert_eq!(clear, &batch.bytes[..]);
        drop((batch, coded, reader));
        assert!(poll_fn(|cx| coder.poll_waiting(cx)).await.is_none());
    }

    #[test]
    fn a_coder_is_counted_and_there_is_none_without_memory() {
        let server = server(4 * (330 << 10));
        let coder = Coder::new(Coding::Zstd, &server).unwrap();
        assert_eq!(server.memory.held(), 320 << 10);
        assert!(Coder::new(Coding::Gzip, &server).is_none());
        coder.end(b"").unwrap();
        assert_eq!(server.memory.held(), 0);
    }
}
