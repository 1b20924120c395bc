//! WebSocket: text frames in both directions on one upgraded connection. Source: RFC 6455.
//!
//! All subscribers share the bytes of a message, because a server's frames are not masked. Reading never
//! waits for writing, so that a client which sends before it reads cannot deadlock. An idle connection
//! holds nothing but its timer.

mod close;
mod conversation;
pub(crate) mod deflate;
pub(crate) mod frames;
mod handshake;
mod publishing;
mod session;

use std::sync::Arc;

use http::header::AUTHORIZATION;
use pushoff_model::Transport;
use tokio::time::timeout;

use self::conversation::Conversation;
use self::publishing::Publishing;
use self::session::Purpose;
pub(crate) use self::session::Session;
use super::ask::Ask;
use crate::compression::Context;
use crate::http::{Head, Problem, Response};
use crate::limits;
use crate::memory::Buffer;
use crate::net::Io;
use crate::publish;
use crate::state::Server;

/// Answers a handshake. Where the server has a publish token, publishing needs it and subscribing does not.
pub(super) fn upgrade(ask: &Ask<'_>) -> Result<(Response, Session), Problem> {
    let response = handshake::accept(ask.head)?;
    let server = ask.server;
    let authorized = publish::authorize(server, ask.head);
    let may_publish = authorized.is_ok();
    if !ask.query.subscribe || ask.head.field(&AUTHORIZATION).is_some() {
        authorized?;
    }
    let subscription = ask.query.subscribe.then(|| ask.subscribe());
    let meter = server.stats.connect(Transport::WebSocket);
    let topic = ask.topic.clone();
    let outside = server.hub.is_outside().then(|| Box::new(Publishing::new(Arc::clone(server), topic.clone())));
    let purpose = Purpose::Topic { topic, subscription, may_publish, outside, meter };
    // To who only publishes, the server sends no messages.
    let wanted = if ask.query.subscribe { Context::Kept } else { Context::None };
    let (response, deflate) = deflate::agree(ask.head, response, server, wanted);
    Ok((response, Session { purpose, deflate }))
}

/// Answers a handshake for `/echo`.
pub(crate) fn echo(head: &Head<'_>, server: &Server) -> Result<(Response, Session), Problem> {
    let (response, deflate) = deflate::agree(head, handshake::accept(head)?, server, Context::Kept);
    Ok((response, Session { purpose: Purpose::Echo, deflate }))
}

/// Serves the connection until either side closes it. `read` came in with the request.
pub(crate) async fn serve(io: impl Io, session: Session, read: Buffer, server: &Server) {
    let mut conversation = Conversation::new(session, io, server);
    let end = conversation.run(read, server).await;
    // A client that does not answer the close in this time is not waited for.
    timeout(limits::CLOSE_WAIT, conversation.end(end, server)).await.unwrap_or_default();
}
