//! The answer to a request, before anything is written.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::stream::Feed;
use super::websocket::Session;
use crate::http::{Problem, Response};
use crate::hub::Subscription;
use crate::publish::Publication;

/// The answer to one request.
pub(crate) enum Answer {
    /// A whole response.
    Now(Response),
    /// A response that begins a stream, and the stream's messages.
    Stream(Response, Box<Feed>),
    /// A response that is not there yet.
    Later(Pending),
    /// A subscriber that a store outside the process is asked for first: the request is then answered anew, with it.
    Join(Joining),
    /// A response that depends on the body of the request.
    Publish(Publication),
    /// The last response of HTTP on the connection, which then speaks WebSocket.
    Upgrade(Response, Session),
}

/// A subscriber that is not there yet, or the reason why there is none.
pub(crate) type Joining = Pin<Box<dyn Future<Output = Joined> + Send>>;

/// The same once it is there; boxed because hardly any request has one.
pub(crate) type Joined = Box<Result<Subscription, Problem>>;

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
