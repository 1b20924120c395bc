//! Entry points of `fuzz/` for the parsers of the lean clients. Only cargo-fuzz compiles them.
//!
//! For any bytes, nothing panics, and reading byte by byte gives the same as reading at once.

use futures_util::FutureExt;

use super::event_stream::EventStream;
use super::io::Input;
use super::websocket::FrameReader;

/// Reads an event stream at once, and byte by byte.
pub fn event_stream(bytes: &[u8]) {
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut stream, mut events) = (EventStream::default(), Vec::new());
        for mut piece in pieces {
            while let Some(event) = stream.next(&mut piece) {
                events.push((event.name.to_vec(), event.data.to_vec(), event.id.map(<[u8]>::to_vec)));
            }
        }
        (events, stream.is_mid_event())
    };
    assert_eq!(read(&mut bytes.chunks(1)), read(&mut std::iter::once(bytes)));
}

/// Reads a server's frames at once, and byte by byte.
pub fn frames(bytes: &[u8]) {
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut reader, mut input, mut messages) = (FrameReader::default(), Input::default(), Vec::new());
        for mut piece in pieces {
            while let Some(Ok(1..)) = input.fill(&mut piece).now_or_never() {
                loop {
                    match reader.next(&mut input) {
                        Ok(Some(message)) => messages.push(format!("{message:?}")),
                        Ok(None) => break,
                        Err(wrong) => {
                            messages.push(wrong.to_owned());
                            return messages;
                        }
                    }
                }
            }
        }
        messages
    };
    assert_eq!(read(&mut bytes.chunks(1)), read(&mut std::iter::once(bytes)));
}
