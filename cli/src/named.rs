//! What is named on the command line: something built in, or a TOML file.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{bail, ensure};
use pushoff_model::foreign;
use pushoff_model::network::{self, Network};
use strsim::jaro;

/// Given alone, it means no network.
const NONE: &str = "none";

/// The networks of these names, each with a name of its own.
///
/// # Errors
/// When there is none, or its file is wrong, or two have one name.
pub(crate) fn networks<'a>(names: impl IntoIterator<Item = &'a OsStr>) -> anyhow::Result<Vec<Arc<Network>>> {
    let names: Vec<&OsStr> = names.into_iter().collect();
    let others: Vec<String> = names.iter().filter(|name| **name != NONE).map(|name| shown(name)).collect();
    ensure!(
        others.is_empty() || others.len() == names.len(),
        "--network none stands alone: leave out {}, or none",
        others.join(", ")
    );
    let mut networks: Vec<Arc<Network>> = Vec::new();
    for name in names {
        let network = network(name)?;
        ensure!(
            networks.iter().all(|other| other.name != network.name),
            "two networks are named {}: give each its own `name`",
            network.name
        );
        networks.push(network.into());
    }
    Ok(networks)
}

/// A built-in network, or that of a TOML file.
///
/// # Errors
/// When there is none, or the file is wrong.
pub(crate) fn network(name: &OsStr) -> anyhow::Result<Network> {
    if let Some(built_in) = name.to_str().and_then(network::built_in) {
        return Ok(built_in?);
    }
    let path = file(name, "network", &network::BUILT_IN.map(|(name, _)| name))?;
    Ok(network::read(path)?)
}

fn shown(name: &OsStr) -> String {
    foreign::shown(&name.to_string_lossy(), foreign::NAME)
}

/// From this similarity of Jaro on a name is suggested, as clap does.
const NEAR: f64 = 0.7;

/// The file that a name means that is none of the built-in ones.
///
/// # Errors
/// When it does not look like a file, with what was probably meant.
pub(crate) fn file<'a>(name: &'a OsStr, what: &str, built_in: &[&str]) -> anyhow::Result<&'a Path> {
    ensure!(
        !name.is_empty(),
        "the name of a {what} is missing beside a comma: leave the comma out, or take one of {}",
        built_in.join(", ")
    );
    let path = Path::new(name);
    if path.extension().is_some() || name.as_bytes().contains(&b'/') {
        return Ok(path);
    }
    let typed = name.to_string_lossy();
    let nearest = built_in.iter().max_by(|one, other| jaro(one, &typed).total_cmp(&jaro(other, &typed)));
    let meant = nearest.filter(|name| jaro(name, &typed) > NEAR);
    bail!(
        "{} is not a built-in {what}{}: take one of {}, or name a TOML file",
        foreign::quoted(&typed),
        meant.map_or_else(String::new, |name| format!(" (did you mean {name}?)")),
        built_in.join(", ")
    );
}
