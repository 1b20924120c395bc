//! Text that somebody else wrote, made safe to show: a server's answer, a file's words, a name.
//!
//! Whoever prints such a text prints it through [`shown`]: one line that no terminal takes for a
//! command (ECMA-48), that no bidirectional control reorders (UAX #9), and that has a bounded length.

use std::path::Path;

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
    fn what_was_shown_is_shown_the_same_again() {
        for text in ["\u{1b}[31m\n", "plain", "\u{202e}\\n", &"\u{7}".repeat(50)] {
            let once = shown(text, 40);
            assert_eq!(shown(&once, 40), once);
        }
    }
}
