//! What identifies a cell of a run: a workload, a transport, and the conditions they were measured under.
//!
//! Grouping, tables, links, `diff`, `--json` and file names use [`CellKey`] and nothing else. A new condition
//! (a network, TLS, a compression) is another factor of [`Conditions`]: whatever handles cells goes through
//! the factors and never names one.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serialize};

use crate::client::Client;
use crate::foreign::{NAME, quoted, shown};
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

/// Keys that every cell has of its own: a further factor of such a name would stand in for one of them.
const OWN: [&str; 4] = ["workload", "transport", CLIENT, SERVER];
/// The most further factors of a record. Chosen here: pushoff itself has four.
const MOST: usize = 16;

/// The further factors of a recorded cell, each name and value as it may be shown. For `deserialize_with` of serde:
/// whoever edits a file of a run steers no terminal and no page by it, and takes no other factor's name.
///
/// # Errors
/// When they are no table of texts, too many, or one has the name of what every cell has.
pub(crate) fn recorded<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let foreign = BTreeMap::<String, String>::deserialize(deserializer)?;
    if foreign.len() > MOST {
        return Err(D::Error::custom(format!("{} conditions: at most {MOST} are read", foreign.len())));
    }
    if let Some(name) = foreign.keys().find(|name| name.is_empty() || OWN.contains(&name.as_str())) {
        return Err(D::Error::custom(format!("a condition is called {}: give it another name", quoted(name))));
    }
    Ok(foreign.iter().map(|(name, value)| (shown(name, NAME), shown(value, NAME))).collect())
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
    fn recorded_factors_are_lines_of_a_bounded_length_and_take_no_other_name() {
        let read = |text: &str| recorded(&mut serde_json::Deserializer::from_str(text));
        let long = "x".repeat(10_000);
        let read_long = read(&format!(r#"{{"up\u001b[2J":"a\nb","long":"{long}"}}"#)).unwrap();
        assert_eq!(read_long.get(r"up\u{1b}[2J").map(String::as_str), Some(r"a\nb"));
        assert_eq!(read_long["long"].chars().count(), NAME);
        assert_eq!(read(r#"{"network":"cable"}"#).unwrap()["network"], "cable");
        for own in OWN {
            let said = read(&format!(r#"{{"{own}":"mine"}}"#)).unwrap_err().to_string();
            assert!(said.contains(&format!("a condition is called \"{own}\"")), "{said}");
        }
        let many: BTreeMap<String, String> = (0..=MOST).map(|it| (it.to_string(), String::new())).collect();
        assert!(read(&serde_json::to_string(&many).unwrap()).is_err());
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
