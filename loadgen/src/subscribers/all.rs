//! The subscribers of a trial: their tasks, how far each has come, and what they are told.

use std::sync::Arc;

use pushoff_model::record::FailureKind;
use pushoff_model::{RunInstant, Wire};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::books::{Arrivals, Progress, Subscriber};
use crate::failure::{Failed, caused};
use crate::wire::WireCounters;

/// How many subscribers connect at the same time: enough to be quick, too few to fill the
/// server's queue of connections not yet accepted. Chosen here.
pub(crate) const CONNECTING_AT_ONCE: usize = 16;

/// The subscribers of a trial. Dropping it ends their tasks.
pub(crate) struct Subscribers {
    /// A task runs the subscribers of one connection, or of one page.
    tasks: JoinSet<Vec<Finished>>,
    finished: Vec<Subscriber>,
    start: watch::Sender<Option<RunInstant>>,
    signals: Signals,
    /// The number of each subscriber, and its progress.
    pub(crate) progress: Vec<(u32, Arc<Progress>)>,
    pub(crate) arrivals: Arc<Arrivals>,
    /// The counters of the subscribers' connections.
    pub(crate) wire: WireCounters,
}

/// The signals to a task of subscribers.
#[derive(Clone, Debug)]
pub(crate) struct Signals {
    pub(crate) permits: Arc<Semaphore>,
    /// When the load begins.
    pub(crate) start: watch::Receiver<Option<RunInstant>>,
    /// The trial is over.
    pub(crate) stop: CancellationToken,
}

/// A subscriber that has stopped, and why.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) subscriber: Box<Subscriber>,
    pub(crate) result: Result<(), Failed>,
}

impl Subscribers {
    pub(crate) fn new(subscribers: impl Iterator<Item = u32>, wire: Wire) -> Self {
        let progress: Vec<_> = subscribers.map(|number| (number, Arc::default())).collect();
        let start = watch::Sender::new(None);
        let permits = Arc::new(Semaphore::new(CONNECTING_AT_ONCE));
        let signals = Signals { permits, start: start.subscribe(), stop: CancellationToken::new() };
        Self {
            tasks: JoinSet::new(),
            finished: Vec::new(),
            start,
            signals,
            arrivals: Arc::new(Arrivals::new(progress.len() as u64)),
            progress,
            wire: WireCounters::on(wire),
        }
    }

    pub(crate) fn signals(&self) -> Signals {
        self.signals.clone()
    }

    pub(crate) fn spawn(&mut self, subscribers: impl Future<Output = Vec<Finished>> + Send + 'static) {
        self.tasks.spawn(subscribers);
    }

    /// Tells all subscribers when the load begins.
    pub(crate) fn start_at(&self, start: RunInstant) {
        self.start.send_replace(Some(start));
    }

    /// Waits until a subscriber fails. Subscribers whose topic is complete are kept for [`Self::stopped`].
    pub(crate) async fn failure(&mut self) -> Failed {
        while let Some(joined) = self.tasks.join_next().await {
            let all = match joined {
                Ok(all) => all,
                Err(error) => return crashed(&error),
            };
            for Finished { subscriber, result } in all {
                if let Err(failure) = result {
                    return failure;
                }
                self.finished.push(*subscriber);
            }
        }
        std::future::pending().await
    }

    /// Stops every subscriber and returns them all, whatever each stopped for.
    pub(crate) async fn stopped(mut self) -> Result<Vec<Subscriber>, Failed> {
        self.signals.stop.cancel();
        while let Some(joined) = self.tasks.join_next().await {
            let all = joined.map_err(|error| crashed(&error))?;
            self.finished.extend(all.into_iter().map(|one| *one.subscriber));
        }
        Ok(self.finished)
    }
}

fn crashed(error: &JoinError) -> Failed {
    caused(FailureKind::Generator, "a task of the generator", error)
}
