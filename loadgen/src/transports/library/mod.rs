//! The libraries that Rust developers use: reqwest for the techniques that a page would do by
//! `fetch`, eventsource-client and tokio-tungstenite.

pub(super) mod http_streaming;
mod poll;
mod requests;
pub(super) mod sse;
pub(super) mod websocket;

pub(super) use poll::Poller;
