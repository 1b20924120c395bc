//! The regressors of the cost model: messages, polls, users and so on, each second or held.

use std::ops::{Index, IndexMut};

use serde::{Deserialize, Serialize};

use super::labelled::labelled;

labelled! {
/// What a cost is proportional to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regressor {
    /// Always 1.
    One = "constant",
    /// Users that are connected.
    Users = "a connection",
    /// Messages published by request, a second.
    Publishes = "a publish by request",
    /// Messages published on the user's own connection, a second.
    Spoken = "a publish on the own connection",
    /// Bytes a second of the frames that they come in.
    SpokenFrames = "a byte of its frame",
    /// Deliveries a second.
    Messages = "a message",
    /// Deliveries a second on a connection whose memory has left the processor's caches.
    Cold = "more, on a connection that was idle",
    /// Deliveries a second to the first readers of a message, who are asleep.
    First = "more, among the first readers of a message",
    /// KiB of payload delivered a second.
    Kibibytes = "a KiB of payload",
    /// Polls with a message, a second.
    Answers = "a poll with messages",
    /// Polls without a message, a second.
    Empties = "an empty poll",
    /// Heartbeats of streams, a second.
    Heartbeats = "a heartbeat",
    /// Wake-ups of an idle server, a second.
    Wakes = "a wake-up of the server",
    /// Messages that are kept for replay.
    Kept = "a message kept for replay",
    /// KiB of messages that are kept for replay.
    KeptKibibytes = "a KiB kept for replay",
    /// Seconds of processor time that one event takes: a publish with its deliveries, or a poll.
    Event = "× service time of an event",
    /// Seconds that an event waits for those before it.
    Queue = "× waiting time in the queue",
}
}

/// The count of each regressor.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Regressors([f64; Regressor::ALL.len()]);

impl Regressors {
    /// Polls with and without messages.
    pub fn polls(&self) -> f64 {
        self[Regressor::Answers] + self[Regressor::Empties]
    }
}

impl Index<Regressor> for Regressors {
    type Output = f64;

    fn index(&self, regressor: Regressor) -> &f64 {
        &self.0[regressor as usize]
    }
}

impl IndexMut<Regressor> for Regressors {
    fn index_mut(&mut self, regressor: Regressor) -> &mut f64 {
        &mut self.0[regressor as usize]
    }
}
