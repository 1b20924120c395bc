//! Tells the binary what it was built from: compiler, profile and git revision.

use std::env;
use std::process::Command;

fn main() {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    emit("PUSHOFF_RUSTC", printed(&rustc, &["--version"]));
    emit("PUSHOFF_PROFILE", env::var("PROFILE").ok());
    let dirty =
        printed("git", &["status", "--porcelain", "--untracked-files=no"]).is_some_and(|files| !files.is_empty());
    let revision = printed("git", &["rev-parse", "--short=12", "HEAD"]);
    emit("PUSHOFF_REVISION", revision.map(|hash| if dirty { format!("{hash}-dirty") } else { hash }));
    println!("cargo::rerun-if-changed=build.rs");
    if let Some(folder) = printed("git", &["rev-parse", "--absolute-git-dir"]) {
        println!("cargo::rerun-if-changed={folder}/HEAD");
        println!("cargo::rerun-if-changed={folder}/index");
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
