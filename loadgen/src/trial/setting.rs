//! What stays the same through all states of a trial.

use pushoff_model::RunClock;
use pushoff_model::record::{FailureKind, Link};

use crate::failure::{Failed, caused};
use crate::peers::Peers;
use crate::plan::Trial;
use crate::server::Server;
use crate::subscribers::page::Browser;
use crate::watch::Observer;

/// What stays the same through all states of a trial.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) trial: &'a Trial,
    pub(super) server: &'a Server,
    /// Set if the subscribers are pages.
    pub(super) browser: Option<&'a Browser>,
    pub(super) clock: RunClock,
    pub(super) peers: &'a Peers,
}

impl<'a> Setting<'a> {
    /// Ends the network of the trial, if it has one, and says what passed.
    pub(super) fn passed(&self) -> Result<Option<Link>, Failed> {
        let ended = self.server.link.as_ref().map(|link| link.end()).transpose();
        ended.map_err(|error| caused(FailureKind::Machine, "passing packets on", &error))
    }

    pub(super) fn observer(&self) -> Observer<'a> {
        Observer { clock: self.clock, target: self.server, browser: self.browser.map(Browser::pid) }
    }
}
