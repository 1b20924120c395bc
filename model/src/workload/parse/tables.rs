//! The tables of a workload's TOML, as they are written.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use crate::client::Client;
use crate::file::Typed;
use crate::transport::Transport;
use crate::workload::{Arrival, Direction, Growth};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) name: Spanned<String>,
    pub(super) question: String,
    #[serde(default)]
    pub(super) advice: AdviceTable,
    pub(super) topics: Option<Spanned<Typed>>,
    pub(super) subscribers: Spanned<Typed>,
    pub(super) tabs: Option<Spanned<Typed>>,
    #[serde(default)]
    pub(super) windows: WindowsTable,
    #[serde(default = "down")]
    pub(super) direction: Spanned<Direction>,
    #[serde(default)]
    pub(super) client: Client,
    #[serde(default)]
    pub(super) compared: Vec<Client>,
    #[serde(default)]
    pub(super) transports: Vec<Transport>,
    pub(super) publish: Option<Publish>,
    pub(super) idle: Option<Spanned<Idle>>,
    #[serde(default)]
    pub(super) polling: PollingTable,
    pub(super) slo: Option<Spanned<SloTable>>,
    #[serde(default)]
    pub(super) decide: DecideTable,
    pub(super) search: Option<Spanned<SearchTable>>,
    #[serde(default)]
    pub(super) held_out: bool,
    #[serde(default)]
    pub(super) phases: PhasesTable,
}

pub(super) fn down() -> Spanned<Direction> {
    Spanned::new(0..0, Direction::Down)
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdviceTable {
    #[serde(default)]
    pub(super) transports: Vec<Transport>,
    #[serde(default)]
    pub(super) says: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Publish {
    pub(super) rate: Option<Spanned<Typed>>,
    pub(super) arrival: Option<Spanned<Arrival>>,
    pub(super) trace: Option<Spanned<PathBuf>>,
    pub(super) payload: Option<Spanned<PayloadTable>>,
    #[serde(default)]
    pub(super) completes: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WindowsTable {
    pub(super) stream: Option<Spanned<Typed>>,
    pub(super) connection: Option<Spanned<Typed>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Idle {
    pub(super) heartbeat: Option<Spanned<Typed>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchTable {
    pub(super) grow: Growth,
    pub(super) most: Option<Spanned<Typed>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) enum PayloadTable {
    Bytes(Spanned<Typed>),
    File(Spanned<PathBuf>),
    Kind(PayloadKind),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PayloadKind {
    Quote,
    Progress,
    ChatLine,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PollingTable {
    pub(super) interval: Option<Spanned<Typed>>,
    pub(super) wait: Option<Spanned<Typed>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SloTable {
    pub(super) share: Spanned<Typed>,
    pub(super) within: Spanned<Typed>,
    #[serde(default)]
    pub(super) may_skip: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecideTable {
    pub(super) margin: Option<Spanned<Typed>>,
    pub(super) freshness: Option<Spanned<Typed>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PhasesTable {
    pub(super) warm_up: Option<Spanned<Typed>>,
    pub(super) measure: Option<Spanned<Typed>>,
    pub(super) drain: Option<Spanned<Typed>>,
}
