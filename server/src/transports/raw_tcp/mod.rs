//! Raw TCP, the floor: a line to subscribe with, then lengths and messages. What the machine
//! itself costs; never ranked. Source: the wire contract.

#[cfg(test)]
mod properties;

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use pushoff_model::{Start, Topic, Transport};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::framing::Framing;
use crate::http::connection::{close, poll_end};
use crate::hub::{Reading, Subscription};
use crate::limits;
use crate::net::write::{Link, Patience};
use crate::server::Server;
use crate::stats::Meter;

/// The longest head: the keyword, the longest topic and the longest cursor, the spaces between
/// them and the end of the line.
const HEAD_BYTES: usize = "SUBSCRIBE ".len() + 64 + 1 + 29 + "\r\n".len();

/// Serves one connection. One that begins with anything but a subscription is closed.
pub(crate) async fn serve<IO>(mut io: IO, server: Arc<Server>)
where
    IO: AsyncRead + Link,
{
    let subscription = tokio::select! {
        head = timeout(server.config.head_timeout, head(&mut io)) => head.ok().flatten().map(|(topic, start)| server.hub.subscribe(&topic, start)),
        () = server.closing.cancelled() => None,
    };
    if let Some(subscription) = subscription {
        let meter = server.stats.connect(Transport::RawTcp);
        if deliver(&mut io, subscription, &meter, &server).await.is_err() {
            return;
        }
    }
    close(io, None).await;
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

/// Writes all that is pending, again and again, until the topic is complete, the server goes away
/// or nobody reads any more.
async fn deliver<IO>(io: &mut IO, mut subscription: Subscription, meter: &Meter, server: &Server) -> io::Result<()>
where
    IO: AsyncRead + Link,
{
    let (mut outgoing, mut patience) = (Bytes::new(), Patience::default());
    loop {
        let turn = poll_fn(|cx| {
            for _ in 0..limits::TURNS {
                // Nothing is expected from the client but its end.
                if patience.poll_write(cx, io, &mut outgoing, server)?.is_pending() {
                    return poll_end(cx, io, &mut 0).map_ok(|()| true);
                }
                match subscription.poll_next(cx, Framing::LengthPrefixed, limits::STREAM) {
                    Poll::Ready(Reading::Batch(batch)) => {
                        meter.delivered(&batch);
                        outgoing = batch.bytes;
                    }
                    Poll::Ready(Reading::CaughtUp | Reading::Complete | Reading::Closing | Reading::NoRoom) => {
                        return Poll::Ready(Ok(true));
                    }
                    Poll::Pending => return poll_end(cx, io, &mut 0).map_ok(|()| true),
                }
            }
            Poll::Ready(Ok(false))
        });
        if turn.await? {
            return Ok(());
        }
        yield_now().await;
    }
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
    fn anything_else_is_refused() {
        for head in ["\n", "SUBSCRIBE\n", "SUBSCRIBE \n", "subscribe a\n", "SUBSCRIBE a b\n", "SUBSCRIBE a start x\n"] {
            assert_eq!(parse(head.as_bytes()), None, "{head:?}");
        }
    }

    #[tokio::test]
    async fn a_head_without_an_end_is_given_up_at_its_bound() {
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
