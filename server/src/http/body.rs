//! The body of a response: whole, or a stream of batches of which each is written when it comes.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::transports::Feed;

/// The body of one response.
pub(crate) enum Body {
    /// All of it.
    Whole(Bytes),
    /// What comes, as it comes.
    Stream(Box<Feed>),
}

impl Body {
    pub(crate) const fn empty() -> Self {
        Self::whole(Bytes::new())
    }

    pub(crate) const fn whole(bytes: Bytes) -> Self {
        Self::Whole(bytes)
    }

    pub(crate) fn stream(feed: Feed) -> Self {
        Self::Stream(Box::new(feed))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Body(stream)"),
        }
    }
}

/// A body as hyper writes it.
pub(super) enum Sent {
    Whole(Bytes),
    Stream(Box<Feed>),
}

impl From<Body> for Sent {
    fn from(body: Body) -> Self {
        match body {
            Body::Whole(bytes) => Self::Whole(bytes),
            Body::Stream(feed) => Self::Stream(feed),
        }
    }
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let batch = match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => None,
            Self::Whole(bytes) => Some(std::mem::take(bytes)),
            Self::Stream(feed) => std::task::ready!(feed.poll_next(cx)),
        };
        Poll::Ready(batch.map(|batch| Ok(Frame::data(batch))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}
