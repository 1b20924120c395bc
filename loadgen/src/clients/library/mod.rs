//! The clients that Rust developers use: reqwest for polling and HTTP streaming, eventsource-client, and
//! tokio-tungstenite.

pub(crate) mod http_streaming;
mod requests;
pub(crate) mod sse;
pub(crate) mod websocket;

pub(crate) use requests::Requests;
