//! When the server last sent a byte over any connection of a relay: what keeps a proxy's time-out from running out.
//!
//! Heartbeats count, which the clients do not show.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pushoff_model::{RunClock, RunInstant};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::TcpStream;

use super::relay::Relay;

const BUFFER_BYTES: usize = 16 * 1024;

/// The bytes of a relay, as they pass.
#[derive(Clone, Debug)]
pub(super) struct Tap {
    clock: RunClock,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Debug, Default)]
struct Heard {
    last: RunInstant,
    longest: Duration,
}

impl Tap {
    pub(super) fn new(clock: RunClock) -> Self {
        Self { clock, heard: Arc::default() }
    }

    /// A relay to that server whose bytes this tap sees.
    pub(super) async fn relay(&self, server: SocketAddr) -> io::Result<Relay> {
        let tap = self.clone();
        Relay::carrying(move |client| tap.clone().carry(client, server)).await
    }

    /// Forgets the silence before now.
    pub(super) fn begin(&self) {
        *self.heard() = Heard { last: self.clock.now(), longest: Duration::ZERO };
    }

    /// The longest time without a byte, up to now.
    pub(super) fn silence(&self) -> Duration {
        let heard = self.heard();
        heard.longest.max(self.clock.now().since(heard.last))
    }

    /// A byte of the server passes now.
    fn passed(&self) {
        let (mut heard, now) = (self.heard(), self.clock.now());
        heard.longest = heard.longest.max(now.since(heard.last));
        heard.last = now;
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn carry(self, mut client: TcpStream, server: SocketAddr) -> io::Result<()> {
        let mut server = TcpStream::connect(server).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (mut from_server, mut to_server) = server.split();
        let (mut from_client, mut to_client) = client.split();
        let down = async {
            let mut buffer = vec![0; BUFFER_BYTES];
            loop {
                let bytes = from_server.read(&mut buffer).await?;
                if bytes == 0 {
                    return to_client.shutdown().await;
                }
                self.passed();
                to_client.write_all(&buffer[..bytes]).await?;
            }
        };
        let up = async {
            copy(&mut from_client, &mut to_server).await?;
            to_server.shutdown().await
        };
        tokio::try_join!(down, up).map(drop)
    }
}
