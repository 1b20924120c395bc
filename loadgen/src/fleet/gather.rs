//! The agents of a run: found, leased, and heard of until the run ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::{Client, Subscriber};
use futures_util::StreamExt;
use pushoff_model::environment::Agent;
use pushoff_model::{RunClock, RunInstant};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, timeout, timeout_at};
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;

use super::error::FleetError;
use super::letter::{self, Letters};
use super::messages::{
    About, BEAT, EVERYONE, Lease, Leased, News, SILENT, ToAgent, ToCoordinator, inbox, lease, results,
};

/// How often everybody is asked who is there.
const ASK: Duration = Duration::from_millis(500);
/// The most letters that wait for a trial to read them: some moments of each agent. More are dropped.
const MOST_LETTERS: usize = 4_096;

/// A run's demand for agents.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// How many.
    pub agents: usize,
    /// How long to wait for them.
    pub within: Duration,
    /// The version of pushoff and its revision, which are to be theirs.
    pub version: String,
    /// The machine of the coordinator.
    pub host: String,
    /// The run, as a sentence names it.
    pub holder: String,
    /// The address of NATS, as a sentence names it.
    pub at: String,
}

/// The agents of a run. They belong to it until it releases them, or is not heard of for some seconds.
#[derive(Debug)]
pub struct Fleet {
    pub(super) client: Client,
    /// The machine of the coordinator.
    pub(super) host: String,
    pub(super) run: String,
    pub(super) members: Vec<Member>,
    heard: Arc<Heard>,
    pub(super) letters: tokio::sync::Mutex<mpsc::Receiver<ToCoordinator>>,
    _hearing: AbortOnDropHandle<()>,
}

/// An agent of the run.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) agent: Agent,
    pub(super) is_lost: Arc<AtomicBool>,
}

/// When each agent was last heard of.
#[derive(Debug)]
struct Heard {
    clock: RunClock,
    of: Mutex<BTreeMap<String, RunInstant>>,
}

impl Heard {
    fn note(&self, agent: &str) {
        let now = self.clock.now();
        self.of.lock().unwrap_or_else(PoisonError::into_inner).insert(agent.to_owned(), now);
    }

    fn is_silent(&self, agent: &str) -> bool {
        let of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        of.get(agent).is_none_or(|heard| self.clock.now().since(*heard) > SILENT)
    }
}

impl Fleet {
    /// Waits for as many free agents as are wanted, and leases them.
    ///
    /// # Errors
    /// When there are too few, when they belong to another run, or when one is another build.
    pub async fn gather(client: Client, wanted: &Wanted, said: &(dyn Fn(&str) + Sync)) -> Result<Self, FleetError> {
        let failed = FleetError::nats("looking for agents");
        let run = format!("{:016x}", rand::random::<u64>());
        let letters = client.subscribe(results(&run)).await.map_err(|error| failed(error.into()))?;
        let mut found = found(&client, wanted, said).await?;
        // So that the same agents have the same parts in each run.
        found.sort_by(|one, other| one.agent.name.cmp(&other.agent.name));
        for About { agent: Agent { name, host, version, .. }, .. } in &found {
            if *version != wanted.version {
                let (name, host, theirs) = (name.clone(), host.clone(), version.clone());
                return Err(FleetError::Version { name, host, theirs, ours: wanted.version.clone() });
            }
        }
        let heard = Arc::new(Heard { clock: RunClock::start(), of: Mutex::default() });
        let member = |About { id, agent, .. }| Member { id, agent, is_lost: Arc::default() };
        let members: Vec<Member> = found.into_iter().map(member).collect();
        members.iter().for_each(|member| heard.note(&member.id));
        let agents = members.iter().map(|member| (member.id.clone(), Arc::clone(&member.is_lost))).collect();
        let (tell, letters_for_trials) = mpsc::channel(MOST_LETTERS);
        let hearing = hear(client.clone(), run.clone(), agents, (letters, heard.clone(), tell));
        let fleet = Self {
            client,
            host: wanted.host.clone(),
            run,
            members,
            heard,
            letters: tokio::sync::Mutex::new(letters_for_trials),
            _hearing: AbortOnDropHandle::new(tokio::spawn(hearing)),
        };
        if let Err(error) = fleet.lease(wanted).await {
            fleet.release().await;
            return Err(error);
        }
        Ok(fleet)
    }

    async fn lease(&self, wanted: &Wanted) -> Result<(), FleetError> {
        let failed = FleetError::nats("leasing an agent");
        let asked = Lease { run: self.run.clone(), holder: wanted.holder.clone() };
        let asked = serde_json::to_vec(&asked).map_err(|error| failed(error.into()))?;
        for Member { id, .. } in &self.members {
            let answer = timeout(SILENT, self.client.request(lease(id), asked.clone().into())).await;
            let answer = answer.map_err(|elapsed| failed(elapsed.into()))?.map_err(|error| failed(error.into()))?;
            match serde_json::from_slice(&answer.payload).map_err(|error| FleetError::Message(error.into()))? {
                Leased::Granted => self.heard.note(id),
                Leased::Held(holder) => return Err(FleetError::Held { holder, at: wanted.at.clone() }),
            }
        }
        Ok(())
    }

    /// The agents, for `environment.json`.
    #[must_use]
    pub fn agents(&self) -> Vec<Agent> {
        self.members.iter().map(|member| member.agent.clone()).collect()
    }

    /// Tells every agent that the run is over.
    pub async fn release(&self) {
        for member in &self.members {
            self.tell(member, &ToAgent::Release { run: self.run.clone() }).await;
        }
        self.flush().await;
    }

    pub(super) async fn tell(&self, member: &Member, letter: &ToAgent) {
        if let Err(error) = letter::send(&self.client, &inbox(&member.id), letter).await {
            warn!(%error, agent = member.agent.name, "an agent was not told");
        }
    }

    /// Waits until NATS has what was said.
    pub(super) async fn flush(&self) {
        if !matches!(timeout(BEAT, self.client.flush()).await, Ok(Ok(()))) {
            warn!("NATS did not take the last messages");
        }
    }

    /// Whether every agent is lost, so that no trial can be run any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.members.iter().all(|member| self.is_lost(member))
    }

    /// Marks an agent as lost that says nothing any more; whether it is lost.
    pub(super) fn is_lost(&self, member: &Member) -> bool {
        if self.heard.is_silent(&member.id) {
            member.is_lost.store(true, Ordering::Relaxed);
        }
        member.is_lost.load(Ordering::Relaxed)
    }
}

/// Asks who is there until enough are.
async fn found(client: &Client, wanted: &Wanted, said: &(dyn Fn(&str) + Sync)) -> Result<Vec<About>, FleetError> {
    let failed = FleetError::nats("looking for agents");
    let reply = client.new_inbox();
    let mut answers = client.subscribe(reply.clone()).await.map_err(|error| failed(error.into()))?;
    let (begun, mut there, mut held_since) = (Instant::now(), BTreeMap::<String, About>::new(), None);
    let mut told = false;
    loop {
        let asked = client.publish_with_reply(EVERYONE, reply.clone(), Default::default()).await;
        asked.map_err(|error| failed(error.into()))?;
        let until = Instant::now() + ASK;
        let mut heard_now = BTreeSet::new();
        while let Ok(Some(answer)) = timeout_at(until, answers.next()).await {
            if let Ok(about) = serde_json::from_slice::<About>(&answer.payload) {
                heard_now.insert(about.id.clone());
                there.insert(about.id.clone(), about);
            }
            if there.values().filter(|about| about.holder.is_none()).count() >= wanted.agents {
                return Ok(there.into_values().filter(|it| it.holder.is_none()).take(wanted.agents).collect());
            }
        }
        there.retain(|id, _| heard_now.contains(id));
        let holder = there.values().find_map(|about| about.holder.clone());
        let found = there.values().filter(|about| about.holder.is_none()).count();
        // A run that is gone without a word holds its agents for some seconds more.
        match holder.filter(|_| there.len() >= wanted.agents) {
            Some(holder) if held_since.get_or_insert_with(Instant::now).elapsed() > SILENT + BEAT => {
                return Err(FleetError::Held { holder, at: wanted.at.clone() });
            }
            Some(_) => {}
            None => held_since = None,
        }
        if begun.elapsed() >= wanted.within {
            let Wanted { agents, within, at, .. } = wanted.clone();
            return Err(FleetError::TooFew { wanted: agents, found, at, within });
        }
        if !std::mem::replace(&mut told, true) {
            let Wanted { agents, at, within, .. } = wanted;
            said(&format!("waiting up to {within:?} for agents at {at}: {found} of {agents} are free"));
        }
    }
}

/// Hears of agents, hands on what they say of trials, and tells all but lost ones that the run goes on. An agent that
/// was lost and recovers is then free for another run.
async fn hear(
    client: Client,
    run: String,
    agents: Vec<(String, Arc<AtomicBool>)>,
    (mut messages, heard, tell): (Subscriber, Arc<Heard>, mpsc::Sender<ToCoordinator>),
) {
    let (mut letters, mut beats) = (Letters::default(), interval(BEAT));
    loop {
        tokio::select! {
            Some(message) = messages.next() => match letters.take::<ToCoordinator>(&message.payload) {
                Ok(Some(letter)) => {
                    heard.note(&letter.from);
                    if !matches!(letter.news, News::Beat) && tell.try_send(letter).is_err() {
                        warn!("no trial reads what agents say");
                    }
                }
                Ok(None) => {}
                Err(error) => warn!(%error, "a message is not understood"),
            },
            _tick = beats.tick() => for (agent, is_lost) in &agents {
                if is_lost.load(Ordering::Relaxed) {
                    continue;
                }
                let beat = ToAgent::Beat { run: run.clone() };
                if let Err(error) = letter::send(&client, &inbox(agent), &beat).await {
                    warn!(%error, "an agent was not told that the run goes on");
                }
            },
            else => return,
        }
    }
}
