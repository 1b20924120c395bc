//! Text that somebody else wrote, made safe to show: a server's answer, a file's words, a name.
//!
//! Whoever prints such a text prints it through [`shown`]: one line that no terminal takes for a
//! command (ECMA-48), that no bidirectional control reorders (UAX #9), and that has a bounded length.

use std::path::Path;

use serde::{Deserialize, Deserializer, Serializer};

/// Characters of an error body, a file's value or a reason that a message shows.
pub const SENTENCE: usize = 300;

/// Characters of a name or a short value that a message shows.
pub const NAME: usize = 80;

/// One line of at most `limit` characters: controls, line breaks, bidirectional overrides and
/// characters without a width are written out (`\n`, `\u{1b}`), and `…` says that there was more.
///
/// Text that was shown once is shown the same again, so that whoever is not sure may ask twice.
#[must_use]
pub fn shown(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let (mut length, mut room_for_the_sign) = (0, 0);
    for character in text.chars() {
        let from = line.len();
        if is_hidden(character) {
            line.extend(character.escape_default());
            length += line.len() - from;
        } else {
            line.push(character);
            length += 1;
        }
        if length > limit {
            line.truncate(room_for_the_sign);
            line.push('…');
            return line;
        }
        if length < limit {
            room_for_the_sign = line.len();
        }
    }
    line
}

/// A value as a message about it shows it: in quotation marks, shortened.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", shown(text, NAME))
}

/// The longest text that a recorded file may hold: what is beyond it is not kept.
const RECORDED: usize = 4_000;

/// A recorded text, as it may be shown. For `deserialize_with` of serde: whoever edits a file of a run
/// steers no terminal and no page by it.
///
/// # Errors
/// When it is no text.
pub fn line<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(shown(&String::deserialize(deserializer)?, RECORDED))
}

/// Several recorded texts, each as it may be shown. For `deserialize_with` of serde.
///
/// # Errors
/// When they are no list of texts.
pub fn lines<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Vec::<String>::deserialize(deserializer)?.iter().map(|text| shown(text, RECORDED)).collect())
}

/// A path in a recorded file: one whose name is no text is written as far as it is one. For
/// `serialize_with` of serde.
///
/// # Errors
/// When the text cannot be written.
pub fn written_path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

/// A path as messages name it, whole: one line, whatever its name holds.
#[must_use]
pub fn path(path: &Path) -> String {
    shown(&path.to_string_lossy(), usize::MAX)
}

/// Whether a reader would not see a character as what it is: Unicode's controls (C0, DEL, C1),
/// separators of lines, and format characters.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_written_out() {
        for (foreign, line) in [
            ("\u{1b}[31mred\u{1b}[0m", r"\u{1b}[31mred\u{1b}[0m"),
            ("\u{1b}]0;title\u{7}", r"\u{1b}]0;title\u{7}"),
            ("\u{9b}2J \u{90}q\u{9c} \u{9d}8;;x", r"\u{9b}2J \u{90}q\u{9c} \u{9d}8;;x"),
            ("over\rwritten\u{8}\u{7f}\0", r"over\rwritten\u{8}\u{7f}\u{0}"),
        ] {
            assert_eq!(shown(foreign, 100), line);
        }
    }

    #[test]
    fn every_line_break_is_visible() {
        let line = r"a\nb\r\nc\u{b}d\u{c}e\u{85}f\u{2028}g\u{2029}h\ti";
        assert_eq!(shown("a\nb\r\nc\u{b}d\u{c}e\u{85}f\u{2028}g\u{2029}h\ti", 100), line);
    }

    #[test]
    fn what_reorders_or_hides_text_is_written_out() {
        for hidden in ['\u{202e}', '\u{2066}', '\u{2069}', '\u{200f}', '\u{61c}', '\u{200b}', '\u{feff}', '\u{e0041}'] {
            let line = shown(&format!("a{hidden}b"), 100);
            assert_eq!(line, format!("a\\u{{{:x}}}b", u32::from(hidden)));
        }
    }

    #[test]
    fn other_scripts_and_ordinary_signs_stay_as_they_are() {
        for text in ["größer", "日本語", "עברית", "e\u{301}", "{\"error\":\"it's `no` <b>\\\"}", ""] {
            assert_eq!(shown(text, 100), text);
        }
    }

    #[test]
    fn a_long_text_is_shortened_with_a_sign_and_never_within_an_escape() {
        assert_eq!(shown("abcdef", 6), "abcdef");
        assert_eq!(shown("abcdefg", 6), "abcde…");
        assert_eq!(shown("ab\u{1b}cd", 6), "ab…");
        assert_eq!(shown("日本語日本語", 4), "日本語…");
        assert_eq!(shown(&"x".repeat(1 << 20), 300).chars().count(), 300);
        for limit in 0..20 {
            assert!(shown("a\u{1b}b\u{202e}c\u{1b}\n", limit).chars().count() <= limit.max(1), "{limit}");
        }
    }

    #[test]
    fn what_a_file_holds_is_read_as_a_line() {
        #[derive(Deserialize)]
        struct Recorded {
            #[serde(deserialize_with = "line")]
            one: String,
            #[serde(deserialize_with = "lines")]
            several: Vec<String>,
        }
        let text = r##"{"one":"a\n# b\u001b[2J","several":["\u202ex","y"]}"##;
        let Recorded { one, several } = serde_json::from_str(text).unwrap();
        assert_eq!((one.as_str(), several), (r"a\n# b\u{1b}[2J", vec![r"\u{202e}x".to_owned(), "y".to_owned()]));
    }

    #[test]
    fn what_was_shown_is_shown_the_same_again() {
        for text in ["\u{1b}[31m\n", "plain", "\u{202e}\\n", &"\u{7}".repeat(50)] {
            let once = shown(text, 40);
            assert_eq!(shown(&once, 40), once);
        }
    }
}
