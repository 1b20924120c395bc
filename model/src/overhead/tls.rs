//! What TLS adds to the bytes that it encrypts, after the handshake.
//!
//! A write becomes records of at most 16 KiB of content, each with a head, a content type and a tag
//! (RFC 8446 §5.1, §5.2). Counted is TLS 1.3, which two current ends agree on. A record of TLS 1.2 with
//! AES-GCM weighs 29 bytes: a nonce of eight instead of the content type (RFC 5288 §3).

/// A record beyond its content: 5 bytes of head, 1 of content type, 16 of tag.
pub const RECORD: u64 = 5 + 1 + 16;
/// The most content of a record (RFC 8446 §5.1).
pub const LONGEST_CONTENT: u64 = 1 << 14;

/// What TLS adds to so many writes of so many bytes each: every write begins a record of its own.
#[must_use]
pub const fn added(writes: u64, bytes: u64) -> u64 {
    writes * bytes.div_ceil(LONGEST_CONTENT) * RECORD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_weighs_22_bytes_beyond_its_content() {
        // RFC 8448 §3, the server's first record of application data: 50 bytes of content.
        const RECORD_OF_50: &str = "17 03 03 00 43 2e 93 7e 11 ef 4a c7 40 e5 38 ad 36 00 5f c4 a4 69 32 fc 32 25 d0 \
             5f 82 aa 1b 36 e3 0e fa f9 7d 90 e6 df fc 60 2d cb 50 1a 59 a8 fc c4 9c 4b f2 e5 f0 a2 1c 00 47 c2 ab f3 \
             32 54 0d d0 32 e1 67 c2 95 5d";
        assert_eq!(50 + added(1, 50), RECORD_OF_50.split_ascii_whitespace().count() as u64);
    }

    #[test]
    fn a_write_begins_a_record_and_a_long_one_fills_several() {
        assert_eq!([1, 16_384, 16_385, 65_536].map(|bytes| added(1, bytes)), [22, 22, 44, 88]);
        assert_eq!((added(3, 100), added(3, 0), added(0, 100)), (66, 0, 0));
    }
}
