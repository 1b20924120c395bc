//! The load and its drain: publish on schedule, complete the topics, wait until all messages have arrived.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use pushoff_model::record::FailureKind;
use pushoff_model::{RunClock, Workload};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout_at};
use tracing::warn;

use super::pacer::Pacer;
use super::poster::Poster;
use super::publisher::Publisher;
use super::timetable::Timetable;
use crate::books::{Progress, Publication, Recorder};
use crate::clients::ConnectionError;
use crate::failure::{Failed, caused, failed};
use crate::peers::{Moment, Peers};

/// How often the drain checks whether all messages have arrived. No latency depends on it.
const LOOK: Duration = Duration::from_millis(5);

/// How a publisher ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sending {
    /// It sent all its messages.
    Done,
    /// The drain ended first.
    GivenUp,
}

/// The shared parts of a running load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load<'a> {
    pub(crate) workload: &'a Workload,
    pub(crate) clock: RunClock,
    pub(crate) table: Timetable,
    pub(crate) recorder: &'a Arc<Recorder>,
    pub(crate) publications: &'a [Publication],
    pub(crate) progress: &'a [(u32, Arc<Progress>)],
    pub(crate) peers: &'a Peers,
}

impl Load<'_> {
    /// Publishes everything and waits until all of it has arrived, or the drain is over.
    ///
    /// A server that has not accepted every message by then is overloaded, which is a result: the settlement counts
    /// the messages that were not sent.
    pub(crate) async fn run(
        &self,
        pacer: Pacer,
        publishers: Vec<Publisher>,
        posters: Vec<Poster>,
    ) -> Result<(), Failed> {
        let drained = self.drained();
        let mut tasks = self.start(pacer, publishers, posters);
        let mut all_sent = Sending::Done;
        while let Some(joined) = tasks.join_next().await {
            let sending =
                joined.map_err(|error| caused(FailureKind::Generator, "a task of the generator", &error))??;
            all_sent = all_sent.max(sending);
        }
        let due = self.possible_by_topic().await?;
        if all_sent == Sending::GivenUp {
            warn!(drain = ?self.workload.phases.drain, "the server had not accepted every message when the drain was over");
            return Ok(());
        }
        // A message that is still missing is lost; the ledgers count it.
        if timeout_at(drained, self.all_arrived(&due)).await.is_err() && self.workload.completes {
            self.all_completed(&due)?;
        }
        Ok(())
    }

    fn drained(&self) -> Instant {
        Instant::from_std(self.clock.instant_at(self.table.drained))
    }

    fn start(
        &self,
        pacer: Pacer,
        publishers: Vec<Publisher>,
        posters: Vec<Poster>,
    ) -> JoinSet<Result<Sending, Failed>> {
        let (clock, start, drained) = (self.clock, self.table.start, self.drained());
        let mut tasks = JoinSet::new();
        let wakes = pacer.wakes();
        tasks.spawn(async move {
            let paced = pacer.run(clock, start).await.map(|()| Sending::Done);
            paced.map_err(|error| caused(FailureKind::Generator, "setting a timer", &error))
        });
        let topics: Arc<[_]> = posters.into_iter().map(|poster| (AtomicU32::new(0), poster)).collect();
        for publisher in &publishers {
            topics[self.topic_of(publisher)].0.fetch_add(1, Ordering::Relaxed);
        }
        for mut publisher in publishers {
            let (recorder, wakes, topics) = (self.recorder.clone(), wakes.clone(), topics.clone());
            let (topic, completes) = (self.topic_of(&publisher), self.workload.completes);
            let publishing = async move {
                publisher.run(clock, start, &wakes[publisher.number as usize], &recorder).await;
                let (speaking, poster) = &topics[topic];
                let last = speaking.fetch_sub(1, Ordering::AcqRel) == 1;
                if completes && last { completed(poster.complete()).await } else { Ok(()) }
            };
            tasks.spawn(async move {
                timeout_at(drained, publishing).await.map_or(Ok(Sending::GivenUp), |done| done.map(|()| Sending::Done))
            });
        }
        tasks
    }

    fn topic_of(&self, publisher: &Publisher) -> usize {
        self.workload.topic_of(publisher.number) as usize
    }

    /// Waits until every subscriber has received, or was told that it missed, every message that the server may have
    /// accepted, and knows that its topic is complete where it is. A message of unknown fate that was not published
    /// keeps the drain waiting to its end.
    async fn all_arrived(&self, due: &[u64]) {
        let mut looks = interval(LOOK);
        let mut waiting: Vec<_> = self.progress.iter().collect();
        while !waiting.is_empty() {
            looks.tick().await;
            waiting.retain(|(number, progress)| {
                let all_here =
                    progress.accounted.load(Ordering::Acquire) >= due[self.workload.topic_of(*number) as usize];
                let knows = !self.workload.completes || progress.completed.load(Ordering::Acquire);
                !(all_here && knows)
            });
        }
    }

    /// How many messages of each topic the server may have accepted, from all agents' publishers.
    async fn possible_by_topic(&self) -> Result<Vec<u64>, Failed> {
        let mut possible = vec![0; self.workload.topics as usize];
        for (publisher, publication) in (0..).zip(self.publications) {
            possible[self.workload.topic_of(publisher) as usize] += publication.fates().possible();
        }
        let all = self.peers.meet(Moment::Sent, possible).await?;
        let sum = |one: Vec<u64>, other: Vec<u64>| one.into_iter().zip(other).map(|(a, b)| a + b).collect();
        Ok(all.into_iter().reduce(sum).unwrap_or_default())
    }

    /// Fails if a subscriber has all its messages and still does not know that its topic is complete. A subscriber
    /// that lacks messages may lack that too: it is late, which is a result.
    fn all_completed(&self, due: &[u64]) -> Result<(), Failed> {
        let ignorant = self
            .progress
            .iter()
            .filter(|(number, progress)| {
                progress.accounted.load(Ordering::Acquire) >= due[self.workload.topic_of(*number) as usize]
                    && !progress.completed.load(Ordering::Acquire)
            })
            .count();
        let reason = || format!("{ignorant} subscribers did not learn in time that their topic was complete");
        if ignorant == 0 { Ok(()) } else { Err(failed(FailureKind::Unbalanced, reason())) }
    }
}

async fn completed(answer: impl Future<Output = Result<(), ConnectionError>>) -> Result<(), Failed> {
    answer.await.map_err(|error| caused(FailureKind::Server, "completing a topic", &error))
}
