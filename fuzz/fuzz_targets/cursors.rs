//! Cursors: refused, or written as they were read.
#![no_main]

use pushoff_model::{Cursor, Start};

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(cursor) = text.parse::<Cursor>() {
        assert_eq!(cursor.to_string(), text);
        assert_eq!(text.parse(), Ok(Start::After(cursor)));
    }
});
