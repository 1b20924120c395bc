//! Where a connection comes from: an address of this machine, and a network namespace.

use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pushoff_network::Namespace;
use tower_layer::Layer;
use tower_service::Service;

/// Where a connection comes from.
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
