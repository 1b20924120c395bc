//! A follower: one task that keeps one topic's log as far as the topic's stream, while the topic has readers here.
//!
//! NATS sends each stored message with its number. A message that follows on the log's head is appended; one at or
//! below the head is known; after any other, after a note, after a return of the connection, and now and then, the
//! follower looks at the stream and fetches what the log lacks. So the log has each message once, in order, whatever
//! becomes of the live ones.

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_nats::Message;
use futures_util::{StreamExt, stream};
use pushoff_model::Topic;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::JetStream;
use super::filling::Filling;
use super::streams::Found;
use crate::hub::room::Room;
use crate::hub::tail::{Ask, Behind, UNBORN};
use crate::hub::topic::TopicLog;
use crate::hub::unpublished::{StoreError, Unpublished};
use crate::memory::Lease;

/// How often the stream is looked at though nothing seems to be missing: a lost last message has no successor that
/// would show the gap.
const AUDIT: Duration = Duration::from_secs(15);

/// How much later the next look is for each topic that is followed here: one costs nats-server a quarter of a
/// millisecond of its processor, so that all looks of a server together take at most some 3 % of one.
const SHARE: Duration = Duration::from_millis(10);

/// How many messages are taken or fetched at a time, and appended with one wake-up of the readers.
const CHUNK: usize = 64;

/// The follower of one topic.
pub(in crate::hub) struct Follower {
    pub(in crate::hub) topic: Topic,
    pub(in crate::hub) store: JetStream,
    pub(in crate::hub) log: Weak<TopicLog>,
    pub(in crate::hub) room: Room,
    pub(in crate::hub) asks: mpsc::Receiver<Ask>,
}

impl Follower {
    /// Follows until the log is dropped, or replaced in the store, with the memory that it takes.
    pub(in crate::hub) async fn run(mut self, _memory: Lease) {
        let Ok(live) = self.store.0.streams.live(&self.topic).await else { return };
        let mut live = live.ready_chunks(CHUNK);
        let mut link = self.store.0.link.clone();
        let mut audit = Instant::now() + AUDIT.mul_f64(rand::random_range(0.5..1.0));
        loop {
            let (outcome, asked) = tokio::select! {
                ask = self.asks.recv() => {
                    let Some(ask) = ask else { return };
                    let mut asked = vec![ask];
                    asked.extend(std::iter::from_fn(|| self.asks.try_recv().ok()));
                    (self.look().await, asked)
                }
                Some(messages) = live.next() => (self.receive(messages).await, Vec::new()),
                Ok(()) = link.changed() => (self.look().await, Vec::new()),
                () = sleep_until(audit) => {
                    audit = Instant::now() + AUDIT.max(SHARE * self.room.topics());
                    (self.audit().await, Vec::new())
                }
                else => return,
            };
            let is_replaced = outcome == Err(Behind::Replaced);
            if is_replaced {
                self.let_go();
            }
            for ask in asked {
                // Who asked may have gone.
                drop(ask.send(outcome.clone()));
            }
            if is_replaced {
                return;
            }
        }
    }

    /// Ends the log, if it is still there: its readers come back to another.
    fn let_go(&self) {
        if let Some(log) = self.log.upgrade() {
            self.room.replaced(&self.topic, &log);
        }
    }

    /// Appends live messages, and looks at the stream where they do not follow on the log's head.
    async fn receive(&self, messages: Vec<Message>) -> Result<(), Behind> {
        let Some(log) = self.log.upgrade() else { return Ok(()) };
        if (Filling { log, room: &self.room }).receive(messages) { Ok(()) } else { self.look().await }
    }

    /// Looks at the stream, and brings the log as far. It counts as a reader meanwhile, who does not keep the topic from
    /// being idle: a log that its last reader leaves stays, and is filled when one comes back.
    async fn look(&self) -> Result<(), Behind> {
        let Some(log) = self.log.upgrade() else { return Ok(()) };
        log.arrive();
        let outcome = self.bring(&log).await;
        log.depart();
        outcome
    }

    /// Brings the log as far as the stream.
    async fn bring(&self, log: &Arc<TopicLog>) -> Result<(), Behind> {
        if !self.store.is_connected() {
            return Err(unreachable());
        }
        let Ok(_turn) = self.store.0.looks.acquire().await else { return Err(unreachable()) };
        let found = self.store.0.streams.find(&self.topic).await.map_err(behind)?;
        let cursor = log.head();
        match found {
            None if cursor.epoch == UNBORN => {}
            // A stream that is shorter than what it acknowledged lost its end: what follows has the same numbers.
            Some(found) if found.epoch == cursor.epoch && found.last >= cursor.sequence => {
                self.fill(log, found).await?;
            }
            Some(found) if cursor.epoch == UNBORN => {
                log.born(found.epoch);
                self.fill(log, found).await?;
            }
            Some(_) | None => return Err(Behind::Replaced),
        }
        log.filled();
        match found {
            Some(_) => self.room.settle(&self.topic, log).map_err(Behind::For),
            None => Ok(()),
        }
    }

    /// Fetches what the log lacks.
    async fn fill(&self, log: &Arc<TopicLog>, found: Found) -> Result<(), Behind> {
        let streams = &self.store.0.streams;
        let oldest = found.last.saturating_sub(streams.kept()) + 1;
        let lacking = u64::max(log.head().sequence + 1, u64::max(oldest, found.first))..=found.last;
        let mut fetched = stream::iter(lacking)
            .map(|sequence| async move {
                streams.message(&self.topic, found.epoch, sequence).await.map(|message| (sequence, message))
            })
            .buffered(CHUNK)
            .ready_chunks(CHUNK);
        let filling = Filling { log: Arc::clone(log), room: &self.room };
        while let Some(chunk) = fetched.next().await {
            filling.take(chunk.into_iter().collect::<Result<_, _>>().map_err(behind)?);
        }
        filling.skip(found.last);
        if found.is_sealed {
            log.complete();
        }
        Ok(())
    }

    /// Ends the following of a topic that had no reader for long; looks at the stream of any other.
    async fn audit(&self) -> Result<(), Behind> {
        let Some(log) = self.log.upgrade() else { return Ok(()) };
        if self.room.is_idle(&log) {
            drop(log);
            self.room.forget(&self.topic);
            return Ok(());
        }
        drop(log);
        self.look().await
    }
}

impl Drop for Follower {
    /// No log stays without its follower.
    fn drop(&mut self) {
        self.let_go();
    }
}

fn behind(error: StoreError) -> Behind {
    Behind::For(Unpublished::Store(error))
}

fn unreachable() -> Behind {
    behind(StoreError::Unreachable)
}
