//! The part of a record that says how a browser fared: its clock, its main threads, its heap.
//!
//! Sums over the pages of a trial; a share of one connection or one message is for a report to
//! compute.

use serde::{Deserialize, Serialize};

/// What the pages of a trial showed beside their messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrowserUse {
    /// Pages that the subscribers stood in, each in a browser context of its own.
    pub pages: u32,
    /// How the pages' clocks stood to the run's.
    pub clock: PageClocks,
    /// What the pages' scripts held.
    pub heap: Heap,
    /// What the pages' main threads did from before the load to after it.
    pub main_thread: MainThread,
}

/// How well the pages' clocks are known. A page's stamps are moved by the middle of what is possible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageClocks {
    /// The least difference between two readings of a page's clock, of the coarsest.
    pub resolution_ns: u64,
    /// How far the place of a page's zero on the run's clock may be off, either way, of the worst.
    pub uncertainty_ns: u64,
    /// How far that place had moved after the load, of the worst.
    pub drift_ns: u64,
    /// How long the first page's zero lay after the zero of the run's clock: what its stamps are
    /// moved by.
    pub offset_ns: u64,
}

/// JavaScript's heap in use after a collection, at three moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heap {
    /// The pages are loaded, nobody is connected.
    pub empty_bytes: u64,
    /// Everybody is connected and has the first message.
    pub idle_bytes: u64,
    /// After the load, everybody still connected.
    pub loaded_bytes: u64,
}

/// What main threads did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MainThread {
    /// Messages dispatched meanwhile.
    pub messages: u64,
    /// Time in tasks, scripts included.
    pub tasks_ns: u64,
    /// Time in scripts.
    pub scripts_ns: u64,
}
