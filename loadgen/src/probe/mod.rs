//! Probes a server before it is measured: what it offers by each transport, or one sentence that says what is wrong
//! and what to do.
//!
//! The probe publishes a few messages to a random topic and subscribes with the clients that would measure. The
//! connection runs through a relay and is cut once if the target describes how to resume: the missing messages must
//! then arrive, and no others.

mod diagnosis;
mod doctor;
mod exchange;
mod fault;
mod heard;
mod listen;
mod relay;
mod sink;
mod tap;

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use pushoff_model::target::{BUILT_IN, Newcomers, OURS, Technique, Template, Variable};
use pushoff_model::workload::Polling;
use pushoff_model::{Client, RunClock, Topic, Transport};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::clients::{Subscription, http_client, subscribe, technique};
use crate::failure::chain;
use crate::load::Poster;
use crate::origin::Origin;
use crate::server::Server;
use diagnosis::{Probed, Told, Trouble};
pub use doctor::{Examined, examine};
use exchange::Exchange;
pub use fault::{Course, Fault, Flow, Idle, Symptom};
pub use listen::{Listened, Listening, NotListened, is_stream, listen};
pub use relay::Relay;
use sink::ProbeSink;
use tap::Tap;

/// How long an operation may take that normally takes milliseconds. Chosen here.
const PATIENCE: Duration = Duration::from_secs(3);
/// The same for an operation that includes a back-off.
const PATIENCE_AFTER_A_CUT: Duration = Duration::from_secs(8);
/// The polling interval of short polling.
const POLLS: Duration = Duration::from_millis(50);
/// The queue of events: far longer than the number of published messages.
const QUEUED_EVENTS: usize = 4_096;

/// The result for one transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The transport.
    pub transport: Transport,
    /// The server's offer, or one sentence that names the fault and its cure.
    pub verdict: Result<Offer, String>,
    /// The faults that show in a failure, of those that have a cure.
    pub symptoms: Vec<Symptom>,
}

impl Finding {
    /// The error without the transport's name, if it starts with that name alone.
    #[must_use]
    pub fn without_its_transport(&self) -> Option<&str> {
        let reason = self.verdict.as_ref().err()?;
        let rest = reason.strip_prefix(self.transport.name()).and_then(|rest| rest.strip_prefix(": "));
        Some(rest.unwrap_or(reason))
    }
}

/// A server's offer by one transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Time from connecting to the first message.
    pub first_message: Duration,
    /// Whether a subscriber resumes without loss or duplicates; `false` where the target does not describe resuming.
    pub resumes: bool,
}

/// Probes a server by each of these transports, with the client that would measure it.
pub async fn probe(server: &Server, transports: &[Transport], client: Client) -> Vec<Finding> {
    join_all(transports.iter().map(|&transport| async move {
        match look(server, transport, client).await {
            Ok(offer) => Finding { transport, verdict: Ok(offer), symptoms: Vec::new() },
            Err(trouble) => failed(server, transport, trouble).await,
        }
    }))
    .await
}

/// The finding of a failed probe.
async fn failed(server: &Server, transport: Transport, trouble: Trouble) -> Finding {
    let Told { sentence, symptoms } = Probed { server, transport }.told(trouble).await;
    Finding { transport, verdict: Err(sentence), symptoms }
}

/// A subscription through a relay, and the exchange that publishes to its topic.
struct Begun<'a> {
    clock: RunClock,
    relay: Relay,
    tap: Tap,
    technique: &'a Technique,
    subscription: Subscription,
    exchange: Exchange,
    sink: ProbeSink,
}

/// Prepares the probe of a transport; a poll waits for `wait`.
async fn begin(server: &Server, transport: Transport, client: Client, wait: Duration) -> Result<Begun<'_>, Trouble> {
    let technique = technique(&server.target, transport)
        .ok_or_else(|| Trouble::Plain("the target does not describe it; add its table, or leave it out".into()))?;
    let is_raw = transport == Transport::RawTcp;
    let address = if is_raw { server.raw_tcp.ok_or_else(no_raw_tcp)? } else { server.http };
    let clock = RunClock::start();
    let tap = Tap::new(clock);
    let relay = reached(address, &tap).await?;
    let mut through = server.clone();
    if is_raw {
        through.raw_tcp = Some(relay.address);
    } else {
        through.http = relay.address;
    }
    let topic = unguessable_topic().ok_or_else(|| Trouble::Plain("no topic could be named".into()))?;
    let poster = poster(server, topic.clone())?;
    let mut subscription = Subscription::new(through, topic, Polling { interval: POLLS, wait }, clock);
    subscription.client = client;
    let (events, heard) = mpsc::channel(QUEUED_EVENTS);
    let exchange = Exchange::new(clock, poster, heard, contract_at(server));
    Ok(Begun { clock, relay, tap, technique, subscription, exchange, sink: ProbeSink::new(events, transport) })
}

impl Begun<'_> {
    /// Subscribes, and walks through an exchange that begins with a first message.
    async fn walk<T>(
        self,
        newcomers: Newcomers,
        walk: impl AsyncFnOnce(&mut Exchange, Duration, &Relay, &Tap) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let Self { clock, relay, tap, subscription, mut exchange, mut sink, .. } = self;
        if newcomers == Newcomers::Kept {
            exchange.publish(0, "").await?;
        }
        let begun = clock.now();
        let transport = sink.transport();
        let subscribing = subscribe(transport, subscription, &mut sink);
        let walking = async {
            let first = exchange.receive_first(newcomers, begun).await?;
            walk(&mut exchange, first, &relay, &tap).await
        };
        let walked = tokio::select! {
            biased;
            walked = walking => walked,
            ended = subscribing => Err(match ended {
                Ok(()) => Trouble::Plain("the server says at once that the topic is complete".into()),
                Err(error) => Trouble::Subscribing(error.into()),
            }),
        };
        walked.map_err(|trouble| exchange.explained(trouble))
    }
}

async fn look(server: &Server, transport: Transport, client: Client) -> Result<Offer, Trouble> {
    let begun = begin(server, transport, client, PATIENCE).await?;
    let technique = begun.technique;
    let hello_says_id = technique.hello.iter().flat_map(Template::variables).any(|variable| *variable == Variable::Id);
    let resumes = !technique.resume.is_empty() || hello_says_id;
    begun
        .walk(server.target.dialect.newcomers, async move |exchange, first_message, relay, _| {
            exchange.receive(1..3, PATIENCE).await?;
            if resumes {
                exchange.cut = Some(exchange.breaks.len());
                relay.cut();
                exchange.receive(3..5, PATIENCE_AFTER_A_CUT).await?;
            }
            if transport == Transport::LongPolling {
                exchange.receive_nothing().await?;
            }
            Ok(Offer { first_message, resumes })
        })
        .await
}

/// A relay to an address, after checking that it accepts connections.
async fn reached(address: SocketAddr, tap: &Tap) -> Result<Relay, Trouble> {
    match timeout(PATIENCE, TcpStream::connect(address)).await {
        Ok(Ok(_reached)) => tap.relay(address).await.map_err(|error| plain("opening a listening socket", &error)),
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

/// The address of a server that nobody described: it is only taken to speak pushoff's wire contract.
fn contract_at(server: &Server) -> Option<String> {
    let (_, ours) = BUILT_IN.into_iter().find(|(name, _)| *name == OURS)?;
    let is_taken = !server.target.is_ours() && &*server.target.text == ours;
    is_taken.then(|| format!("{}://{}{}", server.scheme(), server.authority, server.base))
}

fn unguessable_topic() -> Option<Topic> {
    format!("probe.{:032x}", rand::random::<u128>()).parse().ok()
}

fn poster(server: &Server, topic: Topic) -> Result<Poster, Trouble> {
    let client = http_client(server, &Origin::default()).map_err(|error| plain("setting up an HTTP client", &error))?;
    Poster::new(client, server, topic).map_err(|error| plain("addressing the server", &error))
}
