//! The options of `pushoff probe`.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::time::Duration;

use clap::Args;

use super::TrustOptions;
use crate::values::duration_in;

/// The range of `--idle`: proxies' usual time-outs are 60 s.
const IDLE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_mins(2);
/// The range of `--listen`.
const LISTEN: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);

/// No line is longer than 60 columns, so that no terminal breaks one.
pub(super) const EXAMPLES: &str = "\
Examples:
  pushoff probe http://localhost:3000/events
      listen to a stream: is it streaming?
  pushoff probe http://localhost:3000 --idle 70s
      publish to a server, and look at each technique
  pushoff probe http://10.0.0.5:3000 http://example.test
      what the proxy changes
  pushoff probe targets/nginx-defaults.toml
      pushoff's own server behind nginx

What proxies do, and the cures: docs/PROXIES.md.
Exit code 3 where something is wrong.";

#[derive(Clone, Debug, Args)]
pub(crate) struct ProbeOptions {
    /// A URL with a path that answers with an event stream or NDJSON: it is listened to, and nothing is published.
    /// Or a server to publish to: http://HOST:PORT that speaks pushoff's wire contract, DIALECT=URL, a TOML file that
    /// describes a server (docs/TARGETS.md), or pushoff
    #[arg(value_name = "[DIALECT=]URL|FILE", default_value = "pushoff")]
    pub(crate) target: OsString,
    /// The same behind a proxy: the two are compared
    #[arg(value_name = "PROXIED")]
    pub(crate) proxied: Option<OsString>,
    /// Stay silent for this long and see whether the connection is cut, 1s to 2m; a server that is started here sends
    /// no heartbeat meanwhile [default: not tried]
    #[arg(long, value_name = "TIME", value_parser = duration_in(IDLE), allow_negative_numbers = true)]
    pub(crate) idle: Option<Duration>,
    /// Listen to a URL for this long, 1s to 1h, whatever its content type is [default: 10s, and only to streams]
    #[arg(long, value_name = "TIME", value_parser = duration_in(LISTEN), allow_negative_numbers = true)]
    pub(crate) listen: Option<Duration>,
    /// Listen by HTTP/2 with prior knowledge instead of HTTP/1.1
    #[arg(long)]
    pub(crate) http2: bool,
    #[command(flatten)]
    pub(crate) trust: TrustOptions,
    /// Print results as JSON instead of tables
    #[arg(long)]
    pub(crate) json: bool,
}
