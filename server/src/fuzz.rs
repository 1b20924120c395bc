//! The parsers that `fuzz/` calls. Only cargo-fuzz compiles it: they are private otherwise.
//!
//! Whatever the bytes are, nothing panics, and byte by byte the same is read as at once.

use crate::{http, publish, transports};

/// Reads the head of a request.
pub fn head(bytes: &[u8]) {
    http::fuzz::head(bytes);
}

/// Decodes a chunked body.
pub fn chunks(bytes: &[u8]) {
    http::fuzz::chunks(bytes);
}

/// Reads the frames of a client.
pub fn frames(bytes: &[u8]) {
    transports::websocket::fuzz(bytes);
}

/// Reads an NDJSON batch.
pub fn batch(bytes: &[u8]) {
    publish::fuzz(bytes);
}
