//! The libraries that Rust developers use: reqwest for the techniques that a page would do by
//! `fetch`, eventsource-client and tokio-tungstenite.

pub(crate) mod http_streaming;
mod requests;
pub(crate) mod sse;
pub(crate) mod websocket;

pub(crate) use requests::Requests;
