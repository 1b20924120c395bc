//! Formatting onto the end of a text without a text in between.

use std::fmt::{Arguments, Write as _};

/// Appends `arguments` to `out`.
#[expect(clippy::expect_used, reason = "a String takes whatever it is given")]
pub(crate) fn append(out: &mut String, arguments: Arguments<'_>) {
    out.write_fmt(arguments).expect("a String takes whatever it is given");
}
