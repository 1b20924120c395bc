//! The subscribers that share a connection, as the tabs of a browser do over HTTP/2.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use http::{HeaderMap, StatusCode};
use pushoff_model::overhead::{Hpack, hpack, http2};
use pushoff_model::workload::Windows;

use crate::clients::carrier::Carrier;
use crate::clients::error::ConnectionError;
use crate::wire::lines;

/// The subscribers that share a connection. Each has one of its own, unless they are given the same.
#[derive(Default)]
pub struct Group {
    session: tokio::sync::Mutex<Option<Session>>,
    /// What a library shares, which has its own way to share a connection.
    library: OnceLock<Arc<dyn Any + Send + Sync>>,
    heads: Mutex<Heads>,
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").finish_non_exhaustive()
    }
}

/// What a connection is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UseFor {
    Requests,
    Tunnels,
}

/// An open connection.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) send: SendRequest<Bytes>,
}

/// What heads weigh by the standard, on one connection: later ones refer to earlier ones.
struct Heads {
    requests: Hpack,
    responses: Hpack,
}

impl Default for Heads {
    fn default() -> Self {
        let [requests, responses] = [(); 2].map(|()| Hpack::new(hpack::TABLE_SIZE));
        Self { requests, responses }
    }
}

impl Group {
    /// The open connection; `connect` opens one where there is none, or where it has broken. Requests follow the preface
    /// at once (RFC 9113 §3.4); only tunnels wait until the server's settings say whether it has them.
    pub(crate) async fn session<F>(
        &self,
        use_for: UseFor,
        windows: Windows,
        connect: impl FnOnce() -> F,
    ) -> Result<Session, ConnectionError>
    where
        F: Future<Output = Result<Carrier, ConnectionError>>,
    {
        let mut session = self.session.lock().await;
        if let Some(open) = session.take()
            && let Ok(send) = open.send.ready().await
        {
            return Ok(session.insert(Session { send }).clone());
        }
        let io = connect().await?;
        let mut builder = Builder::new();
        let Windows { stream, connection } = windows;
        builder.initial_window_size(stream).initial_connection_window_size(connection).enable_push(false);
        let (send, mut connection) = builder.handshake(io).await?;
        let pings = if use_for == UseFor::Tunnels { connection.ping_pong() } else { None };
        // It ends once nobody uses it, or it breaks, which its users notice.
        tokio::spawn(async move { connection.await.unwrap_or_default() });
        // The server's settings come before its answer.
        if let Some(mut pings) = pings {
            pings.ping(h2::Ping::opaque()).await?;
        }
        *self.heads() = Heads::default();
        Ok(session.insert(Session { send }).clone())
    }

    /// What a library shares; made by the first that asks.
    pub(crate) fn shared<T: Any + Send + Sync, E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        if let Some(Ok(shared)) = self.library.get().map(|shared| Arc::clone(shared).downcast()) {
            return Ok(shared);
        }
        let made = Arc::new(make()?);
        // A second that was made at the same time is used by its maker alone.
        let _first = self.library.set(made.clone());
        Ok(made)
    }

    /// The bytes of a request's head (RFC 9113 §8.3.1).
    pub(crate) fn request(&self, pseudo: &[(&str, &str)], fields: &HeaderMap) -> u64 {
        let pseudo = pseudo.iter().map(|(name, value)| (*name, value.as_bytes()));
        http2::head(self.heads().requests.encode(pseudo.chain(lines(fields))))
    }

    /// The bytes of a response's head (RFC 9113 §8.3.2).
    pub(crate) fn response(&self, status: StatusCode, fields: &HeaderMap) -> u64 {
        let pseudo = [(":status", status.as_str().as_bytes())];
        http2::head(self.heads().responses.encode(pseudo.into_iter().chain(lines(fields))))
    }

    fn heads(&self) -> MutexGuard<'_, Heads> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
