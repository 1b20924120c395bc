//! The house: what must be one thing stands in one place.

use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file below a folder of the workspace.
pub(crate) fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(folder)];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// The code of a file, without its tests and its comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// Files that are compiled for tests alone.
fn is_of_tests(path: &Path) -> bool {
    let text = path.to_string_lossy();
    ["tests", "fixture", "made.rs", "properties"].iter().any(|part| text.contains(part))
}

const VARIANTS: [&str; 6] = ["ShortPolling", "LongPolling", "HttpStreaming", "Sse", "WebSocket", "RawTcp"];

fn naming_a_variant(folders: &[&str]) -> Vec<String> {
    let names = |path: &PathBuf| {
        let code = code(path);
        VARIANTS.iter().any(|variant| code.contains(&format!("Transport::{variant}")))
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found: Vec<String> = folders
        .iter()
        .flat_map(|folder| sources(folder))
        .filter(|path| !is_of_tests(path) && names(path))
        .map(|path| path.strip_prefix(root).unwrap().display().to_string())
        .collect();
    found.sort_unstable();
    found
}

#[test]
fn reports_planner_and_command_name_no_transport() {
    let found = naming_a_variant(&["reports/src", "planner/src", "stats/src", "cli/src"]);
    assert_eq!(found, Vec::<String>::new(), "read its traits instead (model/src/transport.rs)");
}

/// What a seventh transport touches beside the two files of its own: CONTRIBUTING.md says the same number.
#[test]
fn a_seventh_transport_touches_as_many_files_as_is_said() {
    let mut found = naming_a_variant(&["model/src", "server/src", "loadgen/src"]);
    // The variant itself stands there as `Self`.
    found.push("model/src/transport.rs".into());
    let contributing = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../CONTRIBUTING.md")).unwrap();
    let says = format!("{} files that name a transport", found.len());
    let plain = contributing.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(plain.contains(&says), "CONTRIBUTING.md does not say \"{says}\": {found:#?}");
}

#[test]
fn no_file_is_longer_than_four_hundred_lines() {
    let crates = ["model", "stats", "network", "server", "loadgen", "planner", "reports", "cli/src", "benches"];
    let length = |path: &PathBuf| fs::read_to_string(path).unwrap().lines().count();
    let long: Vec<_> = crates.iter().flat_map(|it| sources(it)).filter(|path| length(path) > 400).collect();
    assert!(long.is_empty(), "{long:#?}");
}
