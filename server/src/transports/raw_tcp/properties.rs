//! Properties of every head on raw TCP, however the reads divide it. `scripts/fuzz` runs these tests with
//! millions of cases.

use futures_util::FutureExt;
use proptest::prelude::*;
use proptest::sample::Index;
use pushoff_model::{Cursor, Epoch};

use super::*;

/// Parses a head that arrives in at most three reads.
fn read(bytes: &[u8], cuts: [Index; 2]) -> Option<(Topic, Start)> {
    let mut cuts = cuts.map(|cut| cut.index(bytes.len() + 1));
    cuts.sort_unstable();
    let (first, rest) = bytes.split_at(cuts[0]);
    let (second, third) = rest.split_at(cuts[1] - cuts[0]);
    head(&mut first.chain(second).chain(third)).now_or_never().unwrap()
}

proptest! {
    #[test]
    fn a_head_is_the_same_however_it_was_cut(
        pieces in prop::collection::vec(
            prop_oneof![
                6 => prop::sample::select(&[
                    "SUBSCRIBE ", "topic", "t", " ", "start", "5f3a9c21-42", "\n", "\r\n", "-", "0", "99999999999",
                ][..]).prop_map(|piece| piece.as_bytes().to_vec()),
                1 => prop::collection::vec(any::<u8>(), 0..60),
            ],
            0..8,
        ),
        begins_well: bool,
        cuts: [Index; 2],
    ) {
        let begin = if begins_well { &b"SUBSCRIBE t"[..] } else { b"" };
        let bytes = [begin, &pieces.concat()].concat();
        let whole = &bytes[..bytes.len().min(HEAD_BYTES)];
        let meant = if whole.contains(&b'\n') { parse(whole) } else { None };
        prop_assert_eq!(read(&bytes, cuts), meant);
    }

    #[test]
    fn a_head_is_read_as_it_was_written(
        topic in "[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}",
        start in prop_oneof![
            Just(Start::Now),
            Just(Start::Oldest),
            any::<(u32, u64)>().prop_map(|(epoch, sequence)| Start::After(Cursor { epoch: Epoch(epoch), sequence })),
        ],
        end in prop_oneof![Just("\n"), Just("\r\n")],
        cuts: [Index; 2],
    ) {
        let written = match start {
            Start::Now => format!("SUBSCRIBE {topic}{end}"),
            Start::Oldest => format!("SUBSCRIBE {topic} start{end}"),
            Start::After(cursor) => format!("SUBSCRIBE {topic} {cursor}{end}"),
        };
        prop_assert_eq!(read(written.as_bytes(), cuts), Some((topic.parse().unwrap(), start)));
    }
}
