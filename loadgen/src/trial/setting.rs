//! The constants of a trial.

use pushoff_model::RunClock;
use pushoff_model::record::{FailureKind, Link};
use pushoff_model::time::nanos;

use crate::agents::page::Browser;
use crate::failure::{Failed, caused};
use crate::plan::Trial;
use crate::server::Server;
use crate::watch::Observer;

/// The constants of a trial.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) trial: &'a Trial,
    pub(super) server: &'a Server,
    /// Set if the subscribers are pages.
    pub(super) browser: Option<&'a Browser>,
    pub(super) clock: RunClock,
}

impl<'a> Setting<'a> {
    /// Ends the network of the trial, if it has one, and says what passed.
    pub(super) fn passed(&self) -> Result<Option<Link>, Failed> {
        let (Some(network), Some(link)) = (&self.trial.network, &self.server.link) else { return Ok(None) };
        let passed = link.end().map_err(|error| caused(FailureKind::Machine, "passing packets on", &error))?;
        let mut record = Link::of(network);
        for (direction, tally) in [(&mut record.down, passed.down), (&mut record.up, passed.up)] {
            direction.offered = tally.offered;
            direction.passed = tally.passed;
            direction.dropped = tally.dropped;
            direction.lost = tally.lost;
            direction.bytes = tally.bytes;
            direction.largest = tally.largest;
            direction.lateness = tally.lateness;
            direction.cpu_ns = nanos(tally.processor);
        }
        Ok(Some(record))
    }

    pub(super) fn observer(&self) -> Observer<'a> {
        Observer { clock: self.clock, target: self.server, browser: self.browser.map(Browser::pid) }
    }
}
