//! The options of `pushoff link`.

use std::ffi::OsString;

use clap::{Args, ValueHint};

use crate::values::{port, whole_in};

#[derive(Clone, Debug, Args)]
pub(crate) struct LinkOptions {
    /// A built-in network (`pushoff list`) or a TOML file (docs/NETWORKS.md)
    #[arg(value_name = "NAME|FILE")]
    pub(crate) network: OsString,
    /// A port of this machine's 127.0.0.1 that the command reaches at 10.77.0.1, over the network; may be
    /// repeated
    #[arg(long, required = true, value_name = "PORT", value_parser = port, allow_negative_numbers = true)]
    pub(crate) port: Vec<u16>,
    /// Seed for jitter and loss [default: drawn anew, and told]
    #[arg(long, value_name = "S", value_parser = whole_in(0..=u64::MAX), allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub(crate) command: Vec<OsString>,
}
