//! The store that `--store` names: where it is, and how it keeps topics.

use std::path::Path;

use anyhow::{Context, bail};
use pushoff_model::foreign::quoted;
use pushoff_model::target::redacted;
use pushoff_server::{Keeping, Store};

use crate::nats;

/// A store that was asked for.
pub(super) struct Asked {
    servers: String,
    keeping: Keeping,
}

impl Asked {
    /// The store that a URL names. What the URL says of a password is never repeated.
    pub(super) fn parse(url: &str) -> anyhow::Result<Self> {
        let (servers, settings) = url.split_once('?').unwrap_or((url, ""));
        let mut keeping = Keeping { in_memory: false, replicas: 1 };
        for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
            match setting.split_once('=') {
                Some(("storage", "file")) => keeping.in_memory = false,
                Some(("storage", "memory")) => keeping.in_memory = true,
                Some(("replicas", count)) => {
                    keeping.replicas = count
                        .parse()
                        .ok()
                        .filter(|count| (1..=5).contains(count))
                        .with_context(|| format!("--store: replicas is {}: give 1 to 5", quoted(count)))?;
                }
                Some(_) | None => {
                    bail!(
                        "--store has {} after its ?: it takes storage=file, storage=memory and replicas=1 to 5",
                        quoted(setting)
                    )
                }
            }
        }
        Ok(Self { servers: servers.to_owned(), keeping })
    }

    /// Connects to the store, for payloads of at most so many bytes.
    pub(super) async fn open(self, credentials: Option<&Path>, longest: usize) -> anyhow::Result<Store> {
        let client = nats::connect(&self.servers, credentials).await.context("--store")?;
        Store::open(client, self.keeping, longest).await.with_context(|| format!("--store {}", redacted(&self.servers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_after_the_question_mark_says_how_topics_are_kept() {
        let asked = Asked::parse("nats://a,nats://b?storage=memory&replicas=3").unwrap();
        assert_eq!(
            (asked.servers.as_str(), asked.keeping),
            ("nats://a,nats://b", Keeping { in_memory: true, replicas: 3 })
        );
        assert_eq!(Asked::parse("a").unwrap().keeping, Keeping { in_memory: false, replicas: 1 });
        for wrong in ["a?storage=disk", "a?replicas=0", "a?replicas=6", "a?x", "a?replicas"] {
            assert!(Asked::parse(wrong).is_err(), "{wrong}");
        }
    }
}
