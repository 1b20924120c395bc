//! The options of `pushoff run` about what carries the bytes.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, TypedValueParser};
use pushoff_loadgen::Anchor;
use pushoff_model::Http;

use crate::values::one_of;

/// What carries the bytes of a run.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct WireOptions {
    /// Measure over TLS; --tls off,on measures in the clear as well [default: off, and on for a server with an
    /// https:// address]
    #[arg(long, value_name = "on|off", value_delimiter = ',', num_args = 0..=1, default_missing_value = "on",
          value_parser = switch("in the clear", "over TLS"))]
    pub(crate) tls: Vec<Switch>,
    /// The version of HTTP; 1.1,2 measures both [default: 1.1]
    #[arg(long, value_name = "VERSION", value_delimiter = ',', value_parser = http())]
    pub(crate) http: Vec<Http>,
    /// Have the server compress what it sends (gzip, br, zstd, permessage-deflate); --compress off,on measures both
    /// [default: off]
    #[arg(long, value_name = "on|off", value_delimiter = ',', num_args = 0..=1, default_missing_value = "on",
          value_parser = switch("uncompressed", "compressed"))]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Switch {
    /// It is not.
    Off,
    /// It is.
    On,
}

/// A switch, and what the help says of off and on.
fn switch(off: &'static str, on: &'static str) -> impl TypedValueParser<Value = Switch> {
    let named = |it: Switch, name: &'static str, help: &'static str| (it, PossibleValue::new(name).help(help));
    one_of(vec![named(Switch::Off, "off", off), named(Switch::On, "on", on)])
}

fn http() -> impl TypedValueParser<Value = Http> {
    one_of([Http::One, Http::Two].map(|it| (it, PossibleValue::new(it.name()))).to_vec())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::Arguments;

    #[test]
    fn a_switch_stands_alone_or_before_its_values_with_or_without_an_equals_sign() {
        for (words, wanted) in [
            (&["--tls"][..], &[Switch::On][..]),
            (&["--tls", "on"], &[Switch::On]),
            (&["--tls=off"], &[Switch::Off]),
            (&["--tls", "off,on"], &[Switch::Off, Switch::On]),
            (&["--tls=off,on", "--compress"], &[Switch::Off, Switch::On]),
            (&["--compress", "--tls", "--http", "2"], &[Switch::On]),
        ] {
            let arguments = Arguments::try_parse_from([&["pushoff"], words].concat()).unwrap();
            assert_eq!(arguments.run.wire.tls, wanted, "{words:?}");
        }
        let refused = Arguments::try_parse_from(["pushoff", "--compress", "maybe"]).unwrap_err().to_string();
        assert!(refused.contains("[possible values: off, on]"), "{refused}");
    }
}
