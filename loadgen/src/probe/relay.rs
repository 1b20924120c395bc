//! A TCP relay in front of a server, whose connections can be cut.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A relay; it runs until it is dropped.
#[derive(Debug)]
pub struct Relay {
    /// Its own address.
    pub address: SocketAddr,
    cuts: watch::Sender<u32>,
    _tasks: JoinSet<()>,
}

impl Relay {
    /// Relays to that server, byte for byte.
    ///
    /// # Errors
    /// When no local port is free.
    pub async fn to(server: SocketAddr) -> io::Result<Self> {
        Self::carrying(move |client| copy(client, server)).await
    }

    /// Relays each connection by this function.
    ///
    /// # Errors
    /// When no local port is free.
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
                        // Both ends see a failure as the end of their connections.
                        _ended_or_failed = carrying => {}
                    }
                });
                while relayed.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, cuts, _tasks: tasks })
    }

    /// Cuts all present connections; new ones are relayed.
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
