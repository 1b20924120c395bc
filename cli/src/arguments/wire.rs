//! The options of `pushoff run` about what carries the bytes.

use std::path::PathBuf;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Args, ValueEnum};
use pushoff_loadgen::Anchor;
use pushoff_model::Http;

use crate::values::one_of;

/// What carries the bytes of a run.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct WireOptions {
    /// Measure over TLS; --tls=off,on measures in the clear as well [default: off, and on for a server with an
    /// https:// address]
    #[arg(long, value_name = "on|off", value_delimiter = ',', num_args = 0..=1, require_equals = true,
          default_missing_value = "on")]
    pub(crate) tls: Vec<Switch>,
    /// The version of HTTP; 1.1,2 measures both [default: 1.1]
    #[arg(long, value_name = "VERSION", value_delimiter = ',', value_parser = http())]
    pub(crate) http: Vec<Http>,
    /// Have the server compress what it sends (gzip, br, zstd, permessage-deflate); --compress=off,on measures both
    /// [default: off]
    #[arg(long, value_name = "on|off", value_delimiter = ',', num_args = 0..=1, require_equals = true,
          default_missing_value = "on")]
    pub(crate) compress: Vec<Switch>,
}

/// Whose certificates are trusted.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct TrustOptions {
    /// Trust the authorities of this PEM file, for a server with an https:// address [default: the system's]
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub(crate) ca: Option<PathBuf>,
    /// Trust any certificate of a server with an https:// address
    #[arg(long)]
    pub(crate) insecure: bool,
}

impl TrustOptions {
    pub(crate) fn anchor(&self) -> Anchor {
        match &self.ca {
            Some(path) => Anchor::File(path.clone()),
            None if self.insecure => Anchor::Anyone,
            None => Anchor::System,
        }
    }
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Switch {
    /// It is not
    Off,
    /// It is
    On,
}

fn http() -> impl TypedValueParser<Value = Http> {
    one_of([Http::One, Http::Two].map(|it| (it, PossibleValue::new(it.name()))).to_vec())
}
