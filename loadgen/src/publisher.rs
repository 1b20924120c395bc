//! Sends every message of one publisher, in order, each as soon after it is due as can be.
//!
//! All that is due goes out as one request: one payload as JSON, several as an NDJSON batch. One
//! request is under way at a time, so that a publisher's own order holds; while it waits for the
//! server, messages fall due and are sent late, never skipped: that shows as send lag.

use std::iter::Peekable;

use pushoff_model::{RunClock, RunInstant};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::failure::chain;
use crate::publication::{Publication, Verdict};
use crate::recorder::Recorder;
use crate::schedule::DueTimes;
use crate::stamp::{self, Stamp};
use crate::transports::{ConnectionError, Outbound};
use crate::workloads::Bodies;

/// The most messages in one request. Chosen here: far more than fall due in one wake-up unless the
/// server or the generator is stalled.
pub(crate) const MOST_IN_A_BATCH: usize = 256;
/// A request that holds so many bytes takes no further message. Chosen here: the largest payload,
/// so that the largest request is twice that.
pub(crate) const FULL_BATCH_BYTES: usize = 64 * 1024;

/// One publisher and what it will send.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub(crate) number: u32,
    pub(crate) due: Peekable<DueTimes>,
    pub(crate) bodies: Bodies,
    pub(crate) channel: Channel,
    pub(crate) publication: Publication,
    pub(crate) next_index: u64,
}

/// How a publisher's messages get to the server.
#[derive(Debug)]
pub(crate) enum Channel {
    /// By `POST` to its topic.
    Post(Poster),
    /// On the connection of the subscriber that it is.
    Socket(mpsc::Sender<Outbound>),
}

/// Publishes to one topic by `POST`.
#[derive(Clone, Debug)]
pub(crate) struct Poster {
    pub(crate) client: reqwest::Client,
    pub(crate) url: Url,
    pub(crate) authorization: Option<String>,
}

impl Publisher {
    /// Sends everything, from the start of the load to its end.
    ///
    /// May be dropped at any time: what was under way then is with [`Publication::close`].
    pub(crate) async fn run(&mut self, clock: RunClock, start: RunInstant, wake: &Notify, recorder: &Recorder) {
        let mut free = start;
        while let Some(&first) = self.due.peek() {
            while clock.now() < start + first {
                wake.notified().await;
            }
            let mut due = Vec::new();
            let sent = clock.now();
            let payloads = self.take_due(start, sent, &mut due);
            recorder.sent(due.iter().copied(), free, sent);
            self.publication.take(due.len() as u64);
            if let Some(verdict) = self.channel.send(payloads).await {
                self.publication.enter(due.len() as u64, verdict);
            }
            free = clock.now();
        }
    }

    /// The payloads of the messages that are due, as many as one request may hold.
    fn take_due(&mut self, start: RunInstant, now: RunInstant, due: &mut Vec<RunInstant>) -> Vec<String> {
        let (mut payloads, mut bytes): (Vec<String>, usize) = (Vec::new(), 0);
        while payloads.len() < MOST_IN_A_BATCH && bytes < FULL_BATCH_BYTES {
            let Some(offset) = self.due.next_if(|&offset| start + offset <= now) else { break };
            due.push(start + offset);
            let stamp = Stamp { publisher: self.number, index: self.next_index, due: start + offset, sent: now };
            self.next_index += 1;
            let mut payload = String::with_capacity(payloads.last().map_or(256, String::len));
            stamp::write(&mut payload, &stamp, |out| self.bodies.write_next(out));
            bytes += payload.len();
            payloads.push(payload);
        }
        payloads
    }
}

impl Channel {
    /// Sends; the verdict, unless the subscriber that speaks has entered it already, in one step
    /// with the writing: a break right after it must find it there.
    async fn send(&self, payloads: Vec<String>) -> Option<Verdict> {
        match self {
            Self::Post(poster) => Some(poster.post(payloads).await),
            Self::Socket(outbox) => {
                let (written, answer) = oneshot::channel();
                if outbox.send(Outbound { payloads, written }).await.is_err() {
                    return Some(Verdict::Refused("the subscriber that speaks is gone".into()));
                }
                answer.await.err().map(|_| Verdict::Doubtful("the WebSocket broke".into()))
            }
        }
    }
}

impl Poster {
    /// Publishes, and waits for the server's word.
    pub(crate) async fn post(&self, mut payloads: Vec<String>) -> Verdict {
        let (kind, body) = match payloads.len() {
            1 => ("application/json", payloads.swap_remove(0)),
            _ => ("application/x-ndjson", payloads.join("\n")),
        };
        let response = match self
            .authorized(self.client.post(self.url.clone()))
            .header(CONTENT_TYPE, kind)
            .body(body)
            .send()
            .await
        {
            Ok(response) => response,
            Err(error) => {
                let error = ConnectionError::from(error);
                let reason = chain(&error);
                return if error.is_refused() { Verdict::Refused(reason) } else { Verdict::Doubtful(reason) };
            }
        };
        let status = response.status();
        // Reading to the end is what lets the connection be used again.
        let body = response.text().await.unwrap_or_default();
        if status.is_success() {
            Verdict::Accepted
        } else {
            Verdict::Refused(format!("the server answered {status} to a message: {}", body.trim()))
        }
    }

    /// Says that no more will come.
    pub(crate) async fn complete(&self) -> Result<(), ConnectionError> {
        let response = self.authorized(self.client.delete(self.url.clone())).send().await?;
        if response.status().is_success() { Ok(()) } else { Err(ConnectionError::Status(response.status().as_u16())) }
    }

    fn authorized(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization),
            None => request,
        }
    }
}
