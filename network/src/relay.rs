//! Carries connections from one network namespace on into another: TCP ends here and begins anew.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;

/// How long no connection is accepted after one that could not be.
const PAUSE: Duration = Duration::from_millis(100);

/// A thread that carries connections on for as long as this lives. It connects in the namespace that it was begun in.
#[derive(Debug)]
pub struct Relay {
    jobs: mpsc::Sender<Job>,
}

struct Job {
    listener: TcpListener,
    to: SocketAddr,
    from: Box<dyn Iterator<Item = IpAddr> + Send>,
}

impl Relay {
    /// Begins the thread.
    ///
    /// # Errors
    /// When the system refuses a thread or its timers.
    pub fn begin() -> io::Result<Self> {
        let (jobs, mut asked) = mpsc::channel::<Job>(1);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("relay".into()).spawn(move || {
            runtime.block_on(async {
                while let Some(job) = asked.recv().await {
                    tokio::spawn(relay(job));
                }
            });
        })?;
        Ok(Self { jobs })
    }

    /// Carries every connection to `listener`, wherever that is, on to the address `to`: each from the next address of
    /// `from`, and from any once there is none.
    ///
    /// # Errors
    /// When the listener cannot be used, or the thread has ended.
    pub fn carry(
        &self,
        listener: TcpListener,
        to: SocketAddr,
        from: impl Iterator<Item = IpAddr> + Send + 'static,
    ) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let ended = |_| io::Error::other("the relay has ended");
        self.jobs.blocking_send(Job { listener, to, from: Box::new(from) }).map_err(ended)
    }
}

async fn relay(mut job: Job) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(job.listener)?;
    loop {
        match listener.accept().await {
            Ok((from, _)) => drop(tokio::spawn(carry(from, job.to, job.from.next()))),
            // Too many descriptors, say: the next may be accepted.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Whichever end fails, both are closed: that is all a relay can tell the other.
async fn carry(mut from: TcpStream, to: SocketAddr, by: Option<IpAddr>) -> io::Result<()> {
    let mut on = match by {
        None => TcpStream::connect(to).await?,
        Some(address) => {
            let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            socket.bind((address, 0).into())?;
            socket.connect(to).await?
        }
    };
    from.set_nodelay(true)?;
    on.set_nodelay(true)?;
    copy_bidirectional(&mut from, &mut on).await?;
    Ok(())
}
