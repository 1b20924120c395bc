//! A look at a server before it is measured: what it offers, technique by technique, or in one
//! sentence what is wrong and what to do.
//!
//! A few messages are published to a topic that nobody knows and subscribed to by the clients that
//! measure. The connection goes through a relay of our own and is cut once, where the target says
//! that one can go on: what comes then must be what was missing and nothing else.

mod diagnosis;
mod ears;
mod relay;

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use pushoff_model::target::{Newcomers, Template, Variable};
use pushoff_model::workload::Polling;
use pushoff_model::{Client, RunClock, RunInstant, Topic, Transport};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use crate::failure::chain;
use crate::poster::Poster;
use crate::publication::Verdict;
use crate::server::{Server, http_client};
use crate::stamp::{self, Stamp};
use crate::transports::{self, Subscription};
use diagnosis::{Scene, Trouble, not_published};
use ears::{Ears, Heard};
use relay::Relay;

/// How long anything may take that takes milliseconds. Chosen here.
const PATIENCE: Duration = Duration::from_secs(3);
/// The same where a client waits before it connects again.
const PATIENCE_AFTER_A_CUT: Duration = Duration::from_secs(8);
/// How long a newcomer who gets nothing that was kept has to hear a message that is published.
const AGAIN: Duration = Duration::from_millis(250);
/// How often short polling asks here.
const POLLS: Duration = Duration::from_millis(50);
/// Messages that push others out of a buffer, and how large they are: 256 KiB in all.
const PUSHES: u64 = 64;
const PUSH_BYTES: usize = 4 * 1024;
/// What may wait to be looked at: far more than is published.
const MOST_HEARD: usize = 4_096;

/// What was found out about one transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub transport: Transport,
    /// What the server offers, or what is wrong with it and what to do.
    pub verdict: Result<Offer, String>,
}

/// What a server offers by one transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// From connecting to the first message.
    pub first_message: Duration,
    /// Whether one who comes back goes on where he was, without loss or duplicate; `false` where
    /// the target does not say that one can.
    pub resumes: bool,
}

/// Looks at a server by each of these transports, with the clients that would measure it.
pub async fn probe(server: &Server, transports: &[Transport], client: Client) -> Vec<Finding> {
    join_all(transports.iter().map(|&transport| async move {
        let scene = Scene { server, transport };
        let verdict = match look(server, transport, client).await {
            Ok(offer) => Ok(offer),
            Err(trouble) => Err(scene.sentence(trouble).await),
        };
        Finding { transport, verdict }
    }))
    .await
}

async fn look(server: &Server, transport: Transport, client: Client) -> Result<Offer, Trouble> {
    let technique = transports::technique(&server.target, transport)
        .ok_or_else(|| Trouble::Plain("the target does not describe it; add its table, or leave it out".into()))?;
    let address = match transport {
        Transport::RawTcp => server.raw_tcp.ok_or_else(no_raw_tcp)?,
        Transport::ShortPolling
        | Transport::LongPolling
        | Transport::HttpStreaming
        | Transport::Sse
        | Transport::WebSocket => server.http,
    };
    let relay = reached(address).await?;
    let mut through = server.clone();
    match transport {
        Transport::RawTcp => through.raw_tcp = Some(relay.address),
        Transport::ShortPolling
        | Transport::LongPolling
        | Transport::HttpStreaming
        | Transport::Sse
        | Transport::WebSocket => through.http = relay.address,
    }
    let clock = RunClock::start();
    let topic = unguessable_topic().ok_or_else(|| Trouble::Plain("no topic could be named".into()))?;
    let poster = poster(server, topic.clone())?;
    let mut subscription = Subscription::new(through, topic, Polling { interval: POLLS, wait: PATIENCE }, clock);
    subscription.client = client;
    let (events, heard) = mpsc::channel(MOST_HEARD);
    let mut walk = Walk { clock, poster, heard, last: None };
    let begun = clock.now();
    if server.target.dialect.newcomers == Newcomers::Kept {
        walk.publish(0, "").await?;
    }
    let hello_says_id = technique.hello.iter().flat_map(Template::variables).any(|variable| *variable == Variable::Id);
    let mut ears = Ears::new(events, transport);
    let subscribing = transports::subscribe(transport, subscription, &mut ears);
    let walking = async {
        let first_message = walk.hear_first(server.target.dialect.newcomers, begun).await?;
        walk.hear(1..3, PATIENCE).await?;
        let resumes = !technique.resume.is_empty() || hello_says_id;
        if resumes {
            relay.cut();
            walk.hear(3..5, PATIENCE_AFTER_A_CUT).await?;
        }
        Ok(Offer { first_message, resumes })
    };
    let looked = tokio::select! {
        biased;
        walked = walking => walked,
        ended = subscribing => Err(match ended {
            Ok(()) => Trouble::Plain("the server says at once that the topic is complete".into()),
            Err(error) => Trouble::Subscribing(error.into()),
        }),
    };
    match (looked, walk.last_strange()) {
        (Err(Trouble::Subscribing(_)), Some(strange)) => Err(Trouble::NotFound(strange)),
        (looked, _) => looked,
    }
}

/// A relay to an address that somebody listens at.
async fn reached(address: SocketAddr) -> Result<Relay, Trouble> {
    match timeout(PATIENCE, TcpStream::connect(address)).await {
        Ok(Ok(_reached)) => Relay::to(address).await.map_err(|error| plain("opening a listening socket", &error)),
        Ok(Err(error)) => Err(unreachable(address, &error.to_string())),
        Err(_elapsed) => Err(unreachable(address, "no answer")),
    }
}

fn plain(attempted: &str, error: &(dyn Error + 'static)) -> Trouble {
    Trouble::Plain(format!("{attempted}: {}", chain(error)))
}

fn no_raw_tcp() -> Trouble {
    Trouble::Plain("the target has no raw TCP port; add `raw-tcp`, or leave it out".into())
}

fn unreachable(address: SocketAddr, reason: &str) -> Trouble {
    Trouble::Plain(format!("nobody listens at {address} ({reason}); start the server, or correct its address"))
}

fn unguessable_topic() -> Option<Topic> {
    format!("probe.{:032x}", rand::random::<u128>()).parse().ok()
}

fn poster(server: &Server, topic: Topic) -> Result<Poster, Trouble> {
    let client = http_client().map_err(|error| plain("setting up an HTTP client", &error))?;
    Poster::new(client, server, topic).map_err(|error| plain("addressing the server", &error))
}

/// One who publishes and listens what comes of it.
struct Walk {
    clock: RunClock,
    poster: Poster,
    heard: mpsc::Receiver<Heard>,
    /// The last message that came.
    last: Option<u64>,
}

impl Walk {
    async fn publish(&self, index: u64, filler: &str) -> Result<(), Trouble> {
        let (mut payload, now) = (String::new(), self.clock.now());
        stamp::write(&mut payload, &Stamp { publisher: 0, index, due: now, sent: now }, |body| {
            body.push('"');
            body.push_str(filler);
            body.push('"');
        });
        match timeout(PATIENCE, self.poster.post(vec![payload])).await {
            Ok(Verdict::Accepted) => Ok(()),
            Ok(Verdict::Refused(reason) | Verdict::Doubtful(reason)) => Err(self.not_published(&reason)),
            Err(_elapsed) => Err(self.not_published("no answer")),
        }
    }

    fn not_published(&self, reason: &str) -> Trouble {
        not_published(self.poster.address().as_str(), reason)
    }

    /// Waits for the first message; what took so long since `begun`.
    async fn hear_first(&mut self, newcomers: Newcomers, begun: RunInstant) -> Result<Duration, Trouble> {
        let deadline = Instant::now() + PATIENCE;
        let mut present = newcomers == Newcomers::Kept;
        loop {
            match timeout_at(deadline.min(Instant::now() + AGAIN), self.heard.recv()).await {
                Ok(Some(Heard::Present)) if !present => {
                    present = true;
                    self.publish(0, "").await?;
                }
                Ok(Some(Heard::Message(index, at))) => {
                    self.last = Some(index);
                    return Ok(at.since(begun));
                }
                Ok(Some(Heard::Present | Heard::Strange(_))) => {}
                Ok(None) | Err(_) if Instant::now() >= deadline => return Err(self.silence().await?),
                Ok(None) | Err(_) => {
                    if present && newcomers == Newcomers::Live {
                        self.publish(0, "").await?;
                    }
                }
            }
        }
    }

    /// Why nothing came: whether more that is published brings it.
    async fn silence(&mut self) -> Result<Trouble, Trouble> {
        let filler = "x".repeat(PUSH_BYTES);
        for index in 0..PUSHES {
            self.publish(1_000 + index, &filler).await?;
        }
        let deadline = Instant::now() + PATIENCE;
        while let Ok(Some(heard)) = timeout_at(deadline, self.heard.recv()).await {
            match heard {
                Heard::Message(..) => return Ok(Trouble::Buffered),
                Heard::Strange(unit) => return Ok(Trouble::NotFound(unit)),
                Heard::Present => {}
            }
        }
        Ok(Trouble::Silence)
    }

    /// The last thing that came and was no message, of what is not looked at yet.
    fn last_strange(&mut self) -> Option<Vec<u8>> {
        let mut strange = None;
        while let Ok(heard) = self.heard.try_recv() {
            if let Heard::Strange(unit) = heard {
                strange = Some(unit);
            }
        }
        strange
    }

    /// Publishes these and waits until each has come, once and in order.
    async fn hear(&mut self, indices: std::ops::Range<u64>, patience: Duration) -> Result<(), Trouble> {
        for index in indices.clone() {
            self.publish(index, "").await?;
        }
        let deadline = Instant::now() + patience;
        while self.last < Some(indices.end - 1) {
            let next = self.last.map_or(0, |last| last + 1);
            match timeout_at(deadline, self.heard.recv()).await {
                Ok(Some(Heard::Message(index, _))) if index == next => self.last = Some(index),
                // A newcomer's first message may have been published again.
                Ok(Some(Heard::Message(0, _))) if self.last == Some(0) => {}
                Ok(Some(Heard::Message(index, _))) if index < next => return Err(Trouble::Repeated),
                Ok(Some(Heard::Message(index, _))) => return Err(Trouble::Lost(index - next)),
                Ok(Some(Heard::Present | Heard::Strange(_))) => {}
                Ok(None) | Err(_) if indices.start > 2 => return Err(Trouble::Lost(indices.end - next)),
                Ok(None) | Err(_) => return Err(Trouble::Held(next)),
            }
        }
        Ok(())
    }
}
