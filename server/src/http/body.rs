//! The body of a response: whole, or a stream of batches of which each is written when it comes.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use http_body::{Frame, SizeHint};

use super::exchange::Line;

/// A stream of what is to be written at once.
pub(crate) type Batches = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// The body of one response. While it lives, its connection is busy.
pub(crate) struct Body {
    content: Content,
    line: Option<Arc<Line>>,
}

/// What a body holds.
pub(super) enum Content {
    /// All of it.
    Whole(Bytes),
    /// What comes, as it comes.
    Stream(Batches),
}

impl Body {
    pub(crate) const fn empty() -> Self {
        Self::whole(Bytes::new())
    }

    pub(crate) const fn whole(bytes: Bytes) -> Self {
        Self { content: Content::Whole(bytes), line: None }
    }

    pub(crate) fn stream(batches: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self { content: Content::Stream(Box::pin(batches)), line: None }
    }

    /// Whether it goes on and on.
    pub(super) const fn is_stream(&self) -> bool {
        matches!(self.content, Content::Stream(_))
    }

    /// What it holds, to be written without hyper.
    pub(super) fn into_content(mut self) -> Content {
        std::mem::replace(&mut self.content, Content::Whole(Bytes::new()))
    }

    /// Lets a connection know when the body has been sent or given up.
    pub(super) fn hold(&mut self, line: Arc<Line>) {
        self.line = Some(line);
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(line) = &self.line {
            line.answered();
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Whole(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Content::Stream(_) => f.write_str("Body(stream)"),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let batch = match &mut self.content {
            Content::Whole(bytes) if bytes.is_empty() => None,
            Content::Whole(bytes) => Some(std::mem::take(bytes)),
            Content::Stream(batches) => std::task::ready!(batches.as_mut().poll_next(cx)),
        };
        Poll::Ready(batch.map(|batch| Ok(Frame::data(batch))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.content, Content::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Stream(_) => SizeHint::default(),
        }
    }
}
