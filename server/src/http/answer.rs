//! What a request comes to, before anything is written.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::problem::Problem;
use super::response::Response;
use crate::publish::Publication;
use crate::transports::websocket::Session;

/// The answer to one request.
pub(crate) enum Answer {
    /// It is there; its body may be a stream.
    Now(Response),
    /// It is waited for.
    Later(Answering),
    /// It depends on the request's body.
    Publish(Publication),
    /// It is the last of HTTP on this connection.
    Upgrade(Response, Session),
}

/// An answer that is being waited for.
pub(crate) struct Answering {
    pub(crate) answer: Pin<Box<dyn Future<Output = Response> + Send>>,
    /// Set where there is no point in waiting on: the next look finds an answer.
    pub(crate) hurry: Arc<AtomicBool>,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self::Now(response)
    }
}

impl From<Result<Response, Problem>> for Answer {
    fn from(answered: Result<Response, Problem>) -> Self {
        Self::Now(answered.unwrap_or_else(Problem::into_response))
    }
}
