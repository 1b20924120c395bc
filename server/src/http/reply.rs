//! An answer that takes time, without hyper: waited for, then written whole or chunk by chunk.
//!
//! A chunk goes out with its length and its end in one write. Sources: RFC 9112 §6 and §7.1.

use std::io;
use std::time::SystemTime;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{FutureExt, StreamExt};
use http::{Response, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::body::{Batches, Body, Content};
use super::exchange::Answering;
use crate::limits;

/// The chunk that ends a body.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Waits for an answer and writes it; false where the client is gone. What it sends meanwhile is
/// kept in `ahead`: it is the next request.
pub(super) async fn reply<IO>(io: &mut IO, answering: Answering, ahead: &mut BytesMut) -> bool
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let response = tokio::select! {
        biased;
        response = answering => response,
        () = gone(io, ahead) => return false,
    };
    write(io, response, ahead).await.is_ok()
}

/// Reads ahead, up to what a head may have, until there is nobody any more.
async fn gone(io: &mut (impl AsyncRead + Unpin), ahead: &mut BytesMut) {
    while ahead.len() < limits::HEAD_BYTES {
        if !matches!(io.read_buf(ahead).await, Ok(1..)) {
            return;
        }
    }
    std::future::pending::<()>().await;
}

async fn write<IO>(io: &mut IO, response: Response<Body>, ahead: &mut BytesMut) -> io::Result<()>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let (parts, body) = response.into_parts();
    let mut head = format!("HTTP/1.1 {} {}\r\n", parts.status.as_str(), reason(parts.status)).into_bytes();
    for (name, value) in &parts.headers {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    drop(parts.headers);
    let content = body.into_content();
    match &content {
        Content::Whole(_) if parts.status == StatusCode::NO_CONTENT => {}
        Content::Whole(bytes) => head.extend_from_slice(format!("content-length: {}\r\n", bytes.len()).as_bytes()),
        Content::Stream(_) => head.extend_from_slice(b"transfer-encoding: chunked\r\n"),
    }
    head.extend_from_slice(format!("date: {}\r\n\r\n", date()).as_bytes());
    match content {
        Content::Whole(bytes) => io.write_all_buf(&mut Bytes::from(head).chain(bytes)).await,
        Content::Stream(batches) => stream(io, head.into(), batches, ahead).await,
    }
}

/// Writes each batch as a chunk, the first together with the head where it is there.
async fn stream<IO>(io: &mut IO, head: Bytes, mut batches: Batches, ahead: &mut BytesMut) -> io::Result<()>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    match batches.next().now_or_never() {
        Some(Some(batch)) => io.write_all_buf(&mut head.chain(chunk(batch))).await?,
        Some(None) => return io.write_all_buf(&mut head.chain(LAST_CHUNK)).await,
        None => io.write_all_buf(&mut { head }).await?,
    }
    loop {
        let batch = tokio::select! {
            biased;
            batch = batches.next() => batch,
            () = gone(io, ahead) => return Err(io::ErrorKind::ConnectionReset.into()),
        };
        match batch {
            Some(batch) => io.write_all_buf(&mut chunk(batch)).await?,
            None => return io.write_all(LAST_CHUNK).await,
        }
    }
}

/// A batch with its length before it and a line break after it. An empty one would end the body.
fn chunk(batch: Bytes) -> impl Buf {
    debug_assert!(!batch.is_empty());
    Bytes::from(format!("{:x}\r\n", batch.len())).chain(batch).chain(&b"\r\n"[..])
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or_default()
}

/// The time of day, as RFC 9110 §6.6.1 wants it in every response.
#[expect(clippy::disallowed_methods, reason = "a clock for people, which no measurement reads")]
fn date() -> httpdate::HttpDate {
    SystemTime::now().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(mut buf: impl Buf) -> Vec<u8> {
        buf.copy_to_bytes(buf.remaining()).to_vec()
    }

    #[test]
    fn a_chunk_is_its_length_in_hexadecimal_its_bytes_and_a_line_break() {
        assert_eq!(bytes(chunk(Bytes::from_static(b"hello, chunked"))), b"e\r\nhello, chunked\r\n");
        assert!(bytes(chunk(vec![b'a'; 65_536].into())).starts_with(b"10000\r\naaa"));
    }

    #[tokio::test]
    async fn a_reply_keeps_what_the_client_sends_while_it_waits() {
        let (mut ours, mut theirs) = tokio::io::duplex(256);
        theirs.write_all(b"GET /next").await.unwrap();
        let (answer, answering) = tokio::sync::oneshot::channel();
        let mut ahead = BytesMut::new();
        let answering: Answering = Box::pin(async { answering.await.unwrap() });
        let replying = async {
            assert!(reply(&mut ours, answering, &mut ahead).await);
        };
        let client = async {
            // The other side has read ahead when its buffer is empty: only then may it answer.
            theirs.write_all(&[b'x'; 256]).await.unwrap();
            answer.send(Response::new(Body::whole(Bytes::from_static(b"[1]")))).unwrap();
        };
        tokio::join!(replying, client);
        assert!(ahead.starts_with(b"GET /next"), "{ahead:?}");
        drop(ours);
        let mut text = String::new();
        theirs.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\ncontent-length: 3\r\ndate: "), "{text}");
        assert!(text.ends_with(" GMT\r\n\r\n[1]"), "{text}");
    }

    #[tokio::test]
    async fn a_client_that_went_away_ends_the_wait() {
        let (mut ours, theirs) = tokio::io::duplex(256);
        drop(theirs);
        assert!(!reply(&mut ours, Box::pin(std::future::pending()), &mut BytesMut::new()).await);
    }
}
