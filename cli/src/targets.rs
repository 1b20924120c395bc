//! The servers that a command is asked to look at: `--target`, read and checked.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail, ensure};
use pushoff_model::foreign;
use pushoff_model::target::{self, BUILT_IN, OURS, Place, Target};

/// The targets that are asked for; our own server where none is.
pub(crate) fn asked(asked: &[OsString]) -> anyhow::Result<Vec<Arc<Target>>> {
    let ours = [OURS.into()];
    let mut targets: Vec<Arc<Target>> = Vec::new();
    for text in if asked.is_empty() { &ours[..] } else { asked } {
        let target = match text.to_str() {
            Some(text) => one(text)?,
            None => of_file(text)?,
        };
        ensure!(
            targets.iter().all(|other| other.name != target.name),
            "two targets are named {}: call one otherwise, by `name` in its TOML file or with NAME=FILE",
            target.name
        );
        targets.push(Arc::new(target));
    }
    Ok(targets)
}

/// One target: `pushoff`, a URL, `DIALECT=URL`, a TOML file or `NAME=FILE`.
fn one(text: &str) -> anyhow::Result<Target> {
    if text == OURS {
        return built_in(OURS);
    }
    let is_url = |text: &str| text.contains("://");
    if let Some((dialect, url)) = text.split_once('=').filter(|(dialect, url)| !is_url(dialect) && is_url(url)) {
        return at(built_in(dialect)?, url);
    }
    if is_url(text) {
        return at(Target { name: "target".to_owned(), ..built_in(OURS)? }, text);
    }
    if BUILT_IN.iter().any(|(name, _)| *name == text) {
        bail!(
            "--target {text} does not say where it listens: write {text}=http://127.0.0.1:PORT, or have targets/{text}.toml \
             of pushoff's repository start one"
        );
    }
    of_file(OsStr::new(text))
}

/// The target of a TOML file: `FILE` or `NAME=FILE`. The name of a file need not be text.
fn of_file(asked: &OsStr) -> anyhow::Result<Target> {
    let is_file = |text: &OsStr| Path::new(text).extension().is_some() || text.as_bytes().contains(&b'/');
    ensure!(
        is_file(asked),
        "--target {} is neither a URL (http://127.0.0.1:8080) nor a TOML file (docs/TARGETS.md)",
        foreign::quoted(&asked.to_string_lossy())
    );
    let bytes = asked.as_bytes();
    let named = bytes.iter().position(|&byte| byte == b'=').and_then(|at| {
        let (name, file) = (str::from_utf8(&bytes[..at]).ok()?, OsStr::from_bytes(&bytes[at + 1..]));
        (target::is_name(name) && is_file(file)).then_some((name, file))
    });
    let target = match named.filter(|_| !Path::new(asked).exists()) {
        Some((name, file)) => Target { name: name.to_owned(), ..target::read(Path::new(file))? },
        None => target::read(Path::new(asked))?,
    };
    ensure!(
        target.place != Place::Unsaid,
        "{} says neither `url` nor `start`: add where the server listens, or the command that starts it",
        foreign::path(Path::new(asked))
    );
    Ok(target)
}

fn at(target: Target, url: &str) -> anyhow::Result<Target> {
    let address = target::address(url).map_err(|problem| anyhow!("--target {problem}"))?;
    Ok(Target { place: Place::At(address), ..target })
}

fn built_in(name: &str) -> anyhow::Result<Target> {
    let known = || BUILT_IN.map(|(name, _)| name).join(", ");
    let target = target::built_in(name).with_context(|| {
        format!("{name} is not a dialect that comes with pushoff: take one of {}, or a TOML file", known())
    })?;
    Ok(target?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Result<Vec<String>, String> {
        let texts: Vec<OsString> = texts.iter().map(OsString::from).collect();
        asked(&texts)
            .map(|targets| targets.iter().map(|target| target.name.clone()).collect())
            .map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn without_a_wish_our_own_server_is_measured() {
        assert_eq!(names(&[]).unwrap(), [OURS]);
        assert_eq!(
            names(&[OURS, "http://127.0.0.1:1", "nchan=http://127.0.0.1:2"]).unwrap(),
            [OURS, "target", "nchan"]
        );
    }

    #[test]
    fn a_file_may_be_called_otherwise_so_that_two_builds_stand_side_by_side() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mine.toml");
        let written = "name = \"mine\"\nurl = \"http://127.0.0.1:1\"\n[publish]\npath = \"/\"\n[sse]\npath = \"/\"\n";
        std::fs::write(&file, written).unwrap();
        let file = file.to_str().unwrap();
        let (base, new) = (format!("base={file}"), format!("new={file}"));
        assert_eq!(names(&[&base, &new, file]).unwrap(), ["base", "new", "mine"]);
        assert!(names(&[file, file]).unwrap_err().contains("NAME=FILE"));
        assert!(names(&["base=missing.toml"]).unwrap_err().contains("missing.toml"));
    }

    #[test]
    fn a_wrong_target_is_told_what_would_be_one() {
        for (text, says) in [
            ("https://example.org", "TLS"),
            ("nonsense=http://127.0.0.1:1", "not a dialect"),
            ("nonsense", "neither a URL"),
            ("nchan", "nchan=http://"),
            ("ftp://127.0.0.1", "begins with http://"),
            ("missing.toml", "missing.toml"),
        ] {
            let error = names(&[text]).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
        assert!(names(&["http://127.0.0.1:1", "http://127.0.0.1:2"]).unwrap_err().contains("two targets"));
    }
}
