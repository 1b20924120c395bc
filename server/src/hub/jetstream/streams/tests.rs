//! Streams at a NATS of the tests' own, whose answers show a lagging replica and an id that is used again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::super::{Failed, JetStream, Store, Why};
use super::*;

const EPOCH: Epoch = Epoch(7);
const NOT_KEPT: (&str, &str) = ("NATS/1.0 404 Message Not Found\r\n\r\n", "");
const STORED_ONE: (&str, &str) = ("NATS/1.0\r\nNats-Subject: pushoff.log.t.00000007\r\n\r\n", "1");
const HEAD: &str = "NATS/1.0\r\n\r\n";

/// The head and the body of the answer to a request.
type Answer = (&'static str, &'static str);

/// The streams of a NATS that gives these answers: of any replica, of the leader, and to what is stored.
async fn streams(replica: Answer, leader: &'static str, acknowledgement: &'static str) -> Streams {
    let client = client(replica, leader, acknowledgement, Arc::default()).await;
    let retention = Retention { messages: 10, bytes: 1000 };
    Streams::new(client, Keeping { in_memory: true, replicas: 3 }, retention)
}

/// A client of such a NATS, which counts what it was given to store.
async fn client(
    replica: Answer,
    leader: &'static str,
    acknowledgement: &'static str,
    given: Arc<AtomicUsize>,
) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answer = move |subject: &str| match subject {
        "$JS.API.DIRECT.GET.pushoff_t" => replica,
        "$JS.API.STREAM.MSG.GET.pushoff_t" => (HEAD, leader),
        "pushoff.log.t.00000007" => {
            given.fetch_add(1, Ordering::Relaxed);
            (HEAD, acknowledgement)
        }
        other => panic!("a request to {other}"),
    };
    tokio::spawn(async move {
        let (read, mut write) = listener.accept().await.unwrap().0.into_split();
        let mut read = BufReader::new(read);
        write.write_all(b"INFO {\"headers\":true,\"max_payload\":1048576}\r\n").await.unwrap();
        let mut line = String::new();
        while read.read_line(&mut line).await.is_ok_and(|length| length > 0) {
            let words: Vec<_> = line.split_whitespace().collect();
            match words[..] {
                ["PING"] => write.write_all(b"PONG\r\n").await.unwrap(),
                ["PUB" | "HPUB", subject, reply, .., length] => {
                    let mut body = vec![0; length.parse::<usize>().unwrap() + 2];
                    read.read_exact(&mut body).await.unwrap();
                    let (head, body) = answer(subject);
                    let lengths = format!("{} {}", head.len(), head.len() + body.len());
                    write.write_all(format!("HMSG {reply} 0 {lengths}\r\n{head}{body}\r\n").as_bytes()).await.unwrap();
                }
                _ => {}
            }
            line.clear();
        }
    });
    async_nats::connect(address).await.unwrap()
}

fn topic() -> Topic {
    "t".parse().unwrap()
}

fn json(text: &str) -> Payload {
    Payload::parse(text.as_bytes(), 100).unwrap()
}

#[tokio::test]
async fn a_message_that_a_replica_lacks_is_missed_only_where_the_leader_lacks_it() {
    // The payload in base64, as JetStream's API has it.
    let kept = "{\"message\":{\"subject\":\"pushoff.log.t.00000007\",\"seq\":3,\"data\":\"MQ==\",\
                \"time\":\"2026-11-28T00:00:00Z\"}}";
    let gone = "{\"error\":{\"code\":404,\"err_code\":10037,\"description\":\"no message found\"}}";
    for (replica, leader, expected) in
        [(NOT_KEPT, kept, Some(json("1"))), (NOT_KEPT, gone, None), (STORED_ONE, "", Some(json("1")))]
    {
        let streams = streams(replica, leader, "").await;
        assert_eq!(streams.message(&topic(), EPOCH, 3).await, Ok(expected), "{leader}");
    }
    let another = kept.replace("00000007", "00000008").leak();
    let streams = streams(NOT_KEPT, another, "").await;
    assert_eq!(streams.message(&topic(), EPOCH, 3).await, Err(StoreError::Unreachable), "of another epoch");
}

#[tokio::test]
async fn an_id_that_another_message_has_is_refused() {
    let again = "{\"stream\":\"pushoff_t\",\"seq\":3,\"duplicate\":true}";
    let streams = streams(STORED_ONE, "", again).await;
    let stored = Stored { sequence: 3, is_repeated: true };
    assert_eq!(streams.append(&topic(), EPOCH, &json("1"), "client:key.0").await, Ok(stored));
    assert_eq!(streams.append(&topic(), EPOCH, &json("2"), "client:key.0").await, Err(Unstored::Reused));
}

#[tokio::test]
async fn a_message_under_a_new_id_is_compared_with_none() {
    let streams = streams(NOT_KEPT, "", "{\"stream\":\"pushoff_t\",\"seq\":4}").await;
    let stored = Stored { sequence: 4, is_repeated: false };
    assert_eq!(streams.append(&topic(), EPOCH, &json("2"), "client:key.0").await, Ok(stored));
}

#[tokio::test]
async fn a_batch_whose_first_message_has_another_under_its_key_stores_nothing() {
    let given = Arc::default();
    let again = "{\"stream\":\"pushoff_t\",\"seq\":3,\"duplicate\":true}";
    let client = client(STORED_ONE, "", again, Arc::clone(&given)).await;
    let keeping = Keeping { in_memory: true, replicas: 3 };
    let store = JetStream::new(Store { client, keeping }, Retention { messages: 10, bytes: 1000 }, 10);
    store.epochs().insert(topic(), EPOCH);
    for (batch, expected, stored) in [("2345", 1, 0), ("1234", 2, 1)] {
        given.store(0, Ordering::Relaxed);
        let payloads: Vec<_> = batch.chars().map(|digit| json(&digit.to_string())).collect();
        let refused = Failed { stored, why: Why::Reused };
        assert_eq!(store.append(&topic(), &payloads, Some("key")).await, (0, Err(refused)));
        assert_eq!(given.load(Ordering::Relaxed), expected, "{batch}");
    }
}
