//! A TCP relay in front of a server, whose connections can be cut.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A relay, for as long as it is held.
#[derive(Debug)]
pub struct Relay {
    /// Where it takes connections.
    pub address: SocketAddr,
    cuts: watch::Sender<u32>,
    _tasks: JoinSet<()>,
}

impl Relay {
    /// A relay to that server, byte for byte.
    ///
    /// # Errors
    /// When the system gives no port.
    pub async fn to(server: SocketAddr) -> io::Result<Self> {
        Self::carrying(move |client| copy(client, server)).await
    }

    /// A relay that carries each connection to its end in this way.
    ///
    /// # Errors
    /// When the system gives no port.
    pub async fn carrying<F>(carry: impl Fn(TcpStream) -> F + Send + 'static) -> io::Result<Self>
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let cuts = watch::Sender::new(0);
        let (mut tasks, cut) = (JoinSet::new(), cuts.subscribe());
        tasks.spawn(async move {
            let mut relayed = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let (carrying, mut cut) = (carry(client), cut.clone());
                cut.mark_unchanged();
                relayed.spawn(async move {
                    tokio::select! {
                        _ = cut.changed() => {}
                        // Both ends are told of a failure by the end of their connections.
                        _ended_or_failed = carrying => {}
                    }
                });
                while relayed.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, cuts, _tasks: tasks })
    }

    /// Cuts every connection that is there now; new ones are relayed.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

async fn copy(mut client: TcpStream, server: SocketAddr) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}
