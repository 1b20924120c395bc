//! A probe's exchange with a server: publishes messages and checks which of them arrive.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use pushoff_model::target::Newcomers;
use pushoff_model::{RunClock, RunInstant};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::PATIENCE;
use super::diagnosis::{Trouble, not_published};
use super::fault::Idle;
use super::sink::{Origin, ProbeEvent};
use super::tap::Tap;
use crate::books::PublishOutcome;
use crate::clients::{ConnectionError, SubscribeError};
use crate::load::Poster;
use crate::message::stamp::{self, Stamp};

/// How long a message may take to reach a newcomer before it is published again.
const AGAIN: Duration = Duration::from_millis(250);
/// Messages that flush a buffer, and their size: 256 KiB in all.
const PUSHES: u64 = 64;
const PUSH_BYTES: usize = 4 * 1024;
/// The index of the first of them.
const FIRST_PUSH: u64 = 1_000;
/// Messages of the schedule, the time between two, and the messages that follow at once. Chosen here: two seconds.
const SCHEDULED: u64 = 20;
const SPACING: Duration = Duration::from_millis(100);
const BURST: u64 = 20;
/// How long to watch for messages that should not arrive. A long poll from before may still be answered empty.
const QUIET: Duration = Duration::from_millis(500);
const MOST_IN_QUIET: u32 = 1;

/// Publishes, receives, and keeps all other events.
pub(super) struct Exchange {
    clock: RunClock,
    poster: Poster,
    heard: mpsc::Receiver<ProbeEvent>,
    /// The server's address, if it is only taken to speak pushoff's wire contract.
    contract_at: Option<String>,
    /// How often the first message was published: the newcomer may have subscribed late.
    greetings: u32,
    /// The connection and answer that brought each message, in order.
    origins: Vec<Origin>,
    /// Content without a message; its first bytes.
    strange: Option<Vec<u8>>,
    /// Whether a binary frame arrived.
    binary: bool,
    /// The cause of every broken connection.
    pub(super) breaks: Vec<String>,
    /// How many connections had broken before the probe cut one.
    pub(super) cut: Option<usize>,
}

impl Exchange {
    pub(super) const fn new(
        clock: RunClock,
        poster: Poster,
        heard: mpsc::Receiver<ProbeEvent>,
        contract_at: Option<String>,
    ) -> Self {
        Self {
            clock,
            poster,
            heard,
            contract_at,
            greetings: 0,
            origins: Vec::new(),
            strange: None,
            binary: false,
            breaks: Vec::new(),
            cut: None,
        }
    }

    pub(super) async fn publish(&mut self, index: u64, filler: &str) -> Result<(), Trouble> {
        self.greetings += u32::from(index == 0);
        let (mut payload, now) = (String::new(), self.clock.now());
        stamp::write(&mut payload, &Stamp { publisher: 0, index, due: now, sent: now }, |body| {
            body.push('"');
            body.push_str(filler);
            body.push('"');
        });
        match timeout(PATIENCE, self.poster.post(vec![payload])).await {
            Ok(PublishOutcome::Accepted) => Ok(()),
            Ok(PublishOutcome::Refused(reason) | PublishOutcome::Unknown(reason)) => Err(self.not_published(&reason)),
            Err(_elapsed) => Err(self.not_published("no answer")),
        }
    }

    fn not_published(&self, reason: &str) -> Trouble {
        not_published(&self.poster.address(), reason, self.contract_at.as_deref())
    }

    /// Waits for the first message; the time since `begun`.
    pub(super) async fn receive_first(&mut self, newcomers: Newcomers, begun: RunInstant) -> Result<Duration, Trouble> {
        let deadline = Instant::now() + PATIENCE;
        let mut present = newcomers == Newcomers::Kept;
        loop {
            match self.next(deadline.min(Instant::now() + AGAIN)).await {
                Some(ProbeEvent::Present) if !present => {
                    present = true;
                    self.publish(0, "").await?;
                }
                Some(ProbeEvent::Message(_, at, origin)) => {
                    self.origins.push(origin);
                    return Ok(at.since(begun));
                }
                Some(_) => {}
                None if Instant::now() >= deadline => return Err(self.pushed(0, Trouble::Silence).await?),
                None if present && newcomers == Newcomers::Live => self.publish(0, "").await?,
                None => {}
            }
        }
    }

    /// Publishes these messages and waits until each has arrived once, in order.
    pub(super) async fn receive(&mut self, indices: Range<u64>, patience: Duration) -> Result<(), Trouble> {
        for index in indices.clone() {
            self.publish(index, "").await?;
        }
        let deadline = Instant::now() + patience;
        while self.due() < indices.end {
            let next = self.due();
            match self.next(deadline).await {
                Some(ProbeEvent::Message(index, _, origin)) if index == next => self.origins.push(origin),
                Some(ProbeEvent::Message(0, ..)) if next == 1 && self.greetings > 1 => {}
                Some(ProbeEvent::Message(index, _, origin)) if index < next => return Err(self.again(index, origin)),
                Some(ProbeEvent::Message(index, _, origin)) => return Err(self.skipped(index, origin).await),
                Some(_) => {}
                None => {
                    let otherwise = match self.cut {
                        Some(_) => Trouble::Lost(indices.end - next),
                        None => Trouble::Held(next),
                    };
                    return Err(self.pushed(next, otherwise).await?);
                }
            }
        }
        Ok(())
    }

    /// Checks that a long poll without a message is held back.
    pub(super) async fn receive_nothing(&mut self) -> Result<(), Trouble> {
        let (deadline, mut empty) = (Instant::now() + QUIET, 0);
        while let Some(heard) = self.next(deadline).await {
            empty += u32::from(heard == ProbeEvent::Empty);
            if empty > MOST_IN_QUIET {
                return Err(Trouble::Subscribing(SubscribeError::Refused(ConnectionError::DoesNotWait).into()));
            }
        }
        Ok(())
    }

    /// Publishes on a schedule and then a burst; when each scheduled message was published, and when it arrived.
    pub(super) async fn receive_scheduled(&mut self) -> Result<Vec<(RunInstant, RunInstant)>, Trouble> {
        let (mut published, mut arrived) = (Vec::new(), BTreeMap::new());
        let begun = Instant::now();
        for index in 1..=SCHEDULED + BURST {
            let due = u32::try_from(index.min(SCHEDULED)).unwrap_or(u32::MAX);
            sleep_until(begun + SPACING * due).await;
            published.push(self.clock.now());
            self.publish(index, "").await?;
        }
        let deadline = Instant::now() + PATIENCE;
        while arrived.len() < published.len() {
            match self.next(deadline).await {
                Some(ProbeEvent::Message(index, at, _)) if index > 0 => drop(arrived.entry(index).or_insert(at)),
                Some(ProbeEvent::Broke(cause)) => return Err(Trouble::Breaks(cause)),
                Some(_) => {}
                None => return Err(Trouble::Buffered),
            }
        }
        Ok(published
            .into_iter()
            .zip(arrived.into_values())
            .take(usize::try_from(SCHEDULED).unwrap_or(usize::MAX))
            .collect())
    }

    /// Publishes nothing for a time, and then a message.
    pub(super) async fn live_through(&mut self, silence: Duration, tap: &Tap) -> Result<Idle, Trouble> {
        tap.begin();
        let deadline = Instant::now() + silence;
        while let Some(heard) = self.next(deadline).await {
            if matches!(heard, ProbeEvent::Broke(_)) {
                return Ok(Idle { silence: tap.silence(), is_cut: true });
            }
        }
        let silence = tap.silence();
        self.publish(FIRST_PUSH, "").await?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.next(deadline).await {
                Some(ProbeEvent::Message(FIRST_PUSH, ..)) => return Ok(Idle { silence, is_cut: false }),
                // It broke without a sign before, or nothing arrives on it any more.
                Some(ProbeEvent::Broke(_)) | None => return Ok(Idle { silence, is_cut: true }),
                Some(_) => {}
            }
        }
    }

    /// Replaces a failure by the cause that another event shows.
    pub(super) fn explained(&mut self, trouble: Trouble) -> Trouble {
        while let Ok(heard) = self.heard.try_recv() {
            self.note(&heard);
        }
        if let Some(own) = self.cut.filter(|&cut| cut < self.breaks.len()) {
            self.breaks.remove(own);
        }
        match trouble {
            Trouble::Silence | Trouble::Held(_) | Trouble::Lost(_) if self.binary => {
                Trouble::Subscribing(SubscribeError::Refused(ConnectionError::Binary).into())
            }
            Trouble::Silence | Trouble::Held(_) | Trouble::Lost(_) => match (self.breaks.pop(), self.strange.take()) {
                (Some(cause), _) => Trouble::Breaks(cause),
                (None, Some(strange)) if self.origins.is_empty() => Trouble::NotFound(strange),
                (None, _) => trouble,
            },
            Trouble::Subscribing(error) => match (error.cause(), self.strange.take()) {
                (ConnectionError::Unit(_), Some(strange)) => Trouble::NotFound(strange),
                _ => Trouble::Subscribing(error),
            },
            Trouble::Plain(_) | Trouble::NotFound(_) | Trouble::Buffered | Trouble::Breaks(_) => trouble,
            Trouble::Twice | Trouble::Repeated | Trouble::Disordered | Trouble::Dropped(_) => trouble,
        }
    }

    /// The index of the next expected message.
    fn due(&self) -> u64 {
        self.origins.len() as u64
    }

    /// The failure for a message that arrived before.
    fn again(&self, index: u64, origin: Origin) -> Trouble {
        let first = usize::try_from(index).ok().and_then(|index| self.origins.get(index));
        if first == Some(&origin) { Trouble::Twice } else { Trouble::Repeated }
    }

    /// The failure for a message that arrived before an expected one, which may still arrive.
    async fn skipped(&mut self, index: u64, origin: Origin) -> Trouble {
        let (due, deadline) = (self.due(), Instant::now() + QUIET);
        while let Some(heard) = self.next(deadline).await {
            if matches!(heard, ProbeEvent::Message(late, ..) if late == due) {
                return Trouble::Disordered;
            }
        }
        if self.origins.last() == Some(&origin) { Trouble::Dropped(due) } else { Trouble::Lost(index - due) }
    }

    /// The failure for a missing message: whether publishing more makes it arrive.
    async fn pushed(&mut self, due: u64, otherwise: Trouble) -> Result<Trouble, Trouble> {
        // Forgets earlier content: only messages arrive from now on.
        self.strange = None;
        let filler = "x".repeat(PUSH_BYTES);
        for index in 0..PUSHES {
            self.publish(FIRST_PUSH + index, &filler).await?;
        }
        let deadline = Instant::now() + PATIENCE;
        while let Some(heard) = self.next(deadline).await {
            match heard {
                ProbeEvent::Message(index, ..) if index == due || due == 0 => return Ok(Trouble::Buffered),
                ProbeEvent::Message(index, ..) if index >= FIRST_PUSH => return Ok(otherwise),
                ProbeEvent::Message(..) | ProbeEvent::Present | ProbeEvent::Strange(_) => {}
                ProbeEvent::Binary | ProbeEvent::Empty | ProbeEvent::Broke(_) => {}
            }
        }
        Ok(otherwise)
    }

    /// The next event before the deadline.
    async fn next(&mut self, deadline: Instant) -> Option<ProbeEvent> {
        let heard = timeout_at(deadline, self.heard.recv()).await.ok().flatten()?;
        self.note(&heard);
        Some(heard)
    }

    fn note(&mut self, heard: &ProbeEvent) {
        match heard {
            ProbeEvent::Strange(unit) => self.strange = Some(unit.clone()),
            ProbeEvent::Binary => self.binary = true,
            ProbeEvent::Broke(cause) => self.breaks.push(cause.clone()),
            ProbeEvent::Present | ProbeEvent::Message(..) | ProbeEvent::Empty => {}
        }
    }
}
