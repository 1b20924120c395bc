//! Third state: every message is published, and has arrived or is late. The subscribers are still connected.

use std::sync::Arc;

use pushoff_model::record::{FailureKind, FaultKind, Held, Memory, Wire};

use super::costs::IdleCosts;
use super::drained::Drained;
use super::setting::Setting;
use crate::agents::Audience;
use crate::books::{Account, GIVEN_UP, Publication, Recorder, settle};
use crate::failure::Failed;
use crate::load::{Schedule, Timetable};
use crate::watch::Use;

/// A load that is over.
pub(super) struct Loaded {
    pub(super) audience: Audience,
    pub(super) publications: Vec<Publication>,
    pub(super) schedule: Schedule,
    pub(super) table: Timetable,
    pub(super) recorder: Arc<Recorder>,
    pub(super) costs: IdleCosts,
    /// Used during the measure phase.
    pub(super) used: Use,
    /// Held at its end.
    pub(super) delivering: Held,
    pub(super) wire: Option<Wire>,
}

impl Loaded {
    /// Stops the subscribers and balances their ledgers against what was published.
    pub(super) async fn drain(self, setting: Setting<'_>) -> Result<Drained, Failed> {
        let Self { audience, publications, schedule, table, recorder, costs, used, delivering, wire } = self;
        let subscribers = audience.stopped().await?;
        let browser = match setting.browser.zip(costs.pages) {
            Some((browser, idle)) => Some(browser.showed(&idle, setting.clock).await?),
            None => None,
        };
        publications.iter().for_each(Publication::close);
        let fates: Vec<_> = publications.iter().map(Publication::fates).collect();
        let due = |publisher| schedule.of(publisher).map(move |due| table.start + due);
        let account = settle(&subscribers, &fates, due, table.window)?;
        something_was_published(&account)?;
        let (memory, totals) = (Memory { delivering, ..costs.memory }, recorder.take());
        Ok(Drained { window: table.window, account, totals, connecting: costs.connecting, memory, used, wire, browser })
    }
}

/// Fails if the server accepted no message of the measure phase, for another reason than overload.
fn something_was_published(account: &Account) -> Result<(), Failed> {
    let causes = [FaultKind::Refused, FaultKind::Unanswered];
    match causes.into_iter().find_map(|kind| account.faults.of(kind).find(|it| it.cause != GIVEN_UP)) {
        Some(fault) if account.window.published == 0 => {
            let reason = format!("no message of the measure phase was published: {}", fault.cause);
            Err(account.failed(FailureKind::Server, reason))
        }
        Some(_) | None => Ok(()),
    }
}
