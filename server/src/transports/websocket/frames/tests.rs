//! Frames against the standard's own examples, and against whatever clients send.

use std::time::Duration;

use proptest::prelude::*;
use tokio::time::advance;

use super::*;
use crate::memory::Memory;

const LIMIT: usize = 300;

/// A frame as a client sends it; `first` is its first byte.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![first];
    match u8::try_from(payload.len()) {
        Ok(length @ ..126) => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    frame.extend_from_slice(&mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

fn frames(limit: usize) -> Frames {
    Frames::new(limit, &Memory::new(1 << 20).incoming)
}

fn all(bytes: &[u8]) -> Result<Vec<Received>, CloseFrame> {
    let mut frames = frames(LIMIT);
    frames.extend(bytes).unwrap();
    std::iter::from_fn(|| frames.next().transpose()).collect()
}

fn text(text: &str) -> Received {
    Received::Text(text.to_owned())
}

#[test]
fn the_specifications_own_examples_are_read() {
    // RFC 6455 §5.7: a masked text message; a fragmented one, masked; a masked pong.
    let hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(all(&hello).unwrap(), [text("Hello")]);
    let fragments = [masked(0x01, b"Hel"), masked(0x80, b"lo")].concat();
    assert_eq!(all(&fragments).unwrap(), [text("Hello")]);
    let pong = [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(all(&pong).unwrap(), [Received::Pong]);
}

#[test]
fn control_frames_may_stand_between_fragments() {
    let bytes = [masked(0x01, b"1"), masked(0x89, b"sign"), masked(0x80, b"2")].concat();
    assert_eq!(all(&bytes).unwrap(), [Received::Ping(Bytes::from_static(b"sign")), text("12")]);
}

#[test]
fn every_protocol_error_has_its_own_reason() {
    let broken = |bytes: &[u8]| all(bytes).unwrap_err().reason.to_string();
    let protocol = |error: ProtocolError| Error::Protocol(error).to_string();
    assert_eq!(broken(&[0x81, 0x01, b'1']), protocol(ProtocolError::UnmaskedFrameFromClient));
    assert_eq!(broken(&masked(0xc1, b"1")), protocol(ProtocolError::NonZeroReservedBits));
    assert_eq!(broken(&masked(0x83, b"1")), protocol(ProtocolError::InvalidOpcode(3)));
    assert_eq!(broken(&masked(0x80, b"1")), protocol(ProtocolError::UnexpectedContinueFrame));
    assert_eq!(broken(&masked(0x09, b"")), protocol(ProtocolError::FragmentedControlFrame));
    assert_eq!(broken(&masked(0x89, &[0; 126])), protocol(ProtocolError::ControlFrameTooBig));
    assert_eq!(broken(&masked(0x88, b"1")), protocol(ProtocolError::InvalidCloseSequence));
    let two_begun = [masked(0x01, b"1"), masked(0x81, b"2")].concat();
    assert_eq!(broken(&two_begun), protocol(ProtocolError::ExpectedFragment(Data::Text)));
}

#[test]
fn a_message_is_too_long_by_its_head_or_by_the_sum_of_its_fragments() {
    let too_long = |bytes: &[u8]| all(bytes).is_err_and(|error| error.code == CloseCode::Size);
    assert!(too_long(&masked(0x81, &[b'1'; LIMIT + 1])[..8]));
    assert!(too_long(&[masked(0x01, &[b'1'; LIMIT]), masked(0x80, b"1")].concat()));
    assert!(!too_long(&[masked(0x01, &[b'1'; LIMIT - 1]), masked(0x80, b"1")].concat()));
    assert!(too_long(&[0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]));
}

#[test]
fn text_fails_at_the_first_fragment_that_cannot_be_utf8() {
    let not_utf8 = |bytes: &[u8]| all(bytes).is_err_and(|error| error.code == CloseCode::Invalid);
    assert_eq!(all(&[masked(0x01, b"\xc3"), masked(0x80, b"\xa9")].concat()).unwrap(), [text("é")]);
    assert!(not_utf8(&masked(0x01, b"a\xff")));
    assert!(not_utf8(&[masked(0x01, b"\xc3"), masked(0x00, b"a")].concat()));
    assert!(not_utf8(&masked(0x81, b"\xc3")));
    assert!(not_utf8(&masked(0x88, b"\x03\xe8\xff")));
}

#[test]
fn a_close_is_answered_with_its_own_code_if_endpoints_may_send_it() {
    let close = |code: u16| all(&masked(0x88, &[&code.to_be_bytes()[..], b"bye"].concat())).unwrap();
    let echo = CloseFrame { code: CloseCode::Library(4001), reason: "bye".into() };
    assert_eq!(close(4001), [Received::Close(Some(echo))]);
    let [Received::Close(Some(violation))] = &close(1005)[..] else { panic!("a close") };
    assert_eq!(violation.code, CloseCode::Protocol);
    assert_eq!(all(&masked(0x88, b"")).unwrap(), [Received::Close(None)]);
}

#[test]
fn between_frames_nothing_is_held() {
    let memory = Memory::new(8 * 50);
    let mut frames = Frames::new(LIMIT, &memory.incoming);
    let frame = masked(0x81, b"1");
    frames.extend(&frame).unwrap();
    assert_eq!(memory.held(), frame.len());
    assert_eq!(frames.next().unwrap(), Some(text("1")));
    assert_eq!(memory.held(), 0);
}

#[test]
fn fragments_are_held_and_refused_where_there_is_no_room() {
    let memory = Memory::new(8 * 140);
    let mut frames = Frames::new(LIMIT, &memory.incoming);
    frames.extend(&masked(0x01, &[b'1'; 60])).unwrap();
    assert_eq!(frames.next().unwrap(), None);
    assert_eq!(memory.held(), 60);
    assert_eq!(frames.extend(&[0; 81]).unwrap_err().code, CloseCode::Again);
    frames.extend(&masked(0x00, &[b'1'; 30])).unwrap();
    assert_eq!(frames.next().unwrap_err().code, CloseCode::Again);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_whole_has_the_time_of_its_first_byte_and_its_kind() {
    let [first, pong, last, binary] = [masked(0x01, b"12"), masked(0x8a, b""), masked(0x80, b"3"), masked(0x82, b"4")];
    let behind = [&last[3..], &binary[..2]].concat();
    let (text, start) = (Some((0, Some(Data::Text))), Instant::now());
    let steps = [
        (&first[..1], text),
        (&first[1..], text),
        (&pong[..], text),
        (&last[..3], text),
        (&behind[..], Some((4, Some(Data::Binary)))),
        (&binary[2..], None),
        (&pong[..1], Some((6, None))),
        (&pong[1..], None),
    ];
    let mut frames = frames(LIMIT);
    for (second, (bytes, expected)) in steps.into_iter().enumerate() {
        frames.extend(bytes).unwrap();
        while frames.next().unwrap().is_some() {}
        let begun = frames.begun().map(|(since, kind)| (since.duration_since(start).as_secs(), kind));
        assert_eq!(begun, expected, "after {second} s");
        advance(Duration::from_secs(1)).await;
    }
}

proptest! {
    #[test]
    fn how_the_bytes_arrive_changes_nothing(
        messages in proptest::collection::vec((proptest::collection::vec("[a-zé€]{0,60}", 1..4), any::<bool>()), 1..5),
        cuts in proptest::collection::vec(1_usize..40, 1..20),
    ) {
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for (fragments, is_pinged) in &messages {
            for (index, fragment) in fragments.iter().enumerate() {
                let fin = if index + 1 == fragments.len() { 0x80 } else { 0 };
                if *is_pinged {
                    bytes.extend(masked(0x89, b"p"));
                    expected.push(Received::Ping(Bytes::from_static(b"p")));
                }
                bytes.extend(masked(fin | u8::from(index == 0), fragment.as_bytes()));
            }
            expected.push(Received::Text(fragments.concat()));
        }
        let mut frames = frames(1000);
        let mut received = Vec::new();
        let mut rest = &bytes[..];
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at(rest.len().min(*cut));
            frames.extend(now).unwrap();
            while let Some(message) = frames.next().unwrap() {
                received.push(message);
            }
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(received, expected);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut frames = frames(LIMIT);
        for byte in bytes {
            frames.extend(&[byte]).unwrap();
            if frames.next().is_err() {
                break;
            }
            prop_assert!(frames.partial.len() <= LIMIT + 14);
        }
    }
}
