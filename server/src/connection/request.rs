//! The next request of a connection, and the connection's next step.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use http::Method;
use tokio::io::ReadBuf;

use super::body::UnreadBody;
use super::wait::Wait;
use crate::http::{BodyLength, Encoded, Options, Parsed, Problem, head};
use crate::memory::{Buffer, OutOfMemory};
use crate::net::{Io, read_buffer};
use crate::publish::Publication;
use crate::router;
use crate::state::Server;
use crate::transports::answer::{Answer, Joined, Joining, Pending};
use crate::transports::stream::Feed;
use crate::transports::websocket::Session;

/// The next step of a connection.
pub(super) enum Next {
    /// Write a response.
    Respond(Encoded),
    /// Write the head of a stream, and then the stream.
    Stream(Encoded, Box<Feed>),
    /// Wait for a response.
    Later(Pending, Options),
    /// Wait for a subscriber, and answer the same request with it.
    Join(Joining),
    /// Read the rest of a body and publish it.
    Publish(Publication, Options, UnreadBody),
    /// Write the last response of HTTP, and speak WebSocket.
    Upgrade(Encoded, Box<Session>),
    /// Speak HTTP/2, from the preface on, which is read already.
    Http2,
    /// Close, perhaps with a last response.
    End(Option<Problem>),
}

/// The first bytes of every HTTP/2 connection, as many as tell it from HTTP/1.1 (RFC 9113 §3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// Waits for the next request, and answers it where the answer is ready at once. After [`Next::Join`] the same request is
/// still the next one: it is answered with the subscriber that was `joined`.
pub(super) async fn next(
    io: &mut impl Io,
    ahead: &mut Buffer,
    wait: &mut Wait<'_, '_>,
    joined: Option<Joined>,
) -> Next {
    if wait.is_short {
        return Next::End(Some(Problem::from(OutOfMemory).closing()));
    }
    if !ahead.is_empty() {
        if wait.server.is_closing() {
            return Next::End(None);
        }
        if let Some((next, taken)) = take(ahead, wait.server, joined) {
            ahead.consume(taken);
            wait.rest();
            return next;
        }
    }
    poll_fn(|cx| {
        loop {
            // Input is nearly always a whole request: it is parsed in place, and only a rest is kept.
            let mut room = read_buffer();
            let mut read = ReadBuf::uninit(&mut room);
            match Pin::new(&mut *io).poll_read(cx, &mut read) {
                Poll::Ready(Ok(())) if !read.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(Next::End(None)),
                Poll::Pending => return wait.poll(cx, ahead.is_empty()).map(Next::End),
            }
            let next = match understand(read.filled(), ahead, wait.server, &mut wait.is_short) {
                Ok(next) => next,
                Err(error) => Some(Next::End(Some(Problem::from(error).closing()))),
            };
            if let Some(next) = next {
                wait.rest();
                return Poll::Ready(next);
            }
        }
    })
    .await
}

/// Takes a request off the bytes read before and now; keeps the rest. Where there is no room for it, the request that was
/// answered is done all the same: the next one `is_short` of memory.
fn understand(
    read: &[u8],
    ahead: &mut Buffer,
    server: &Arc<Server>,
    is_short: &mut bool,
) -> Result<Option<Next>, OutOfMemory> {
    if ahead.is_empty() {
        let (next, taken) = take(read, server, None).map_or((None, 0), |(next, taken)| (Some(next), taken));
        let kept = ahead.extend(&read[taken..]);
        *is_short = kept.is_err() && matches!(next, Some(Next::Respond(_)));
        return if *is_short { Ok(next) } else { kept.map(|()| next) };
    }
    ahead.extend(read)?;
    Ok(take(ahead, server, None).map(|(next, taken)| {
        ahead.consume(taken);
        next
    }))
}

/// Takes the request at the beginning of `read`, if it is whole or can be answered before it is; also gives
/// its length.
fn take(read: &[u8], server: &Arc<Server>, joined: Option<Joined>) -> Option<(Next, usize)> {
    let mut room = head::room();
    let request = match head::parse(read, &mut room) {
        Parsed::Request(request) => request,
        Parsed::Partial => return None,
        // A client that knows that the server speaks HTTP/2 begins with it (RFC 9113 §3.3).
        Parsed::Refused(_) if read.starts_with(HTTP2_PREFACE) => return Some((Next::Http2, 0)),
        // It may arrive in parts, and the version in it is none of HTTP/1.
        Parsed::Refused(_) if HTTP2_PREFACE.starts_with(read) => return None,
        Parsed::Refused(problem) => return Some((Next::End(Some(problem)), read.len())),
    };
    let (answer, origin) = router::answer(server, &request.head, joined);
    let mut options = Options {
        origin,
        is_head: request.head.method == Method::HEAD,
        takes_chunks: request.head.version.takes_chunks(),
        closes: request.closes || server.is_closing(),
    };
    let body = match request.body {
        BodyLength::Known(length) => read.get(request.length..request.length + length),
        BodyLength::Chunked => None,
    };
    if !matches!(answer, Answer::Publish(_)) {
        // The rest of the body is neither waited for nor taken for a request.
        options.closes |= body.is_none();
    }
    let next = match answer {
        Answer::Now(response) => Next::Respond(Encoded::whole(response, options)),
        Answer::Stream(response, feed) => Next::Stream(Encoded::stream(response, options), feed),
        Answer::Later(pending) => Next::Later(pending, options),
        Answer::Join(joining) => return Some((Next::Join(joining), 0)),
        Answer::Publish(publication) => match body {
            Some(body) if publication.is_quick(body.len()) => {
                Next::Respond(Encoded::whole(publication.append(server, body), options))
            }
            Some(_) | None => {
                let body = UnreadBody { length: request.body, expects: request.expects };
                return Some((Next::Publish(publication, options, body), request.length));
            }
        },
        // A handshake is the last request of its connection, and has no body.
        Answer::Upgrade(..) if options.closes || body.is_none_or(|body| !body.is_empty()) => {
            let problem = Problem::bad_request("a handshake is an HTTP/1.1 request without a body");
            Next::Respond(Encoded::whole(problem.into_response(), options))
        }
        Answer::Upgrade(response, session) => Next::Upgrade(Encoded::whole(response, options), Box::new(session)),
    };
    Some((next, body.map_or(read.len(), |body| request.length + body.len())))
}
