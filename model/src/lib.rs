//! The words that the server, the load generator and the reports share.
//!
//! A leaf crate: no sockets, no async, nothing that measures. What a transport is called, what a
//! topic and a cursor look like, what a workload asks for and what a record holds is said here
//! and nowhere else.

pub mod browser;
pub mod cell;
pub mod client;
pub mod environment;
pub mod file;
pub mod foreign;
pub mod histogram;
pub mod latency;
pub mod message;
pub mod network;
pub mod overhead;
pub mod record;
pub mod store;
pub mod target;
pub mod time;
pub mod transport;
pub mod units;
pub mod wire;
pub mod workload;

pub use cell::{CellKey, Conditions};
pub use client::Client;
pub use environment::Environment;
pub use histogram::LatencyHistogram;
pub use message::{Cursor, Epoch, Start, Topic};
pub use record::{Record, SCHEMA_VERSION};
pub use time::{RunClock, RunInstant};
pub use transport::{Traits, Transport};
pub use units::{ByteCount, OfferedRate, Share};
pub use wire::{Http, Wire};
pub use workload::Workload;
