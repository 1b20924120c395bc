//! The hub at its limits: eviction, dropped messages, topics without publishes, and shutdown.

use std::time::Duration;

use super::*;
use crate::framing::Framing;

const RETENTION: Retention = Retention { messages: 10, bytes: 10_000 };
const BOUNDS: Bounds = Bounds { messages: 100, bytes: 1 << 16 };

fn hub(topics: usize) -> Hub {
    hub_within(topics, 1 << 20)
}

fn hub_within(topics: usize, bytes: usize) -> Hub {
    let memory = Memory::new(bytes);
    Hub::new(HubLimits { retention: RETENTION, topics, idle: Duration::from_mins(1), memory })
}

fn name(name: &str) -> Topic {
    name.parse().unwrap()
}

fn publish(hub: &Hub, topic: &str, length: usize) -> Result<Cursor, Unpublished> {
    hub.publish(&name(topic), vec![Payload::parse("1".repeat(length).as_bytes(), 10_000).unwrap()])
}

fn read(hub: &Hub, topic: &str, start: Start) -> String {
    match hub.subscribe(&name(topic), start).read(Framing::Ndjson, BOUNDS) {
        Reading::Batch(batch) => String::from_utf8(batch.bytes.to_vec()).unwrap(),
        other @ (Reading::CaughtUp | Reading::Complete | Reading::Closing | Reading::NoRoom) => {
            format!("{other:?}")
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_topic_makes_room_and_one_in_use_does_not() {
    let hub = hub(2);
    publish(&hub, "read", 1).unwrap();
    let _reader = hub.subscribe(&name("read"), Start::Now);
    publish(&hub, "idle", 1).unwrap();
    assert_eq!(publish(&hub, "third", 1), Err(Unpublished::TooManyTopics { limit: 2 }));
    tokio::time::advance(Duration::from_secs(61)).await;
    publish(&hub, "third", 1).unwrap();
    assert_eq!(hub.topic_count(), 2);
    assert!(publish(&hub, "read", 1).is_ok());
    assert_eq!(publish(&hub, "fourth", 1), Err(Unpublished::TooManyTopics { limit: 2 }));
}

#[tokio::test(start_paused = true)]
async fn a_topic_is_idle_from_when_its_last_reader_left() {
    let hub = hub(1);
    publish(&hub, "read", 1).unwrap();
    let readers = [(); 2].map(|()| hub.subscribe(&name("read"), Start::Now));
    for reader in readers {
        tokio::time::advance(Duration::from_mins(2)).await;
        drop(reader);
    }
    for _ in 0..2 {
        assert_eq!(publish(&hub, "other", 1), Err(Unpublished::TooManyTopics { limit: 1 }), "a reader may come back");
        tokio::time::advance(Duration::from_secs(30)).await;
    }
    publish(&hub, "other", 1).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_nobody_published_to_takes_no_place_and_evicts_nothing() {
    let hub = hub(1);
    publish(&hub, "kept", 1).unwrap();
    tokio::time::advance(Duration::from_hours(1)).await;
    let held = hub.table.limits.memory.held();
    for number in 0..1000 {
        assert_eq!(read(&hub, &format!("unknown{number}"), Start::Oldest), "CaughtUp");
    }
    let readers: Vec<_> = (0..100).map(|n| hub.subscribe(&name(&format!("waiting{n}")), Start::Now)).collect();
    assert_eq!((hub.topic_count(), hub.table.limits.memory.held()), (1, held));
    drop(readers);
    assert_eq!(hub.table.read().logs.len(), 1);
    assert!(read(&hub, "kept", Start::Oldest).ends_with("\"data\":1}\n"));
}

#[tokio::test]
async fn a_subscriber_of_an_empty_topic_gets_its_first_message() {
    let hub = hub(2);
    let mut early = hub.subscribe(&name("t"), Start::Now);
    // A poll that found nothing is told a cursor that holds when it comes back.
    let polled = hub.subscribe(&name("t"), Start::Now).cursor();
    let later = hub.subscribe(&name("other"), Start::Now).cursor();
    let id = publish(&hub, "t", 1).unwrap();
    publish(&hub, "other", 1).unwrap();
    assert!(matches!(early.read(Framing::Ndjson, BOUNDS), Reading::Batch(_)));
    assert_eq!(read(&hub, "t", Start::After(polled)), format!("{{\"id\":\"{id}\",\"data\":1}}\n"));
    assert!(read(&hub, "other", Start::After(later)).starts_with("{\"id\""));
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_was_evicted_comes_back_with_another_epoch() {
    let hub = hub(1);
    let before = publish(&hub, "one", 1).unwrap();
    tokio::time::advance(Duration::from_secs(61)).await;
    publish(&hub, "two", 1).unwrap();
    let after = hub.subscribe(&name("one"), Start::Now).cursor();
    assert_ne!(before.epoch, after.epoch);
    assert_eq!(read(&hub, "one", Start::After(before)), format!("{{\"missed\":null,\"id\":\"{after}\"}}\n"));
}

#[tokio::test(start_paused = true)]
async fn at_the_limit_the_topic_with_the_oldest_publish_drops_its_oldest_messages_first() {
    let weight = 1000 + memory::MESSAGE;
    let hub = hub_within(10, 2 * (2 * memory::TOPIC + 4 * weight));
    for topic in ["old", "old", "old", "new"] {
        publish(&hub, topic, 1000).unwrap();
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    let kept = |topic| read(&hub, topic, Start::Oldest).lines().count();
    assert_eq!((kept("old"), kept("new")), (3, 1));
    publish(&hub, "new", 1000).unwrap();
    publish(&hub, "new", 1000).unwrap();
    assert_eq!((kept("old"), kept("new")), (1, 3));
    // With nothing else to give, a topic loses its own.
    publish(&hub, "new", 1000).unwrap();
    assert_eq!((kept("old"), kept("new")), (1, 3));
    assert!(
        read(&hub, "old", Start::After(Cursor { sequence: 0, ..publish(&hub, "old", 1).unwrap() }))
            .starts_with("{\"missed\":")
    );
}

#[tokio::test(start_paused = true)]
async fn where_no_log_can_shrink_publishing_is_refused_without_further_searches() {
    let hub = hub_within(100, 2 * 4 * (memory::TOPIC + memory::MESSAGE + 1000));
    let published = (0..100).take_while(|n| publish(&hub, &format!("t{n}"), 1000).is_ok()).count();
    assert_eq!(published, 4);
    let topics = hub.topic_count();
    assert_eq!(publish(&hub, "more", 1000), Err(Unpublished::NoRoom));
    assert!(lock(&hub.ages).full_until_ms > 0);
    assert_eq!(hub.topic_count(), topics);
    tokio::time::advance(Duration::from_secs(61)).await;
    publish(&hub, "more", 1000).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_publish_that_could_never_fit_costs_no_log_a_message() {
    let hub = hub_within(10, 2 * (2 * memory::TOPIC + 4 * (1000 + memory::MESSAGE)));
    for _ in 0..3 {
        publish(&hub, "kept", 1000).unwrap();
    }
    assert_eq!(publish(&hub, "large", 9000), Err(Unpublished::NoRoom));
    assert_eq!(read(&hub, "kept", Start::Oldest).lines().count(), 3);
}

#[tokio::test]
async fn a_subscriber_during_shutdown_learns_of_the_shutdown() {
    let hub = hub(2);
    let mut early = hub.subscribe(&name("early"), Start::Now);
    hub.close(Duration::ZERO).await;
    let mut late = hub.subscribe(&name("late"), Start::Now);
    for subscription in [&mut early, &mut late] {
        let reading = subscription.next(Framing::Ndjson, BOUNDS).await;
        assert!(matches!(reading, Reading::Closing), "{reading:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn subscribers_leave_a_server_that_drains_one_after_another_and_all_in_time() {
    const OVER: Duration = Duration::from_secs(100);
    let hub = hub(1);
    let mut staying: Vec<_> = (0..1000).map(|_| hub.subscribe(&name("t"), Start::Now)).collect();
    let leave = |subscription: &mut Subscription| match subscription.read(Framing::Ndjson, BOUNDS) {
        Reading::Closing => true,
        Reading::CaughtUp => false,
        other @ (Reading::Batch(_) | Reading::Complete | Reading::NoRoom) => panic!("{other:?}"),
    };
    let mut left_after = async |time: Duration| {
        sleep(time).await;
        let before = staying.len();
        staying.retain_mut(|subscription| !leave(subscription));
        before - staying.len()
    };
    let (_, [at_once, first, second, rest]) = tokio::join!(hub.close(OVER), async {
        let [half, third] = [Duration::from_secs(50), Duration::from_secs(25)];
        [
            left_after(Duration::from_millis(1)).await,
            left_after(half).await,
            left_after(third).await,
            left_after(third).await,
        ]
    });
    assert_eq!((at_once, first + second + rest), (0, 1000));
    // Chance moves a half of 1,000 by 16: six times that is never.
    assert!(first.abs_diff(500) < 100 && second.abs_diff(250) < 100, "{first}, {second}, {rest}");
}
