//! One request by hyper: what is not plainly right, or not plainly HTTP/1.1.
//!
//! hyper judges what was read of it and the rest, writes the answer, and the connection ends. A head
//! that cannot be read is answered 400 or 431, as problems. Nobody upgrades here.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::answer::Answer;
use super::body::Sent;
use super::connection::close;
use super::head::{self, Head};
use super::problem::Problem;
use super::response::Response;
use super::wire::Wire;
use crate::limits;
use crate::publish::Publication;
use crate::server::Server;

/// Answers one request and ends the connection. `begun` was read before.
pub(super) async fn exchange<IO>(io: IO, begun: Bytes, server: &Arc<Server>)
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let wire = TokioIo::new(Wire::new(io, begun, Arc::clone(server)));
    let service = service_fn(|request| respond(Arc::clone(server), request));
    let mut connection =
        http1::Builder::new().keep_alive(false).max_buf_size(limits::HEAD_BYTES).serve_connection(wire, service);
    let served = poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
    let io = connection.into_parts().io.into_inner().into_inner();
    match served {
        Ok(()) => close(io, None).await,
        // Its own answer, if it made one, was kept back.
        Err(error) if error.is_parse_too_large() => {
            let detail = format!("the head of a request is at most {} bytes and 100 fields", limits::HEAD_BYTES);
            close(io, Some(Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail))).await;
        }
        Err(error) if error.is_parse() => {
            close(io, Some(Problem::bad_request(format!("this is not HTTP/1.1: {error}")))).await;
        }
        Err(_) => {}
    }
}

/// Hands a request to the routes. Boxed: there are few, and it is large.
fn respond(
    server: Arc<Server>,
    request: Request<Incoming>,
) -> Pin<Box<dyn Future<Output = Result<http::Response<Sent>, Infallible>> + Send>> {
    Box::pin(async move {
        let (parts, body) = request.into_parts();
        let (answer, origin) = super::answer(&server, &Head::of(&parts, &head::fields(&parts.headers)));
        let response = match answer {
            Answer::Now(response) => response,
            Answer::Later(answering) => answering.await,
            Answer::Publish(publication) => publish(&server, publication, body).await,
            Answer::Upgrade(..) => {
                Problem::bad_request("a handshake is an HTTP/1.1 request without a body").into_response()
            }
        };
        Ok(origin.mark(response).with(CACHE_CONTROL, HeaderValue::from_static("no-store")).into_http())
    })
}

/// Publishes the whole body, where it is short enough and comes in time.
async fn publish(server: &Server, publication: Publication, body: Incoming) -> Response {
    let limited = Limited::new(body, publication.limit());
    match timeout(server.config.body_timeout, limited.collect()).await {
        Ok(Ok(collected)) => publication.append(server, &collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => publication.too_long().into_response(),
        Ok(Err(error)) => Problem::unreadable(&*error).into_response(),
        Err(_) => Problem::late("the body did not come in time").into_response(),
    }
}
