//! Reading the body of a publish, by its length or by its chunks, and publishing the body.

use std::io;

use tokio::time::timeout;

use crate::http::{BodyLength, ChunkError, Chunks, Encoded, Options, Problem};
use crate::limits;
use crate::memory::{Buffer, OutOfMemory};
use crate::net::{Io, write_all};
use crate::publish::Publication;
use crate::state::Server;

/// A body that has not been read.
#[derive(Clone, Copy)]
pub(super) struct UnreadBody {
    pub(super) length: BodyLength,
    /// Whether the client waits for a `100 Continue` before it sends the body.
    pub(super) expects: bool,
}

/// Why the body of a publish was not read.
enum BodyError {
    Refused(Problem),
    /// The client is gone.
    Gone,
}

impl From<OutOfMemory> for BodyError {
    fn from(error: OutOfMemory) -> Self {
        Self::Refused(Problem::from(error).closing())
    }
}

/// Reads a body and publishes it; `None` where the client is gone.
pub(super) async fn publish(
    io: &mut impl Io,
    publication: Publication,
    mut options: Options,
    body: UnreadBody,
    ahead: &mut Buffer,
    server: &Server,
) -> Option<Encoded> {
    let reading = async {
        if body.expects && ahead.is_empty() {
            let interim = &mut &b"HTTP/1.1 100 Continue\r\n\r\n"[..];
            write_all(io, interim, &server.stall_limit).await.or(Err(BodyError::Gone))?;
        }
        match body.length {
            BodyLength::Known(length) => read_known(io, length, ahead, server).await,
            BodyLength::Chunked => read_chunked(io, &publication, ahead, server).await,
        }
    };
    let response = match timeout(server.config.body_timeout, reading).await {
        Ok(Ok(mut content)) => publication.append_in_turns(server, content.take()).await,
        Ok(Err(BodyError::Refused(problem))) => problem.into_response(),
        Ok(Err(BodyError::Gone)) => return None,
        Err(_) => Problem::late("the body did not come in time").into_response(),
    };
    options.closes |= server.is_closing();
    Some(Encoded::whole(response, options))
}

/// Bytes after the body stay in `ahead`.
async fn read_known(io: &mut impl Io, length: usize, ahead: &mut Buffer, server: &Server) -> Result<Buffer, BodyError> {
    if ahead.len() > length {
        // The bytes after the body may be many more than the body: those of requests sent at once.
        let mut content = Buffer::new(&server.memory.incoming);
        content.extend(&ahead[..length])?;
        ahead.consume(length);
        return Ok(content);
    }
    let mut content = std::mem::replace(ahead, Buffer::new(&server.memory.incoming));
    while content.len() < length {
        read_more(io, length - content.len(), &mut content).await?;
    }
    ahead.extend(&content[length..])?;
    content.truncate(length);
    Ok(content)
}

async fn read_chunked(
    io: &mut impl Io,
    publication: &Publication,
    ahead: &mut Buffer,
    server: &Server,
) -> Result<Buffer, BodyError> {
    let (limit, mut content) = (publication.limit(), Buffer::new(&server.memory.incoming));
    let mut chunks = Chunks::new(limit);
    let refused = |error| match error {
        ChunkError::TooLong => BodyError::Refused(publication.too_long()),
        ChunkError::OutOfMemory(error) => error.into(),
        ChunkError::Malformed => BodyError::Refused(Problem::unreadable(&error)),
    };
    while !chunks.decode(ahead, &mut content, limit).map_err(refused)? {
        read_more(io, limits::HEAD_BYTES, ahead).await?;
    }
    Ok(content)
}

/// Reads about `wanted` bytes, as far as they are there.
async fn read_more(io: &mut impl Io, wanted: usize, ahead: &mut Buffer) -> Result<(), BodyError> {
    match ahead.read_from(io, wanted.min(limits::STREAM_BYTES)).await? {
        Ok(1..) => Ok(()),
        Ok(0) => Err(BodyError::Refused(Problem::unreadable(&io::Error::from(io::ErrorKind::UnexpectedEof)))),
        Err(error) => Err(BodyError::Refused(Problem::unreadable(&error))),
    }
}
