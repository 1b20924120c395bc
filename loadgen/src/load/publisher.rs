//! Sends every message of one publisher, in order, each as soon as possible after it is due.
//!
//! All due messages go out as one request if the server accepts several in one. A publisher has one request under way
//! at a time, which keeps its order. Messages that fall due meanwhile are sent late, never skipped: that shows as
//! send lag.

use std::iter::Peekable;

use futures_util::future::join;
use pushoff_model::{RunClock, RunInstant};
use tokio::sync::{Notify, mpsc, oneshot};

use super::poster::{MOST_IN_A_BATCH, Poster};
use super::schedule::DueTimes;
use crate::books::{Publication, PublishOutcome, Recorder};
use crate::clients::Outbound;
use crate::message::Bodies;
use crate::message::stamp::{self, Stamp};

/// A request with this many bytes takes no further message. Chosen here: the largest payload, so the largest request
/// is twice that.
pub(crate) const FULL_BATCH_BYTES: usize = 64 * 1024;

/// One publisher with its messages.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub(crate) number: u32,
    pub(crate) due: Peekable<DueTimes>,
    pub(crate) bodies: Bodies,
    pub(crate) channel: Channel,
    pub(crate) publication: Publication,
    pub(crate) next_index: u64,
    /// Whether the server may rewrite JSON. If so, the checksum covers the body's value instead of its bytes.
    pub(crate) writes_anew: bool,
}

/// How a publisher reaches the server.
#[derive(Debug)]
pub(crate) enum Channel {
    /// By requests to its topic.
    Post(Poster),
    /// On its own subscriber's connection.
    Socket(mpsc::Sender<Outbound>),
}

impl Publisher {
    /// Sends all messages of the load.
    ///
    /// Safe to drop at any time: [`Publication::close`] then marks the messages under way.
    pub(crate) async fn run(&mut self, clock: RunClock, start: RunInstant, wake: &Notify, recorder: &Recorder) {
        let mut free = start;
        while let Some(&first) = self.due.peek() {
            while clock.now() < start + first {
                wake.notified().await;
            }
            let mut due = Vec::new();
            let sent = clock.now();
            let payloads = self.take_due(start, sent, &mut due);
            self.publication.take(due.len() as u64);
            // The recorder may have to be waited for, which a message that is stamped must not: it is sent first.
            let recording = async { recorder.sent(due.iter().copied(), free, sent) };
            let (verdict, ()) = join(self.channel.send(payloads), recording).await;
            if let Some(verdict) = verdict {
                self.publication.enter(due.len() as u64, verdict);
            }
            free = clock.now();
        }
    }

    /// The payloads of the messages that are due, as many as fit one request.
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
    /// The most messages in one send.
    fn most_at_once(&self) -> usize {
        match self {
            Self::Post(poster) => poster.most_at_once(),
            Self::Socket(_) => MOST_IN_A_BATCH,
        }
    }

    /// Sends, and returns the outcome. It is `None` on a subscriber's connection: the subscriber records the outcome
    /// together with the write, so that a break right after the write finds it.
    async fn send(&self, payloads: Vec<String>) -> Option<PublishOutcome> {
        match self {
            Self::Post(poster) => Some(poster.post(payloads).await),
            Self::Socket(outbox) => {
                let (written, answer) = oneshot::channel();
                if outbox.send(Outbound { payloads, written }).await.is_err() {
                    return Some(PublishOutcome::Refused("the subscriber that publishes has stopped".into()));
                }
                answer.await.err().map(|_| PublishOutcome::Unknown("the WebSocket broke".into()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use pushoff_model::OfferedRate;
    use pushoff_model::workload::{Arrival, Load, built_in};
    use tokio::runtime::Builder;
    use tokio::time::timeout;

    use super::*;
    use crate::load::Schedule;
    use crate::message::BodySource;

    #[test]
    fn a_message_does_not_wait_until_its_lag_is_recorded() {
        let mut workload = built_in("ticker").unwrap().unwrap();
        workload.load = Load::Rate { per_second: OfferedRate::per_second(1.0).unwrap(), arrival: Arrival::Constant };
        let schedule = Schedule::new(&workload, 1);
        let (outbox, mut sent) = mpsc::channel(1);
        let mut publisher = Publisher {
            number: 0,
            due: schedule.of(0).peekable(),
            bodies: BodySource::new(&workload, 1).of(0, 1),
            channel: Channel::Socket(outbox),
            publication: Publication::default(),
            next_index: 0,
            writes_anew: false,
        };
        let recorder = Arc::new(Recorder::default());
        let (shared, clock) = (recorder.clone(), RunClock::start());
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let _held = recorder.held();
        runtime.spawn(async move { publisher.run(clock, clock.now(), &Notify::new(), &shared).await });
        let sent = runtime.block_on(async { timeout(Duration::from_secs(5), sent.recv()).await });
        assert_eq!(sent.unwrap().map(|outbound| outbound.payloads.len()), Some(1));
    }
}
