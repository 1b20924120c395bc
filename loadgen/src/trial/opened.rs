//! First state: topics with a greeting, and the connections that publish.
//!
//! Every subscriber, whatever its transport, gets a greeting. It proves that the subscription is in place,
//! without a sleep and without a race, and gives the time to the first message. Where a server sends
//! newcomers what a topic keeps, the greeting is published before anybody subscribes. Otherwise it is
//! published when all are connected, and again until all have it.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use pushoff_model::record::{FailureKind, Memory};
use pushoff_model::target::Newcomers;
use pushoff_model::workload::{Direction, topic_name};
use pushoff_model::{Client, RunClock, Topic};
use tokio::time::timeout;

use super::connected::{Connected, Idle};
use super::setting::Setting;
use crate::books::{Arrivals, Own, Presence, Publication, PublishOutcome, Reads, Recorder, Subscriber};
use crate::clients::http_client;
use crate::failure::{Failed, caused, failed};
use crate::load::{Channel, Poster, Publisher, Schedule};
use crate::message::BodySource;
use crate::message::stamp::{self, GREETER, Stamp};
use crate::origin::{Origin, ports};
use crate::peers::{Moment, Part};
use crate::plan::Trial;
use crate::server::Server;
use crate::subscribers::{CONNECTING_AT_ONCE, Subscribers, local};

/// How many topics are greeted at the same time. Each opens a publishing connection. Chosen here.
pub(crate) const POSTING_CONNECTIONS_WARMED: usize = 16;
/// How long a greeting has to reach connected subscribers before it is published again: a subscription may
/// not have been in place yet. Chosen here.
const GREETED_AGAIN: Duration = Duration::from_millis(250);
/// How long connecting may take, for any number of subscribers …
const CONNECT_BASE: Duration = Duration::from_secs(10);
/// … and how much longer for each subscriber. Chosen here: ten times the usual time.
const CONNECT_EACH: Duration = Duration::from_millis(5);
/// The same in a page, where connected subscribers already poll.
const CONNECT_EACH_IN_A_PAGE: Duration = Duration::from_millis(250);

/// A server with open topics.
pub(super) struct Opened<'a> {
    setting: Setting<'a>,
    topics: Vec<Topic>,
    posters: Vec<Poster>,
    /// The publishing connections; empty where members publish on their own connection.
    channels: Vec<Channel>,
    pub(super) recorder: Arc<Recorder>,
}

impl<'a> Opened<'a> {
    /// Opens the topics and the publishing connections. Nobody subscribes yet.
    pub(super) async fn open(setting: Setting<'a>) -> Result<Self, Failed> {
        let patience = patience(setting.trial);
        timeout(patience, Box::pin(Self::topics(setting))).await.unwrap_or_else(|_elapsed| {
            Err(failed(FailureKind::Server, format!("the server did not open every topic within {patience:?}")))
        })
    }

    async fn topics(setting: Setting<'a>) -> Result<Self, Failed> {
        let Setting { trial, server, clock, peers, .. } = setting;
        let topics: Vec<_> = topics(trial, peers.run)?;
        let beside = server.for_publishers();
        let client = client(&beside, &server.publisher())?;
        let posters: Result<Vec<_>, _> =
            topics.iter().map(|topic| Poster::new(client.clone(), &beside, topic.clone())).collect();
        let posters = posters.map_err(|error| caused(FailureKind::Server, "addressing the server", &error))?;
        let own = own(&posters, peers.part);
        match server.target.dialect.newcomers {
            Newcomers::Kept => greet(&own, clock).await?,
            Newcomers::Live => warm(&own).await?,
        }
        let channels = match trial.workload.direction {
            Direction::Down => own.into_iter().map(Channel::Post).collect(),
            Direction::Both if trial.speaks_on_its_own_connection() => Vec::new(),
            Direction::Both => members(setting, &topics).await?,
        };
        Ok(Self { setting, topics, posters, channels, recorder: Arc::default() })
    }

    /// Connects every subscriber and waits until all have a greeting.
    pub(super) async fn connect(self) -> Result<Connected<'a>, Failed> {
        let setting = self.setting;
        let Setting { trial, server, browser, clock, peers } = setting;
        let observer = setting.observer();
        peers.meet(Moment::Opened, ()).await?;
        let empty = observer.held().await;
        let before = observer.reading().await;
        peers.meet(Moment::Connecting, ()).await?;
        let schedule = Schedule::new(&trial.workload, trial.seed);
        let publications: Vec<_> = (0..trial.workload.publishers()).map(|_| Publication::default()).collect();
        let mut subscribers = Subscribers::new(peers.part.subscribers(&trial.workload), server.wire);
        let each = self.each(&subscribers, &publications);
        let outboxes = match browser {
            Some(browser) => {
                browser.subscribe(&mut subscribers, each, trial, (server, clock));
                Vec::new()
            }
            None => local::connect(&mut subscribers, each, trial, (server, clock, peers.part), &schedule),
        };
        let channels = self.channels.into_iter().chain(outboxes.into_iter().map(Channel::Socket));
        let numbers = peers.part.publishers(&trial.workload);
        let publishers = publishers(trial, &schedule, numbers.zip(channels), &publications);
        let arrivals = subscribers.arrivals.clone();
        tokio::select! {
            failure = subscribers.failure() => return Err(failure),
            connected = all_connected(setting, &self.posters, &arrivals) => connected?,
        }
        let connecting = observer.used_since(&before).await;
        let memory = Memory { empty, idle: observer.held().await, ..Memory::default() };
        let pages = match browser {
            Some(browser) => Some(browser.used().await?),
            None => None,
        };
        let wire = subscribers.wire.traffic().filter(|_| browser.is_none());
        let idle = Idle { connecting, memory, pages, wire };
        let (posters, recorder) = (self.posters, self.recorder);
        Ok(Connected { setting, subscribers, publishers, publications, posters, schedule, recorder, idle })
    }

    /// Every subscriber with its topic, in the order of their numbers.
    fn each(&self, subscribers: &Subscribers, publications: &[Publication]) -> Vec<(Box<Subscriber>, Topic)> {
        let Setting { trial, server, .. } = self.setting;
        let (workload, dialect) = (&trial.workload, &server.target.dialect);
        let speaks = workload.direction == Direction::Both;
        let speaks_here = trial.speaks_on_its_own_connection();
        let subscriber = |&(number, ref progress): &(u32, Arc<_>)| {
            let topic = workload.topic_of(number);
            let reads = Reads {
                number,
                topic,
                topics: workload.topics,
                publishers: if speaks { workload.audience(topic) } else { 1 } as usize,
                others: dialect.others,
                presence: Presence::of(dialect.newcomers, trial.transport),
                own: match workload.direction {
                    Direction::Down => Own::Nothing,
                    Direction::Both if speaks_here => Own::Spoken(publications[number as usize].clone()),
                    Direction::Both => Own::Posted,
                },
            };
            let subscriber =
                Subscriber::new(reads, self.recorder.clone(), Arc::clone(progress), subscribers.arrivals.clone());
            (Box::new(subscriber), self.topics[topic as usize].clone())
        };
        subscribers.progress.iter().map(subscriber).collect()
    }
}

fn publishers(
    trial: &Trial,
    schedule: &Schedule,
    channels: impl Iterator<Item = (u32, Channel)>,
    publications: &[Publication],
) -> Vec<Publisher> {
    let bodies = BodySource::new(&trial.workload, trial.seed);
    let publisher = |(number, channel): (u32, Channel)| Publisher {
        number,
        due: schedule.of(number).peekable(),
        bodies: bodies.of(number, schedule.of(number).count() as u64),
        channel,
        publication: publications[number as usize].clone(),
        next_index: 0,
        writes_anew: !trial.target.is_ours(),
    };
    channels.map(publisher).collect()
}

/// How long opening the topics may take, and how long connecting.
pub(crate) fn patience(trial: &Trial) -> Duration {
    let each = match trial.client {
        Client::Library | Client::Lean => CONNECT_EACH,
        Client::Browser => CONNECT_EACH_IN_A_PAGE,
    };
    CONNECT_BASE + each * trial.workload.subscribers
}

async fn all_connected(setting: Setting<'_>, posters: &[Poster], arrivals: &Arrivals) -> Result<(), Failed> {
    let patience = patience(setting.trial);
    timeout(patience, all_greeted(setting, posters, arrivals)).await.unwrap_or_else(|_elapsed| {
        let reason = format!("{} subscribers had no first message within {patience:?}", arrivals.greeted.missing());
        Err(failed(FailureKind::Connect, reason))
    })
}

/// Waits until all have a greeting, and publishes it where newcomers do not receive kept messages.
async fn all_greeted(
    Setting { server, clock, peers, .. }: Setting<'_>,
    posters: &[Poster],
    arrivals: &Arrivals,
) -> Result<(), Failed> {
    match server.target.dialect.newcomers {
        Newcomers::Kept => {
            arrivals.greeted.all().await;
            peers.meet(Moment::Greeted, ()).await?;
        }
        Newcomers::Live => {
            arrivals.present.all().await;
            peers.meet(Moment::Present, ()).await?;
            let own = own(posters, peers.part);
            let mut all_greeted = pin!(async {
                arrivals.greeted.all().await;
                peers.meet(Moment::Greeted, ()).await
            });
            greet(&own, clock).await?;
            // Until no agent's subscriber lacks it.
            loop {
                match timeout(GREETED_AGAIN, &mut all_greeted).await {
                    Ok(greeted) => break drop(greeted?),
                    Err(_elapsed) => greet(&own, clock).await?,
                };
            }
        }
    }
    Ok(())
}

/// The posters of the topics that this generator opens and greets.
fn own(posters: &[Poster], part: Part) -> Vec<Poster> {
    (0..).zip(posters).filter(|(topic, _)| part.has_topic(*topic)).map(|(_, poster)| poster.clone()).collect()
}

fn client(server: &Server, origin: &Origin) -> Result<reqwest::Client, Failed> {
    http_client(server, origin).map_err(|error| caused(FailureKind::Generator, "setting up an HTTP client", &error))
}

fn topics(trial: &Trial, run: u32) -> Result<Vec<Topic>, Failed> {
    (0..trial.workload.topics)
        .map(|number| {
            let name = format!("{}.{run:08x}", topic_name(&trial.workload, trial.number, number));
            name.parse().map_err(|error| caused(FailureKind::Generator, "naming a topic", &error))
        })
        .collect()
}

/// Posts every topic's greeting.
async fn greet(posters: &[Poster], clock: RunClock) -> Result<(), Failed> {
    let greetings = stream::iter(posters.to_vec()).map(|poster| greet_one(poster, clock));
    greetings.buffer_unordered(POSTING_CONNECTIONS_WARMED).try_collect().await
}

async fn greet_one(poster: Poster, clock: RunClock) -> Result<(), Failed> {
    let now = clock.now();
    let mut greeting = String::new();
    stamp::write(&mut greeting, &Stamp { publisher: GREETER, index: 0, due: now, sent: now }, |body| {
        body.push_str("\"hello\"");
    });
    match poster.post(vec![greeting]).await {
        PublishOutcome::Accepted => Ok(()),
        PublishOutcome::Refused(reason) | PublishOutcome::Unknown(reason) => {
            Err(failed(FailureKind::Server, format!("greeting a topic: {reason}")))
        }
    }
}

async fn warm(posters: &[Poster]) -> Result<(), Failed> {
    let warmed = stream::iter(posters.to_vec()).map(warm_one);
    warmed.buffer_unordered(POSTING_CONNECTIONS_WARMED).try_collect().await
}

/// Opens a connection, so that the first message does not include connecting.
async fn warm_one(poster: Poster) -> Result<(), Failed> {
    poster.warm().await.map_err(|error| caused(FailureKind::Connect, "warming a connection", &error))
}

/// Publishing connections of members that speak by `POST`, one for each member.
async fn members(Setting { trial, server, peers, .. }: Setting<'_>, topics: &[Topic]) -> Result<Vec<Channel>, Failed> {
    let ports = ports();
    stream::iter(peers.part.subscribers(&trial.workload))
        .map(|number| member(server, &topics[trial.workload.topic_of(number) as usize], server.reader(number, ports)))
        .buffered(CONNECTING_AT_ONCE)
        .try_collect()
        .await
}

async fn member(server: &Server, topic: &Topic, origin: Origin) -> Result<Channel, Failed> {
    let poster = Poster::new(client(server, &origin)?, server, topic.clone());
    let poster = poster.map_err(|error| caused(FailureKind::Server, "addressing the server", &error))?;
    warm_one(poster.clone()).await?;
    Ok(Channel::Post(poster))
}
