//! One HTTP/1.1 connection: a request is one write, an answer is taken out of the input.

use http::header::{ACCEPT, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::io::AsyncWriteExt;

use super::body::Body;
use super::head::{Head, field_room};
use crate::clients::carrier::Carrier;
use crate::clients::error::ConnectionError;
use crate::clients::feed::Feed;
use crate::clients::io::{Input, Io};
use crate::clients::sink::Sink;
use crate::wire::Tally;

/// The `Accept` field of a client without a preference.
pub(crate) const ANYTHING: (HeaderName, HeaderValue) = (ACCEPT, HeaderValue::from_static("*/*"));

pub(crate) struct Connection<T> {
    pub(crate) io: T,
    pub(crate) input: Input,
}

/// A response without its body.
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) fields: HeaderMap,
    pub(crate) body: Body,
}

impl Connection<Carrier> {
    pub(crate) async fn open<S: Sink>(feed: &Feed<'_, S>) -> Result<Self, ConnectionError> {
        let io = feed.connect().await?;
        Ok(Self { io, input: Input::default() })
    }
}

impl<T: Io> Connection<T> {
    /// Whether another request can be sent: the server has neither sent unexpected bytes nor closed.
    pub(crate) async fn is_free(&mut self) -> bool {
        // Reads only where the kernel has already reported the socket readable.
        tokio::select! {
            biased;
            _bytes_end_or_error = self.input.fill(&mut self.io) => false,
            () = std::future::ready(()) => true,
        }
    }

    pub(crate) async fn send(&mut self, request: &[u8], tally: &Tally) -> Result<(), ConnectionError> {
        self.io.write_all(request).await?;
        self.io.flush().await?;
        tally.request_of(request.len() as u64);
        Ok(())
    }

    /// Waits for the head of a response and takes it.
    pub(crate) async fn response(&mut self, tally: &Tally) -> Result<Response, ConnectionError> {
        loop {
            self.fill().await?;
            if let Some(response) = self.take_response(tally)? {
                return Ok(response);
            }
        }
    }

    fn take_response(&mut self, tally: &Tally) -> Result<Option<Response>, ConnectionError> {
        let mut room = field_room();
        let Some(head) = Head::parse(self.input.bytes(), &mut room).map_err(ConnectionError::Response)? else {
            return Ok(None);
        };
        tally.response_of(head.length as u64);
        let (length, response) =
            (head.length, Response { status: head.status, fields: head.fields(), body: head.body });
        self.input.take(length);
        Ok(Some(response))
    }

    /// Waits for more bytes of an incomplete head.
    pub(crate) async fn fill(&mut self) -> Result<(), ConnectionError> {
        if self.input.fill(&mut self.io).await? == 0 { Err(ConnectionError::Ended) } else { Ok(()) }
    }

    /// Takes the coding before a body's next piece of data and returns the piece's length; 0 where the body is over
    /// or needs more bytes.
    pub(crate) fn next_piece(&mut self, body: &mut Body) -> Result<usize, ConnectionError> {
        let come = self.input.bytes();
        let mut rest = come;
        let piece = body.piece(&mut rest)?.map_or(0, <[u8]>::len);
        let coding = come.len() - rest.len() - piece;
        self.input.take(coding);
        Ok(piece)
    }

    /// Waits for more of a body; `false` where it is complete.
    pub(crate) async fn more(&mut self, body: Body) -> Result<bool, ConnectionError> {
        if body.is_over() {
            return Ok(false);
        }
        match self.input.fill(&mut self.io).await? {
            0 if body.may_end() => Ok(false),
            0 => Err(ConnectionError::Ended),
            _bytes => Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    #[tokio::test]
    async fn a_response_is_read_over_any_stream_wherever_the_reads_end() {
        let text = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                     4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n";
        for room in [1, 7, 1_024] {
            let (io, mut server) = duplex(room);
            let (mut connection, tally) = (Connection { io, input: Input::default() }, Tally::default());
            let client = async {
                let Response { status, mut body, .. } = connection.response(&tally).await.unwrap();
                let mut data = Vec::new();
                loop {
                    match connection.next_piece(&mut body).unwrap() {
                        0 if connection.more(body).await.unwrap() => {}
                        0 => return (status, data),
                        piece => data.extend_from_slice(connection.input.take(piece)),
                    }
                }
            };
            let ((status, data), written) = tokio::join!(client, server.write_all(text));
            written.unwrap();
            assert_eq!((status, &data[..]), (StatusCode::OK, &b"Wikipedia"[..]), "{room}");
            assert!(connection.input.bytes().is_empty() && connection.is_free().await, "{room}");
            drop(server);
            assert!(!connection.is_free().await, "the server has closed it");
        }
    }
}
