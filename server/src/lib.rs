//! pushoff's reference server: the five push transports and a raw TCP floor over one log.
//!
//! [`run`] is the entry. The path of one message: `publish.rs` checks it, [`hub`] appends it to its
//! topic's log and wakes the waiting subscribers, and each transport writes the messages between its
//! subscriber's cursor and the head of the log, in the bytes that [`framing`] made once for all.
//! The wire contract stands in `docs/TRANSPORTS.md`.
//!
//! Modules import downwards only: `server` → `connection` → `router` → `transports` → `publish` → `state` →
//! `hub`, `http`, `net`, `framing` → `compression` → `memory`, `limits`.

mod compression;
mod config;
mod connection;
pub mod framing;
#[cfg(fuzzing)]
pub mod fuzz;
mod http;
pub mod hub;
mod limits;
mod memory;
mod net;
mod process;
mod publish;
mod router;
mod server;
mod slow;
mod state;
mod stats;
mod transports;
mod web;

pub use crate::config::{Config, OfferedNetwork};
pub use crate::http::{AllowedOrigin, HostName, InvalidHost, InvalidOrigin};
pub use crate::hub::{Keeping, Payload, PayloadError, Store, StoreError, UnusableStore};
pub use crate::net::tls::{Identity, IdentityError};
pub use crate::server::{Https, Listeners, ServerError, run};
