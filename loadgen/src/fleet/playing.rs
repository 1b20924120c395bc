//! An agent's part in one trial, from its beginning to its end.

use super::clock::Offset;
use super::gather::Member;
use crate::peers::Part;
use crate::trial::Drained;

/// One agent in a trial.
pub(super) struct Playing<'a> {
    pub(super) member: &'a Member,
    pub(super) part: Part,
    pub(super) before: Offset,
    pub(super) state: State,
}

pub(super) enum State {
    Running,
    Lost,
    Ended(Box<Drained>),
}
