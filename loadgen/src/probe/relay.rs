//! A TCP relay in front of a server, whose connections can be cut.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The most bytes of the server that are read at once.
const BUFFER_BYTES: usize = 64 * 1024;

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
        Self::showing(server, || |_: &mut Vec<u8>| {}).await
    }

    /// Relays to that server. What the server sends is shown, read by read, to a function of each connection, which may
    /// change it before it is passed on.
    ///
    /// # Errors
    /// When no local port is free.
    pub async fn showing<F>(server: SocketAddr, each: impl Fn() -> F + Send + 'static) -> io::Result<Self>
    where
        F: FnMut(&mut Vec<u8>) + Send + 'static,
    {
        Self::carrying(move |client| carry(client, server, each())).await
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

async fn carry(mut client: TcpStream, server: SocketAddr, mut show: impl FnMut(&mut Vec<u8>)) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_server, mut to_server) = server.split();
    let (mut from_client, mut to_client) = client.split();
    let down = async {
        let mut bytes = Vec::with_capacity(BUFFER_BYTES);
        while from_server.read_buf(&mut bytes).await? > 0 {
            show(&mut bytes);
            to_client.write_all(&bytes).await?;
            bytes.clear();
        }
        to_client.shutdown().await
    };
    let up = async {
        copy(&mut from_client, &mut to_server).await?;
        to_server.shutdown().await
    };
    tokio::try_join!(down, up).map(drop)
}
