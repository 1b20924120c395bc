//! Carries connections from one network namespace on into another: TCP ends here and begins anew.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// How long no connection is accepted after one that could not be.
const PAUSE: Duration = Duration::from_millis(100);

/// A thread that carries connections on for as long as the process lives. It connects in the namespace that it was begun in.
#[derive(Debug)]
pub struct Relay {
    jobs: mpsc::Sender<(TcpListener, SocketAddr)>,
}

impl Relay {
    /// Begins the thread.
    ///
    /// # Errors
    /// When the system refuses a thread or its timers.
    pub fn begin() -> io::Result<Self> {
        let (jobs, mut asked) = mpsc::channel(1);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("relay".into()).spawn(move || {
            runtime.block_on(async {
                while let Some((listener, to)) = asked.recv().await {
                    tokio::spawn(relay(listener, to));
                }
            });
        })?;
        Ok(Self { jobs })
    }

    /// Carries every connection to `listener`, wherever that is, on to the address `to`.
    ///
    /// # Errors
    /// When the listener cannot be used, or the thread has ended.
    pub fn carry(&self, listener: TcpListener, to: SocketAddr) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        self.jobs.blocking_send((listener, to)).map_err(io::Error::other)
    }
}

async fn relay(listener: TcpListener, to: SocketAddr) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        match listener.accept().await {
            Ok((from, _)) => drop(tokio::spawn(carry(from, to))),
            // Too many descriptors, say: the next may be accepted.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Whichever end fails, both are closed: that is all a relay can tell the other.
async fn carry(mut from: TcpStream, to: SocketAddr) -> io::Result<()> {
    let mut on = TcpStream::connect(to).await?;
    from.set_nodelay(true)?;
    on.set_nodelay(true)?;
    copy_bidirectional(&mut from, &mut on).await?;
    Ok(())
}
