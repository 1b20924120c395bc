//! A subscriber that has stopped, and why.

use crate::books::Subscriber;
use crate::failure::Failed;

/// A subscriber that has stopped, and why.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) subscriber: Box<Subscriber>,
    pub(crate) result: Result<(), Failed>,
}
