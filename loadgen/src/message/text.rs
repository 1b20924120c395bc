//! Formats onto the end of a string without a temporary string.

use std::fmt::{Arguments, Write as _};

#[expect(clippy::expect_used, reason = "a String takes whatever it is given")]
pub(crate) fn append(out: &mut String, arguments: Arguments<'_>) {
    out.write_fmt(arguments).expect("a String takes whatever it is given");
}
