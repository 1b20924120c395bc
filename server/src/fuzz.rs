//! Entry points for `fuzz/`, compiled by cargo-fuzz only: the parsers are private otherwise.
//!
//! No input makes a parser panic, and reading byte by byte gives the same result as reading all at once.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde::de::IgnoredAny;

use crate::http::{Chunks, Parsed, head};
use crate::hub::Retention;
use crate::memory::{Buffer, Memory};
use crate::publish;
use crate::transports::websocket::deflate::Deflate;
use crate::transports::websocket::frames::Frames;

/// Parses the head of a request: a whole head is no longer than the bytes, and no shorter head is whole.
pub fn head(bytes: &[u8]) {
    let mut room = head::room();
    let Parsed::Request(request) = head::parse(bytes, &mut room) else { return };
    assert!(request.length <= bytes.len());
    assert!(request.head.path.starts_with('/') || request.head.path == "*", "{:?}", request.head);
    let shorter = &bytes[..request.length - 1];
    assert!(matches!(head::parse(shorter, &mut head::room()), Parsed::Partial), "a head without its end");
}

/// Decodes a chunked body at once, and byte by byte.
pub fn chunks(bytes: &[u8]) {
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

/// Reads the frames of a client at once, and byte by byte: first of one without permessage-deflate, then with it.
pub fn frames(bytes: &[u8]) {
    frames_of(bytes, || None);
    frames_of(bytes, || Some(Box::new(Deflate::alone())));
}

fn frames_of(bytes: &[u8], deflate: impl Fn() -> Option<Box<Deflate>>) {
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let memory = Memory::new(64 << 20);
        let (mut frames, mut received) = (Frames::new(300, &memory.incoming), Vec::new());
        frames.deflate = deflate();
        for piece in pieces {
            if frames.extend(piece).is_err() {
                break;
            }
            loop {
                match frames.next() {
                    Ok(Some(message)) => received.push(format!("{message:?}")),
                    Ok(None) => break,
                    Err(close) => {
                        received.push(format!("{close:?}"));
                        return received;
                    }
                }
            }
        }
        received
    };
    assert_eq!(read(&mut bytes.chunks(1)), read(&mut std::iter::once(bytes)));
}

/// Reads an NDJSON batch: at most as many payloads as lines, and each is JSON.
pub fn batch(bytes: &[u8]) {
    let retention = Retention { messages: 8, bytes: 1 << 10 };
    let mut reading = pin!(publish::batch(bytes, 1 << 10, retention));
    let mut waiting = Context::from_waker(Waker::noop());
    let run = loop {
        if let Poll::Ready(run) = reading.as_mut().poll(&mut waiting) {
            break run;
        }
    };
    let Ok(run) = run else { return };
    let lines = bytes.split(|&byte| byte == b'\n').count() as u64;
    assert!(run.skipped + run.newest.len() as u64 <= lines && run.newest.len() <= retention.messages);
    for payload in &run.newest {
        assert!(serde_json::from_slice::<IgnoredAny>(payload.as_bytes()).is_ok());
    }
}
