//! Second state: every subscriber is connected and has its greeting, so the load can begin.

use std::sync::Arc;

use pushoff_model::record::{FailureKind, Memory, Traffic, Wire};

use super::loaded::Loaded;
use super::setting::Setting;
use super::together::Measuring;
use crate::books::{Publication, Recorder, Skew};
use crate::failure::{Failed, caused};
use crate::load::{Load, Pacer, Poster, Publisher, Schedule, Timetable};
use crate::peers::Moment;
use crate::subscribers::Subscribers;
use crate::subscribers::page::Used;
use crate::watch::{Measured, Use};

/// Subscribers and publishers that wait for the load.
pub(super) struct Connected<'a> {
    pub(super) setting: Setting<'a>,
    pub(super) subscribers: Subscribers,
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

impl<'a> Connected<'a> {
    /// Publishes everything and waits until it has arrived or the drain is over, here and at the other generators.
    pub(super) async fn load(self, measuring: Measuring) -> Result<Loaded<'a>, Failed> {
        let Self { setting, mut subscribers, publishers, publications, posters, schedule, recorder, idle } = self;
        let Setting { trial, clock, peers, .. } = setting;
        let workload = &*trial.workload;
        let pacer = Pacer::new(&schedule, |publisher| peers.part.has_publisher(workload, publisher));
        let pacer = pacer.map_err(|error| caused(FailureKind::Generator, "making a timer", &error))?;
        let table = Timetable::new(&workload.phases, peers.start(clock).await?);
        recorder.begin(table.window);
        recorder.ends(table.drained);
        let before = |publisher| schedule.of(publisher).take_while(|&due| due < workload.phases.warm_up).count() as u64;
        recorder.watch(Skew::of(workload, before));
        subscribers.start_at(table.start);
        let (progress, wire) = (subscribers.progress.clone(), subscribers.wire.clone());
        let load = Load {
            workload,
            clock,
            table,
            recorder: &recorder,
            publications: &publications,
            progress: &progress,
            peers,
        };
        let observer = setting.observer();
        let (loaded, measured) = tokio::select! {
            failure = subscribers.failure() => return Err(failure),
            done = async {
                let measuring = observer.measure(table.window, &wire);
                tokio::join!(load.run(pacer, publishers, posters), measuring)
            } => done,
        };
        loaded?;
        let Measured { used, crossed, delivering } = measured?;
        measuring.measured().await;
        peers.meet(Moment::Measured, ()).await?;
        let unread = wire.unread();
        let wire = idle.wire.zip(wire.traffic());
        let wire = wire.map(|(setup, all)| Wire { setup, load: all.since(&setup), window: crossed, unread });
        let Idle { connecting, memory, pages, .. } = idle;
        let memory = Memory { delivering, ..memory };
        Ok(Loaded {
            setting,
            subscribers,
            publications,
            schedule,
            table,
            recorder,
            connecting,
            memory,
            pages,
            used,
            wire,
        })
    }
}
