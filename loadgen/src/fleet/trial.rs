//! One trial among agents: gives each its part, passes on what agents say at each moment, reads the server's costs, and
//! collects the results.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use pushoff_model::record::{FailureKind, Held, Measurement, Outcome};
use pushoff_model::workload::Phases;
use pushoff_model::{RunClock, RunInstant};
use serde_json::value::RawValue;
use tokio::sync::{mpsc, watch};
use tokio::time::{interval, timeout};
use tokio_util::sync::CancellationToken;

use super::clock::{MachineClock, Offset};
use super::gather::{Fleet, Member};
use super::merge::{Observed, merged};
use super::messages::{News, SILENT, ToAgent, ToCoordinator, time};
use super::playing::{Playing, State};
use super::share::Share;
use crate::failure::{Failed, failed};
use crate::load::Timetable;
use crate::peers::{Meetings, Moment, Part, Peers, Said};
use crate::plan::Trial;
use crate::server::Server;
use crate::trial::{fitted, nothing_due, patience};
use crate::watch::{Observer, ended};
use crate::wire::WireCounters;

/// Round trips to an agent's clock, before a trial and after it.
const ROUND_TRIPS: u32 = 64;
/// How much longer than its phases a trial may take at most: agents wait for each other, and are waited for. Chosen here.
const MARGIN: Duration = Duration::from_mins(1);
/// How often agents are looked at that say nothing.
const LOOK: Duration = Duration::from_millis(250);

impl Fleet {
    /// Runs one trial on one fresh server, its load divided among the agents. Every failure is in the outcome.
    pub async fn run(&self, trial: &Trial, server: &Server, cancel: &CancellationToken) -> Outcome {
        let trial = fitted(trial);
        let share = Share::of(&trial, server);
        let id = share.id;
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(failed(FailureKind::Interrupted, "the trial was interrupted")),
            () = ended(server.only_process()) => {
                Err(failed(FailureKind::Server, "the server's process ended in the middle of the trial"))
            }
            measured = Box::pin(self.measure(&trial, server, share)) => measured,
        };
        // A lost agent may still run its part. One whose part has ended has nothing to stop.
        for member in &self.members {
            self.tell(member, &ToAgent::Stop { trial: id }).await;
        }
        self.flush().await;
        outcome.map_or_else(|failure| Outcome::Failed(*failure), |measurement| Outcome::Measured(Box::new(measurement)))
    }

    async fn measure(&self, trial: &Trial, server: &Server, share: Share) -> Result<Measurement, Failed> {
        if let Some(reason) = nothing_due(trial) {
            return Err(failed(FailureKind::Generator, reason));
        }
        let (clock, machine) = (RunClock::start(), MachineClock::default());
        let left: Vec<_> = self.members.iter().filter(|member| !self.is_lost(member)).collect();
        let offsets = join_all(left.iter().map(|member| self.offset(member, machine))).await;
        let playing: Vec<_> = left.into_iter().zip(offsets).filter_map(|(it, offset)| Some((it, offset?))).collect();
        let of = u32::try_from(playing.len()).unwrap_or(u32::MAX);
        if of == 0 {
            return Err(failed(FailureKind::Machine, "every agent of the run is lost"));
        }
        let mut all = Vec::new();
        for (number, (member, before)) in (0..).zip(playing) {
            let part = Part { number, of };
            let epoch = machine.epoch_of(clock).saturating_add(before.middle());
            let share = Box::new(share.for_part(part, epoch));
            self.tell(member, &ToAgent::Begin { run: self.run.clone(), share }).await;
            all.push(Playing { member, part, before, state: State::Running });
        }
        let (say, own) = mpsc::channel(1);
        let said = watch::Sender::new(Said::new());
        let meetings = Meetings { say, said: said.subscribe() };
        let peers = Peers { part: Part::WHOLE, run: share.run, meetings: Some(meetings) };
        let mut running = Running { fleet: self, id: share.id, all, said, waiting: BTreeMap::new(), own };
        let observing = observe(trial, server, clock, &peers);
        let Phases { warm_up, measure, drain } = trial.workload.phases;
        let most = 2 * patience(trial) + warm_up + measure + drain + MARGIN;
        let both = async { tokio::try_join!(running.end(), observing) };
        let ((), observed) = timeout(most, both).await.unwrap_or_else(|_elapsed| {
            let reason =
                format!("the agents did not come to an end within {most:?}: NATS may have lost what they said");
            Err(failed(FailureKind::Machine, reason))
        })?;
        let mut clocks = Vec::new();
        for playing in &running.all {
            let after = match playing.state {
                // Of one that does not answer any more, nothing bounds the drift.
                State::Ended(_) => self.offset(playing.member, machine).await.unwrap_or_default(),
                State::Running | State::Lost => playing.before,
            };
            clocks.push(playing.before.until(&after));
        }
        merged(trial, running.all.into_iter().zip(clocks).collect(), &observed, &self.host)
    }

    /// How far an agent's clock is ahead; `None` where it does not answer.
    async fn offset(&self, member: &Member, machine: MachineClock) -> Option<Offset> {
        let asking = async {
            let mut offset = Offset::default();
            for _ in 0..ROUND_TRIPS {
                let asked = machine.now();
                let answer = self.client.request(time(&member.id), Default::default()).await.ok()?;
                let answered = machine.now();
                offset.narrow(asked, i64::from_be_bytes(answer.payload.as_ref().try_into().ok()?), answered);
            }
            Some(offset)
        };
        timeout(SILENT, asking).await.ok().flatten()
    }
}

/// One generator's words at a moment: its number (`None` is the coordinator), and the words.
type Saying = (Option<usize>, Box<RawValue>);

/// A trial that agents run.
struct Running<'a> {
    fleet: &'a Fleet,
    id: u64,
    all: Vec<Playing<'a>>,
    said: watch::Sender<Said>,
    /// The words of moments that some have not come to.
    waiting: BTreeMap<Moment, Vec<Saying>>,
    /// The words of the coordinator.
    own: mpsc::Receiver<(Moment, Box<RawValue>)>,
}

impl Running<'_> {
    /// Until every agent has returned its part or is lost.
    async fn end(&mut self) -> Result<(), Failed> {
        let mut letters = self.fleet.letters.lock().await;
        let mut looks = interval(LOOK);
        while self.all.iter().any(|playing| matches!(playing.state, State::Running)) {
            tokio::select! {
                Some(letter) = letters.recv() => self.take(letter)?,
                Some((moment, says)) = self.own.recv() => self.waiting.entry(moment).or_default().push((None, says)),
                _tick = looks.tick() => self.look()?,
            }
            self.pass_on().await;
        }
        Ok(())
    }

    fn take(&mut self, ToCoordinator { from, news }: ToCoordinator) -> Result<(), Failed> {
        let Some(place) = self.all.iter().position(|playing| playing.member.id == from) else { return Ok(()) };
        match news {
            News::Meets { trial, moment, says } if trial == self.id => {
                self.waiting.entry(moment).or_default().push((Some(place), says));
            }
            News::Ended { trial, part } if trial == self.id => match part {
                Ok(part) => self.all[place].state = State::Ended(part),
                Err(mut failure) => {
                    failure.reason = format!("agent {}: {}", self.all[place].member.agent.name, failure.reason);
                    return Err(Box::new(failure));
                }
            },
            News::Leaves => return self.lose(place),
            // Of an earlier trial.
            News::Beat | News::Meets { .. } | News::Ended { .. } => {}
        }
        Ok(())
    }

    fn look(&mut self) -> Result<(), Failed> {
        for place in 0..self.all.len() {
            if self.fleet.is_lost(self.all[place].member) {
                self.lose(place)?;
            }
        }
        Ok(())
    }

    /// An agent is lost. Before the load begins that fails the trial, which can be measured again with those that are left.
    fn lose(&mut self, place: usize) -> Result<(), Failed> {
        let playing = &mut self.all[place];
        playing.member.is_lost.store(true, std::sync::atomic::Ordering::Relaxed);
        match playing.state {
            State::Running if self.said.borrow().contains_key(&Moment::Start) => playing.state = State::Lost,
            State::Running => {
                let reason = format!("agent {} was lost before the load began", playing.member.agent.name);
                return Err(failed(FailureKind::Machine, reason));
            }
            State::Lost | State::Ended(_) => {}
        }
        Ok(())
    }

    /// Tells all what was said at the moments that everybody has come to.
    async fn pass_on(&mut self) {
        let complete: Vec<_> =
            self.waiting.iter().filter(|(moment, said)| self.is_complete(**moment, said)).map(|(it, _)| *it).collect();
        for moment in complete {
            let said = self.waiting.remove(&moment).unwrap_or_default();
            let all: Arc<[_]> = said.into_iter().map(|(_, says)| says).collect();
            for playing in self.all.iter().filter(|playing| matches!(playing.state, State::Running)) {
                let letter = ToAgent::Met { trial: self.id, moment, all: all.clone() };
                self.fleet.tell(playing.member, &letter).await;
            }
            self.said.send_modify(|said| drop(said.insert(moment, all)));
        }
    }

    fn is_complete(&self, moment: Moment, said: &[Saying]) -> bool {
        let has = |who| said.iter().any(|(by, _)| *by == who);
        let is_running = |playing: &Playing<'_>| matches!(playing.state, State::Running);
        let mut running = self.all.iter().enumerate().filter(|(_, playing)| is_running(playing));
        running.all(|(place, _)| has(Some(place))) && (!moment.has_coordinator() || has(None))
    }
}

/// Reads what the server and its machine use, at the moments at which a single generator would.
async fn observe(trial: &Trial, server: &Server, clock: RunClock, peers: &Peers) -> Result<Observed, Failed> {
    let observer = Observer { clock, target: server, browser: None };
    peers.meet(Moment::Opened, ()).await?;
    let empty = observer.held().await;
    let before = observer.reading().await;
    peers.meet(Moment::Connecting, ()).await?;
    peers.meet(Moment::Greeted, ()).await?;
    let connecting = observer.used_since(&before).await;
    let idle: Held = observer.held().await;
    let start: RunInstant = peers.start(clock).await?;
    let table = Timetable::new(&trial.workload.phases, start);
    let measured = observer.measure(table.window, &WireCounters::default()).await?;
    Ok(Observed { connecting, empty, idle, used: measured.used, delivering: measured.delivering })
}
