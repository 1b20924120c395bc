//! Files that describe a server to be measured: read, or refused at one of their lines.
#![no_main]

use std::path::Path;

use pushoff_model::file::FileError;
use pushoff_model::target;

libfuzzer_sys::fuzz_target!(|text: &str| {
    match target::parse(text, Path::new("a.toml")) {
        Ok(target) => assert!(!target.name.is_empty() && !target.dialect.techniques.is_empty()),
        Err(FileError::Wrong { line, problem, .. }) => {
            let lines = text.bytes().filter(|&byte| byte == b'\n').count() + 1;
            assert!((1..=lines).contains(&line) && !problem.is_empty(), "line {line} of {lines}: {problem}");
        }
        Err(error @ FileError::Unreadable { .. }) => panic!("nothing was to be read: {error}"),
    }
});
