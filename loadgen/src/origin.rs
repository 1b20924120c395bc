//! The origin of a connection: an address of this machine, and a network namespace.
//!
//! TCP tells two connections to the same socket apart by their source address and port. On loopback, every address of
//! 127.0.0.0/8 belongs to this machine, so another one can be used when the ports of one are used up. Source: ip(7),
//! RFC 1122 §3.2.1.3.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pushoff_network::Namespace;
use tower_layer::Layer;
use tower_service::Service;

/// The origin of a connection.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// Its address; `None` leaves it to the kernel.
    pub address: Option<IpAddr>,
    /// Its network namespace; `None` is that of this process.
    pub namespace: Option<Arc<Namespace>>,
}

impl Origin {
    /// Makes a socket or a process in its namespace.
    pub(crate) fn make<T>(&self, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match &self.namespace {
            Some(namespace) => namespace.within(make)?,
            None => make(),
        }
    }
}

/// A layer around the connector of a library, which makes its sockets while it is polled.
#[derive(Clone)]
pub(crate) struct PlacedLayer(pub(crate) Origin);

impl<C> Layer<C> for PlacedLayer {
    type Service = Placed<C>;

    fn layer(&self, connector: C) -> Placed<C> {
        Placed { connector, origin: self.0.clone() }
    }
}

/// A connector whose connections come from there.
#[derive(Clone)]
pub(crate) struct Placed<C> {
    connector: C,
    origin: Origin,
}

impl<C, R> Service<R> for Placed<C>
where
    C: Service<R>,
    C::Error: From<io::Error>,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, target: R) -> Self::Future {
        let mut connecting = Box::pin(self.connector.call(target));
        let origin = self.origin.clone();
        Box::pin(poll_fn(move |cx| Poll::Ready(ready!(origin.make(|| Ok(connecting.as_mut().poll(cx)))?))))
    }
}

/// Ports that are left for publishers, for closed connections that are still in `TIME_WAIT` and for other programs. Chosen here.
const MARGIN: u32 = 4_096;
/// Linux' default range, used where the range cannot be read.
const USUAL_PORTS: u32 = 60_999 - 32_768 + 1;

/// How many subscribers may connect from one address.
pub(crate) fn ports() -> u32 {
    port_range().unwrap_or(USUAL_PORTS).saturating_sub(MARGIN).max(1)
}

/// How many local ports a connection may use; `None` where the range cannot be read.
pub(crate) fn port_range() -> Option<u32> {
    count(&std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?)
}

/// The number of ports in a range such as `32768 60999`.
fn count(range: &str) -> Option<u32> {
    let mut ends = range.split_whitespace().map(str::parse::<u32>);
    let (first, last) = (ends.next()?.ok()?, ends.next()?.ok()?);
    Some(last.checked_sub(first)? + 1)
}

/// The source address of subscriber `number`, from 0. `None` leaves the choice to the kernel: for the first `ports`
/// subscribers, and where there is no other address.
pub(crate) fn source_of(number: u32, target: SocketAddr, ports: u32) -> Option<IpAddr> {
    let IpAddr::V4(address) = target.ip() else { return None };
    let beyond = number / ports.max(1);
    if beyond == 0 || !address.is_loopback() {
        return None;
    }
    let source = Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits().checked_add(beyond)?);
    source.is_loopback().then_some(IpAddr::V4(source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscriber_without_a_port_uses_the_next_address() {
        let target = "127.0.0.1:80".parse().unwrap();
        let sources: Vec<_> = (0..7).map(|number| source_of(number, target, 3)).collect();
        let [second, third] = ["127.0.0.2", "127.0.0.3"].map(|address| Some(address.parse().unwrap()));
        assert_eq!(sources, [None, None, None, second, second, second, third]);
        assert_eq!(source_of(3 * 255, target, 3), Some("127.0.1.0".parse().unwrap()));
    }

    #[test]
    fn elsewhere_the_kernel_chooses() {
        for target in ["[::1]:80", "192.0.2.1:80", "127.0.0.1:80"] {
            assert_eq!(source_of(10, target.parse().unwrap(), 11), None);
        }
        assert_eq!(source_of(10, "192.0.2.1:80".parse().unwrap(), 3), None);
        assert_eq!(source_of(10, "[::1]:80".parse().unwrap(), 3), None);
        assert_eq!(source_of(0, "127.0.0.1:80".parse().unwrap(), 0), None);
    }

    #[test]
    fn a_range_is_counted_with_both_its_ends() {
        assert_eq!(count("32768\t60999\n"), Some(28_232));
        assert_eq!([count(""), count("5"), count("9 5"), count("a b")], [None; 4]);
        assert!(ports() >= 1);
    }
}
