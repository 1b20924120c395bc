//! pushoff's reference server: the five push transports and a raw TCP floor over one log.
//!
//! [`run`] is its sole entry. The path of one message: `publish.rs` takes it in, [`hub`] appends it
//! to its topic's log and wakes whoever waits, and each transport's file writes what lies between
//! its subscriber's cursor and the head, in the bytes that [`framing`] made once for all of them.
//! The wire contract stands in `docs/TRANSPORTS.md`.

mod config;
pub mod framing;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzz;
mod http;
pub mod hub;
mod limits;
mod memory;
mod net;
mod publish;
mod server;
mod slow;
mod stats;
mod transports;
mod web;

use std::io;

use tokio::net::TcpListener;

pub use crate::config::Config;
pub use crate::http::host::{HostName, InvalidHost};
pub use crate::http::origin::{AllowedOrigin, InvalidOrigin};
pub use crate::hub::payload::{Payload, PayloadError};

/// Where a server listens.
#[derive(Debug)]
pub struct Listeners {
    /// The five transports, publishing, and what is around them.
    pub http: TcpListener,
    /// The raw TCP floor, for measurement only.
    pub raw_tcp: Option<TcpListener>,
}

/// Why a server could not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A listener was not ready to take connections.
    #[error("listening for connections")]
    Listen(#[source] io::Error),
}

/// Serves until `shutdown` resolves, and then ends what is open: polls are answered, streams end
/// with their last chunk, a WebSocket is closed with 1001, all within [`Config::grace`].
///
/// # Errors
/// When a listener cannot listen.
pub async fn run(
    listeners: Listeners,
    config: Config,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServerError> {
    server::run(listeners, config, shutdown).await
}
