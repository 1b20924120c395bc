//! `--target`: parsed and checked.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail, ensure};
use pushoff_loadgen::find;
use pushoff_model::foreign;
use pushoff_model::target::{self, Address, BUILT_IN, OURS, Place, Target};

use crate::arguments::TrustOptions;
use crate::terminal;

/// The targets of a run: those of `--target`, or the servers of `--server-url`.
pub(crate) fn of_run(target: &[OsString], server_url: &[String]) -> anyhow::Result<Vec<Arc<Target>>> {
    if server_url.is_empty() { asked(target).context("--target") } else { Ok(vec![servers(server_url)?]) }
}

/// Refuses `--ca` and `--insecure` where no server is reached at an https:// address.
///
/// # Errors
/// When one of them is given, and would change nothing.
pub(crate) fn ensure_trust_matters(trust: &TrustOptions, targets: &[Arc<Target>]) -> anyhow::Result<()> {
    let is_secure = |target: &Arc<Target>| matches!(&target.place, Place::At(address) if address.is_tls);
    let flag = if trust.ca.is_some() { "--ca" } else { "--insecure" };
    ensure!(
        (trust.ca.is_none() && !trust.insecure) || targets.iter().any(is_secure),
        "{flag} is for https:// addresses: leave it out, or give the server's https:// address"
    );
    Ok(())
}

/// The targets of `--target`; our own server without it.
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
            "two targets are named {}: rename one with NAME=URL, NAME=FILE, or `name` in its TOML file",
            target.name
        );
        ensure!(
            !target.is_ours() || target.dialect == built_in(OURS)?.dialect,
            "{OURS} is the name of pushoff's own server, and {text} has another wire contract: give it another name",
            text = target::redacted(&text.to_string_lossy())
        );
        targets.push(Arc::new(target));
    }
    Ok(targets)
}

/// The one target of `--server-url`: several of pushoff's own servers that share a log.
///
/// # Errors
/// When one is no address, or some are reached over TLS and others are not.
fn servers(urls: &[String]) -> anyhow::Result<Arc<Target>> {
    let addresses = urls.iter().map(|url| target::address(url).map_err(|problem| anyhow!(problem)));
    let addresses = addresses.collect::<anyhow::Result<Vec<_>>>()?;
    ensure!(
        addresses.windows(2).all(|pair| pair[0].is_tls == pair[1].is_tls),
        "--server-url has https:// and http:// addresses: give those of one kind"
    );
    let twice = addresses.iter().enumerate().find(|(at, one)| addresses[..*at].contains(one));
    ensure!(twice.is_none(), "--server-url names {} twice", twice.map_or("", |(_, one)| one.authority.as_str()));
    let mut addresses = addresses.into_iter();
    let place = Place::At(addresses.next().context("--server-url needs an address")?);
    Ok(Arc::new(Target { place, others: addresses.collect(), ..built_in(OURS)? }))
}

/// The same targets, each with the socket address that answered: every client and publisher of a run uses it.
///
/// # Errors
/// When no server listens at one of the addresses.
pub(crate) async fn found(targets: Vec<Arc<Target>>) -> anyhow::Result<Vec<Arc<Target>>> {
    let mut all = Vec::with_capacity(targets.len());
    for target in targets {
        let Place::At(address) = &target.place else {
            all.push(target);
            continue;
        };
        let place = Place::At(found_at(address, &target.name).await?);
        let mut others = Vec::with_capacity(target.others.len());
        for other in &target.others {
            others.push(found_at(other, &target.name).await?);
        }
        all.push(Arc::new(Target { place, others, ..Target::clone(&target) }));
    }
    Ok(all)
}

async fn found_at(address: &Address, name: &str) -> anyhow::Result<Address> {
    let socket = find(address).await.with_context(|| format!("looking at {name}"))?;
    if address.host() != socket.ip().to_string() {
        terminal::remark(&format!("{name}: using {socket} for {}", address.authority));
    }
    Ok(Address { socket: Some(socket), ..address.clone() })
}

/// One target: `pushoff`, `[NAME=][DIALECT=]URL`, or `[NAME=]FILE`.
fn one(text: &str) -> anyhow::Result<Target> {
    if text == OURS {
        return built_in(OURS);
    }
    if let Some(target) = by_url(text)? {
        return Ok(target);
    }
    if BUILT_IN.iter().any(|(name, _)| *name == text) {
        bail!(
            "{text} has no address: write {text}=http://127.0.0.1:PORT, or use targets/{text}.toml, which starts one"
        );
    }
    has_its_scheme(text)?;
    of_file(OsStr::new(text))
}

/// The target of a TOML file: `FILE` or `NAME=FILE`. A file name need not be UTF-8.
fn of_file(asked: &OsStr) -> anyhow::Result<Target> {
    let is_file = |text: &OsStr| Path::new(text).extension().is_some() || text.as_bytes().contains(&b'/');
    ensure!(
        is_file(asked),
        "{} is neither a URL (http://127.0.0.1:8080) nor a TOML file (docs/TARGETS.md)",
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
        "{} has neither `url` nor `start`: add the server's address, or the command that starts it",
        foreign::path(Path::new(asked))
    );
    Ok(target)
}

/// Refuses an address without its scheme, unless a file has that name.
fn has_its_scheme(text: &str) -> anyhow::Result<()> {
    let place = text.split_once('=').filter(|(name, _)| target::is_name(name)).map_or(text, |(_, place)| place);
    if !target::lacks_its_scheme(place) || [text, place].iter().any(|file| Path::new(file).exists()) {
        return Ok(());
    }
    let place = place.trim_start_matches("https:").trim_start_matches("http:").trim_start_matches('/');
    bail!(
        "{} is not a URL because http:// is missing: write http://{}",
        target::redacted(text),
        target::redacted(place)
    )
}

/// A target by `[NAME=][DIALECT=]URL`, if the text has this form. A single name before the URL is a dialect if one has
/// that name, and otherwise the server's own.
fn by_url(text: &str) -> anyhow::Result<Option<Target>> {
    let Some(scheme_ends) = text.find("://") else { return Ok(None) };
    let url_begins = text[..scheme_ends].rfind('=').map_or(0, |at| at + 1);
    let (before, url) = text.split_at(url_begins);
    let address = target::address(url).map_err(|problem| anyhow!(problem))?;
    let is_dialect = |name: &str| BUILT_IN.iter().any(|(built_in, _)| *built_in == name);
    let names: Vec<_> = before.strip_suffix('=').map(|names| names.split('=').collect()).unwrap_or_default();
    let (name, dialect) = match names[..] {
        [] => ("target", OURS),
        [dialect] if is_dialect(dialect) => (dialect, dialect),
        [name] => (name, OURS),
        [name, dialect] => (name, dialect),
        _ => bail!("{} has too many =: write NAME=DIALECT=URL", target::redacted(text)),
    };
    ensure!(
        target::is_name(name),
        "{} names no server: a name has 1 to 32 of the characters A-Z a-z 0-9 - _",
        target::redacted(text)
    );
    Ok(Some(Target { name: name.to_owned(), place: Place::At(address), ..built_in(dialect)? }))
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
            ("wss://example.org", "http:// or https://"),
            ("a=nonsense=http://127.0.0.1:1", "not a dialect"),
            ("a b=http://127.0.0.1:1", "names no server"),
            ("=http://127.0.0.1:1", "names no server"),
            ("pushoff=nchan=http://127.0.0.1:1", "pushoff's own server"),
            ("a=b=nchan=http://127.0.0.1:1", "NAME=DIALECT=URL"),
            ("http://127.0.0.1:99999", "no number from 1 to 65535"),
            ("a=http://127.0.0.1:0", "no number from 1 to 65535"),
            ("127.0.0.1:7001", "write http://127.0.0.1:7001"),
            ("a=localhost:7001/x", "write http://localhost:7001/x"),
            ("http:/localhost:7001", "write http://localhost:7001"),
            ("nonsense", "neither a URL"),
            ("nchan", "nchan=http://"),
            ("ftp://127.0.0.1", "begin with http://"),
            ("missing.toml", "missing.toml"),
        ] {
            let error = names(&[text]).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
        assert!(names(&["http://127.0.0.1:1", "http://127.0.0.1:2"]).unwrap_err().contains("NAME=URL"));
    }

    #[test]
    fn two_urls_stand_side_by_side_under_names_of_their_own() {
        let asked =
            ["old=http://127.0.0.1:1", "new=http://127.0.0.1:2", "a=nchan=http://127.0.0.1:3", "b=nchan=http://x"];
        assert_eq!(names(&asked).unwrap(), ["old", "new", "a", "b"]);
        let two = asked.map(|text| one(text).unwrap());
        assert_eq!(
            (&two[0].dialect, &two[2].dialect),
            (&built_in(OURS).unwrap().dialect, &built_in("nchan").unwrap().dialect)
        );
        assert!(two.iter().all(|target| !target.is_ours()), "another server's bytes are not known");
    }

    #[test]
    fn servers_that_are_one_are_a_target_with_several_addresses() {
        let of = |urls: &[&str]| servers(&urls.iter().map(|url| (*url).to_owned()).collect::<Vec<_>>());
        let target = of(&["http://127.0.0.1:1", "http://127.0.0.1:2/base"]).unwrap();
        assert!(target.is_ours() && matches!(&target.place, Place::At(first) if first.port == 1));
        assert_eq!(target.others.iter().map(|other| (other.port, &*other.base)).collect::<Vec<_>>(), [(2, "/base")]);
        for (urls, says) in [
            (["http://127.0.0.1:1", "https://127.0.0.1:2"], "of one kind"),
            (["http://127.0.0.1:1", "http://127.0.0.1:1"], "twice"),
            (["http://127.0.0.1:1", "127.0.0.1:2"], "no address"),
        ] {
            let error = of(&urls).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_password_that_is_refused_is_not_printed() {
        for text in [
            "http://me:secret@127.0.0.1",
            "me:secret@127.0.0.1",
            "a=http://me:secret@127.0.0.1:99999",
            "me:secret@127.0.0.1:80",
        ] {
            let error = names(&[text]).unwrap_err();
            assert!(!error.contains("secret") && error.contains("127.0.0.1"), "{error}");
        }
    }
}
