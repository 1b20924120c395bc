//! The client side of every transport.
//!
//! `library` uses the libraries that Rust developers use; `lean` uses as little code as possible. Everything else is
//! shared: the requests, how a message is found in an answer, and what follows a broken connection.

mod accounts;
mod answer;
mod backoff;
mod carrier;
mod coding;
mod error;
mod event_stream;
mod feed;
#[doc(hidden)]
#[cfg(fuzzing)]
pub mod fuzz;
mod http;
mod http2;
mod http_client;
mod io;
mod lean;
mod library;
mod long_polling;
mod poll;
mod position;
#[cfg(test)]
mod properties;
mod raw_tcp;
mod request;
mod short_polling;
mod sink;
mod stream;
mod subscribe;
mod subscription;
mod units;
mod websocket;

pub(crate) use backoff::{BASE as BACK_OFF_BASE, CAP as BACK_OFF_CAP};
pub use error::{ConnectionError, SubscribeError};
pub(crate) use error::{LONGEST_ANSWER, LONGEST_MESSAGE};
pub(crate) use event_stream::EventStream;
pub(crate) use http_client::{READ_BUFFER_BYTES, http_client};
pub use http2::Group;
pub(crate) use io::ROOM_BYTES;
pub(crate) use request::{fields_of, filled, newcomers_request, url};
pub(crate) use sink::Polled;
pub use sink::{Incoming, Sink};
pub use subscribe::subscribe;
pub(crate) use subscribe::technique;
pub(crate) use subscription::Pace;
pub use subscription::{Outbound, Subscription};
pub use units::{Lines, Reader, Trust, Unit};
