//! Filling a log from its stream, from live messages and from fetched ones, each message once and in order.
//!
//! A repeated message is skipped. A message that the stream no longer has is counted as missed. A live message with a gap
//! before it waits until the messages of the gap are fetched.

use std::sync::Arc;

use async_nats::Message;
use tracing::warn;

use super::streams::{payload, place};
use crate::hub::cache::Run;
use crate::hub::payload::Payload;
use crate::hub::room::Room;
use crate::hub::topic::TopicLog;
use crate::memory::Lease;

/// A log while its follower fills it: nobody else appends to it.
pub(super) struct Filling<'a> {
    pub(super) log: Arc<TopicLog>,
    pub(super) room: &'a Room,
}

impl Filling<'_> {
    /// Appends live messages as far as they follow on each other; whether there was nothing else.
    pub(super) fn receive(&self, messages: Vec<Message>) -> bool {
        let head = self.log.head();
        let (mut newest, mut next) = (Vec::with_capacity(messages.len()), head.sequence + 1);
        let mut is_whole = true;
        for message in messages {
            is_whole = match place(&message) {
                Some((epoch, sequence)) if epoch == head.epoch && sequence < next => continue,
                Some((epoch, sequence)) if epoch == head.epoch && sequence == next => {
                    next += 1;
                    payload(&message).map(|payload| newest.push(payload)).is_some()
                }
                Some(_) | None => false,
            };
            if !is_whole {
                break;
            }
        }
        self.append(head.sequence + 1, newest);
        is_whole
    }

    /// Appends fetched messages, each with its number, in order; an absent one is no longer in the stream.
    pub(super) fn take(&self, fetched: Vec<(u64, Option<Payload>)>) {
        let (mut first, mut newest) = (0, Vec::new());
        for (sequence, message) in fetched {
            match message {
                Some(payload) => {
                    if newest.is_empty() {
                        first = sequence;
                    }
                    newest.push(payload);
                }
                None => self.append(first, std::mem::take(&mut newest)),
            }
        }
        self.append(first, newest);
    }

    /// Counts all messages up to `last` that the log lacks as missed.
    pub(super) fn skip(&self, last: u64) {
        let skipped = last.saturating_sub(self.log.head().sequence);
        if skipped > 0
            && let Some(nothing) = self.room.lease(0)
        {
            self.extend(Run { skipped, newest: Vec::new() }, nothing);
        }
    }

    /// Appends messages from number `first` on. Where there is no room for them, they are missed.
    fn append(&self, first: u64, newest: Vec<Payload>) {
        if newest.is_empty() {
            return;
        }
        let last = first - 1 + newest.len() as u64;
        let run = Run { skipped: (first - 1).saturating_sub(self.log.head().sequence), newest };
        match self.room.lease(run.weight()) {
            Some(lease) => {
                self.room.published(&self.log);
                self.extend(run, lease);
            }
            None => self.skip(last),
        }
    }

    fn extend(&self, run: Run, lease: Lease) {
        if self.log.append(run, lease).is_err() {
            warn!("a topic has grown in the store after its end");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_nats::{HeaderMap, header};
    use proptest::prelude::*;
    use pushoff_model::{Epoch, Start, Topic};

    use super::*;
    use crate::framing::Framing;
    use crate::hub::batch::Reading;
    use crate::hub::cache::{Bounds, Retention};
    use crate::hub::tail::UNBORN;
    use crate::hub::{Hub, HubLimits, Memory};

    const EPOCH: Epoch = Epoch(7);

    fn text(sequence: u64) -> Payload {
        Payload::parse(sequence.to_string().as_bytes(), 100).unwrap()
    }

    /// A message as NATS sends it once it is stored.
    fn live(sequence: u64, epoch: Epoch) -> Message {
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_SEQUENCE, sequence.to_string().as_str());
        Message {
            subject: format!("pushoff.live.t.{:08x}", epoch.0).into(),
            reply: None,
            payload: text(sequence).to_bytes(),
            headers: Some(headers),
            status: None,
            description: None,
            length: 0,
        }
    }

    fn note() -> Message {
        Message { headers: None, ..live(1, EPOCH) }
    }

    struct World {
        hub: Hub,
        room: Room,
        log: Arc<TopicLog>,
    }

    fn world(messages: usize, memory: usize) -> World {
        let retention = Retention { messages, bytes: 1 << 20 };
        let hub = Hub::new(HubLimits { retention, topics: 1, idle: Duration::ZERO, memory: Memory::new(memory) });
        let topic: Topic = "t".parse().unwrap();
        let (log, _asks) = hub.table.arrive(&topic, UNBORN);
        log.born(EPOCH);
        World { room: hub.room(), hub, log }
    }

    impl World {
        fn filling(&self) -> Filling<'_> {
            Filling { log: Arc::clone(&self.log), room: &self.room }
        }

        /// What a reader from the beginning reads, as text.
        fn read(&self) -> String {
            let start = Start::After(pushoff_model::Cursor { epoch: EPOCH, sequence: 0 });
            let mut reader = self.hub.subscribe(&"t".parse().unwrap(), start);
            match reader.read(Framing::Ndjson, Bounds { messages: usize::MAX, bytes: usize::MAX }) {
                Reading::Batch(batch) => String::from_utf8(batch.bytes.to_vec()).unwrap(),
                other @ (Reading::CaughtUp | Reading::Complete | Reading::Closing | Reading::NoRoom) => {
                    format!("{other:?}")
                }
            }
        }
    }

    fn lines(sequences: impl Iterator<Item = u64>) -> String {
        sequences.map(|at| format!("{{\"id\":\"00000007-{at}\",\"data\":{at}}}\n")).collect()
    }

    proptest! {
        #[test]
        fn whatever_becomes_of_live_messages_the_log_has_each_once_in_order(
            // Live messages in any order, some twice and some never, in chunks; each with how many are stored by then.
            chunks in proptest::collection::vec((proptest::collection::vec(1_u64..60, 0..8), 1_u64..60), 0..40),
            notes in 0_usize..40,
        ) {
            let world = world(1000, 1 << 30);
            let filling = world.filling();
            let look = |last: u64| {
                let fetched = (world.log.head().sequence + 1..=last).map(|at| (at, Some(text(at)))).collect();
                filling.take(fetched);
                filling.skip(last);
            };
            let mut stored = 0;
            for (index, (chunk, more)) in chunks.into_iter().enumerate() {
                stored = stored.max(more);
                let mut messages: Vec<_> =
                    chunk.into_iter().filter(|&at| at <= stored).map(|at| live(at, EPOCH)).collect();
                if index == notes {
                    messages.push(note());
                }
                let in_order = filling.receive(messages);
                prop_assert!(index != notes || !in_order);
                if !in_order {
                    look(stored);
                }
                prop_assert!(world.log.head().sequence <= stored);
            }
            look(60);
            prop_assert_eq!(world.read(), lines(1..=60));
        }
    }

    #[test]
    fn what_the_stream_has_no_longer_is_missed_and_counted() {
        let world = world(1000, 1 << 30);
        let filling = world.filling();
        filling.take((5..=9).map(|at| (at, (at != 7).then(|| text(at)))).collect());
        assert_eq!(world.read(), "{\"missed\":7,\"id\":\"00000007-7\"}\n".to_owned() + &lines(8..=9));
        filling.skip(12);
        assert_eq!(world.read(), "{\"missed\":12,\"id\":\"00000007-12\"}\n");
    }

    #[test]
    fn a_message_of_another_epoch_is_not_appended() {
        let world = world(1000, 1 << 30);
        assert!(!world.filling().receive(vec![live(1, Epoch(8))]));
        assert!(world.filling().receive(vec![live(1, EPOCH)]));
        assert_eq!(world.read(), lines(1..=1));
    }

    #[test]
    fn a_message_that_is_no_json_is_missed() {
        let world = world(1000, 1 << 30);
        let strange = Message { payload: "{".into(), ..live(2, EPOCH) };
        assert!(!world.filling().receive(vec![live(1, EPOCH), strange.clone(), live(3, EPOCH)]));
        world.filling().take(vec![(2, payload(&strange)), (3, Some(text(3)))]);
        assert_eq!(world.read(), "{\"missed\":2,\"id\":\"00000007-2\"}\n".to_owned() + &lines(3..=3));
    }

    #[test]
    fn without_memory_for_messages_they_are_missed_and_the_numbers_go_on() {
        let world = world(1000, 4);
        assert!(world.filling().receive((1..=3).map(|at| live(at, EPOCH)).collect()));
        assert_eq!(world.log.head().sequence, 3);
    }
}
