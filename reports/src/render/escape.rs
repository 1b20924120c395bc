//! Words that others may have written, as Markdown that shows them and does nothing else.
//!
//! Source: `CommonMark` 0.31.2 §2.4 and §2.5, GitHub Flavored Markdown §4.10. Characters of HTML become
//! entities, because a reader that filters HTML looks for it before it looks for backslashes.

use pushoff_model::foreign::shown;

/// Text that stands in a line or in a cell of a table as it is.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in shown(text, usize::MAX).chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' => out.extend(['\\', character]),
            _ => out.push(character),
        }
    }
    out
}

/// Text that stands in a line as code; as plain text where code cannot show it everywhere.
pub(crate) fn code(text: &str) -> String {
    let text = shown(text, usize::MAX);
    if text.trim().is_empty() || text.contains(['`', '<', '&', '|']) { escaped(&text) } else { format!("`{text}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_markup_is_text() {
        for (text, shown) in [
            ("# Heading", r"\# Heading"),
            ("a | b", r"a \| b"),
            ("[x](javascript:1)", r"\[x\](javascript:1)"),
            ("![x](http://a)", r"!\[x\](http://a)"),
            ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
            ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
            ("`code` **bold** _it_ ~~no~~", r"\`code\` \*\*bold\*\* \_it\_ \~\~no\~\~"),
            ("one\n# two\r\n\n| three", r"one\\n\# two\\r\\n\\n\| three"),
            ("\u{1b}[31m\u{202e}", r"\\u{1b}\[31m\\u{202e}"),
            ("40 % of 300 – “fine” (p99)", "40 % of 300 – “fine” (p99)"),
        ] {
            assert_eq!(escaped(text), shown);
        }
    }

    #[test]
    fn code_ends_where_it_is_to_in_a_table_too() {
        for (text, shown) in [
            ("pushoff run --out 'a b'", "`pushoff run --out 'a b'`"),
            ("a `b` <c>", r"a \`b\` &lt;c&gt;"),
            ("a\n# b", r"`a\n# b`"),
            ("a | b", r"a \| b"),
            ("", ""),
        ] {
            assert_eq!(code(text), shown);
        }
    }
}
