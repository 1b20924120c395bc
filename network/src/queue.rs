//! Packets that wait to be sent, in the order they came.

use std::collections::VecDeque;
use std::time::Duration;

/// A packet that waits.
#[derive(Debug)]
pub(crate) struct Queued<P> {
    /// When it came.
    pub(crate) since: Duration,
    pub(crate) bytes: u64,
    pub(crate) packet: P,
}

#[derive(Debug)]
pub(crate) struct Queue<P> {
    packets: VecDeque<Queued<P>>,
    bytes: u64,
}

impl<P> Queue<P> {
    pub(crate) fn new() -> Self {
        Self { packets: VecDeque::new(), bytes: 0 }
    }

    pub(crate) fn push(&mut self, packet: Queued<P>) {
        self.bytes += packet.bytes;
        self.packets.push_back(packet);
    }

    pub(crate) fn pop(&mut self) -> Option<Queued<P>> {
        let first = self.packets.pop_front()?;
        self.bytes -= first.bytes;
        Some(first)
    }

    pub(crate) fn first(&self) -> Option<&Queued<P>> {
        self.packets.front()
    }

    /// Of all packets together.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}
