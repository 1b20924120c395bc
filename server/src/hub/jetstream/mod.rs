//! The store on NATS JetStream: topics that many servers share.
//!
//! A topic is a stream, whose sequence numbers are the topic's. Publishing is answered when JetStream has acknowledged.
//! A server follows the topics that have readers there: NATS sends it each message once it is stored, and what the
//! server lacks it fetches by number. Readers read from the cache alone, as in memory. `docs/FLEET.md` says why.

mod filling;
mod follower;
mod link;
mod names;
mod streams;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::RequestErrorKind;
use async_nats::jetstream::response::Response;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use pushoff_model::{Cursor, Epoch, Topic};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};
use tokio::task::unconstrained;
use tokio::time::{Instant, sleep, timeout_at};

pub(super) use self::follower::Follower;
use self::link::Link;
pub use self::streams::Keeping;
use self::streams::{Streams, Unstored};
use super::cache::Retention;
use super::payload::Payload;
use super::tail::UNBORN;
use super::unpublished::StoreError;

/// How long a publisher or a new subscriber waits for the store. Chosen here: longer than a restart of NATS takes, and
/// shorter than a client's patience.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The pause before a request that had no answer is made again.
const PAUSE: Duration = Duration::from_millis(50);

/// How many messages of a batch are under way at a time.
const WINDOW: usize = 256;

/// How many topics are looked at in the store at a time, so that a server which comes back does not flood it.
const LOOKS: usize = 64;

/// The bytes that NATS counts for a message beside its payload: the headers.
const OVERHEAD: usize = 1 << 10;

/// A store that was found usable.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    keeping: Keeping,
}

/// Why a store is not usable.
#[derive(Debug, thiserror::Error)]
pub enum UnusableStore {
    /// There is NATS, and no JetStream.
    #[error("JetStream is not enabled there: start NATS with `nats-server -js`, or allow it for this account")]
    NoJetStream,
    /// A payload of the longest length could not be stored.
    #[error("NATS takes messages of at most {0} bytes: lower --max-payload, or raise max_payload of nats-server")]
    ShortMessages(usize),
    /// JetStream does not let this client ask.
    #[error("JetStream refuses this client")]
    Refused(#[source] async_nats::jetstream::Error),
    /// JetStream does not answer.
    #[error("asking JetStream")]
    Silent(#[source] async_nats::jetstream::context::RequestError),
}

impl Store {
    /// The store behind a connection, for payloads of at most `longest` bytes.
    ///
    /// # Errors
    /// When JetStream is not enabled there, or messages may not be that long.
    pub async fn open(client: Client, keeping: Keeping, longest: usize) -> Result<Self, UnusableStore> {
        if client.max_payload() < longest + OVERHEAD {
            return Err(UnusableStore::ShortMessages(client.max_payload()));
        }
        let disabled = [ErrorCode::JETSTREAM_NOT_ENABLED, ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT];
        match streams::context(&client).request("INFO", &Value::Null).await {
            Ok(Response::Ok::<Value>(_)) => Ok(Self { client, keeping }),
            Ok(Response::Err { error }) if disabled.contains(&error.error_code()) => Err(UnusableStore::NoJetStream),
            Ok(Response::Err { error }) => Err(UnusableStore::Refused(error)),
            Err(error) if error.kind() == RequestErrorKind::NoResponders => Err(UnusableStore::NoJetStream),
            Err(error) => Err(UnusableStore::Silent(error)),
        }
    }
}

/// Why not all messages of a publish were stored, and how many were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) stored: usize,
    pub(super) why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The topic is complete.
    Complete,
    /// The publisher's key belongs to another message.
    Reused,
    Store(StoreError),
}

/// How far a publish has come.
#[derive(Debug, Default)]
struct Progress {
    /// How many messages the store has.
    stored: usize,
    /// How many of them it did not have before.
    new: u64,
    /// The cursor of the last.
    last: Option<Cursor>,
}

/// The topics in the store.
#[derive(Clone, Debug)]
pub(super) struct JetStream(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    streams: Streams,
    link: watch::Receiver<Link>,
    looks: Semaphore,
    /// The epochs of the topics that were published to here, as far as they are known.
    epochs: Mutex<HashMap<Topic, Epoch>>,
    /// How many epochs are kept.
    topics: usize,
    /// What tells this server's message ids from those of others, and the next id.
    ids: (u64, AtomicU64),
}

/// The ids of the messages of one publish, by which the store knows them again.
enum Ids<'k> {
    Own { server: u64, first: u64 },
    Publishers(&'k str),
}

impl Ids<'_> {
    /// Of the message at that place.
    fn of(&self, place: usize) -> String {
        match self {
            Self::Own { server, first } => format!("server:{server:016x}.{}", first + place as u64),
            Self::Publishers(key) => format!("client:{key}.{place}"),
        }
    }
}

impl JetStream {
    /// The store, for as many topics.
    pub(super) fn new(store: Store, retention: Retention, topics: usize) -> Self {
        let Store { client, keeping } = store;
        Self(Arc::new(Inner {
            link: link::watch(client.clone()),
            streams: Streams::new(client, keeping, retention),
            looks: Semaphore::new(LOOKS),
            epochs: Mutex::default(),
            topics,
            ids: (rand::random(), AtomicU64::new(0)),
        }))
    }

    /// Whether NATS is connected.
    pub(super) fn is_connected(&self) -> bool {
        self.0.link.borrow().is_up
    }

    /// Stores messages in order; gives how many the store did not have before, and the cursor of the last. A message is
    /// tried again under the same id until the store's patience is over. With the publisher's `key`, a message that the
    /// publisher repeats has the same id too.
    pub(super) async fn append(
        &self,
        topic: &Topic,
        payloads: &[Payload],
        key: Option<&str>,
    ) -> (u64, Result<Cursor, Failed>) {
        let deadline = Instant::now() + PATIENCE;
        let ids = self.ids(payloads.len(), key);
        let mut progress = Progress::default();
        while progress.stored < payloads.len() {
            let appending = timeout_at(deadline, self.append_some(topic, payloads, &ids, &mut progress));
            let why = match appending.await.unwrap_or(Err(Unstored::Store(StoreError::Unreachable))) {
                Ok(()) => continue,
                Err(Unstored::Sealed) => Why::Complete,
                Err(Unstored::Reused) => Why::Reused,
                Err(Unstored::Store(why @ StoreError::Refused(_))) => Why::Store(why),
                Err(Unstored::NoStream | Unstored::Store(StoreError::Unreachable)) => {
                    self.epochs().remove(topic);
                    if Instant::now() + PAUSE < deadline {
                        sleep(PAUSE).await;
                        continue;
                    }
                    Why::Store(StoreError::Unreachable)
                }
            };
            return (progress.new, Err(Failed { stored: progress.stored, why }));
        }
        (progress.new, Ok(progress.last.unwrap_or(Cursor { epoch: UNBORN, sequence: 0 })))
    }

    /// Stores a window of messages, from the first that is not stored; the error is why not the next one. All requests of
    /// a window are answered before any is made again, so that the order stays.
    async fn append_some(
        &self,
        topic: &Topic,
        payloads: &[Payload],
        ids: &Ids<'_>,
        progress: &mut Progress,
    ) -> Result<(), Unstored> {
        let epoch = self.epoch(topic).await.map_err(Unstored::Store)?;
        let streams = &self.0.streams;
        // Until the store has a message that is new under the publisher's key, the key may belong to another publish:
        // the first message is compared alone, and then as many at a time as were the same.
        let is_doubtful = matches!(ids, Ids::Publishers(_)) && progress.new == 0;
        let window = if is_doubtful { progress.stored.clamp(1, WINDOW) } else { WINDOW };
        let rest = payloads.iter().enumerate().skip(progress.stored).take(window);
        let named: Vec<_> = rest.map(|(place, payload)| (payload, ids.of(place))).collect();
        let requests = named.iter().map(|(payload, id)| streams.append(topic, epoch, payload, id));
        // Requests leave in the order in which they are polled first, which Tokio's budget of a task would reverse.
        let answers: Vec<_> = unconstrained(requests.collect::<FuturesOrdered<_>>().collect()).await;
        for answer in answers {
            let stored = answer?;
            progress.stored += 1;
            // An id of this server's own is repeated where the first acknowledgement was lost.
            progress.new += u64::from(!stored.is_repeated || matches!(ids, Ids::Own { .. }));
            progress.last = Some(Cursor { epoch, sequence: stored.sequence });
        }
        Ok(())
    }

    /// The ids of so many messages.
    fn ids<'k>(&self, count: usize, key: Option<&'k str>) -> Ids<'k> {
        let (server, next) = &self.0.ids;
        match key {
            Some(key) => Ids::Publishers(key),
            None => Ids::Own { server: *server, first: next.fetch_add(count as u64, Ordering::Relaxed) },
        }
    }

    /// The epoch of a topic's stream, once NATS is connected; the stream is made where there is none.
    async fn epoch(&self, topic: &Topic) -> Result<Epoch, StoreError> {
        // Messages sent now would be stored at the return, whatever the publisher was told by then.
        self.0.link.clone().wait_for(|link| link.is_up).await.or(Err(StoreError::Unreachable))?;
        let known = self.epochs().get(topic).copied();
        if let Some(epoch) = known {
            return Ok(epoch);
        }
        let epoch = self.0.streams.find_or_make(topic).await?;
        let mut epochs = self.epochs();
        if epochs.len() >= self.0.topics {
            epochs.clear();
        }
        epochs.insert(topic.clone(), epoch);
        Ok(epoch)
    }

    fn epochs(&self) -> std::sync::MutexGuard<'_, HashMap<Topic, Epoch>> {
        self.0.epochs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a topic.
    pub(super) async fn complete(&self, topic: &Topic) -> Result<(), StoreError> {
        if !self.is_connected() {
            return Err(StoreError::Unreachable);
        }
        self.0.streams.seal(topic).await
    }
}
