//! An agent: announces itself, belongs to one run at a time, runs its part of each trial, and survives its coordinator.

use std::time::Duration;

use async_nats::{Client, Message, Subscriber};
use futures_util::StreamExt;
use pushoff_model::environment::Agent;
use pushoff_model::record::FailureKind;
use pushoff_model::{RunClock, RunInstant};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, watch};
use tokio::time::interval;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;

use super::clock::MachineClock;
use super::error::FleetError;
use super::letter::{self, Letters};
use super::messages::{
    About, BEAT, EVERYONE, Lease, Leased, News, SILENT, ToAgent, ToCoordinator, inbox, lease, results, time,
};
use super::share::Share;
use crate::failure::{Failed, failed};
use crate::peers::{Meetings, Moment, Peers, Said};
use crate::trial::{Drained, run_part};

/// Runs parts of trials until `stop` is cancelled. `said` is told what a person may want to know: `None` once it is ready.
///
/// # Errors
/// When NATS takes no subscription.
pub async fn serve_agent(
    client: Client,
    agent: Agent,
    clock: MachineClock,
    stop: &CancellationToken,
    said: &(dyn Fn(Option<&str>) + Sync),
) -> Result<(), FleetError> {
    let id = format!("{:016x}", rand::random::<u64>());
    let failed = FleetError::nats("announcing the agent");
    let subscribe = async |subject: String| client.subscribe(subject).await.map_err(|error| failed(error.into()));
    let (mut everyone, mut leases) = (subscribe(EVERYONE.to_owned()).await?, subscribe(lease(&id)).await?);
    let (mut letters, times) = (subscribe(inbox(&id)).await?, subscribe(time(&id)).await?);
    client.flush().await.map_err(|error| failed(error.into()))?;
    let _telling = AbortOnDropHandle::new(tokio::spawn(tell_time(client.clone(), times, clock)));
    said(None);
    let mut serving = Serving { id, client, agent, clock, said, held: None, running: None, since: RunClock::start() };
    let (mut begun, mut beats) = (Letters::default(), interval(BEAT));
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(asked) = everyone.next() => serving.announce(&asked).await,
            Some(asked) = leases.next() => serving.lease(&asked).await,
            Some(message) = letters.next() => match begun.take(&message.payload) {
                Ok(Some(letter)) => serving.take(letter),
                Ok(None) => {}
                Err(error) => warn!(%error, "a message is not understood"),
            },
            _tick = beats.tick() => serving.beat().await,
            else => break,
        }
    }
    serving.leave().await;
    Ok(())
}

/// Answers at once, whatever else the agent does.
async fn tell_time(client: Client, mut asked: Subscriber, clock: MachineClock) {
    while let Some(Message { reply: Some(reply), .. }) = asked.next().await {
        let now = clock.now().to_be_bytes().to_vec();
        if let Err(error) = client.publish(reply, now.into()).await {
            warn!(%error, "the time was not told");
        }
    }
}

/// A running agent.
struct Serving<'a> {
    id: String,
    client: Client,
    agent: Agent,
    clock: MachineClock,
    said: &'a (dyn Fn(Option<&str>) + Sync),
    /// The run that it belongs to, and when the run was last heard of.
    held: Option<(Lease, RunInstant)>,
    running: Option<Running>,
    since: RunClock,
}

/// A part of a trial that is being run. Dropping it ends it.
struct Running {
    trial: u64,
    said: watch::Sender<Said>,
    _task: AbortOnDropHandle<()>,
}

impl Serving<'_> {
    async fn announce(&self, asked: &Message) {
        let holder = self.held.as_ref().map(|(lease, _)| lease.holder.clone());
        self.answer(asked, &About { id: self.id.clone(), agent: self.agent.clone(), holder }).await;
    }

    async fn lease(&mut self, asked: &Message) {
        let Ok(wanted) = serde_json::from_slice::<Lease>(&asked.payload) else { return };
        let leased = match &self.held {
            Some((lease, _)) if lease.run != wanted.run => Leased::Held(lease.holder.clone()),
            Some(_) | None => {
                self.held = Some((wanted, self.since.now()));
                Leased::Granted
            }
        };
        self.answer(asked, &leased).await;
    }

    async fn answer(&self, asked: &Message, answer: &(impl Serialize + Sync)) {
        let (Some(reply), Ok(text)) = (&asked.reply, serde_json::to_vec(answer)) else { return };
        if let Err(error) = self.client.publish(reply.clone(), text.into()).await {
            warn!(%error, "an answer was not sent");
        }
    }

    fn take(&mut self, letter: ToAgent) {
        let Some((lease, heard)) = &mut self.held else { return };
        if !letter.is_for(&lease.run, self.running.as_ref().map(|running| running.trial)) {
            return;
        }
        *heard = self.since.now();
        match letter {
            ToAgent::Begin { run, share } => self.begin(*share, run),
            ToAgent::Met { moment, all, .. } => {
                if let Some(running) = &self.running {
                    running.said.send_modify(|said| drop(said.insert(moment, all)));
                }
            }
            ToAgent::Stop { .. } => self.running = None,
            ToAgent::Beat { .. } => {}
            ToAgent::Release { .. } => (self.held, self.running) = (None, None),
        }
    }

    fn begin(&mut self, share: Share, run: String) {
        // One that is still there was given up by the coordinator.
        self.running = None;
        (self.said)(Some(&share.says()));
        let (say, mut spoken) = mpsc::channel::<(Moment, Box<RawValue>)>(1);
        let (said, meets) = watch::channel(Said::new());
        let (id, client, clock, trial) = (self.id.clone(), self.client.clone(), self.clock, share.id);
        let task = async move {
            let tell = async |news| {
                let letter = ToCoordinator { from: id.clone(), news };
                if let Err(error) = letter::send(&client, &results(&run), &letter).await {
                    warn!(%error, "the coordinator was not told");
                }
            };
            let meetings = Meetings { say, said: meets };
            let mut running = Box::pin(run_share(share, clock, meetings));
            let part = loop {
                tokio::select! {
                    Some((moment, says)) = spoken.recv() => tell(News::Meets { trial, moment, says }).await,
                    part = &mut running => break part,
                }
            };
            let part = part.map(Box::new).map_err(|failure| *failure);
            tell(News::Ended { trial, part }).await;
        };
        self.running = Some(Running { trial, said, _task: AbortOnDropHandle::new(tokio::spawn(task)) });
    }

    /// Says that it lives, and lets go of a coordinator that does not.
    async fn beat(&mut self) {
        let Some((lease, heard)) = &self.held else { return };
        if self.since.now().since(*heard) > SILENT {
            let gone = format!("has not heard of its run ({}) for {SILENT:?}, and waits for the next", lease.holder);
            (self.said)(Some(&gone));
            (self.held, self.running) = (None, None);
            return;
        }
        self.tell(&lease.run, News::Beat).await;
    }

    async fn leave(&mut self) {
        self.running = None;
        if let Some((lease, _)) = self.held.take() {
            self.tell(&lease.run, News::Leaves).await;
        }
        // What was said is to arrive before the connection ends.
        let flushed = tokio::time::timeout(Duration::from_secs(1), self.client.flush()).await;
        if !matches!(flushed, Ok(Ok(()))) {
            warn!("NATS did not take the last messages");
        }
    }

    async fn tell(&self, run: &str, news: News) {
        let letter = ToCoordinator { from: self.id.clone(), news };
        if let Err(error) = letter::send(&self.client, &results(run), &letter).await {
            warn!(%error, "the coordinator was not told");
        }
    }
}

/// Runs a share on the coordinator's time.
async fn run_share(share: Share, clock: MachineClock, meetings: Meetings) -> Result<Drained, Failed> {
    let peers = Peers { part: share.part, run: share.run, meetings: Some(meetings) };
    let clock = clock.run_clock(share.epoch).ok_or_else(|| {
        failed(FailureKind::Generator, "the coordinator's clock was started at no moment of this machine's")
    })?;
    let (trial, server) = share.taken()?;
    run_part(&trial, &server, clock, &peers).await
}
