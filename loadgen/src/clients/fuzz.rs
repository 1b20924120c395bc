//! What `fuzz/` calls: parsers of the lean clients, which nobody else can. Only cargo-fuzz compiles it.
//!
//! Whatever the bytes are, nothing panics, and byte by byte the same is read as at once.

use std::convert::Infallible;

use super::event_stream::EventStream;
use super::websocket::{BrokenFrame, FrameReader};

/// Reads an event stream at once, and byte by byte.
pub fn event_stream(bytes: &[u8]) {
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut stream, mut events) = (EventStream::default(), Vec::new());
        for piece in pieces {
            let Ok(()) = stream.read(piece, |event| {
                events.push((event.name.to_vec(), event.data.to_vec(), event.id.map(<[u8]>::to_vec)));
                Ok::<_, Infallible>(())
            });
        }
        (events, stream.is_mid_event())
    };
    assert_eq!(read(&mut bytes.chunks(1)), read(&mut std::iter::once(bytes)));
}

/// Reads the frames of a server at once, and byte by byte.
pub fn frames(bytes: &[u8]) {
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut reader, mut messages) = (FrameReader::default(), Vec::new());
        for piece in pieces {
            let read = reader.read(piece, |message| {
                messages.push(format!("{message:?}"));
                Ok::<_, BrokenFrame>(())
            });
            if let Err(BrokenFrame(wrong)) = read {
                messages.push(wrong.to_owned());
                break;
            }
        }
        messages
    };
    assert_eq!(read(&mut bytes.chunks(1)), read(&mut std::iter::once(bytes)));
}
