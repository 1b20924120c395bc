//! The regressors of the cost model: messages, polls, users and so on, each second or held.

use std::ops::{Index, IndexMut};

use serde::{Deserialize, Serialize};

/// What a cost is proportional to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regressor {
    /// What is there whatever happens.
    One,
    /// Users that are connected.
    Users,
    /// Messages published by request, a second.
    Publishes,
    /// Messages published on the user's own connection, a second.
    Spoken,
    /// Bytes a second of the frames that they come in.
    SpokenFrames,
    /// Deliveries a second.
    Messages,
    /// Deliveries a second that find what their connection needs cold: nobody has touched it for long.
    Cold,
    /// Deliveries a second among the first of their message: their readers are asleep.
    First,
    /// KiB of payload delivered a second.
    Kibibytes,
    /// Polls that bring a message, a second.
    Answers,
    /// Polls that bring none, a second.
    Empties,
    /// Heartbeats of streams, a second.
    Heartbeats,
    /// How often a second the server is woken by something to do.
    Wakes,
    /// Messages that are kept for those who come back.
    Kept,
    /// KiB of them.
    KeptKibibytes,
    /// Seconds of processor time that one event takes: a publish with its deliveries, or a poll.
    Event,
    /// Seconds that an event waits for those before it.
    Queue,
}

impl Regressor {
    /// All of them, in the order of a model's terms.
    pub const ALL: [Self; 17] = [
        Self::One,
        Self::Users,
        Self::Publishes,
        Self::Spoken,
        Self::SpokenFrames,
        Self::Messages,
        Self::Cold,
        Self::First,
        Self::Kibibytes,
        Self::Answers,
        Self::Empties,
        Self::Heartbeats,
        Self::Wakes,
        Self::Kept,
        Self::KeptKibibytes,
        Self::Event,
        Self::Queue,
    ];

    /// One of it, as a table names it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::One => "in any case",
            Self::Users => "a connection",
            Self::Publishes => "a publish",
            Self::Spoken => "a publish on the own connection",
            Self::SpokenFrames => "a byte of its frame",
            Self::Messages => "a message",
            Self::Cold => "and on a cold connection",
            Self::First => "and among the first of its burst",
            Self::Kibibytes => "a KiB of payload",
            Self::Answers => "a poll with messages",
            Self::Empties => "an empty poll",
            Self::Heartbeats => "a heartbeat",
            Self::Wakes => "to wake",
            Self::Kept => "a message kept",
            Self::KeptKibibytes => "a KiB of it kept",
            Self::Event => "of an event's time",
            Self::Queue => "of the time in the queue",
        }
    }
}

/// The count of each regressor.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Regressors([f64; Regressor::ALL.len()]);

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
