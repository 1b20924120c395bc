//! What HTTP/2 adds to the bytes that it carries: the heads of its frames (RFC 9113 §4.1).
//!
//! A message is content of a DATA frame, without the chunks of HTTP/1.1; a WebSocket's frame is, too (RFC 8441 §5).
//! A head is a block of [`Hpack`](super::Hpack) in a HEADERS frame and its continuations (§6.2, §6.10).

/// The head of a frame: length, type, flags, stream.
pub const FRAME: u64 = 9;
/// The most that a frame holds where its reader has not allowed more: `SETTINGS_MAX_FRAME_SIZE` (RFC 9113 §6.5.2).
pub const LONGEST_FRAME: u64 = 1 << 14;

/// The heads of the frames that hold so many bytes of content, or of a block: of one at least.
#[must_use]
pub const fn frames(bytes: u64) -> u64 {
    let full = bytes.div_ceil(LONGEST_FRAME);
    FRAME * if full == 0 { 1 } else { full }
}

/// What a head weighs whose block has so many bytes, without padding or priority.
#[must_use]
pub const fn head(block: u64) -> u64 {
    block + frames(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_a_head_of_nine_bytes() {
        // A DATA frame on stream 1 that holds an event, written by RFC 9113 §4.1.
        let data = b"\x00\x00\x0c\x00\x00\x00\x00\x00\x01data: [1]\n\n\n";
        assert_eq!(data.len() as u64, 12 + frames(12));
        assert_eq!([0, 1, 16_384, 16_385, 65_536].map(frames), [9, 9, 9, 18, 36]);
        assert_eq!(head(17), 26);
    }
}
