//! What carries the bytes of a transport: TLS or not, which HTTP, compressed or not.
//!
//! Each of the three is a factor of [`Conditions`](crate::Conditions). A cell in the clear over HTTP/1.1, without
//! compression, has none of them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::transport::Transport;

/// The factor of a cell that was measured over TLS.
pub const TLS: &str = "tls";
/// The factor of a cell that was measured over HTTP/2.
pub const HTTP: &str = "http";
/// The factor of a cell whose messages were compressed.
pub const COMPRESSION: &str = "compression";

/// All of them.
pub const FACTORS: [&str; 3] = [TLS, HTTP, COMPRESSION];

/// The version of HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Http {
    /// HTTP/1.1 (RFC 9112).
    #[default]
    One,
    /// HTTP/2 (RFC 9113), with WebSocket by extended CONNECT (RFC 8441).
    Two,
}

impl Http {
    /// Its number, as the command line has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::One => "1.1",
            Self::Two => "2",
        }
    }
}

/// What carries the bytes of a transport. The default is HTTP/1.1 in the clear, without compression; the order is from
/// there to the heaviest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Wire {
    /// Whether TLS encrypts the connection.
    pub tls: bool,
    /// The version of HTTP.
    pub http: Http,
    /// Whether the server compresses what it sends, where a client takes that.
    pub compressed: bool,
}

impl Wire {
    /// Whether a transport can be carried so: raw TCP has no HTTP, and so none of the three.
    #[must_use]
    pub fn carries(self, transport: Transport) -> bool {
        transport != Transport::RawTcp || self == Self::default()
    }

    /// The factors that tell it from the default, each by its name, with a value that reads well alone.
    pub fn factors(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let factors = [
            (self.tls, TLS, "tls"),
            (self.http == Http::Two, HTTP, "http2"),
            (self.compressed, COMPRESSION, "compressed"),
        ];
        factors.into_iter().filter(|(is, ..)| *is).map(|(_, name, value)| (name, value))
    }

    /// The wire that has these factors.
    #[must_use]
    pub fn of(factors: &BTreeMap<String, String>) -> Self {
        let has = |name| factors.contains_key(name);
        let http = if has(HTTP) { Http::Two } else { Http::One };
        Self { tls: has(TLS), http, compressed: has(COMPRESSION) }
    }
}

/// `TLS, HTTP/2, compressed`; `clear` for the default.
impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [(self.tls, "TLS"), (self.http == Http::Two, "HTTP/2"), (self.compressed, "compressed")];
        let words: Vec<&str> = words.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
        f.write_str(if words.is_empty() { "clear" } else { "" })?;
        f.write_str(&words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wire_is_its_factors() {
        for (tls, http, compressed) in
            [(false, Http::One, false), (true, Http::One, false), (false, Http::Two, true), (true, Http::Two, true)]
        {
            let wire = Wire { tls, http, compressed };
            let factors = wire.factors().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            assert_eq!(Wire::of(&factors), wire);
        }
        assert_eq!(Wire::default().factors().count(), 0);
        assert_eq!(
            Wire { tls: true, http: Http::Two, compressed: true }.factors().map(|it| it.0).collect::<Vec<_>>(),
            FACTORS
        );
    }

    #[test]
    fn wires_are_in_order_from_the_clear_to_the_heaviest() {
        let wires = [(false, Http::One), (false, Http::Two), (true, Http::One), (true, Http::Two)]
            .map(|(tls, http)| [false, true].map(|compressed| Wire { tls, http, compressed }));
        assert!(wires.as_flattened().is_sorted() && wires[0][0] == Wire::default());
    }

    #[test]
    fn the_floor_has_one_wire() {
        assert!(Wire::default().carries(Transport::RawTcp));
        assert!(!Wire { tls: true, ..Wire::default() }.carries(Transport::RawTcp));
        assert!(Wire { tls: true, ..Wire::default() }.carries(Transport::Sse));
    }

    #[test]
    fn a_wire_reads_well() {
        assert_eq!(Wire::default().to_string(), "clear");
        assert_eq!(Wire { tls: true, http: Http::Two, compressed: true }.to_string(), "TLS, HTTP/2, compressed");
    }
}
