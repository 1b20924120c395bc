//! Before the load: topics with a greeting, everybody connected.
//!
//! Every subscriber, whatever its transport, gets a greeting, which proves that the subscription is
//! in place: no sleep, no race, and the time to the first message besides. Where newcomers get what
//! a topic keeps, the greeting is there before them. Where they do not, it is published when all
//! are connected, and again until all have heard it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use pushoff_model::record::FailureKind;
use pushoff_model::target::Newcomers;
use pushoff_model::workload::{Direction, topic_name};
use pushoff_model::{RunClock, RunInstant, Topic, Transport};
use rand::seq::SliceRandom;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::agents::Finished;
use crate::agents::page::{Browser, Signals};
use crate::books::{Arrivals, Presence, Publication, Recorder, Seat, Standing, Subscriber, Verdict};
use crate::clients::{Pace, Subscription, ports, source_of, subscribe};
use crate::failure::{Failed, caused, failed};
use crate::load::{Channel, Poster, Publisher, Schedule};
use crate::message::BodySource;
use crate::message::stamp::{self, GREETER, Stamp};
use crate::plan::{Trial, speaks_on_its_own};
use crate::seeding::{self, Purpose};
use crate::server::{Server, http_client};
use crate::watch::wire::Taps;

/// How many subscribers connect at the same time: enough to be quick, too few to fill the
/// server's queue of connections not yet accepted. Chosen here.
pub(crate) const CONNECTING_AT_ONCE: usize = 16;
/// How many topics are greeted at the same time, which opens as many connections of those that
/// publish by `POST` on the server's side. Chosen here.
pub(crate) const POSTING_CONNECTIONS_WARMED: usize = 16;
/// How long a greeting has to reach those who were connected before it is published again: one
/// whose subscription was not quite in place yet. Chosen here.
const GREETED_AGAIN: Duration = Duration::from_millis(250);

/// The server's side of a trial, ready: topics, connections that publish.
#[derive(Debug)]
pub(crate) struct Stage {
    posters: Vec<Poster>,
    topics: Vec<Topic>,
    channels: Vec<Channel>,
}

/// Everybody who takes part in a trial, on their marks.
pub(crate) struct Cast {
    /// A task's are those of one connection, or of one page.
    pub(crate) subscribers: JoinSet<Vec<Finished>>,
    pub(crate) standings: Vec<Arc<Standing>>,
    pub(crate) publishers: Vec<Publisher>,
    /// What became of each publisher's messages, by number.
    pub(crate) publications: Vec<Publication>,
    /// Where to complete each topic, by number.
    pub(crate) posters: Vec<Poster>,
    pub(crate) schedule: Schedule,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) arrivals: Arc<Arrivals>,
    /// What crosses the subscribers' connections.
    pub(crate) taps: Taps,
    /// Says when the load begins.
    pub(crate) start: watch::Sender<Option<RunInstant>>,
    /// Tells the subscribers to stop.
    pub(crate) stop: CancellationToken,
}

/// Opens the topics and warms the connections that will publish. Nobody subscribes yet.
pub(crate) async fn stage(trial: &Trial, server: &Server, clock: RunClock) -> Result<Stage, Failed> {
    let topics: Vec<_> = topics(trial)?;
    let client = client()?;
    let posters: Result<Vec<_>, _> =
        topics.iter().map(|topic| Poster::new(client.clone(), server, topic.clone())).collect();
    let posters = posters.map_err(|error| caused(FailureKind::Server, "addressing the server", &error))?;
    match server.target.dialect.newcomers {
        Newcomers::Kept => greet(&posters, clock).await?,
        Newcomers::Live => warm(&posters).await?,
    }
    let channels = match trial.workload.direction {
        Direction::Down => posters.iter().cloned().map(Channel::Post).collect(),
        Direction::Both if speaks_there(trial) => Vec::new(),
        Direction::Both => members(trial, &posters).await?,
    };
    Ok(Stage { posters, topics, channels })
}

/// Sends the subscribers off to connect. They are connected when `arrivals` says so.
pub(crate) fn send_off(
    stage: Stage,
    trial: &Trial,
    server: &Server,
    browser: Option<&Browser>,
    clock: RunClock,
) -> Cast {
    let mut cast = Cast {
        subscribers: JoinSet::new(),
        standings: Vec::new(),
        publishers: Vec::new(),
        publications: (0..trial.workload.publishers()).map(|_| Publication::default()).collect(),
        posters: stage.posters,
        schedule: Schedule::new(&trial.workload, trial.seed),
        recorder: Arc::default(),
        arrivals: Arc::new(Arrivals::new(trial.workload.subscribers)),
        taps: Taps::default(),
        start: watch::Sender::new(None),
        stop: CancellationToken::new(),
    };
    let sockets = subscribers(&mut cast, trial, server, browser, &stage.topics, clock);
    enlist(&mut cast, trial, stage.channels.into_iter().chain(sockets));
    cast
}

/// Waits until everybody has the greeting, and publishes it where it was not there before.
pub(crate) async fn gathered(
    server: &Server,
    posters: &[Poster],
    arrivals: &Arrivals,
    clock: RunClock,
) -> Result<(), Failed> {
    match server.target.dialect.newcomers {
        Newcomers::Kept => arrivals.greeted.all().await,
        Newcomers::Live => {
            arrivals.present.all().await;
            greet(posters, clock).await?;
            while timeout(GREETED_AGAIN, arrivals.greeted.all()).await.is_err() {
                greet(posters, clock).await?;
            }
        }
    }
    Ok(())
}

fn client() -> Result<reqwest::Client, Failed> {
    http_client().map_err(|error| caused(FailureKind::Generator, "setting up an HTTP client", &error))
}

/// Names that nobody has used: what a server that runs on keeps of an earlier trial is none of
/// this one's.
fn topics(trial: &Trial) -> Result<Vec<Topic>, Failed> {
    let run: u32 = rand::random();
    (0..trial.workload.topics)
        .map(|number| {
            let name = format!("{}.{run:08x}", topic_name(&trial.workload, trial.number, number));
            name.parse().map_err(|error| caused(FailureKind::Generator, "naming a topic", &error))
        })
        .collect()
}

/// Whether members speak on the connection that they listen on.
fn speaks_there(trial: &Trial) -> bool {
    let technique = trial.target.dialect.technique(trial.transport);
    speaks_on_its_own(trial.transport, trial.client) && technique.is_some_and(|technique| technique.speaks.is_some())
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
        Verdict::Accepted => Ok(()),
        Verdict::Refused(reason) | Verdict::Doubtful(reason) => {
            Err(failed(FailureKind::Server, format!("greeting a topic: {reason}")))
        }
    }
}

async fn warm(posters: &[Poster]) -> Result<(), Failed> {
    let warmed = stream::iter(posters.to_vec()).map(warm_one);
    warmed.buffer_unordered(POSTING_CONNECTIONS_WARMED).try_collect().await
}

/// Opens a connection, so that no first message pays for connecting.
async fn warm_one(poster: Poster) -> Result<(), Failed> {
    poster.warm().await.map_err(|error| caused(FailureKind::Connect, "warming a connection", &error))
}

/// Members that speak by `POST`: each with a client, hence a connection, of its own.
async fn members(trial: &Trial, posters: &[Poster]) -> Result<Vec<Channel>, Failed> {
    stream::iter(0..trial.workload.subscribers)
        .map(|number| member(&posters[trial.workload.topic_of(number) as usize]))
        .buffered(CONNECTING_AT_ONCE)
        .try_collect()
        .await
}

async fn member(poster: &Poster) -> Result<Channel, Failed> {
    let poster = poster.on(client()?);
    warm_one(poster.clone()).await?;
    Ok(Channel::Post(poster))
}

/// Starts every subscriber; returns the outboxes of those that speak on their own connection.
fn subscribers(
    cast: &mut Cast,
    trial: &Trial,
    server: &Server,
    browser: Option<&Browser>,
    topics: &[Topic],
    clock: RunClock,
) -> Vec<Channel> {
    let room = Arc::new(Semaphore::new(CONNECTING_AT_ONCE));
    let seated: Vec<_> = (0..trial.workload.subscribers)
        .map(|number| (seated(cast, trial, server, number), topics[trial.workload.topic_of(number) as usize].clone()))
        .collect();
    let Some(browser) = browser else { return connect(cast, trial, server, seated, &room, clock) };
    let signals = Signals { clock, room, start: cast.start.subscribe(), stop: cast.stop.clone() };
    for page in browser.seat(seated.into_iter(), trial, server) {
        cast.subscribers.spawn(page.attend(signals.clone()));
    }
    Vec::new()
}

/// A subscriber with its books.
fn seated(cast: &mut Cast, trial: &Trial, server: &Server, number: u32) -> Box<Subscriber> {
    let workload = &trial.workload;
    let topic = workload.topic_of(number);
    let speaks = workload.direction == Direction::Both;
    let dialect = &server.target.dialect;
    let seat = Seat {
        number,
        topic,
        topics: workload.topics,
        publishers: if speaks { workload.audience(topic) } else { 1 } as usize,
        others: dialect.others,
        presence: Presence::of(dialect.newcomers, trial.transport),
        own: speaks.then(|| cast.publications[number as usize].clone()),
    };
    let standing = Arc::new(Standing::default());
    cast.standings.push(standing.clone());
    Box::new(Subscriber::new(seat, cast.recorder.clone(), standing, cast.arrivals.clone()))
}

/// Has the subscribers of this process connect, each for itself.
fn connect(
    cast: &mut Cast,
    trial: &Trial,
    server: &Server,
    seated: Vec<(Box<Subscriber>, Topic)>,
    room: &Arc<Semaphore>,
    clock: RunClock,
) -> Vec<Channel> {
    let workload = &trial.workload;
    let on_its_own = workload.direction == Direction::Both && speaks_there(trial);
    let offsets = poll_offsets(trial, &cast.schedule);
    let ports = ports();
    let mut channels = Vec::new();
    for ((number, offset), (subscriber, topic)) in (0..).zip(offsets).zip(seated) {
        let mut subscription = Subscription::new(server.clone(), topic, workload.polling, clock);
        subscription.pace = Pace::From { start: cast.start.subscribe(), offset };
        subscription.completes = workload.completes;
        subscription.client = trial.client;
        subscription.taps = cast.taps.clone();
        subscription.source = source_of(number, server.http, ports);
        subscription.seed = seeding::mix(seeding::mix(trial.seed ^ Purpose::BackOff as u64) ^ u64::from(number));
        if on_its_own {
            // A publisher waits for each write, so that one place is all it ever needs.
            let (sender, outbox) = mpsc::channel(1);
            subscription.outbox = Some(outbox);
            channels.push(Channel::Socket(sender));
        }
        let stop = cast.stop.clone();
        cast.subscribers.spawn(attend(trial.transport, subscription, subscriber, room.clone(), stop));
    }
    channels
}

/// A subscriber's life: waits for room to connect, subscribes, and stops when told to.
async fn attend(
    transport: Transport,
    subscription: Subscription,
    mut subscriber: Box<Subscriber>,
    room: Arc<Semaphore>,
    stop: CancellationToken,
) -> Vec<Finished> {
    let attending = async {
        subscriber.room = room.acquire_owned().await.ok();
        subscribe(transport, subscription, &mut *subscriber).await
    };
    let result = stop.run_until_cancelled(attending).await.unwrap_or(Ok(()));
    let result =
        result.map_err(|error| caused(error.kind(), &format!("subscriber {}", subscriber.seat.number), &error));
    subscriber.close();
    vec![Finished { subscriber, result }]
}

/// When each subscriber polls, within the interval: evenly spread from when the messages of its
/// topic are due, in an order of chance. So the mean wait is half the interval, with as little
/// scatter as there can be, and no subscriber's place follows from its number.
fn poll_offsets(trial: &Trial, schedule: &Schedule) -> Vec<Duration> {
    let workload = &trial.workload;
    let mut ranks: Vec<u32> = (0..workload.subscribers).collect();
    ranks.shuffle(&mut seeding::stream(trial.seed, Purpose::Polls, 0));
    let interval = workload.polling.interval.as_secs_f64();
    (0..)
        .zip(ranks)
        .map(|(number, rank)| {
            let place = (f64::from(rank) + 0.5) / f64::from(workload.subscribers);
            let phase = schedule.phase(workload.topic_of(number)).as_secs_f64();
            Duration::from_secs_f64(interval.mul_add(place, phase).rem_euclid(interval))
        })
        .collect()
}

fn enlist(cast: &mut Cast, trial: &Trial, channels: impl Iterator<Item = Channel>) {
    let bodies = BodySource::new(&trial.workload, trial.seed);
    cast.publishers = (0..)
        .zip(channels)
        .zip(&cast.publications)
        .map(|((number, channel), publication)| Publisher {
            number,
            due: cast.schedule.of(number).peekable(),
            bodies: bodies.of(number, cast.schedule.of(number).count() as u64),
            channel,
            publication: publication.clone(),
            next_index: 0,
            writes_anew: !trial.target.is_ours(),
        })
        .collect();
}

#[cfg(test)]
mod tests {
    use pushoff_model::target::{OURS, Target, built_in as built_in_target};
    use pushoff_model::workload::built_in;

    use super::*;

    fn ours() -> Arc<Target> {
        Arc::new(built_in_target(OURS).unwrap().unwrap())
    }

    #[test]
    fn polls_wait_half_their_interval_on_average_whatever_the_workload() {
        for name in ["progress", "ticker", "chat"] {
            let workload = Arc::new(built_in(name).unwrap().unwrap());
            let interval = workload.polling.interval.as_secs_f64();
            let trial = Trial::new(workload.clone(), Transport::ShortPolling, ours(), 5);
            let schedule = Schedule::new(&workload, 5);
            let (mut sum, mut count) = (0.0, 0.0);
            for (number, offset) in (0_u32..).zip(poll_offsets(&trial, &schedule)) {
                assert!(offset.as_secs_f64() < interval);
                let topic = workload.topic_of(number);
                let heard = (0..workload.publishers()).filter(|&publisher| workload.topic_of(publisher) == topic);
                for due in heard.flat_map(|publisher| schedule.of(publisher)) {
                    sum += (offset.as_secs_f64() - due.as_secs_f64()).rem_euclid(interval);
                    count += 1.0;
                }
            }
            let mean: f64 = sum / count;
            assert!((mean / (interval / 2.0) - 1.0).abs() < 0.05, "{name}: {mean}");
        }
    }
}
