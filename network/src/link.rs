//! Two namespaces and the network between them.

use std::io;
use std::net::Ipv4Addr;

use pushoff_model::network::Network;
use tun_rs::{DeviceBuilder, SyncDevice};

use crate::NetworkError;
use crate::forwarder::{Forwarder, Passed};
use crate::namespace::Namespace;
use crate::wires::{Way, Wires};

/// The address of the server's side: what readers connect to.
pub const FAR: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// The address of the readers' side.
pub const NEAR: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
/// Ethernet's.
const MTU: u16 = 1_500;

/// Two network namespaces with a network between them, as long as it lives.
#[derive(Debug)]
pub struct Link {
    /// Where the server is.
    pub far: Namespace,
    /// Where the readers are.
    pub near: Namespace,
    forwarder: Forwarder,
}

impl Link {
    /// Makes both namespaces and begins to forward. The same seed loses the same packets, by
    /// the addresses of reader and server and their number between the two.
    ///
    /// # Errors
    /// Where the system refuses a namespace or a TUN device.
    pub fn new(network: &Network, seed: u64) -> Result<Self, NetworkError> {
        let (far, near) = (Namespace::new()?, Namespace::new()?);
        let device = |of: &Namespace, address| {
            of.within(|| device(address))
                .and_then(|made| made)
                .map_err(NetworkError::refused("a TUN device (/dev/net/tun)"))
        };
        let (far_device, near_device) = (device(&far, FAR)?, device(&near, NEAR)?);
        let (down, up) =
            (Wires::new(network.down.clone(), seed, Way::Down), Wires::new(network.up.clone(), seed, Way::Up));
        let forwarder = Forwarder::start(far_device, near_device, down, up);
        let forwarder = forwarder.map_err(NetworkError::refused("a thread for each direction"))?;
        Ok(Self { far, near, forwarder })
    }

    /// Whether a direction has ended by itself, so that nothing passes any more; [`Link::end`] says why.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.forwarder.has_failed()
    }

    /// Ends the network, and says what passed.
    ///
    /// # Errors
    /// Where a direction ended before.
    pub fn end(self) -> io::Result<Passed> {
        self.forwarder.end()
    }
}

fn device(address: Ipv4Addr) -> io::Result<SyncDevice> {
    let device = DeviceBuilder::new().name("link0").ipv4(address, 24, None).mtu(MTU).build_sync()?;
    device.set_nonblocking(true)?;
    Ok(device)
}
