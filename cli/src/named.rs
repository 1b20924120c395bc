//! What is named on the command line: something built in, or a TOML file.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::bail;
use pushoff_model::foreign;
use strsim::jaro;

/// From this similarity of Jaro on a name is suggested, as clap does.
const NEAR: f64 = 0.7;

/// The file that a name means that is none of the built-in ones.
///
/// # Errors
/// When it does not look like a file, with what was probably meant.
pub(crate) fn file<'a>(name: &'a OsStr, what: &str, built_in: &[&str]) -> anyhow::Result<&'a Path> {
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
