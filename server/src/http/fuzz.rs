//! What `fuzz/` calls of the HTTP parsers, which nobody else can. Only cargo-fuzz compiles it.

use super::chunked::Chunks;
use super::head::{self, Parsed};
use crate::memory::{Buffer, Memory};

/// Reads a head: one that is whole is no longer than the bytes, and no shorter one is whole.
pub(crate) fn head(bytes: &[u8]) {
    let mut room = head::room();
    let Parsed::Request(request) = head::parse(bytes, &mut room) else { return };
    assert!(request.length <= bytes.len());
    assert!(request.head.path.starts_with('/') || request.head.path == "*", "{:?}", request.head);
    let shorter = &bytes[..request.length - 1];
    assert!(matches!(head::parse(shorter, &mut head::room()), Parsed::Partial), "a head without its end");
}

/// Decodes a chunked body at once, and byte by byte: the same comes of it.
pub(crate) fn chunks(bytes: &[u8]) {
    const LIMIT: usize = 1 << 10;
    let decode = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let memory = Memory::new(64 << 20);
        let (mut raw, mut body) = (Buffer::new(&memory.incoming), Buffer::new(&memory.incoming));
        let mut chunks = Chunks::new(LIMIT);
        for piece in pieces {
            raw.extend(piece).ok()?;
            if chunks.decode(&mut raw, &mut body, LIMIT).ok()? {
                assert!(body.len() <= LIMIT);
                return Some(body.to_vec());
            }
        }
        None
    };
    assert_eq!(decode(&mut bytes.chunks(1)), decode(&mut std::iter::once(bytes)));
}
