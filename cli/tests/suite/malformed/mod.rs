//! Malformed pieces of what a server reads: heads of HTTP and frames of WebSocket.
//!
//! A piece is a function of its number alone: its kind, what it was made of and what was done to
//! it. Each kind breaks one rule of the standard and says what the server owes it.

pub(crate) mod frames;
pub(crate) mod heads;

use crate::garbage::Garbage;

/// What a server owes to a kind of piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owed {
    /// To refuse it: a 4xx, or a close frame that says what was wrong; at the least, to hang up.
    Refusal,
    /// To end the connection when its client has no more to say. What was made of it may be valid.
    AnEnd,
}

/// One way to be malformed.
pub(crate) struct Kind {
    /// What is wrong with it.
    pub(crate) name: &'static str,
    /// What the server owes it.
    pub(crate) owed: Owed,
    make: fn(&mut Garbage) -> Vec<u8>,
}

impl Kind {
    /// A kind that a server must refuse.
    const fn refused(name: &'static str, make: fn(&mut Garbage) -> Vec<u8>) -> Self {
        Self { name, owed: Owed::Refusal, make }
    }

    /// A kind that a server may take for something.
    const fn taken_or_not(name: &'static str, make: fn(&mut Garbage) -> Vec<u8>) -> Self {
        Self { name, owed: Owed::AnEnd, make }
    }

    /// A piece of this kind.
    pub(crate) fn piece(&self, garbage: &mut Garbage) -> Vec<u8> {
        (self.make)(garbage)
    }
}
