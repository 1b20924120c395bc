//! The networks that the live page offers its lanes. A port of this machine is forwarded over each of them, so that the
//! browser can stay where it is:
//!
//! browser, port of this machine, relay in the near namespace, network, listener of the server in the far namespace.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::Context;
use pushoff_model::network::Network;
use pushoff_network::{FAR, Link, Relay};
use pushoff_server::OfferedNetwork;

/// A port that is forwarded over a network.
#[derive(Debug)]
pub(super) struct Over {
    network: Arc<Network>,
    /// Where browsers connect.
    pub(super) address: SocketAddr,
    /// Where the server accepts their connections, so that its own TCP meets the network.
    pub(super) listener: TcpListener,
    /// Forwards as long as it lives.
    pub(super) relay: Relay,
}

impl Over {
    /// Makes the network and begins to forward `port` over it, each connection from an address of its own.
    ///
    /// # Errors
    /// Where the system refuses the network.
    pub(super) fn begin(network: Arc<Network>, port: TcpListener) -> anyhow::Result<Self> {
        let link = Arc::new(Link::new(&network, rand::random())?);
        let forwarded = || {
            let address = port.local_addr()?;
            let listener = link.far.within(|| TcpListener::bind((FAR, 0)))??;
            listener.set_nonblocking(true)?;
            let relay = link.near.within(Relay::begin)??;
            let readers = Arc::clone(&link);
            relay.carry(port, listener.local_addr()?, (0..=u32::MAX).map(move |number| readers.reader(number)))?;
            io::Result::Ok((address, listener, relay))
        };
        let (address, listener, relay) =
            forwarded().with_context(|| format!("forwarding a port over {}", network.name))?;
        Ok(Self { network, address, listener, relay })
    }

    pub(super) fn name(&self) -> String {
        self.network.name.clone()
    }

    /// What the live page is told.
    pub(super) fn offered(&self) -> OfferedNetwork {
        OfferedNetwork { name: self.name(), says: self.network.says.clone(), port: self.address.port() }
    }
}
