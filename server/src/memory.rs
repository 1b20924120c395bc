//! The bound on all memory that the server keeps, and leases on parts of it.
//!
//! Memory that outlives one turn of a task needs a [`Lease`]: a log's messages, a batch's bytes, a connection
//! and its unparsed input. Where no lease is left, the request is refused or waits. Logs, batches, input,
//! connections and, where there are any, compressors have a budget each, so that none takes the room of another:
//! full logs do not keep readers from reading, nor slow readers or endless bodies new clients from connecting.
//! `docs/TRANSPORTS.md` says how much is counted for each thing.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Buf, BufMut, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::Notify;

/// The bytes counted for a connection, besides its buffers. Measured: an idle SSE reader takes 2.4 KiB
/// (`docs/TRANSPORTS.md`, "TLS and HTTP/2").
pub(crate) const CONNECTION: usize = 4 << 10;

/// The bytes counted for what TLS keeps of a connection.
pub(crate) const TLS: usize = 16 << 10;

/// The bytes counted for what HTTP/2 keeps of a connection: tables, buffers, and a window of input.
pub(crate) const HTTP2: usize = 96 << 10;

/// The bytes counted for a stream of an HTTP/2 connection.
pub(crate) const STREAM: usize = 4 << 10;

/// The bytes counted for a topic, besides its messages: the log, the name and the places in tables.
pub(crate) const TOPIC: usize = 1 << 10;

/// The bytes counted for what follows a topic in a store outside the process: a task, and a
/// subscription with its queue. Measured: with the topic's own, 9.8 KiB (`scripts/store-topics --readers`).
pub(crate) const FOLLOWER: usize = 9 << 10;

/// The bytes counted for a kept message, besides its payload: a place in the log and the allocation.
pub(crate) const MESSAGE: usize = 96;

/// The budgets of the bound.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Half of the bound.
    pub(crate) logs: Arc<Budget>,
    /// A quarter: batches on their way to readers.
    pub(crate) batches: Arc<Budget>,
    /// An eighth: partial heads, bodies and frames.
    pub(crate) incoming: Arc<Budget>,
    /// An eighth: connections, HTTP/2 streams and TLS.
    pub(crate) connections: Arc<Budget>,
    /// What compressors keep: a quarter, which leaves a quarter for logs. `None` without `--compress`.
    pub(crate) compressors: Option<Arc<Budget>>,
}

impl Memory {
    /// Budgets that come to `bytes` together.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let [logs, batches, incoming, connections] = [2, 4, 8, 8].map(|part| Arc::new(Budget::new(bytes / part)));
        Self { logs, batches, incoming, connections, compressors: None }
    }

    /// Budgets that come to `bytes` together, one of them for compressors.
    pub(crate) fn with_compressors(bytes: usize) -> Self {
        let [logs, compressors] = [4, 4].map(|part| Arc::new(Budget::new(bytes / part)));
        Self { logs, compressors: Some(compressors), ..Self::new(bytes) }
    }

    /// Waits until a lease for a batch was refused.
    pub(crate) async fn is_short(&self) {
        self.batches.short.notified().await;
    }

    /// The bytes leased now.
    pub(crate) fn held(&self) -> usize {
        let always = [&self.logs, &self.batches, &self.incoming, &self.connections];
        always.into_iter().chain(&self.compressors).map(|budget| budget.held()).sum()
    }
}

/// A number of bytes that may be leased.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    held: AtomicUsize,
    /// Notified when a lease was refused.
    short: Notify,
}

impl Budget {
    const fn new(limit: usize) -> Self {
        Self { limit, held: AtomicUsize::new(0), short: Notify::const_new() }
    }

    /// Leases `bytes`, if that many are left.
    pub(crate) fn lease(self: &Arc<Self>, bytes: usize) -> Option<Lease> {
        let mut lease = self.none();
        lease.grow(bytes).then_some(lease)
    }

    /// A lease of nothing, to grow.
    pub(crate) fn none(self: &Arc<Self>) -> Lease {
        Lease { budget: Arc::clone(self), bytes: 0 }
    }

    /// Whether an empty budget could lease so many bytes.
    pub(crate) const fn could_hold(&self, bytes: usize) -> bool {
        bytes <= self.limit
    }

    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> bool {
        // What does not fit is never added: it would keep others meanwhile from what does fit.
        let fits = |held: usize| held.checked_add(bytes).filter(|held| *held <= self.limit);
        let is_taken = self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok();
        if !is_taken {
            self.short.notify_one();
        }
        is_taken
    }

    fn give_back(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Bytes of a budget, until the lease is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Lease {
    /// Leases more, if that many are left; otherwise nothing changes.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let fits = self.budget.take(bytes);
        if fits {
            self.bytes += bytes;
        }
        fits
    }

    /// Leases as many more as it takes to have `bytes`, if that many are left; otherwise nothing changes.
    pub(crate) fn reach(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        more == 0 || self.grow(more)
    }

    /// Gives some bytes back, at most all.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.budget.give_back(bytes);
    }

    /// The bytes leased.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Moves all bytes into a lease of their own.
    pub(crate) fn split(&mut self) -> Self {
        Self { budget: Arc::clone(&self.budget), bytes: std::mem::take(&mut self.bytes) }
    }

    /// Takes over the bytes of another lease of the same budget.
    pub(crate) fn absorb(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}

/// Bytes with their lease.
struct Held {
    bytes: Vec<u8>,
    _lease: Lease,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Shared bytes, leased until the last owner drops them; `None` where no memory is left.
pub(crate) fn shared(bytes: Vec<u8>, budget: &Arc<Budget>) -> Option<Bytes> {
    let lease = budget.lease(bytes.capacity())?;
    Some(Bytes::from_owner(Held { bytes, _lease: lease }))
}

/// The bytes with a lease that was taken for them before they were made; what the lease has beyond their capacity is
/// given back.
pub(crate) fn leased(bytes: Vec<u8>, mut lease: Lease) -> Bytes {
    lease.shrink(lease.bytes.saturating_sub(bytes.capacity()));
    Bytes::from_owner(Held { bytes, _lease: lease })
}

/// No memory is left for input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server holds as much as it may (--memory); try again later")]
pub(crate) struct OutOfMemory;

/// Input that is not parsed yet. An empty buffer holds no memory.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    /// The end of the bytes that were consumed.
    start: usize,
    lease: Lease,
}

impl Buffer {
    pub(crate) fn new(budget: &Arc<Budget>) -> Self {
        Self { bytes: Vec::new(), start: 0, lease: budget.none() }
    }

    /// Appends input.
    pub(crate) fn extend(&mut self, read: &[u8]) -> Result<(), OutOfMemory> {
        self.reserve(read.len())?;
        self.bytes.extend_from_slice(read);
        Ok(())
    }

    /// Reads about `wanted` bytes, as far as they are there; gives their number.
    pub(crate) async fn read_from(
        &mut self,
        io: &mut (impl AsyncRead + Unpin),
        wanted: usize,
    ) -> Result<io::Result<usize>, OutOfMemory> {
        self.reserve(wanted)?;
        let spare = self.bytes.capacity() - self.bytes.len();
        Ok(io.read_buf(&mut (&mut self.bytes).limit(spare)).await)
    }

    fn reserve(&mut self, more: usize) -> Result<(), OutOfMemory> {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        let (length, capacity) = (self.bytes.len(), self.bytes.capacity());
        if capacity - length < more {
            // The growth of `Vec`, computed beforehand for the lease.
            let wanted = (length + more).max(2 * capacity);
            if !self.lease.grow(wanted - capacity) {
                return Err(OutOfMemory);
            }
            self.bytes.reserve_exact(wanted - length);
        }
        Ok(())
    }

    /// Drops the first `count` bytes.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start += count;
        if self.start >= self.bytes.len() {
            let held = self.bytes.capacity();
            (self.bytes, self.start) = (Vec::new(), 0);
            self.lease.shrink(held);
        }
    }

    /// Drops all bytes after the first `length`.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.bytes.truncate(self.start + length);
    }

    /// Moves all bytes out, with their lease.
    pub(crate) fn take(&mut self) -> Bytes {
        let mut bytes = Bytes::from_owner(Held { bytes: std::mem::take(&mut self.bytes), _lease: self.lease.split() });
        bytes.advance(std::mem::take(&mut self.start));
        bytes
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.extend(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl std::ops::Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_leased_than_the_bound_and_all_bytes_come_back() {
        let memory = Memory::new(100);
        let mut lease = memory.logs.lease(30).unwrap();
        assert!(memory.logs.lease(21).is_none());
        assert!(lease.reach(50) && lease.reach(20) && !lease.reach(51) && !lease.grow(1));
        lease.shrink(10);
        lease.absorb(memory.logs.lease(10).unwrap());
        assert_eq!((memory.logs.held(), memory.held()), (50, 50));
        assert!(memory.logs.lease(usize::MAX).is_none());
        drop(lease);
        assert_eq!(memory.held(), 0);
    }

    #[test]
    fn a_lease_that_is_refused_takes_nothing_from_others_meanwhile() {
        let memory = Memory::new(200);
        let attempts = || 0..200_000;
        std::thread::scope(|threads| {
            let refused = threads.spawn(|| attempts().all(|_| memory.logs.lease(101).is_none()));
            assert!(attempts().all(|_| memory.logs.lease(1).is_some()), "one byte of 100 was refused");
            assert!(refused.join().unwrap());
        });
    }

    #[test]
    fn shared_bytes_are_leased_until_the_last_owner_drops_them() {
        let memory = Memory::new(4 * 50);
        let bytes = shared(Vec::with_capacity(40), &memory.batches).unwrap();
        let other = bytes.clone();
        drop(bytes);
        assert_eq!(memory.held(), 40);
        assert!(shared(Vec::with_capacity(11), &memory.batches).is_none());
        drop(other);
        assert_eq!(memory.held(), 0);
    }

    #[test]
    fn a_buffer_holds_its_capacity_and_nothing_once_it_is_empty() {
        let memory = Memory::new(8 * 100);
        let mut buffer = Buffer::new(&memory.incoming);
        buffer.extend(&[1; 40]).unwrap();
        buffer.consume(10);
        buffer.extend(&[2; 30]).unwrap();
        assert_eq!((buffer.len(), memory.held()), (60, 80));
        assert_eq!(buffer.extend(&[3; 60]), Err(OutOfMemory));
        assert_eq!((buffer.len(), memory.held()), (60, 80));
        buffer.consume(60);
        assert_eq!((buffer.len(), memory.held()), (0, 0));
    }
}
