//! A subscriber: a cursor on a log and a wake-up. A subscriber holds no message and no queue.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pushoff_model::{Cursor, Start};
use tokio::time::{Sleep, sleep};

use super::batch::Reading;
use super::cache::{Bounds, Position};
use super::tail::{Behind, born};
use super::topic::{TopicLog, Waiting};
use crate::framing::Framing;
use crate::memory::Budget;

/// How long a subscriber waits before it looks for memory again.
const PAUSE: Duration = Duration::from_millis(100);

/// One subscriber of a topic.
#[derive(Debug)]
pub struct Subscription {
    log: Arc<TopicLog>,
    position: Position,
    waiting: Waiting,
    /// Present while there is no memory for the subscriber's next batch.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Subscription {
    pub(super) fn new(log: Arc<TopicLog>, position: Position) -> Self {
        Self { log, position, waiting: Waiting::new(), pause: None }
    }

    /// Waits until the log can say where `start` is, and moves there.
    pub(super) async fn begin(&mut self, start: Start) -> Result<(), Behind> {
        self.log.catch_up(start).await?;
        self.position = self.log.position(born(start, self.log.head()));
        Ok(())
    }

    /// The subscriber's cursor: all messages up to here were read or reported missed.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.log.cursor(self.position.sequence)
    }

    /// The memory of what is made for subscribers.
    pub(crate) fn room(&self) -> &Arc<Budget> {
        self.log.batches()
    }

    /// Whether the topic is complete and has no message beyond the cursor.
    #[must_use]
    pub fn is_at_the_end(&self) -> bool {
        self.log.ends_at(self.position)
    }

    /// The messages beyond the cursor, which moves past them. Never waits.
    pub fn read(&mut self, framing: Framing, bounds: Bounds) -> Reading {
        self.log.read(&mut self.position, &self.waiting, framing, bounds)
    }

    /// The messages beyond the cursor. Pending where there are none, or no memory: the task is woken once there
    /// are, so that the result is never [`Reading::CaughtUp`] nor [`Reading::NoRoom`].
    ///
    /// A task that has read all messages may be woken once more before it polls again.
    pub fn poll_next(&mut self, cx: &mut Context<'_>, framing: Framing, bounds: Bounds) -> Poll<Reading> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            match self.log.poll_read(&mut self.position, &mut self.waiting, cx.waker(), framing, bounds) {
                Poll::Ready(Reading::NoRoom) => self.pause = Some(Box::pin(sleep(PAUSE))),
                read @ (Poll::Ready(_) | Poll::Pending) => return read,
            }
        }
    }

    /// Waits for messages or for the end of the topic. Cancel safe.
    pub async fn next(&mut self, framing: Framing, bounds: Bounds) -> Reading {
        poll_fn(|cx| self.poll_next(cx, framing, bounds)).await
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.log.leave(&mut self.waiting);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Wake;
    use std::time::Duration;

    use proptest::prelude::*;
    use pushoff_model::{Epoch, Start, Topic};
    use serde::Deserialize;
    use serde_json::Value;

    use super::*;
    use crate::hub::{Hub, HubLimits, Memory, Payload, Retention};

    const BOUNDS: Bounds = Bounds { messages: 1000, bytes: 1 << 16 };

    /// A hub with one topic.
    struct One(Hub);

    impl One {
        fn name() -> Topic {
            "t".parse().unwrap()
        }

        fn subscribe(&self, start: Start) -> Subscription {
            self.0.subscribe(&Self::name(), start)
        }

        fn complete(&self) {
            self.0.complete(&Self::name()).unwrap();
        }

        fn epoch(&self) -> Epoch {
            self.subscribe(Start::Now).cursor().epoch
        }
    }

    fn topic(messages: usize) -> One {
        let (retention, memory) = (Retention { messages, bytes: 1 << 20 }, Memory::new(1 << 30));
        One(Hub::new(HubLimits { retention, topics: 1, idle: Duration::ZERO, memory }))
    }

    fn publish(topic: &One, number: u64) -> Cursor {
        let payload = Payload::parse(number.to_string().as_bytes(), 100).unwrap();
        topic.0.publish(&One::name(), vec![payload]).unwrap()
    }

    fn text(reading: Reading) -> String {
        match reading {
            Reading::Batch(batch) => String::from_utf8(batch.bytes.to_vec()).unwrap(),
            other @ (Reading::CaughtUp | Reading::Complete | Reading::Closing | Reading::NoRoom) => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn subscribers_at_one_cursor_share_the_encoded_bytes() {
        let topic = topic(10);
        let mut readers = [topic.subscribe(Start::Now), topic.subscribe(Start::Now)];
        publish(&topic, 1);
        let [one, other] = readers.each_mut().map(|reader| match reader.read(Framing::Ndjson, BOUNDS) {
            Reading::Batch(batch) => batch.bytes,
            other @ (Reading::CaughtUp | Reading::Complete | Reading::Closing | Reading::NoRoom) => panic!("{other:?}"),
        });
        assert_eq!(one.as_ptr(), other.as_ptr());
    }

    #[tokio::test]
    async fn readers_with_different_bounds_share_a_batch_within_them() {
        let topic = topic(10);
        let mut readers = [topic.subscribe(Start::Now), topic.subscribe(Start::Now), topic.subscribe(Start::Now)];
        publish(&topic, 1);
        publish(&topic, 2);
        let bounds = [BOUNDS, Bounds { messages: 2, ..BOUNDS }, Bounds { messages: 1, ..BOUNDS }];
        let mut batches = readers.iter_mut().zip(bounds).map(|(reader, bounds)| reader.read(Framing::Ndjson, bounds));
        let mut next = || match batches.next() {
            Some(Reading::Batch(batch)) => batch,
            other => panic!("{other:?}"),
        };
        let (one, other, short) = (next(), next(), next());
        assert_eq!(one.bytes.as_ptr(), other.bytes.as_ptr());
        assert_eq!((one.messages, short.messages), (2, 1));
    }

    #[tokio::test]
    async fn a_cached_batch_is_never_served_for_another_read() {
        let topic = topic(10);
        let mut readers = [topic.subscribe(Start::Oldest), topic.subscribe(Start::Oldest)];
        publish(&topic, 1);
        publish(&topic, 2);
        let one = text(readers[0].read(Framing::Ndjson, Bounds { messages: 1, ..BOUNDS }));
        let both = text(readers[1].read(Framing::Ndjson, BOUNDS));
        assert_eq!(one.lines().count(), 1);
        assert_eq!(both.lines().count(), 2);
        let lengths = text(topic.subscribe(Start::Oldest).read(Framing::LengthPrefixed, BOUNDS));
        assert!(lengths.starts_with('\0'), "{lengths:?}");
    }

    #[tokio::test]
    async fn a_subscriber_that_waits_is_woken_by_a_message_and_by_completion() {
        let topic = topic(10);
        let mut subscriber = topic.subscribe(Start::Now);
        let waiting = tokio::spawn(async move {
            let message = text(subscriber.next(Framing::Ndjson, BOUNDS).await);
            (message, subscriber.next(Framing::Ndjson, BOUNDS).await)
        });
        let cursor = publish(&topic, 7);
        topic.complete();
        let (message, end) = waiting.await.unwrap();
        assert_eq!(message, format!("{{\"id\":\"{cursor}\",\"data\":7}}\n"));
        assert!(matches!(end, Reading::Complete), "{end:?}");
    }

    #[tokio::test]
    async fn a_cursor_of_another_epoch_gets_a_notice_and_the_oldest_kept_messages() {
        let topic = topic(2);
        for number in 1..=3 {
            publish(&topic, number);
        }
        let strange = Cursor { epoch: Epoch(topic.epoch().0 ^ 1), sequence: 3 };
        let lines = text(topic.subscribe(Start::After(strange)).read(Framing::Ndjson, BOUNDS));
        let data: Vec<_> = lines.lines().collect();
        let before = Cursor { epoch: topic.epoch(), sequence: 1 };
        assert_eq!(data[0], format!("{{\"missed\":null,\"id\":\"{before}\"}}"));
        assert!(data[1].ends_with("\"data\":2}") && data[2].ends_with("\"data\":3}"), "{lines}");
    }

    #[tokio::test]
    async fn a_missed_notice_stands_before_the_messages_after_it() {
        let topic = topic(1);
        let mut reader = topic.subscribe(Start::Now);
        let mut stranger = topic.subscribe(Start::After(Cursor { epoch: topic.epoch(), sequence: 9 }));
        let at = |sequence| Cursor { epoch: topic.epoch(), sequence };
        let notice = format!("{{\"missed\":null,\"id\":\"{}\"}}\n", at(0));
        assert_eq!(text(stranger.read(Framing::Ndjson, BOUNDS)), notice);
        publish(&topic, 1);
        let last = publish(&topic, 2);
        let events = format!("event: missed\nid: {}\ndata: 1\n\nid: {last}\ndata: 2\n\n", at(1));
        assert_eq!(text(reader.read(Framing::EventStream, BOUNDS)), events);
    }

    #[tokio::test]
    async fn a_subscriber_at_the_head_waits_in_any_task_that_polls() {
        let topic = topic(10);
        let mut reader = topic.subscribe(Start::Now);
        publish(&topic, 1);
        assert!(text(reader.next(Framing::Ndjson, BOUNDS).await).ends_with("\"data\":1}\n"));
        let flag = Arc::new(Flag::default());
        let waker = Arc::clone(&flag).into();
        let mut elsewhere = Context::from_waker(&waker);
        assert!(reader.poll_next(&mut elsewhere, Framing::Ndjson, BOUNDS).is_pending());
        assert!(reader.poll_next(&mut elsewhere, Framing::Ndjson, BOUNDS).is_pending());
        publish(&topic, 2);
        assert!(flag.0.load(Ordering::Relaxed));
        assert!(reader.poll_next(&mut elsewhere, Framing::Ndjson, BOUNDS).is_ready());
    }

    #[tokio::test]
    async fn a_dropped_subscriber_leaves_no_waker_behind() {
        let topic = topic(10);
        let flag = Arc::new(Flag::default());
        let waker = Arc::clone(&flag).into();
        let mut reader = topic.subscribe(Start::Now);
        assert!(reader.poll_next(&mut Context::from_waker(&waker), Framing::Ndjson, BOUNDS).is_pending());
        drop((reader, waker));
        assert_eq!(Arc::strong_count(&flag), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_subscriber_waits_for_memory_and_loses_no_message() {
        let memory = Memory::new(128 << 10);
        let retention = Retention { messages: 10, bytes: 1 << 20 };
        let hub = Hub::new(HubLimits { retention, topics: 1, idle: Duration::ZERO, memory: memory.clone() });
        let mut reader = hub.subscribe(&One::name(), Start::Now);
        let taken = memory.batches.lease(32 << 10).unwrap();
        hub.publish(&One::name(), vec![Payload::parse(b"1", 100).unwrap()]).unwrap();
        assert!(matches!(reader.read(Framing::Ndjson, BOUNDS), Reading::NoRoom));
        let waiting = tokio::time::timeout(Duration::from_mins(1), reader.next(Framing::Ndjson, BOUNDS));
        assert!(waiting.await.is_err());
        drop(taken);
        assert!(text(reader.next(Framing::Ndjson, BOUNDS).await).ends_with("\"data\":1}\n"));
        assert_eq!(memory.batches.lease(32 << 10).map(|_| ()), Some(()), "the batch was dropped");
    }

    #[tokio::test]
    async fn a_reader_without_memory_takes_no_batch_from_the_others() {
        const BATCHES: usize = 32 << 10;
        let (retention, memory) = (Retention { messages: 10, bytes: 1 << 20 }, Memory::new(4 * BATCHES));
        let hub = Hub::new(HubLimits { retention, topics: 1, idle: Duration::ZERO, memory: memory.clone() });
        let publish = |text: &[u8]| hub.publish(&One::name(), vec![Payload::parse(text, 100).unwrap()]).unwrap();
        let mut behind = hub.subscribe(&One::name(), Start::Now);
        publish(b"1");
        let mut readers = [(); 2].map(|()| hub.subscribe(&One::name(), Start::Now));
        publish(b"2");
        let first = text(readers[0].read(Framing::Ndjson, BOUNDS));
        let _taken = memory.batches.lease(BATCHES - memory.batches.held()).unwrap();
        assert!(matches!(behind.read(Framing::Ndjson, BOUNDS), Reading::NoRoom));
        assert_eq!(memory.batches.held(), BATCHES, "the batch is kept for the next reader");
        assert_eq!(text(readers[1].read(Framing::Ndjson, BOUNDS)), first);
    }

    #[derive(Default)]
    struct Flag(AtomicBool);

    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Line {
        Message { id: Cursor, data: Value },
        Missed { missed: u64, id: Cursor },
    }

    proptest! {
        #[test]
        fn interleaved_readers_each_see_every_message_once_or_are_told_how_many_they_missed(
            steps in proptest::collection::vec(prop_oneof![2 => Just(3_usize), 1 => 0_usize..3], 1..300),
            kept in 1_usize..20, batch in 1_usize..10,
        ) {
            let topic = topic(kept);
            let mut readers = [Start::Now, Start::Oldest, Start::Now].map(|start| topic.subscribe(start));
            let mut seen = [0_u64; 3];
            let mut published = 0;
            let bounds = Bounds { messages: batch, ..BOUNDS };
            for step in steps.into_iter().chain((0..3).flat_map(|reader| vec![reader; 30])) {
                let Some(reader) = readers.get_mut(step) else {
                    published += 1;
                    publish(&topic, published);
                    continue;
                };
                let Reading::Batch(batch) = reader.read(Framing::Ndjson, bounds) else {
                    prop_assert_eq!(seen[step], published);
                    continue;
                };
                for line in serde_json::Deserializer::from_slice(&batch.bytes).into_iter::<Line>() {
                    match line.unwrap() {
                        Line::Message { id, data } => {
                            seen[step] += 1;
                            prop_assert_eq!(id.sequence, seen[step]);
                            prop_assert_eq!(data, seen[step]);
                        }
                        Line::Missed { missed, id } => {
                            seen[step] += missed;
                            prop_assert_eq!(id.sequence, seen[step]);
                        }
                    }
                }
                prop_assert_eq!(reader.cursor().sequence, seen[step]);
            }
            prop_assert_eq!(seen, [published; 3]);
        }
    }
}
