//! The subscribers that share a connection, as the tabs of a browser do over HTTP/2.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    /// The client of a library, which has its own way to share a connection.
    library: Mutex<Option<Arc<dyn Any + Send + Sync>>>,
    heads: Mutex<Heads>,
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").finish_non_exhaustive()
    }
}

/// The purpose of a connection.
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

/// The sizes of heads by the standard, on one connection: later heads refer to earlier ones.
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

    /// The shared client of a library, made by the first subscriber that asks. Others wait until it is made: a second client
    /// would open a second connection.
    pub(crate) fn shared<T: Any + Send + Sync, E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        let mut library = self.library.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Ok(shared)) = library.clone().map(Arc::downcast) {
            return Ok(shared);
        }
        let made = Arc::new(make()?);
        *library = Some(made.clone());
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Condvar;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn two_that_ask_at_the_same_time_share_what_one_of_them_makes() {
        let (group, makers, another) = (Group::default(), Mutex::new(0), Condvar::new());
        let make = || {
            let mut begun = makers.lock().unwrap();
            *begun += 1;
            another.notify_all();
            // Long enough for the second to begin as well, if it can.
            drop(another.wait_timeout_while(begun, Duration::from_millis(100), |begun| *begun < 2).unwrap());
            Ok::<_, Infallible>(0_u32)
        };
        let shared = || group.shared(make).unwrap();
        let [one, other] =
            thread::scope(|scope| [(); 2].map(|()| scope.spawn(shared)).map(|asking| asking.join().unwrap()));
        assert!(Arc::ptr_eq(&one, &other));
        assert_eq!(*makers.lock().unwrap(), 1);
    }
}
