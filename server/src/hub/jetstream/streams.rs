//! JetStream's streams, one a topic: found, made, appended to, read and sealed.
//!
//! A stream's sequence numbers are its topic's: 1, 2, 3 and so on, without gaps. Each request is made once and has a
//! bound; who asks decides whether to ask again. Source: the JetStream API (NATS ADR-1, ADR-28, ADR-31).

use std::time::Duration;

use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RawMessage, Republish, StorageType};
use async_nats::jetstream::{Context, Error, ErrorCode};
use async_nats::{Client, HeaderMap, Message, Request, RequestErrorKind, StatusCode, Subscriber, header};
use bytes::Bytes;
use pushoff_model::{Epoch, Topic};
use serde::Deserialize;
use serde_json::{Value, json};

use super::names;
use crate::hub::cache::Retention;
use crate::hub::payload::Payload;
use crate::hub::unpublished::StoreError;

/// How long one request may take. Chosen here: a retry still fits into what a publisher waits.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a message's id is remembered, so that a retry is stored once.
const REMEMBERED: Duration = Duration::from_mins(2);

/// Where and how often the store keeps a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// Whether a stream is kept in NATS's memory, which is lost when NATS stops, and not in a file.
    pub in_memory: bool,
    /// How many servers of a NATS cluster keep it.
    pub replicas: usize,
}

/// Why a message was not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unstored {
    /// There is no stream of that epoch, or no JetStream.
    NoStream,
    /// The stream is sealed.
    Sealed,
    /// Another message has the id.
    Reused,
    Store(StoreError),
}

/// A message that the store has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) sequence: u64,
    /// Whether the store had the message before, under the same id.
    pub(super) is_repeated: bool,
}

/// A topic's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) epoch: Epoch,
    /// The sequence number of the oldest message that is kept.
    pub(super) first: u64,
    /// The sequence number of the newest message; 0 before the first.
    pub(super) last: u64,
    pub(super) is_sealed: bool,
}

/// The streams of all topics.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    pub(super) client: Client,
    context: Context,
    keeping: Keeping,
    retention: Retention,
}

impl Streams {
    pub(super) fn new(client: Client, keeping: Keeping, retention: Retention) -> Self {
        Self { context: context(&client), client, keeping, retention }
    }

    /// How many messages a topic keeps.
    pub(super) const fn kept(&self) -> u64 {
        self.retention.messages as u64
    }

    /// The topic's stream, if it has one.
    pub(super) async fn find(&self, topic: &Topic) -> Result<Option<Found>, StoreError> {
        let name = names::stream(topic);
        match self.ask::<Info>(&format!("STREAM.INFO.{name}"), &Value::Null).await? {
            Ok(info) => {
                info.found(topic).map(Some).ok_or_else(|| StoreError::Refused(format!("{name} is no stream of ours")))
            }
            Err(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
            Err(error) => Err(refused(&error)),
        }
    }

    /// The epoch of the topic's stream, which is made where there is none.
    pub(super) async fn find_or_make(&self, topic: &Topic) -> Result<Epoch, StoreError> {
        if let Some(found) = self.find(topic).await? {
            return Ok(found.epoch);
        }
        let epoch = Epoch(rand::random_range(1..=u32::MAX));
        match self.ask::<Value>(&format!("STREAM.CREATE.{}", names::stream(topic)), &self.config(topic, epoch)).await? {
            Ok(_) => Ok(epoch),
            // Another server was first, with an epoch of its own.
            Err(error) if error.error_code() == ErrorCode::STREAM_NAME_EXIST => {
                self.find(topic).await?.map(|found| found.epoch).ok_or(StoreError::Unreachable)
            }
            Err(error) => Err(refused(&error)),
        }
    }

    fn config(&self, topic: &Topic, epoch: Epoch) -> Config {
        Config {
            name: names::stream(topic),
            subjects: vec![names::log(topic, epoch)],
            max_messages: i64::try_from(self.retention.messages).unwrap_or(i64::MAX),
            // Not bounded in bytes: JetStream would reserve them, used or not. The readers' cache has that bound.
            max_bytes: -1,
            discard: DiscardPolicy::Old,
            storage: if self.keeping.in_memory { StorageType::Memory } else { StorageType::File },
            num_replicas: self.keeping.replicas,
            duplicate_window: REMEMBERED,
            allow_direct: true,
            republish: Some(Republish {
                source: names::log(topic, epoch),
                destination: names::live(topic, epoch),
                headers_only: false,
            }),
            ..Config::default()
        }
    }

    /// Stores a message under an id. An id that is remembered is not stored again: its message has to be the same.
    pub(super) async fn append(
        &self,
        topic: &Topic,
        epoch: Epoch,
        payload: &Payload,
        id: &str,
    ) -> Result<Stored, Unstored> {
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_MESSAGE_ID, id);
        let request = Request::new().headers(headers).payload(payload.to_bytes()).timeout(Some(PATIENCE));
        let answer = match self.client.send_request(names::log(topic, epoch), request).await {
            Ok(answer) => answer,
            Err(error) if error.kind() == RequestErrorKind::NoResponders => return Err(Unstored::NoStream),
            Err(error) if error.kind() == RequestErrorKind::MaxPayloadExceeded => {
                return Err(Unstored::Store(StoreError::Refused(error.to_string())));
            }
            Err(_) => return Err(Unstored::Store(StoreError::Unreachable)),
        };
        match serde_json::from_slice::<Response<PublishAck>>(&answer.payload) {
            Ok(Response::Ok(PublishAck { sequence, duplicate: is_repeated, .. })) => {
                // One that is not kept any more cannot be compared.
                let before = if is_repeated { self.message(topic, epoch, sequence).await } else { Ok(None) };
                match before.map_err(Unstored::Store)? {
                    Some(before) if before != *payload => Err(Unstored::Reused),
                    Some(_) | None => Ok(Stored { sequence, is_repeated }),
                }
            }
            Ok(Response::Err { error }) if error.error_code() == ErrorCode::STREAM_SEALED => Err(Unstored::Sealed),
            Ok(Response::Err { error }) => Err(Unstored::Store(refused(&error))),
            Err(_) => Err(Unstored::Store(StoreError::Unreachable)),
        }
    }

    /// A message by its sequence number; `None` where it is not kept any more, or is not one that we stored. Any replica
    /// answers; one that lags behind the leader lacks the newest messages, so that the leader has the last word.
    pub(super) async fn message(
        &self,
        topic: &Topic,
        epoch: Epoch,
        sequence: u64,
    ) -> Result<Option<Payload>, StoreError> {
        let subject = format!("$JS.API.DIRECT.GET.{}", names::stream(topic));
        let wanted = format!("{{\"seq\":{sequence}}}");
        let request = Request::new().payload(wanted.into()).timeout(Some(PATIENCE));
        let message = self.client.send_request(subject, request).await.or(Err(StoreError::Unreachable))?;
        if message.status == Some(StatusCode::NOT_FOUND) {
            return self.message_of_leader(topic, epoch, sequence).await;
        }
        let stored_on = message.headers.as_ref().and_then(|headers| headers.get(header::NATS_SUBJECT));
        if message.status.is_some() || stored_on.and_then(|subject| names::epoch(subject.as_str())) != Some(epoch) {
            return Err(StoreError::Unreachable);
        }
        Ok(payload(&message))
    }

    async fn message_of_leader(
        &self,
        topic: &Topic,
        epoch: Epoch,
        sequence: u64,
    ) -> Result<Option<Payload>, StoreError> {
        let subject = format!("STREAM.MSG.GET.{}", names::stream(topic));
        let message = match self.ask::<Kept>(&subject, &json!({ "seq": sequence })).await? {
            Ok(Kept { message }) => StreamMessage::try_from(message).or(Err(StoreError::Unreachable))?,
            Err(error) if error.error_code() == ErrorCode::NO_MESSAGE_FOUND => return Ok(None),
            Err(error) => return Err(refused(&error)),
        };
        if names::epoch(&message.subject) == Some(epoch) {
            Ok(Payload::parse(&message.payload, usize::MAX).ok())
        } else {
            Err(StoreError::Unreachable)
        }
    }

    /// Ends a topic's stream: nothing more can be stored. Tells the topic's followers.
    pub(super) async fn seal(&self, topic: &Topic) -> Result<(), StoreError> {
        let (name, epoch) = (names::stream(topic), self.find_or_make(topic).await?);
        let mut info =
            self.ask::<Value>(&format!("STREAM.INFO.{name}"), &Value::Null).await?.map_err(|error| refused(&error))?;
        let mut config = info["config"].take();
        config["sealed"] = json!(true);
        let sealed = self.ask::<Value>(&format!("STREAM.UPDATE.{name}"), &config).await?;
        sealed.map_err(|error| refused(&error))?;
        // A follower that misses this learns it by its next look at the stream.
        self.client.publish(names::live(topic, epoch), Bytes::new()).await.or(Err(StoreError::Unreachable))
    }

    /// The messages of a topic as they are stored from now on.
    pub(super) async fn live(&self, topic: &Topic) -> Result<Subscriber, StoreError> {
        self.client.subscribe(names::live_in_any_epoch(topic)).await.or(Err(StoreError::Unreachable))
    }

    /// One request to JetStream's API.
    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        subject: &str,
        request: &impl serde::Serialize,
    ) -> Result<Result<T, Error>, StoreError> {
        match self.context.request(subject.to_owned(), request).await {
            Ok(Response::Ok(answer)) => Ok(Ok(answer)),
            Ok(Response::Err { error }) => Ok(Err(error)),
            Err(_) => Err(StoreError::Unreachable),
        }
    }
}

/// JetStream as a client reaches it.
pub(super) fn context(client: &Client) -> Context {
    let mut context = async_nats::jetstream::new(client.clone());
    context.set_timeout(PATIENCE);
    context
}

/// The payload of a message in a buffer of its own: the message's own buffer is one of many messages. A message that
/// is no JSON came from elsewhere.
pub(super) fn payload(message: &Message) -> Option<Payload> {
    Payload::parse(&message.payload, usize::MAX).ok()
}

/// The epoch and the sequence number of a live message; `None` where it is a note, which has no number.
pub(super) fn place(message: &Message) -> Option<(Epoch, u64)> {
    let sequence = message.headers.as_ref()?.get(header::NATS_SEQUENCE)?.as_str().parse().ok()?;
    Some((names::epoch(&message.subject)?, sequence))
}

fn refused(error: &Error) -> StoreError {
    StoreError::Refused(error.to_string())
}

/// The answer to `STREAM.MSG.GET`.
#[derive(Deserialize)]
struct Kept {
    message: RawMessage,
}

/// What is read of the answer to `STREAM.INFO`.
#[derive(Deserialize)]
struct Info {
    config: Configured,
    state: State,
}

#[derive(Deserialize)]
struct Configured {
    #[serde(default)]
    sealed: bool,
    #[serde(default)]
    subjects: Vec<String>,
}

#[derive(Deserialize)]
struct State {
    first_seq: u64,
    last_seq: u64,
}

impl Info {
    /// The stream, if it is one of ours.
    fn found(&self, topic: &Topic) -> Option<Found> {
        let subject = self.config.subjects.first()?;
        let epoch = names::epoch(subject).filter(|&epoch| names::log(topic, epoch) == *subject)?;
        let State { first_seq: first, last_seq: last } = self.state;
        Some(Found { epoch, first, last, is_sealed: self.config.sealed })
    }
}

#[cfg(test)]
mod tests;
