//! Two namespaces and the network between them.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pushoff_model::network::Network;
use pushoff_model::record;
use tun_rs::{DeviceBuilder, SyncDevice};

use crate::NetworkError;
use crate::forwarder::Forwarder;
use crate::namespace::{Namespace, local};
use crate::wires::{Way, Wires};

/// The address of the server's side: what readers connect to.
pub const FAR: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// The address of the readers' side.
pub const NEAR: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
/// The bits that the addresses of the readers of one network have in common.
const READERS: u8 = 16;
/// The bits that all addresses of both sides begin with.
const PREFIX: u8 = 8;
/// The second part of readers' addresses, of the first network …
const FIRST: u8 = 78;
/// … and of those that came after it: two networks at a time share no address, so that a socket of this process is told
/// by its address.
static MADE: AtomicU8 = AtomicU8::new(0);
/// Ethernet's.
const MTU: u16 = 1_500;

/// Two network namespaces with a network between them, as long as it lives.
#[derive(Debug)]
pub struct Link {
    /// Where the server is, and who reaches it without a network: publishers.
    pub far: Arc<Namespace>,
    /// Where the readers are.
    pub near: Arc<Namespace>,
    /// What their addresses begin with.
    readers: Ipv4Addr,
    says: String,
    forwarder: Mutex<Option<Forwarder>>,
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
        let readers = Ipv4Addr::new(10, FIRST + MADE.fetch_add(1, Ordering::Relaxed) % (u8::MAX - FIRST), 0, 0);
        let added = near.within(|| local(readers, READERS)).and_then(|added| added);
        added.map_err(NetworkError::refused("an address for each reader"))?;
        let (down, up) =
            (Wires::new(network.down.clone(), seed, Way::Down), Wires::new(network.up.clone(), seed, Way::Up));
        let forwarder = Forwarder::start(far_device, near_device, down, up);
        let forwarder = forwarder.map_err(NetworkError::refused("a thread for each direction"))?;
        let (far, near, says) = (Arc::new(far), Arc::new(near), network.says.clone());
        Ok(Self { far, near, readers, says, forwarder: Mutex::new(Some(forwarder)) })
    }

    /// The address of a reader, from 0: one each for 65,534 of them.
    #[must_use]
    pub fn reader(&self, number: u32) -> IpAddr {
        reader(self.readers, number)
    }

    /// Whether to note how late packets are passed on, from now on; it is not noted before this is called.
    pub fn watch(&self, watches: bool) {
        if let Some(forwarder) = &*self.forwarder() {
            forwarder.watch(watches);
        }
    }

    /// Whether a direction has ended by itself, so that nothing passes any more; [`Link::end`] says why.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.forwarder().as_ref().is_some_and(Forwarder::has_failed)
    }

    /// Ends the network, and says what passed; of one that was ended before, nothing did.
    ///
    /// # Errors
    /// Where a direction ended before.
    pub fn end(&self) -> io::Result<record::Link> {
        let ended = self.forwarder().take().map(Forwarder::end).transpose()?;
        let [down, up] = ended.unwrap_or_default();
        Ok(record::Link { says: self.says.clone(), down, up })
    }
}

impl Link {
    fn forwarder(&self) -> MutexGuard<'_, Option<Forwarder>> {
        self.forwarder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn reader(readers: Ipv4Addr, number: u32) -> IpAddr {
    let among = (1 << (32 - u32::from(READERS))) - 2;
    Ipv4Addr::from_bits(readers.to_bits() + 1 + number % among).into()
}

fn device(address: Ipv4Addr) -> io::Result<SyncDevice> {
    let device = DeviceBuilder::new().name("link0").ipv4(address, PREFIX, None).mtu(MTU).build_sync()?;
    device.set_nonblocking(true)?;
    Ok(device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reader_has_an_address() {
        let addresses =
            [0, 1, 254, 255, 65_533, 65_534].map(|number| reader(Ipv4Addr::new(10, 78, 0, 0), number).to_string());
        assert_eq!(addresses, ["10.78.0.1", "10.78.0.2", "10.78.0.255", "10.78.1.0", "10.78.255.254", "10.78.0.1"]);
    }
}
