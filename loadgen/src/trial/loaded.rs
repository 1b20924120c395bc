//! Third state: everything was published and has arrived, or the drain is over, and every cost of the load is read.

use std::sync::Arc;

use pushoff_model::record::{FailureKind, FaultKind, Memory, Wire};

use super::drained::Drained;
use super::setting::Setting;
use crate::books::{
    Account, Fates, GIVEN_UP, Publication, Recorder, Settled, Subscriber, heard, reached, settle, unpublished,
};
use crate::failure::Failed;
use crate::load::{Schedule, Timetable};
use crate::peers::Moment;
use crate::subscribers::Subscribers;
use crate::subscribers::page::Used;
use crate::watch::Use;

/// Subscribers whose load is over, and what it cost.
pub(super) struct Loaded<'a> {
    pub(super) setting: Setting<'a>,
    pub(super) subscribers: Subscribers,
    /// The fates of each publisher's messages, by number.
    pub(super) publications: Vec<Publication>,
    pub(super) schedule: Schedule,
    pub(super) table: Timetable,
    pub(super) recorder: Arc<Recorder>,
    /// Used while the subscribers connected.
    pub(super) connecting: Use,
    pub(super) memory: Memory,
    /// Used by each page before the load.
    pub(super) pages: Option<Vec<Used>>,
    /// Used during the measure phase.
    pub(super) used: Use,
    pub(super) wire: Option<Wire>,
}

impl Loaded<'_> {
    /// Stops the subscribers and balances their ledgers against what was published.
    pub(super) async fn drain(self) -> Result<Drained, Failed> {
        let Self { setting, publications, schedule, table, .. } = self;
        let Setting { trial, browser, clock, peers, .. } = setting;
        let subscribers = self.subscribers.stopped().await?;
        let link = setting.passed()?;
        let browser = match browser.zip(self.pages) {
            Some((browser, before)) => Some(browser.showed(&before, clock).await?),
            None => None,
        };
        publications.iter().for_each(Publication::close);
        let fates = fates(&subscribers, &publications, setting).await?;
        let heard = peers.meet(Moment::Heard, heard(&subscribers, &fates)).await?;
        let unpublished = unpublished(&fates, &heard);
        let due = |publisher| schedule.of(publisher).map(move |due| table.start + due);
        let owns = |publisher| peers.part.has_publisher(&trial.workload, publisher);
        let settled = Settled { fates: &fates, unpublished: &unpublished, due, owns, window: table.window };
        let account = settle(&subscribers, &settled)?;
        something_was_published(&account)?;
        let mut drained = Drained {
            window: table.window,
            account,
            totals: self.recorder.take(),
            connecting: self.connecting,
            memory: self.memory,
            used: self.used,
            wire: self.wire,
            link,
            browser,
            concerns: Vec::new(),
        };
        drained.judge(&trial.workload);
        Ok(drained)
    }
}

/// The fates of all publishers' messages: each generator says those of its own publishers, and how far its subscribers
/// came with every publisher, in case one of the generators is lost.
async fn fates(
    subscribers: &[Subscriber],
    publications: &[Publication],
    Setting { trial, peers, .. }: Setting<'_>,
) -> Result<Vec<Fates>, Failed> {
    let own = peers.part.publishers(&trial.workload);
    let own: Vec<_> = own.map(|number| (number, publications[number as usize].fates())).collect();
    let mine = (own, reached(subscribers, publications.len()));
    let all = peers.meet(Moment::Fates, mine).await?;
    let reached = |publisher: usize| all.iter().filter_map(|(_, reached)| reached.get(publisher)).max().copied();
    let mut fates: Vec<_> = (0..publications.len()).map(|it| Fates::lost(reached(it).unwrap_or_default())).collect();
    for (number, known) in all.into_iter().flat_map(|(known, _)| known) {
        if let Some(fates) = fates.get_mut(number as usize) {
            *fates = known;
        }
    }
    Ok(fates)
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
