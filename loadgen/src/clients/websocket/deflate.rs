//! permessage-deflate, as a client speaks it: a message is deflated, without the empty block that ends it. Source: RFC 7692
//! §7.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::clients::error::LONGEST_MESSAGE;

/// The offer of browsers (§7.1).
pub(crate) const OFFER: &str = "permessage-deflate; client_max_window_bits";
/// The empty block at the end of every message, which is not sent (§7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
/// The effort, of 9. Chosen here: zlib's usual one, as browsers have it.
const LEVEL: u32 = 6;
/// The largest window, as a power of two (§7.1.2).
const WIDEST: u8 = 15;
/// How much room is made at a time. Chosen here.
const ROOM: usize = 4 << 10;

/// Both directions of a connection on which the extension was agreed on.
pub(crate) struct Deflate {
    inflater: Decompress,
    /// Whether the server begins every message anew.
    inflates_anew: bool,
    deflater: Compress,
    deflates_anew: bool,
}

impl std::fmt::Debug for Deflate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deflate").finish_non_exhaustive()
    }
}

impl Deflate {
    /// The agreement of the server; `None` where it does not answer the offer (§7.1).
    pub(crate) fn agreed(extension: &str) -> Option<Self> {
        let mut parts = extension.split(';').map(str::trim);
        if parts.next() != Some("permessage-deflate") {
            return None;
        }
        let (mut server_anew, mut client_anew, mut server_bits, mut client_bits) = (false, false, None, None);
        for part in parts {
            let (name, value) = part.split_once('=').map_or((part, None), |(name, value)| (name, Some(value)));
            let bits = value.map(|value| value.trim_matches('"'));
            let bits = bits.and_then(|bits| bits.parse().ok()).filter(|bits| (8..=WIDEST).contains(bits));
            let is_new = match name {
                "server_no_context_takeover" if value.is_none() => !std::mem::replace(&mut server_anew, true),
                "client_no_context_takeover" if value.is_none() => !std::mem::replace(&mut client_anew, true),
                "server_max_window_bits" if bits.is_some() => std::mem::replace(&mut server_bits, bits).is_none(),
                "client_max_window_bits" if bits.is_some() => std::mem::replace(&mut client_bits, bits).is_none(),
                _unknown => false,
            };
            if !is_new {
                return None;
            }
        }
        // A window of 256 bytes is none that zlib deflates with.
        let deflater =
            Compress::new_with_window_bits(Compression::new(LEVEL), false, client_bits.unwrap_or(WIDEST).max(9));
        Some(Self {
            inflater: Decompress::new_with_window_bits(false, WIDEST),
            inflates_anew: server_anew,
            deflater,
            deflates_anew: client_anew || client_bits == Some(8),
        })
    }

    /// The message that this payload holds; `None` where it holds none, or one that is too long.
    pub(super) fn inflate(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        if self.inflates_anew {
            self.inflater.reset(false);
        }
        let mut message = Vec::with_capacity(ROOM.max(4 * payload.len()));
        for mut input in [payload, &TAIL] {
            while !input.is_empty() {
                let before = self.inflater.total_in();
                let status = self.inflater.decompress_vec(input, &mut message, FlushDecompress::Sync).ok()?;
                let taken = usize::try_from(self.inflater.total_in() - before).ok()?;
                input = &input[taken..];
                if message.len() > LONGEST_MESSAGE {
                    return None;
                }
                if status == Status::StreamEnd {
                    // A final block may end a message; what follows it begins anew (§7.2.3.4).
                    self.inflater.reset(false);
                }
                if message.len() == message.capacity() {
                    message.reserve(message.len().max(ROOM));
                }
            }
        }
        Some(message)
    }

    /// The payload that holds this message.
    pub(super) fn deflate(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        if self.deflates_anew {
            self.deflater.reset();
        }
        let mut payload = Vec::with_capacity(message.len() + ROOM);
        let (mut input, mut is_flushed) = (message, false);
        while !is_flushed {
            let before = self.deflater.total_in();
            self.deflater.compress_vec(input, &mut payload, FlushCompress::Sync).ok()?;
            input = &input[usize::try_from(self.deflater.total_in() - before).ok()?..];
            // With room left over, all is out.
            is_flushed = input.is_empty() && payload.len() < payload.capacity();
            payload.reserve(ROOM);
        }
        // Nothing after nothing: zlib does not flush twice, and an empty block stands for the message (§7.2.3.6).
        if payload.is_empty() {
            return Some(vec![0x00]);
        }
        payload.truncate(payload.len().checked_sub(TAIL.len()).filter(|&end| payload[end..] == TAIL)?);
        Some(payload)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_specifications_own_examples_are_read() {
        // RFC 7692 §7.2.3.1 and §7.2.3.2: "Hello", and again with the context of the first.
        let mut deflate = Deflate::agreed("permessage-deflate").unwrap();
        assert_eq!(deflate.inflate(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]).unwrap(), b"Hello");
        assert_eq!(deflate.inflate(&[0xf2, 0x00, 0x11, 0x00, 0x00]).unwrap(), b"Hello");
        // §7.2.3.3: a block without compression. §7.2.3.5: two blocks.
        let mut deflate = Deflate::agreed("permessage-deflate; server_no_context_takeover").unwrap();
        let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
        assert_eq!(deflate.inflate(&stored).unwrap(), b"Hello");
        // §7.2.3.4: a final block, after which a message may follow.
        let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        for deflate in [&mut deflate, &mut Deflate::agreed("permessage-deflate").unwrap()] {
            assert_eq!(deflate.inflate(&last).unwrap(), b"Hello");
            assert_eq!(deflate.inflate(&last).unwrap(), b"Hello");
        }
        let two = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(deflate.inflate(&two).unwrap(), b"Hello");
    }

    #[test]
    fn what_was_not_asked_for_is_not_agreed_to() {
        for extension in [
            "x-webkit-deflate-frame",
            "permessage-deflate; unknown",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; client_max_window_bits=7",
        ] {
            assert!(Deflate::agreed(extension).is_none(), "{extension}");
        }
        for extension in
            ["permessage-deflate", "permessage-deflate; client_max_window_bits=\"10\"; server_max_window_bits=9"]
        {
            assert!(Deflate::agreed(extension).is_some(), "{extension}");
        }
    }

    #[test]
    fn a_message_that_nobody_can_hold_is_refused() {
        let mut deflate = Deflate::agreed("permessage-deflate").unwrap();
        let bomb = deflate.deflate(&vec![b'x'; LONGEST_MESSAGE + 1]).unwrap();
        assert!(bomb.len() < LONGEST_MESSAGE / 100);
        assert!(deflate.inflate(&bomb).is_none());
        assert!(Deflate::agreed("permessage-deflate").unwrap().inflate(&[0xff; 20]).is_none());
    }

    proptest! {
        #[test]
        fn what_is_deflated_is_inflated_whatever_was_agreed_on(
            messages in proptest::collection::vec(".{0,200}|", 1..10),
            anew: bool,
            bits in 8_u8..=15,
        ) {
            let anew = if anew { "; client_no_context_takeover; server_no_context_takeover" } else { "" };
            let mut deflate = Deflate::agreed(&format!("permessage-deflate; client_max_window_bits={bits}{anew}")).unwrap();
            for message in messages {
                let payload = deflate.deflate(message.as_bytes()).unwrap();
                prop_assert_eq!(deflate.inflate(&payload).unwrap(), message.as_bytes());
            }
        }
    }
}
