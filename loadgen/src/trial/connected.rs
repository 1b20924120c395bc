//! Second state: every subscriber is connected and has its greeting, so the load can begin.

use std::sync::Arc;
use std::time::Duration;

use pushoff_model::record::{FailureKind, Wire};

use super::costs::IdleCosts;
use super::loaded::Loaded;
use super::setting::Setting;
use crate::agents::Audience;
use crate::books::{Publication, Recorder, Skew};
use crate::failure::{Failed, caused};
use crate::load::{Load, Pacer, Poster, Publisher, Schedule, Timetable};

/// Time from the last greeting to the start of the load, so that the start signal reaches every subscriber.
const LEAD: Duration = Duration::from_millis(20);

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
    pub(super) costs: IdleCosts,
}

impl Connected {
    /// Publishes everything and waits until it has arrived or the drain is over.
    pub(super) async fn load(self, setting: Setting<'_>) -> Result<Loaded, Failed> {
        let Self { mut audience, publishers, publications, posters, schedule, recorder, costs } = self;
        let Setting { trial, clock, .. } = setting;
        let workload = &*trial.workload;
        let pacer = Pacer::new(&schedule).map_err(|error| caused(FailureKind::Generator, "making a timer", &error))?;
        let table = Timetable::new(&workload.phases, clock.now() + LEAD);
        recorder.begin(table.window);
        let before = |publisher| schedule.of(publisher).take_while(|&due| due < workload.phases.warm_up).count() as u64;
        recorder.watch(Skew::of(workload, before));
        audience.start_at(table.start);
        let progress = audience.progress.clone();
        let load =
            Load { workload, clock, table, recorder: &recorder, publications: &publications, progress: &progress };
        let observer = setting.observer();
        let (loaded, measured) = tokio::select! {
            failure = audience.failure() => return Err(failure),
            done = async {
                let measuring = observer.measure(table.window.start(), table.window.end());
                tokio::join!(load.run(pacer, publishers, posters), measuring)
            } => done,
        };
        loaded?;
        let (used, delivering) = measured?;
        let unread = audience.wire.unread();
        let wire = costs.wire.zip(audience.wire.traffic());
        let wire = wire.map(|(setup, all)| Wire { setup, load: all.since(&setup), unread });
        Ok(Loaded { audience, publications, schedule, table, recorder, costs, used, delivering, wire })
    }
}
