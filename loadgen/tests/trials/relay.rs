//! A TCP relay that can cut every connection through it at once.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    cuts: watch::Sender<u32>,
}

impl Relay {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Self { address: listener.local_addr().unwrap(), cuts: watch::Sender::new(0) };
        let cuts = relay.cuts.subscribe();
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let mut cuts = cuts.clone();
                tokio::spawn(async move {
                    cuts.mark_unchanged();
                    let mut server = TcpStream::connect(server).await.unwrap();
                    tokio::select! {
                        _ = cuts.changed() => {}
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                    }
                });
            }
        });
        relay
    }

    /// Cuts every connection that is there now; new ones are relayed.
    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}
