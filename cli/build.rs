//! Tells the binary what it was built from: compiler, profile and git revision.

use std::env;
use std::process::Command;

/// What the binary is built from, below the root of the workspace.
const WATCHED: [&str; 16] = [
    "model/src",
    "stats/src",
    "planner/src",
    "planner/prices.toml",
    "network/src",
    "server/src",
    "server/web",
    "loadgen/src",
    "reports/src",
    "cli/src",
    "workloads",
    "targets",
    "networks",
    "results/model-2026-11-28/model.json",
    "Cargo.toml",
    "Cargo.lock",
];

fn main() {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    emit("PUSHOFF_RUSTC", printed(&rustc, &["--version"]));
    emit("PUSHOFF_PROFILE", env::var("PROFILE").ok());
    // Without the lock git leaves its index as it is: what this reads must not look changed afterwards.
    let status = ["--no-optional-locks", "status", "--porcelain", "--untracked-files=no"];
    let dirty = printed("git", &status).is_some_and(|files| !files.is_empty());
    let revision = printed("git", &["rev-parse", "--short=12", "HEAD"]);
    emit("PUSHOFF_REVISION", revision.map(|hash| if dirty { format!("{hash}-dirty") } else { hash }));
    println!("cargo::rerun-if-changed=build.rs");
    // A commit or a checkout changes the revision; an edit of what is built into the binary makes it dirty.
    if let Some(log) = printed("git", &["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    for path in WATCHED {
        println!("cargo::rerun-if-changed=../{path}");
    }
}

fn emit(name: &str, value: Option<String>) {
    println!("cargo::rustc-env={name}={}", value.unwrap_or_else(|| "unknown".into()));
}

/// What a command printed; `None` where it is not there or failed.
fn printed(command: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(command).args(arguments).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned())
}
