//! The answer to a request, before anything is written.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::stream::Feed;
use super::websocket::Session;
use crate::http::Response;
use crate::publish::Publication;

/// The answer to one request.
pub(crate) enum Answer {
    /// A whole response.
    Now(Response),
    /// A response that begins a stream, and the stream's messages.
    Stream(Response, Box<Feed>),
    /// A response that is not there yet.
    Later(Pending),
    /// A response that depends on the body of the request.
    Publish(Publication),
    /// The last response of HTTP on the connection, which then speaks WebSocket.
    Upgrade(Response, Session),
}

/// A response that is not there yet.
pub(crate) struct Pending {
    pub(crate) response: Pin<Box<dyn Future<Output = Response> + Send>>,
    /// Set where further waiting is pointless: the next poll then gives a response.
    pub(crate) hurry: Arc<AtomicBool>,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self::Now(response)
    }
}
