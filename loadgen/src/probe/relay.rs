//! A relay in front of a server, whose connections can be cut.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Relays for as long as it is held.
#[derive(Debug)]
pub(super) struct Relay {
    pub(super) address: SocketAddr,
    cuts: watch::Sender<u32>,
    _tasks: JoinSet<()>,
}

impl Relay {
    /// A relay to that server.
    pub(super) async fn to(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let cuts = watch::Sender::new(0);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, server, cuts.subscribe()));
        Ok(Self { address, cuts, _tasks: tasks })
    }

    /// Cuts every connection that is there now; new ones are relayed.
    pub(super) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, cuts: watch::Receiver<u32>) {
    let mut relayed = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let mut cuts = cuts.clone();
        cuts.mark_unchanged();
        relayed.spawn(async move {
            tokio::select! {
                _ = cuts.changed() => {}
                () = relay(client, server) => {}
            }
        });
        while relayed.try_join_next().is_some() {}
    }
}

/// Carries one connection to its end, whatever that is.
async fn relay(mut client: TcpStream, server: SocketAddr) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let nodelay = [client.set_nodelay(true), server.set_nodelay(true)];
    if nodelay.iter().all(Result::is_ok) {
        drop(copy_bidirectional(&mut client, &mut server).await);
    }
}
