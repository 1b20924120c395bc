//! The clients' own counts of a trial: messages, requests, and their theoretical size.
//!
//! The theoretical size follows from the received messages and the fields that were sent. What the kernel counts
//! beyond it is heartbeats, opening lines, last chunks and pings.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, Method, StatusCode};
use pushoff_model::overhead::{self, tls};
use pushoff_model::record::Contents;
use pushoff_model::{Cursor, Http, Transport, Wire};

/// Sums over all subscribers of a trial.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// The wire: TLS, HTTP, compression.
    wire: Wire,
    messages: AtomicU64,
    payload_bytes: AtomicU64,
    framing_bytes: AtomicU64,
    requests: AtomicU64,
    request_head_bytes: AtomicU64,
    responses: AtomicU64,
    response_head_bytes: AtomicU64,
    empty: AtomicU64,
    spoken_bytes: AtomicU64,
    uncompressed: AtomicU64,
}

/// Messages of one subscriber that are added together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Batch {
    messages: u64,
    payload_bytes: u64,
    framing_bytes: u64,
}

impl Batch {
    /// Adds a message. Without a cursor it is not of pushoff's protocol, and its framing is unknown.
    pub(crate) fn message(&mut self, wire: Wire, transport: Transport, cursor: Option<Cursor>, payload: &[u8]) {
        self.messages += 1;
        self.payload_bytes += payload.len() as u64;
        // The messages of a poll share what carries its answer, which is counted with the answer.
        let wire = if transport.is_polling() { Wire::default() } else { wire };
        if let Some(cursor) = cursor {
            self.framing_bytes += overhead::message_on(wire, transport, cursor, payload);
        }
    }
}

fn add(sum: &AtomicU64, amount: u64) {
    sum.fetch_add(amount, Ordering::Relaxed);
}

impl Tally {
    /// Nothing yet, on that wire.
    pub(crate) fn on(wire: Wire) -> Self {
        Self { wire, ..Self::default() }
    }

    /// The bytes of a head on the wire: over TLS it is a record of its own.
    fn weighed(&self, bytes: u64) -> u64 {
        bytes + if self.wire.tls { tls::added(1, bytes) } else { 0 }
    }

    pub(crate) fn contents(&self) -> Contents {
        let read = |sum: &AtomicU64| sum.load(Ordering::Relaxed);
        Contents {
            messages: read(&self.messages),
            payload_bytes: read(&self.payload_bytes),
            framing_bytes: read(&self.framing_bytes),
            requests: read(&self.requests),
            request_head_bytes: read(&self.request_head_bytes),
            responses: read(&self.responses),
            response_head_bytes: read(&self.response_head_bytes),
            empty: read(&self.empty),
            spoken_bytes: read(&self.spoken_bytes),
            uncompressed: read(&self.uncompressed),
        }
    }

    /// Adds the messages of one subscriber.
    pub(crate) fn add(&self, batch: &Batch) {
        if batch.messages > 0 {
            add(&self.messages, batch.messages);
            add(&self.payload_bytes, batch.payload_bytes);
            add(&self.framing_bytes, batch.framing_bytes);
        }
    }

    /// Adds a request without a body, with all fields on the wire; the bytes of its head.
    pub(crate) fn request<'a>(
        &self,
        method: &Method,
        target: &str,
        fields: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> u64 {
        let bytes = overhead::request_head(method.as_str(), target, fields);
        self.request_of(bytes)
    }

    /// Adds a request whose head has that many bytes; those that it has on the wire.
    pub(crate) fn request_of(&self, bytes: u64) -> u64 {
        let bytes = self.weighed(bytes);
        add(&self.requests, 1);
        add(&self.request_head_bytes, bytes);
        bytes
    }

    /// Removes a request that was never sent, because no connection could be made.
    pub(crate) fn not_sent(&self, bytes: u64) {
        self.requests.fetch_sub(1, Ordering::Relaxed);
        self.request_head_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Adds a response's head. `reason` is the reason phrase, if it is not the usual one.
    pub(crate) fn response(&self, status: StatusCode, reason: Option<&[u8]>, fields: &HeaderMap) {
        let usual = status.canonical_reason().unwrap_or_default().len();
        let reason = reason.map_or(usual, <[u8]>::len);
        self.response_of(overhead::response_head(reason as u64, lines(fields)));
    }

    /// Adds a response whose head has that many bytes.
    pub(crate) fn response_of(&self, bytes: u64) {
        add(&self.responses, 1);
        add(&self.response_head_bytes, self.weighed(bytes));
    }

    /// Adds the body of a poll's answer, which over HTTP/2 is in frames of its own.
    pub(crate) fn answer_of(&self, bytes: usize) {
        if self.wire.http == Http::Two && bytes > 0 {
            add(&self.framing_bytes, overhead::http2::frames(bytes as u64));
        }
    }

    /// Adds a stream or a WebSocket; `is_compressed`: whether its bytes are. It matters where they should be.
    pub(crate) fn opened(&self, is_compressed: bool) {
        if self.wire.compressed && !is_compressed {
            add(&self.uncompressed, 1);
        }
    }

    pub(crate) fn empty(&self) {
        add(&self.empty, 1);
    }

    pub(crate) fn spoken(&self, bytes: u64) {
        add(&self.spoken_bytes, bytes);
    }
}

/// The fields of a head, one for each line.
pub(crate) fn lines(fields: &HeaderMap) -> impl Iterator<Item = (&str, &[u8])> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
}
