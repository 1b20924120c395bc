//! The counters behind `/metrics`, looked up once at start-up, in the text format of Prometheus.

use std::sync::Arc;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use pushoff_model::Transport;

use crate::compression::Compressors;
use crate::hub::Batch;
use crate::process;

type Label = [(&'static str, &'static str); 1];

/// Every counter of a server.
#[derive(Debug)]
pub(crate) struct Stats {
    registry: Registry,
    topics: Gauge,
    memory: Gauge,
    transports: [Arc<TransportStats>; Transport::ALL.len()],
    publishes: [Counter; 2],
    /// Connections closed because the client took nothing for too long.
    pub(crate) cut_off: Counter,
    /// The bytes that compressors keep.
    compressors: Gauge,
    /// Whether the store outside the process is connected.
    connected: Gauge,
}

/// The counters of one transport.
#[derive(Debug)]
struct TransportStats {
    connections: Gauge,
    opened: Counter,
    deliveries: Counter,
    missed: Counter,
    bytes: Counter,
}

/// The way in which a message was published.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Via {
    /// The body of a `POST`.
    Post,
    /// A WebSocket frame.
    WebSocket,
}

impl Stats {
    /// With `compressors`, where the server compresses; `has_store` says that its store is outside the process.
    pub(crate) fn new(compressors: Option<&Compressors>, has_store: bool) -> Self {
        let mut registry = Registry::with_prefix("pushoff");
        let connections = Family::<Label, Gauge>::default();
        let [opened, deliveries, missed, bytes, publishes] =
            std::array::from_fn(|_| Family::<Label, Counter>::default());
        let (topics, memory, cut_off) = (Gauge::default(), Gauge::default(), Counter::default());
        registry.register("topics", "Topics that were published to", topics.clone());
        registry.register("memory_bytes", "Memory held of what --memory allows", memory.clone());
        registry.register("connections", "Subscribers connected now", connections.clone());
        registry.register("subscriptions", "Subscriptions and polls answered", opened.clone());
        registry.register("deliveries", "Messages handed to a subscriber", deliveries.clone());
        registry.register("missed", "Messages that a subscriber was told it missed", missed.clone());
        registry.register("bytes", "Bytes of messages and notices in their framing", bytes.clone());
        registry.register("publishes", "Messages published", publishes.clone());
        registry.register("cut_off", "Connections ended because the other end took nothing", cut_off.clone());
        let kept = Gauge::default();
        if let Some(compressors) = compressors {
            registry.register("compressors", "Compressors and decompressors that connections keep", compressors.open());
            registry.register("compressor_bytes", "Memory that those keep, of what --memory allows", kept.clone());
        }
        let connected = Gauge::default();
        if has_store {
            registry.register("store_connected", "Whether the store (--store) is connected: 1 or 0", connected.clone());
        }
        let transports = Transport::ALL.map(|transport| {
            let label = [("transport", transport.name())];
            Arc::new(TransportStats {
                connections: connections.get_or_create_owned(&label),
                opened: opened.get_or_create_owned(&label),
                deliveries: deliveries.get_or_create_owned(&label),
                missed: missed.get_or_create_owned(&label),
                bytes: bytes.get_or_create_owned(&label),
            })
        });
        let publishes = ["post", "websocket"].map(|via| publishes.get_or_create_owned(&[("via", via)]));
        Self { registry, topics, memory, transports, publishes, cut_off, compressors: kept, connected }
    }

    /// Counts a subscriber until its meter is dropped.
    pub(crate) fn connect(&self, transport: Transport) -> Meter {
        let stats = Arc::clone(&self.transports[transport as usize]);
        stats.connections.inc();
        stats.opened.inc();
        Meter(stats)
    }

    /// Counts published messages.
    pub(crate) fn published(&self, via: Via, messages: u64) {
        self.publishes[via as usize].inc_by(messages);
    }

    /// Notes whether the store outside the process is connected, where there is one.
    pub(crate) fn store_connected(&self, is_connected: Option<bool>) {
        self.connected.set(is_connected.map_or(0, i64::from));
    }

    /// All counters in the text format.
    pub(crate) fn text(&self, topics: usize, memory: usize, compressors: usize) -> Result<String, std::fmt::Error> {
        let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
        self.topics.set(number(topics));
        self.memory.set(number(memory));
        self.compressors.set(number(compressors));
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        process::write(&mut text)?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

/// Counts the messages of one subscriber.
#[derive(Debug)]
pub(crate) struct Meter(Arc<TransportStats>);

impl Meter {
    /// Counts a batch, which takes so many bytes on the wire.
    pub(crate) fn delivered(&self, batch: &Batch, bytes: usize) {
        self.0.deliveries.inc_by(batch.messages);
        self.0.bytes.inc_by(bytes as u64);
        if batch.missed > 0 {
            self.0.missed.inc_by(batch.missed);
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.0.connections.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Chunkable;
    use crate::memory::Memory;

    #[test]
    fn a_meter_counts_under_the_name_of_its_transport() {
        let stats = Stats::new(None, false);
        let meter = stats.connect(Transport::Sse);
        let made = tokio::time::Instant::now();
        let bytes = Chunkable::finish(Chunkable::buffer(0), Memory::new(1 << 20).batches.none()).unwrap();
        meter.delivered(&Batch { bytes, messages: 2, missed: 3, made, forms: None }, 5);
        stats.published(Via::Post, 4);
        let text = stats.text(9, 10, 0).unwrap();
        for line in [
            "pushoff_topics 9",
            "pushoff_memory_bytes 10",
            "pushoff_connections{transport=\"sse\"} 1",
            "pushoff_deliveries_total{transport=\"sse\"} 2",
            "pushoff_deliveries_total{transport=\"websocket\"} 0",
            "pushoff_missed_total{transport=\"sse\"} 3",
            "pushoff_bytes_total{transport=\"sse\"} 5",
            "pushoff_publishes_total{via=\"post\"} 4",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
        drop(meter);
        assert!(stats.text(0, 0, 0).unwrap().contains("pushoff_connections{transport=\"sse\"} 0"));
    }
}
