//! Second state: every subscriber is connected and has its greeting, so the load can begin.

use std::sync::Arc;

use pushoff_model::record::{FailureKind, FaultKind, Memory, Traffic, Wire};

use super::drained::Drained;
use super::setting::Setting;
use super::together::Measuring;
use crate::agents::Audience;
use crate::agents::page::Used;
use crate::books::{
    Account, Fates, GIVEN_UP, Publication, Recorder, Settled, Skew, Subscriber, heard, reached, settle, unpublished,
};
use crate::company::Moment;
use crate::failure::{Failed, caused};
use crate::load::{Load, Pacer, Poster, Publisher, Schedule, Timetable};
use crate::watch::{Measured, Use};

/// Subscribers and publishers that wait for the load.
pub(super) struct Connected {
    pub(super) audience: Audience,
    pub(super) publishers: Vec<Publisher>,
    /// The fates of each publisher's messages, by number.
    pub(super) publications: Vec<Publication>,
    /// One poster for each topic, by number.
    pub(super) posters: Vec<Poster>,
    pub(super) schedule: Schedule,
    pub(super) recorder: Arc<Recorder>,
    pub(super) idle: Idle,
}

/// The costs of connecting, read before the load.
pub(super) struct Idle {
    /// Used while the subscribers connected.
    pub(super) connecting: Use,
    /// Held before and after the subscribers connected.
    pub(super) memory: Memory,
    /// Used by each page so far.
    pub(super) pages: Option<Vec<Used>>,
    /// Traffic on the connections so far.
    pub(super) wire: Option<Traffic>,
}

impl Connected {
    /// Publishes everything and waits until it has arrived or the drain is over. Then stops the subscribers and balances
    /// their ledgers against what was published.
    pub(super) async fn load(self, setting: Setting<'_>, measuring: Measuring) -> Result<Drained, Failed> {
        let Self { mut audience, publishers, publications, posters, schedule, recorder, idle } = self;
        let Setting { trial, clock, company, .. } = setting;
        let workload = &*trial.workload;
        let owns = |publisher| company.part.has_publisher(workload, publisher);
        let pacer = Pacer::new(&schedule, owns);
        let pacer = pacer.map_err(|error| caused(FailureKind::Generator, "making a timer", &error))?;
        let table = Timetable::new(&workload.phases, company.start(clock).await?);
        recorder.begin(table.window);
        let before = |publisher| schedule.of(publisher).take_while(|&due| due < workload.phases.warm_up).count() as u64;
        recorder.watch(Skew::of(workload, before));
        audience.start_at(table.start);
        let (progress, wire) = (audience.progress.clone(), audience.wire.clone());
        let (recorder, publications, progress) = (&recorder, &publications, &progress);
        let load = Load { workload, clock, table, recorder, publications, progress, company };
        let observer = setting.observer();
        let (loaded, measured) = tokio::select! {
            failure = audience.failure() => return Err(failure),
            done = async {
                let measuring = observer.measure(table.window, &wire);
                tokio::join!(load.run(pacer, publishers, posters), measuring)
            } => done,
        };
        loaded?;
        let Measured { used, crossed, delivering } = measured?;
        measuring.measured().await;
        company.meet(Moment::Measured, ()).await?;
        let unread = audience.wire.unread();
        let wire = idle.wire.zip(wire.traffic());
        let wire = wire.map(|(setup, all)| Wire { setup, load: all.since(&setup), window: crossed, unread });
        let subscribers = audience.stopped().await?;
        let link = setting.passed()?;
        let browser = match setting.browser.zip(idle.pages) {
            Some((browser, idle)) => Some(browser.showed(&idle, clock).await?),
            None => None,
        };
        publications.iter().for_each(Publication::close);
        let fates = fates(&subscribers, publications, setting).await?;
        let heard = company.meet(Moment::Heard, heard(&subscribers, &fates)).await?;
        let unpublished = unpublished(&fates, &heard);
        let due = |publisher| schedule.of(publisher).map(move |due| table.start + due);
        let settled = Settled { fates: &fates, unpublished: &unpublished, due, owns, window: table.window };
        let account = settle(&subscribers, &settled)?;
        something_was_published(&account)?;
        let (memory, totals) = (Memory { delivering, ..idle.memory }, recorder.take());
        let mut drained = Drained {
            window: table.window,
            account,
            totals,
            connecting: idle.connecting,
            memory,
            used,
            wire,
            link,
            browser,
            concerns: Vec::new(),
        };
        drained.judge(workload);
        Ok(drained)
    }
}

/// The fates of all publishers' messages: each generator says those of its own publishers, and how far its subscribers
/// came with every publisher, in case one of the generators is lost.
async fn fates(
    subscribers: &[Subscriber],
    publications: &[Publication],
    Setting { trial, company, .. }: Setting<'_>,
) -> Result<Vec<Fates>, Failed> {
    let own = company.part.publishers(&trial.workload);
    let own: Vec<_> = own.map(|number| (number, publications[number as usize].fates())).collect();
    let mine = (own, reached(subscribers, publications.len()));
    let all = company.meet(Moment::Fates, mine).await?;
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
