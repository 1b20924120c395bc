//! The body of a response: whole, or a stream of batches of which each is written when it comes.

use std::fmt;

use bytes::Bytes;

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
