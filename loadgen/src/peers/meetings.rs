//! The other agents of a trial, and the moments at which all of them meet.
//!
//! At a moment each says something and learns what all have said, so none goes on before the others are there. One process
//! alone meets nobody: it learns what it said, at once. An agent that is lost is waited for no more.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pushoff_model::record::FailureKind;
use pushoff_model::{RunClock, RunInstant};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::{mpsc, watch};

use super::part::Part;
use crate::failure::{Failed, caused, failed};

/// Time from the last greeting to the start of the load, so that the start signal reaches every subscriber.
const LEAD: Duration = Duration::from_millis(20);
/// The same among agents: each learns it from the coordinator, over the network between them. Chosen here.
const LEAD_OF_AGENTS: Duration = Duration::from_millis(300);

/// A moment at which agents meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Moment {
    /// The topics are open and, where they keep messages, greeted.
    Opened,
    /// The cost of an idle server is read, and subscribers may connect.
    Connecting,
    /// Every subscriber is connected. Only where newcomers do not receive kept messages.
    Present,
    /// Every subscriber has its greeting.
    Greeted,
    /// The cost of connecting is read: the load begins at one instant.
    Start,
    /// Everything is published.
    Sent,
    /// Everything has arrived, or the drain is over: connections may end.
    Measured,
    /// The fate of every message that was published.
    Fates,
    /// Which messages of unknown fate were received.
    Heard,
}

impl Moment {
    /// Whether the coordinator takes part: it reads the server's costs around it.
    pub(crate) const fn has_coordinator(self) -> bool {
        match self {
            Self::Opened | Self::Connecting | Self::Greeted | Self::Start => true,
            Self::Present | Self::Sent | Self::Measured | Self::Fates | Self::Heard => false,
        }
    }
}

/// The words of all, by moment.
pub(crate) type Said = BTreeMap<Moment, Arc<[Box<RawValue>]>>;

/// A generator of a trial: its part, and how it meets the others.
#[derive(Debug)]
pub(crate) struct Peers {
    /// Its part.
    pub(crate) part: Part,
    /// The number in the names of the trial's topics: random, because a server that keeps running must not deliver
    /// messages of an earlier trial.
    pub(crate) run: u32,
    /// How it meets the others; `None` where there are none.
    pub(crate) meetings: Option<Meetings>,
}

/// How a generator meets others.
#[derive(Debug)]
pub(crate) struct Meetings {
    pub(crate) say: mpsc::Sender<(Moment, Box<RawValue>)>,
    pub(crate) said: watch::Receiver<Said>,
}

impl Peers {
    /// The only generator of a trial.
    pub(crate) fn none() -> Self {
        Self { part: Part::WHOLE, run: rand::random(), meetings: None }
    }

    /// Says something and waits until all others have: what all said.
    ///
    /// # Errors
    /// When the coordinator has ended the trial.
    pub(crate) async fn meet<T: Serialize + DeserializeOwned>(
        &self,
        moment: Moment,
        mine: T,
    ) -> Result<Vec<T>, Failed> {
        match &self.meetings {
            None => Ok(vec![mine]),
            Some(meetings) => meetings.meet(moment, &mine).await,
        }
    }

    /// When the load begins: the same instant for all.
    pub(crate) async fn start(&self, clock: RunClock) -> Result<RunInstant, Failed> {
        let lead = if self.meetings.is_some() { LEAD_OF_AGENTS } else { LEAD };
        let ready = self.meet(Moment::Start, clock.now()).await?;
        Ok(ready.into_iter().max().unwrap_or_default() + lead)
    }
}

impl Meetings {
    pub(crate) async fn meet<T: Serialize + DeserializeOwned>(
        &self,
        moment: Moment,
        mine: &T,
    ) -> Result<Vec<T>, Failed> {
        let ended = || failed(FailureKind::Interrupted, "the coordinator ended the trial");
        let wrong = |error| caused(FailureKind::Generator, "reading what another agent said", &error);
        let mine = serde_json::value::to_raw_value(mine).map_err(wrong)?;
        self.say.send((moment, mine)).await.map_err(|_closed| ended())?;
        let mut said = self.said.clone();
        let said = said.wait_for(|said| said.contains_key(&moment)).await.map_err(|_closed| ended())?;
        let all = said.get(&moment).into_iter().flat_map(|all| all.iter());
        all.map(|one| serde_json::from_str(one.get()).map_err(wrong)).collect()
    }
}
