//! The constants of a trial.

use pushoff_model::RunClock;

use crate::agents::page::Browser;
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
    pub(super) fn observer(&self) -> Observer<'a> {
        Observer { clock: self.clock, target: self.server, browser: self.browser.map(Browser::pid) }
    }
}
