//! What identifies a cell of a run: a workload, a transport, and the conditions they were measured under.
//!
//! Grouping, tables, links, `diff`, `--json` and file names use [`CellKey`] and nothing else. A new condition
//! (a network, TLS, a compression) is another factor of [`Conditions`]: whatever handles cells goes through
//! the factors and never names one.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::client::Client;
use crate::transport::Transport;
use crate::wire::{self, Wire};

/// The identity of a cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct CellKey {
    /// The workload's name, told apart from its namesakes in the same run.
    pub workload: String,
    /// How messages were carried.
    pub transport: Transport,
    /// What else was held the same.
    #[serde(flatten)]
    pub conditions: Conditions,
}

/// What a cell was measured under, factor by factor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Conditions {
    /// Who received.
    pub client: Client,
    /// Who served: the name of a target, [`OURS`](crate::target::OURS) where none was asked for.
    pub server: String,
    /// Further factors, each by its name.
    #[serde(flatten)]
    pub others: BTreeMap<String, String>,
}

/// The names of the factors that every cell has.
pub const CLIENT: &str = "client";
/// See [`CLIENT`].
pub const SERVER: &str = "server";
/// The factor of a cell that was measured over a network: the network's name.
pub const NETWORK: &str = "network";

impl Conditions {
    /// This client against that server, and nothing else.
    #[must_use]
    pub fn new(client: Client, server: impl Into<String>) -> Self {
        Self { client, server: server.into(), others: BTreeMap::new() }
    }

    /// The same over a network.
    #[must_use]
    pub fn over(mut self, network: impl Into<String>) -> Self {
        self.others.insert(NETWORK.to_owned(), network.into());
        self
    }

    /// The same on a wire.
    #[must_use]
    pub fn on(mut self, wire: Wire) -> Self {
        self.others.extend(wire.factors().map(|(name, value)| (name.to_owned(), value.to_owned())));
        self
    }

    /// The wire that it was measured on.
    #[must_use]
    pub fn wire(&self) -> Wire {
        Wire::of(&self.others)
    }

    /// The same without a wire.
    #[must_use]
    pub fn off_the_wire(&self) -> Self {
        let mut rest = self.clone();
        rest.others.retain(|name, _| !wire::FACTORS.contains(&name.as_str()));
        rest
    }

    /// Every factor with its value: the client, the server, then the others by name.
    pub fn factors(&self) -> impl Iterator<Item = (&str, &str)> {
        let others = self.others.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        [(CLIENT, self.client.name()), (SERVER, self.server.as_str())].into_iter().chain(others)
    }

    /// The value of a factor.
    #[must_use]
    pub fn value(&self, factor: &str) -> Option<&str> {
        self.factors().find(|(name, _)| *name == factor).map(|(_, value)| value)
    }

    /// All but one factor: equal for cells that differ in that factor alone.
    pub fn without<'a>(&'a self, factor: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
        self.factors().filter(move |(name, _)| *name != factor)
    }

    /// Whether two differ in nothing but one factor, if in that.
    #[must_use]
    pub fn is_same_without(&self, other: &Self, factor: &str) -> bool {
        self.without(factor).eq(other.without(factor))
    }
}

impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<&str> = self.factors().map(|(_, value)| value).collect();
        f.write_str(&values.join("/"))
    }
}

/// `ticker/sse/lean/pushoff`.
impl fmt::Display for CellKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.workload, self.transport, self.conditions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::OURS;

    #[test]
    fn a_factor_is_left_out_by_its_name_alone() {
        let mut tls = Conditions::new(Client::Lean, OURS);
        tls.others.insert("tls".into(), "1.3".into());
        let plain = Conditions::new(Client::Lean, OURS);
        assert!(tls.is_same_without(&plain, "tls") && !tls.is_same_without(&plain, SERVER));
        assert!(plain.is_same_without(&Conditions::new(Client::Lean, "nchan"), SERVER));
        assert_eq!((tls.value("tls"), tls.value(CLIENT), plain.value("tls")), (Some("1.3"), Some("lean"), None));
        assert_ne!(tls, plain);
        assert_eq!(tls.clone().over("cable").off_the_wire(), plain.over("cable"));
    }

    #[test]
    fn a_key_reads_from_the_workload_down() {
        let key = CellKey {
            workload: "ticker".into(),
            transport: Transport::Sse,
            conditions: Conditions::new(Client::Lean, OURS),
        };
        assert_eq!(key.to_string(), "ticker/sse/lean/pushoff");
        let json = serde_json::to_value(&key).unwrap();
        assert_eq!(
            (&json["workload"], &json["client"], &json["server"]),
            (&"ticker".into(), &"lean".into(), &OURS.into())
        );
    }
}
