//! Sends every message of one publisher, in order, each as soon after it is due as can be.
//!
//! All that is due goes out as one request where the server takes several messages in one. One
//! request is under way at a time, so that a publisher's own order holds; while it waits for the
//! server, messages fall due and are sent late, never skipped: that shows as send lag.

use std::iter::Peekable;

use pushoff_model::{RunClock, RunInstant};
use tokio::sync::{Notify, mpsc, oneshot};

use super::poster::{MOST_IN_A_BATCH, Poster};
use super::schedule::DueTimes;
use crate::books::{Publication, Recorder, Verdict};
use crate::clients::Outbound;
use crate::message::Bodies;
use crate::message::stamp::{self, Stamp};

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
    /// Whether the server may write JSON anew: then the checksum is of the body's value.
    pub(crate) writes_anew: bool,
}

/// How a publisher's messages get to the server.
#[derive(Debug)]
pub(crate) enum Channel {
    /// By a request to its topic.
    Post(Poster),
    /// On the connection of the subscriber that it is.
    Socket(mpsc::Sender<Outbound>),
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
        let most = self.channel.most_at_once();
        while payloads.len() < most && bytes < FULL_BATCH_BYTES {
            let Some(offset) = self.due.next_if(|&offset| start + offset <= now) else { break };
            due.push(start + offset);
            let stamp = Stamp { publisher: self.number, index: self.next_index, due: start + offset, sent: now };
            self.next_index += 1;
            let mut payload = String::with_capacity(payloads.last().map_or(256, String::len));
            let body = |out: &mut String| self.bodies.write_next(out);
            if self.writes_anew {
                stamp::write_by_value(&mut payload, &stamp, body);
            } else {
                stamp::write(&mut payload, &stamp, body);
            }
            bytes += payload.len();
            payloads.push(payload);
        }
        payloads
    }
}

impl Channel {
    /// The most messages that can be sent as one.
    fn most_at_once(&self) -> usize {
        match self {
            Self::Post(poster) => poster.most_at_once(),
            Self::Socket(_) => MOST_IN_A_BATCH,
        }
    }

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
