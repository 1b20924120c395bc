//! What is built into the binary from outside its sources: it reaches `docker build`, and the build script watches it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::house::sources;

const CRATES: [&str; 8] = ["model", "stats", "planner", "network", "server", "loadgen", "reports", "cli"];

/// Whether `.dockerignore` leaves out a path: the last rule that matches it, or a folder above it, decides. Of Docker's
/// patterns it knows `*` within a name, and `!`. Source: Docker's reference of the file.
fn is_left_out(rules: &str, path: &Path) -> bool {
    let mut rules = rules.lines().filter(|rule| !rule.is_empty() && !rule.starts_with('#'));
    let decides = |rule: &&str| {
        let mut names = path.iter().map(|name| name.to_str().unwrap());
        rule.trim_start_matches('!').split('/').all(|pattern| names.next().is_some_and(|name| is_like(pattern, name)))
    };
    rules.rfind(decides).is_some_and(|rule| !rule.starts_with('!'))
}

fn is_like(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((begin, end)) => name.len() >= begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end),
        None => pattern == name,
    }
}

/// Every file that a crate builds in, from the root of the workspace.
fn built_in() -> Vec<PathBuf> {
    let sources = CRATES.iter().flat_map(|folder| sources(&format!("{folder}/src")));
    sources.flat_map(|source| built_in_by(&source)).collect()
}

fn built_in_by(source: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(source).unwrap();
    let uses = text.split("include_str!(\"").skip(1).chain(text.split("include_bytes!(\"").skip(1));
    let path = |rest: &str| source.parent().unwrap().join(rest.split('"').next().unwrap()).canonicalize().unwrap();
    uses.map(|rest| path(rest).strip_prefix(root()).unwrap().to_owned()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().canonicalize().unwrap()
}

#[test]
fn whatever_is_built_in_reaches_docker_build() {
    let (rules, all) = (fs::read_to_string(root().join(".dockerignore")).unwrap(), built_in());
    assert!(all.iter().any(|path| path.starts_with("results")), "the planner's model is among them: {all:#?}");
    let left_out: Vec<_> = all.iter().filter(|path| is_left_out(&rules, path)).collect();
    assert!(left_out.is_empty(), ".dockerignore leaves out what is built in: {left_out:#?}");
    assert!(is_left_out(&rules, Path::new("results/default-2026-11-29/records.jsonl")), "records are no part of it");
}

#[test]
fn whatever_is_built_in_is_watched_by_the_build_script() {
    let script = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("build.rs")).unwrap();
    let watched = script.split("const WATCHED").nth(1).unwrap().split(';').nth(1).unwrap();
    let watched: Vec<&str> = watched.split('"').skip(1).step_by(2).collect();
    let crates = CRATES.iter().map(|folder| PathBuf::from(format!("{folder}/src")));
    let missing: Vec<_> =
        crates.chain(built_in()).filter(|path| !watched.iter().any(|folder| path.starts_with(folder))).collect();
    assert!(missing.is_empty(), "name them in cli/build.rs: {missing:#?}");
}
