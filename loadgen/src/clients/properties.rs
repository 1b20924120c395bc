//! Properties of the parsers for any bytes and any boundaries of reads: no panic, no endless loop, and the same
//! result for every split. `scripts/fuzz` runs them by the million.

use futures_util::FutureExt;
use proptest::prelude::*;
use pushoff_model::target::{Parts, Pointer};

use super::event_stream::EventStream;
use super::io::Input;
use super::units::{Lines, Reader, Trust, Unit};
use super::websocket::FrameReader;

/// Reads a unit of pushoff's own protocol.
fn read(unit: &[u8], trust: Trust) -> serde_json::Result<Unit<'_>> {
    let [payload, id, missed] = ["data", "id", "missed"].map(|name| Pointer(vec![name.to_owned()]));
    Reader::new(&Parts { payload, id: Some(id), missed: Some(missed) }, trust).read(unit)
}

/// Bytes of pieces that a framing gives a meaning to, mixed with random bytes.
fn bytes_of(pieces: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(pieces).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// The lengths of reads.
fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1_usize..9, 1..9)
}

/// The bytes in pieces of these lengths.
fn pieces<'a>(mut bytes: &'a [u8], cuts: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    cuts.iter().cycle().map_while(move |cut| {
        let (piece, rest) = bytes.split_at((*cut).min(bytes.len()));
        bytes = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

fn lines<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, bool) {
    let (mut reader, mut out) = (Lines::default(), Vec::new());
    for mut piece in pieces {
        while let Some(line) = reader.next(&mut piece) {
            out.push(line.to_vec());
        }
    }
    (out, reader.begun() > 0)
}

/// An event's type, data and ID.
type Owned = (Vec<u8>, Vec<u8>, Option<Vec<u8>>);

fn events<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Owned>, bool) {
    let (mut stream, mut out) = (EventStream::default(), Vec::new());
    for mut piece in pieces {
        while let Some(event) = stream.next(&mut piece) {
            out.push((event.name.to_vec(), event.data.to_vec(), event.id.map(<[u8]>::to_vec)));
        }
    }
    (out, stream.is_mid_event())
}

/// The messages, and at the end the error.
fn messages<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Result<String, &'static str>> {
    let (mut reader, mut input, mut out) = (FrameReader::default(), Input::default(), Vec::new());
    for mut piece in pieces {
        input.fill(&mut piece).now_or_never().unwrap().unwrap();
        loop {
            match reader.next(&mut input) {
                Ok(Some(message)) => out.push(Ok(format!("{message:?}"))),
                Ok(None) => break,
                Err(wrong) => {
                    out.push(Err(wrong));
                    return out;
                }
            }
        }
    }
    out
}

/// A frame as a server writes it.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let head = match payload.len() {
        length @ 0..126 => vec![first, u8::try_from(length).unwrap()],
        length => [&[first, 126], &u16::try_from(length).unwrap().to_be_bytes()[..]].concat(),
    };
    [head, payload.to_vec()].concat()
}

/// Frames of all kinds, few of them invalid, so that valid frames follow each other.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        8 => prop::sample::select(&[0x81, 0x82, 0x01, 0x00, 0x80, 0x89, 0x8a][..]),
        1 => prop::sample::select(&[0x88, 0x08, 0xc1, 0x83, 0x8f][..]),
    ];
    let whole = (first, prop::collection::vec(any::<u8>(), 0..140)).prop_map(|(first, payload)| frame(first, &payload));
    let any = prop::collection::vec(any::<u8>(), 0..12);
    prop::collection::vec(prop_oneof![9 => whole, 1 => any], 0..8).prop_map(|frames| frames.concat())
}

proptest! {
    #[test]
    fn lines_are_the_same_however_they_were_cut(
        bytes in bytes_of(&[b"\n", b"\r\n", b"\r", b"{\"id\":\"5f3a9c21-42\",\"data\":", b"1}", b""]),
        cuts in cuts(),
    ) {
        let whole = lines([&bytes[..]].into_iter());
        prop_assert!(whole.0.len() <= bytes.len());
        prop_assert_eq!(lines(pieces(&bytes, &cuts)), whole);
    }

    #[test]
    fn events_are_the_same_wherever_any_bytes_were_cut(
        bytes in bytes_of(&[
            b"\n", b"\r\n", b"\r", b"data", b":", b" ", b"id", b"event", b"missed", b"retry", b"\xef\xbb\xbf", b"\0", b"7",
        ]),
        cuts in cuts(),
    ) {
        let whole = events([&bytes[..]].into_iter());
        prop_assert!(whole.0.len() <= bytes.len());
        prop_assert_eq!(events(pieces(&bytes, &cuts)), whole);
    }

    #[test]
    fn frames_are_the_same_however_they_were_cut(bytes in frames(), cuts in cuts()) {
        let whole = messages([&bytes[..]].into_iter());
        prop_assert!(whole.len() <= bytes.len());
        prop_assert_eq!(messages(pieces(&bytes, &cuts)), whole);
    }

    #[test]
    fn a_message_in_fragments_is_read_as_it_was_written(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..5),
        cuts in cuts(),
    ) {
        let last = parts.len() - 1;
        let bytes: Vec<u8> = parts.iter().enumerate().flat_map(|(number, part)| {
            frame(u8::from(number == 0) | if number == last { 0x80 } else { 0 }, part)
        }).collect();
        let text = format!("{:?}", super::websocket::Message::Text(&parts.concat()));
        prop_assert_eq!(messages(pieces(&bytes, &cuts)), [Ok(text)]);
    }

    #[test]
    fn a_line_is_refused_or_says_what_can_be_written_again(
        bytes in bytes_of(&[
            b"{", b"}", b"\"id\":", b"\"5f3a9c21-42\"", b",", b"\"data\":", b"1", b"null", b"\"missed\":", b"\"open\":",
            b"{\"id\":\"5f3a9c21-42\",\"data\":", b"{\"missed\":", b"{\"open\":\"5f3a9c21-42\"", b"[", b"]", b" ",
        ]),
    ) {
        drop(read(&bytes, Trust::Given));
        let Ok(unit) = read(&bytes, Trust::None) else { return Ok(()) };
        let again = match &unit {
            Unit::Message { id: Some(id), payload } => {
                let (id, payload) = (serde_json::to_string(id).unwrap(), String::from_utf8_lossy(payload));
                format!("{{\"id\":{id},\"data\":{payload}}}")
            }
            Unit::Message { id: None, payload } => format!("{{\"data\":{}}}", String::from_utf8_lossy(payload)),
            Unit::Missed { count, id } => {
                let count = count.map_or("null".into(), |count| count.to_string());
                let id = id.as_ref().map_or(String::new(), |id| format!(",\"id\":{}", serde_json::to_string(id).unwrap()));
                format!("{{\"missed\":{count}{id}}}")
            }
            Unit::Other => String::new(),
        };
        for trust in [Trust::None, Trust::Earned, Trust::Given] {
            prop_assert_eq!(&read(again.as_bytes(), trust).unwrap(), &unit);
        }
    }

    #[test]
    fn a_message_is_read_as_it_was_written(id in "[ -!#-\\[\\]-~]{1,24}", text: String, number: f64) {
        let payload = serde_json::json!([text, number]).to_string();
        let line = format!("{{\"id\":\"{id}\",\"data\":{payload}}}");
        let message = Unit::Message { id: Some(id.as_str().into()), payload: payload.as_bytes() };
        for trust in [Trust::None, Trust::Earned, Trust::Given] {
            prop_assert_eq!(&read(line.as_bytes(), trust).unwrap(), &message);
        }
    }
}
