//! What holds for any cursor, topic and target file. `scripts/fuzz` runs these by the million.

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use pushoff_model::file::FileError;
use pushoff_model::{Cursor, Epoch, Start, target};

/// `valid` with pieces of it left out, doubled or written over, so that most of it still stands.
fn mutated(valid: &'static str) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(String::new()),
        "[ -~]{1,3}",
        any::<char>().prop_map(String::from),
        prop::sample::select(
            &["\n", "\"", "'", "[", "]", "{", "}", "{topic}", "=", "-", "/", "~", "\\u0000", "0", "é"][..]
        )
        .prop_map(str::to_owned),
    ];
    let edit = (any::<Index>(), 0_usize..9, piece, any::<bool>());
    prop::collection::vec(edit, 1..5).prop_map(|edits| {
        let mut chars: Vec<char> = valid.chars().collect();
        for (at, length, piece, keep) in edits {
            let at = at.index(chars.len() + 1);
            let end = (at + length).min(chars.len());
            let kept: Vec<char> = if keep { chars[at..end].to_vec() } else { Vec::new() };
            chars.splice(at..end, kept.iter().copied().chain(piece.chars()).chain(kept.iter().copied()));
        }
        chars.into_iter().collect()
    })
}

proptest! {
    #[test]
    fn a_cursor_is_refused_or_written_as_it_was_read(text in mutated("5f3a9c21-18446744073709551615")) {
        if let Ok(cursor) = text.parse::<Cursor>() {
            prop_assert_eq!(cursor.to_string(), text);
        }
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written(epoch: u32, sequence: u64) {
        let cursor = Cursor { epoch: Epoch(epoch), sequence };
        let text = cursor.to_string();
        prop_assert_eq!(text.parse(), Ok(cursor));
        prop_assert_eq!(text.parse(), Ok(Start::After(cursor)));
        prop_assert_eq!(serde_json::from_str::<Cursor>(&format!("\"{text}\"")).ok(), Some(cursor));
    }

    #[test]
    fn a_target_file_is_read_or_refused_at_one_of_its_lines(text in mutated(include_str!("../../targets/pushoff.toml"))) {
        match target::parse(&text, Path::new("a.toml")) {
            Ok(target) => prop_assert!(!target.name.is_empty() && !target.dialect.techniques.is_empty()),
            Err(FileError::Wrong { line, problem, .. }) => {
                // A text that ends with a line break has an end that is on a line of its own.
                let lines = text.bytes().filter(|&byte| byte == b'\n').count() + 1;
                prop_assert!((1..=lines).contains(&line), "line {} of {}: {}", line, lines, problem);
                prop_assert!(!problem.is_empty());
            }
            Err(error @ FileError::Unreadable { .. }) => prop_assert!(false, "nothing was to be read: {}", error),
        }
    }

    #[test]
    fn an_address_is_refused_or_a_host_and_a_path(text in mutated("http://user@[::1]:8080/base/?query#fragment")) {
        match target::address(&text) {
            Ok(address) => {
                prop_assert!(!address.authority.host().is_empty(), "{:?}", address);
                prop_assert!(!address.base.contains('?') && !address.base.ends_with('/'), "{:?}", address);
                let again = format!("http://{}{}", address.authority, address.base);
                prop_assert_eq!(target::address(&again), Ok(address));
            }
            Err(why) => prop_assert!(why.contains("e.g. http://"), "{}", why),
        }
    }
}
