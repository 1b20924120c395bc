//! Lets a server that runs elsewhere be reached in a namespace: TCP ends here and goes on over loopback.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;

use crate::Namespace;

/// How long no connection is accepted after one that could not be.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections to `port` of a namespace and carries each to the same port of 127.0.0.1 where this thread is, for
/// as long as the process lives.
///
/// # Errors
/// Where the port cannot be listened at.
pub fn relay(namespace: &Namespace, port: u16) -> io::Result<()> {
    let listener = namespace.within(|| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)))??;
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = {
        let _entered = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    thread::Builder::new().name("relay".into()).spawn(move || {
        runtime.block_on(async {
            loop {
                match listener.accept().await {
                    Ok((from, _)) => drop(tokio::spawn(carry(from, to))),
                    // Too many descriptors, say: the next may be accepted.
                    Err(_) => tokio::time::sleep(PAUSE).await,
                }
            }
        });
    })?;
    Ok(())
}

/// Whichever end fails, both are closed: that is all a relay can tell the other.
async fn carry(mut from: TcpStream, to: SocketAddr) {
    let Ok(mut on) = TcpStream::connect(to).await else { return };
    if from.set_nodelay(true).is_ok() && on.set_nodelay(true).is_ok() {
        drop(copy_bidirectional(&mut from, &mut on).await);
    }
}
