//! Malformed frames, to be thrown behind a handshake. Source: RFC 6455 §5.2 to §5.5, §7.4 and §8.1.

use super::Kind;
use crate::client::frames::{CLOSE, PING, PONG, TEXT, frame};
use crate::garbage::Garbage;

/// A text frame after which the message goes on.
const BEGIN: u8 = 0x01;
const CONTINUE: u8 = 0x00;
const CONTINUE_TO_THE_END: u8 = 0x80;

/// The `--max-payload` that these are made for. Little, so that to exceed it takes little.
pub(crate) const MAX_PAYLOAD: usize = 2048;

/// All of them, in equal parts.
pub(crate) const KINDS: [Kind; 18] = [
    Kind::refused("a reserved bit", |garbage| {
        let (kind, bits) = (garbage.one_of(&[TEXT, BEGIN, PING, CLOSE]), garbage.one_of(&[0x40, 0x20, 0x10, 0x70]));
        frame(kind | bits, b"1")
    }),
    Kind::refused("an opcode that is unknown", |garbage| {
        let opcode = garbage.one_of(&[0x3, 0x4, 0x5, 0x6, 0x7, 0xb, 0xc, 0xd, 0xe, 0xf]);
        frame(0x80 | opcode, &garbage.bytes(20))
    }),
    Kind::refused("no mask", |garbage| {
        let payload = garbage.one_of::<&[u8]>(&[b"\x811", b"{\"a\":1}", b"\"unmasked\"", b"[]"]);
        let length = u8::try_from(payload.len()).unwrap();
        [&[garbage.one_of(&[TEXT, BEGIN, PING]), length], payload].concat()
    }),
    Kind::refused("a length beyond all bounds", |garbage| {
        let length = garbage.one_of(&[u64::MAX, 1 << 63, i64::MAX as u64, 1 << 40, 1 << 32, 1 << 24]);
        [&[garbage.one_of(&[TEXT, BEGIN]), 0xff][..], &length.to_be_bytes(), &[1, 2, 3, 4], &garbage.bytes(40)].concat()
    }),
    Kind::refused("longer than a payload may be", |garbage| {
        frame(TEXT, &vec![b'1'; MAX_PAYLOAD + 1 + garbage.below(4000)])
    }),
    Kind::refused("fragments longer than a payload may be", |garbage| {
        let part = vec![b'1'; MAX_PAYLOAD / 3 + 1 + garbage.below(1000)];
        [frame(BEGIN, &part), frame(CONTINUE, &part), frame(CONTINUE_TO_THE_END, &part)].concat()
    }),
    Kind::refused("text that is not UTF-8", |garbage| frame(TEXT, not_utf8(garbage))),
    Kind::refused("fragments that are not UTF-8", |garbage| {
        let text = not_utf8(garbage);
        let (one, other) = text.split_at(garbage.below(text.len()));
        [frame(BEGIN, one), frame(PING, b"between"), frame(CONTINUE_TO_THE_END, other)].concat()
    }),
    Kind::refused("a control frame in fragments", |garbage| {
        frame(garbage.one_of(&[CLOSE, PING, PONG]) & 0x0f, &garbage.bytes(100))
    }),
    Kind::refused("a control frame that is too long", |garbage| {
        frame(garbage.one_of(&[CLOSE, PING, PONG]), &vec![3; 126 + garbage.below(1000)])
    }),
    Kind::refused("a continuation of nothing", |garbage| frame(garbage.one_of(&[CONTINUE, CONTINUE_TO_THE_END]), b"1")),
    Kind::refused("a message inside a message", |garbage| {
        [frame(BEGIN, b"[1,"), frame(garbage.one_of(&[TEXT, BEGIN]), b"2]")].concat()
    }),
    Kind::refused("a close with half a code", |garbage| frame(CLOSE, &[garbage.byte()])),
    Kind::refused("a close with a code that may not be sent", |garbage| {
        let code: u16 = garbage.one_of(&[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535]);
        frame(CLOSE, &code.to_be_bytes())
    }),
    Kind::refused("a close whose reason is not UTF-8", |garbage| {
        frame(CLOSE, &[&1000_u16.to_be_bytes(), not_utf8(garbage)].concat())
    }),
    Kind::taken_or_not("cut short", |garbage| {
        let mut bytes = frame(garbage.one_of(&[TEXT, BEGIN, PING, CLOSE]), &[b'1'; 100]);
        bytes.truncate(garbage.below(bytes.len()));
        bytes
    }),
    Kind::taken_or_not("mutated", |garbage| {
        let valid =
            [frame(TEXT, b"{\"a\":1}"), frame(BEGIN, b"[1,"), frame(PING, b""), frame(CONTINUE_TO_THE_END, b"2]")];
        garbage.mutated(&valid.concat())
    }),
    Kind::taken_or_not("random bytes", |garbage| garbage.bytes(200)),
];

/// What no text may hold: a stray continuation, an overlong form, a surrogate, beyond Unicode, a beginning.
fn not_utf8(garbage: &mut Garbage) -> &'static [u8] {
    garbage.one_of::<&[u8]>(&[
        b"\"\x80\"",
        b"\"\xc0\xaf\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xf4\x90\x80\x80\"",
        b"\"\xe2\x82",
        b"\xff",
    ])
}
