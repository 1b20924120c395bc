//! Raw TCP, the floor: a line to subscribe, then lengths and messages. The floor shows the cost of the machine
//! itself and is never ranked. Source: the wire contract.

#[cfg(test)]
mod properties;

use std::sync::Arc;

use pushoff_model::{Start, Topic, Transport};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use super::stream::{self, Feed};
use crate::framing::Framing;
use crate::net::{Io, close};
use crate::state::Server;

/// The longest head: the keyword, the longest topic and the longest cursor, the spaces between
/// them and the end of the line.
const HEAD_BYTES: usize = "SUBSCRIBE ".len() + 64 + 1 + 29 + "\r\n".len();

/// Serves one connection, which is closed unless its first line is a subscription.
pub(crate) async fn serve(mut io: impl Io, server: Arc<Server>) {
    let head = tokio::select! {
        head = timeout(server.config.head_timeout, head(&mut io)) => head.ok().flatten(),
        () = server.closing.cancelled() => None,
    };
    let subscription = match head {
        Some((topic, start)) => server.hub.join(&topic, start).await.ok(),
        None => None,
    };
    if let Some(subscription) = subscription {
        let feed = Feed {
            subscription,
            framing: Framing::LengthPrefixed,
            is_chunked: false,
            heartbeat: None,
            coder: None,
            meter: server.stats.connect(Transport::RawTcp),
        };
        if stream::write(&mut io, Box::new(feed), &server.stall_limit).await.is_err() {
            return;
        }
    }
    close(io, &[]).await;
}

/// The topic and the start in the first line; `None` where it is not a subscription.
async fn head(io: &mut (impl AsyncRead + Unpin)) -> Option<(Topic, Start)> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let mut within = io.take(HEAD_BYTES as u64);
    while !head.contains(&b'\n') {
        if within.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    parse(&head)
}

fn parse(head: &[u8]) -> Option<(Topic, Start)> {
    let line = head.split(|&byte| byte == b'\n').next()?;
    let line = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).ok()?;
    let mut words = line.strip_prefix("SUBSCRIBE ")?.split(' ');
    let topic = words.next()?.parse().ok()?;
    let start = words.next().map_or(Some(Start::Now), |start| start.parse().ok())?;
    words.next().is_none().then_some((topic, start))
}

#[cfg(test)]
mod tests {
    use pushoff_model::{Cursor, Epoch};

    use super::*;

    #[test]
    fn a_subscription_names_a_topic_and_perhaps_where_to_start() {
        let topic = |name: &str| name.parse::<Topic>().unwrap();
        assert_eq!(parse(b"SUBSCRIBE a.b\n"), Some((topic("a.b"), Start::Now)));
        assert_eq!(parse(b"SUBSCRIBE a start\r\n"), Some((topic("a"), Start::Oldest)));
        let cursor = Cursor { epoch: Epoch(0x5f3a_9c21), sequence: 42 };
        assert_eq!(parse(b"SUBSCRIBE a 5f3a9c21-42\nmore"), Some((topic("a"), Start::After(cursor))));
    }

    #[test]
    fn any_other_first_line_is_refused() {
        for head in ["\n", "SUBSCRIBE\n", "SUBSCRIBE \n", "subscribe a\n", "SUBSCRIBE a b\n", "SUBSCRIBE a start x\n"] {
            assert_eq!(parse(head.as_bytes()), None, "{head:?}");
        }
    }

    #[tokio::test]
    async fn a_head_without_an_end_is_refused_at_its_limit() {
        let endless = vec![b'a'; 1 << 20];
        assert_eq!(head(&mut endless.as_slice()).await, None);
        assert_eq!(head(&mut b"SUBSCRIBE a".as_slice()).await, None);
    }

    #[tokio::test]
    async fn the_longest_head_is_taken() {
        let longest = format!("SUBSCRIBE {} ffffffff-{}\r\n", "t".repeat(64), u64::MAX);
        assert!(head(&mut longest.as_bytes()).await.is_some());
    }
}
