//! The house: what must be one thing stands in one place.

use std::collections::{BTreeMap, BTreeSet};
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

/// The names that follow `from` in a file's code: `from::name`, or each of `from::{name, name::other}`.
fn named_after(from: &str, code: &str) -> BTreeSet<String> {
    let name = |text: &str| text.split(|it: char| !it.is_alphanumeric() && it != '_').next().unwrap_or("").to_owned();
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices(from) {
        let is_whole = !code[..at].ends_with(|it: char| it.is_alphanumeric() || it == '_');
        let Some(list) = code[at + from.len()..].strip_prefix('{') else {
            found.extend(is_whole.then(|| name(&code[at + from.len()..])));
            continue;
        };
        let (mut depth, mut begins) = (1, true);
        for (at, letter) in list.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => begins = true,
                _ if letter.is_whitespace() => {}
                _ if std::mem::take(&mut begins) => drop(found.insert(name(&list[at..]))),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

/// The top-level modules of a crate, each with those that it uses: its files are `(path below src, code)`.
fn modules(files: impl Iterator<Item = (PathBuf, String)>) -> BTreeMap<String, BTreeSet<String>> {
    let mut modules = BTreeMap::<_, BTreeSet<_>>::new();
    for (path, code) in files {
        let top = path.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if ["lib", "main"].contains(&&*top) {
            continue;
        }
        let mut used = named_after("crate::", &code);
        if path.components().count() == 1 || path.ends_with(format!("{top}/mod.rs")) {
            used.extend(named_after("super::", &code));
        }
        used.remove(&top);
        modules.entry(top).or_default().append(&mut used);
    }
    modules
}

/// The modules of circles, and those that stand between two circles; none where each uses lower ones alone.
fn in_circles(mut modules: BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    loop {
        let uses_another = |name: &String| modules[name].iter().any(|it| modules.contains_key(it));
        let is_used = |name: &String| modules.values().any(|used| used.contains(name));
        let Some(free) = modules.keys().find(|name| !uses_another(name) || !is_used(name)).cloned() else {
            return modules.into_keys().collect();
        };
        modules.remove(&free);
    }
}

#[test]
fn a_circle_of_modules_is_found_whatever_way_they_name_each_other() {
    let circles =
        |files: &[(&str, &str)]| in_circles(modules(files.iter().map(|(path, code)| (path.into(), (*code).into()))));
    let none: [&str; 0] = [];
    let top = ("main.rs", "use crate::{one, two};");
    let down = [
        top,
        ("one.rs", "use crate::two::Two;"),
        ("two/mod.rs", "mod one;\nuse std::io;"),
        ("two/one.rs", "use super::Two;"),
    ];
    assert_eq!(circles(&down), none);
    for up in [
        "use crate::one::One;",
        "use crate::{\n    three::{Three, one},\n    one::One,\n};",
        "fn two() -> super::one::One {}",
    ] {
        assert_eq!(circles(&[top, ("one.rs", "use crate::two::Two;"), ("two/mod.rs", up)]), ["one", "two"], "{up}");
    }
    let deep = [
        ("one/deep.rs", "crate::two::two()"),
        ("two.rs", "use crate::three;"),
        ("three/x.rs", "use crate::{one};"),
        ("user.rs", "use crate::one;"),
    ];
    assert_eq!(circles(&deep), ["one", "three", "two"]);
    assert_eq!(
        circles(&[("one.rs", "use crate::{two::{one}};\nuse other_crate::one;"), ("two.rs", "use other_crate::one;")]),
        none
    );
}

#[test]
fn no_crate_has_a_circle_of_modules() {
    let circle = |of: &str| {
        let folder = format!("{of}/src");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(&folder);
        let files = sources(&folder).into_iter().filter(|path| !is_of_tests(path));
        in_circles(modules(files.map(|path| (path.strip_prefix(&root).unwrap().to_owned(), code(&path)))))
    };
    let crates = ["model", "stats", "planner", "reports", "loadgen", "server", "network", "cli"];
    let circles: Vec<_> = crates.map(|of| (of, circle(of))).into_iter().filter(|(_, it)| !it.is_empty()).collect();
    assert!(circles.is_empty(), "modules of a crate use each other in a circle: {circles:?}");
}
