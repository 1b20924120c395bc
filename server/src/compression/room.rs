//! The memory of what connections keep to compress and to decompress: counted, bounded and shown in `/metrics`.

use std::sync::Arc;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::Coding;
use crate::memory::{Budget, Lease};

/// The room for the compressors of all connections.
#[derive(Debug)]
pub(crate) struct Compressors {
    budget: Arc<Budget>,
    open: Family<[(&'static str, &'static str); 1], Gauge>,
}

/// What keeps memory.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keeper {
    /// The compressor of a stream.
    Coding(Coding),
    /// The compressor of a WebSocket, with a window of so many bits.
    Deflate(u8),
    /// The decompressor of a WebSocket.
    Inflate,
}

/// The room for one, until it is dropped.
#[derive(Debug)]
pub(crate) struct Kept {
    _lease: Lease,
    open: Gauge,
}

impl Compressors {
    pub(crate) fn new(budget: Arc<Budget>) -> Self {
        Self { budget, open: Family::default() }
    }

    /// How many there are of each kind, for `/metrics`.
    pub(crate) fn open(&self) -> Family<[(&'static str, &'static str); 1], Gauge> {
        self.open.clone()
    }

    /// The bytes kept now.
    pub(crate) fn held(&self) -> usize {
        self.budget.held()
    }

    /// Room for one; `None` where no memory is left.
    pub(crate) fn keep(&self, keeper: Keeper) -> Option<Kept> {
        let lease = self.budget.lease(keeper.bytes())?;
        let open = self.open.get_or_create_owned(&[("kind", keeper.name())]);
        open.inc();
        Some(Kept { _lease: lease, open })
    }
}

impl Keeper {
    const fn name(self) -> &'static str {
        match self {
            Self::Coding(coding) => coding.name(),
            Self::Deflate(_) => "deflate",
            Self::Inflate => "inflate",
        }
    }

    /// The most bytes that it keeps. Measured with a counting allocator, as `Keeper`'s user gives it work of up to
    /// 1 MiB: zlib-rs takes four times the window and 243 KiB for tables, whatever the window; its decompressor 46.4 KiB.
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Coding(Coding::Zstd) => 320 << 10,
            Self::Coding(Coding::Gzip) => Self::Deflate(super::DEFLATE_BITS).bytes(),
            Self::Coding(Coding::Brotli) => 576 << 10,
            Self::Deflate(bits) => (244 << 10) + (4 << bits),
            Self::Inflate => 48 << 10,
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.open.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;

    #[test]
    fn what_is_kept_is_counted_until_it_is_dropped_and_refused_beyond_the_bound() {
        let memory = Memory::with_compressors(4 * (300 << 10));
        let compressors = Compressors::new(memory.compressors.clone().unwrap());
        let kept = compressors.keep(Keeper::Deflate(12)).unwrap();
        assert_eq!((compressors.held(), memory.held()), (260 << 10, 260 << 10));
        assert!(compressors.keep(Keeper::Inflate).is_none());
        let open = compressors.open.get_or_create_owned(&[("kind", "deflate")]);
        assert_eq!(open.get(), 1);
        drop(kept);
        assert_eq!((open.get(), memory.held()), (0, 0));
    }
}
