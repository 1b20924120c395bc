//! What is read beside a trial: processor time, memory and bytes, each at its moments.
//!
//! Nothing is read while a message may be on its way that is not read in a moment: a walk through a
//! process's memory takes milliseconds, and the one at the end of the measure phase is left to a
//! thread of its own.

use pushoff_model::record::{FailureKind, Held};
use pushoff_model::{RunClock, RunInstant};
use tracing::{info, warn};

use super::memory::held;
use super::processes::family;
use super::stalls::until;
use super::usage::{Reading, Use};
use crate::failure::{Failed, caused};
use crate::server::Server;
use crate::timer::Timer;

/// Reads what a trial costs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observer<'a> {
    pub(crate) clock: RunClock,
    pub(crate) target: &'a Server,
    /// The process whose descendants receive for the generator, where there is a browser.
    pub(crate) browser: Option<u32>,
}

impl Observer<'_> {
    pub(crate) async fn reading(&self) -> Reading {
        let [server, browser] = self.processes().await;
        Reading::now(self.clock.now(), &server, &browser)
    }

    /// What was used from an earlier reading until now.
    pub(crate) async fn used_since(&self, earlier: &Reading) -> Use {
        earlier.until(&self.reading().await, self.target.cpus)
    }

    /// What is held now.
    pub(crate) async fn held(&self) -> Held {
        let [server, browser] = self.roots();
        tokio::task::spawn_blocking(move || held(&family(&server), &family(&browser))).await.unwrap_or_else(|error| {
            warn!(%error, "memory could not be read");
            Held::default()
        })
    }

    /// The processes of the server and of the browser as they are now: a walk through all of the
    /// system's.
    async fn processes(&self) -> [Vec<u32>; 2] {
        let roots = self.roots();
        tokio::task::spawn_blocking(move || roots.map(|roots| family(&roots))).await.unwrap_or_else(|error| {
            warn!(%error, "the server's processes could not be found");
            Default::default()
        })
    }

    /// From whom the processes of the server and of the browser descend.
    fn roots(&self) -> [Vec<u32>; 2] {
        [self.target.pids.clone(), self.browser.into_iter().collect()]
    }

    /// What is used during the measure phase, and held at its end.
    pub(crate) async fn measure(&self, start: RunInstant, end: RunInstant) -> Result<(Use, Held), Failed> {
        let refused = |error| caused(FailureKind::Generator, "setting a timer", &error);
        let timer = Timer::new().map_err(|error| caused(FailureKind::Generator, "making a timer", &error))?;
        let clock = self.clock;
        // Before the first message that counts is due.
        let [server, browser] = self.processes().await;
        timer.until(clock, start).await.map_err(refused)?;
        let from = Reading::now(clock.now(), &server, &browser);
        info!("measuring");
        let stood_still = until(&timer, clock, start, end).await.map_err(refused)?;
        let used = Use { stood_still, ..self.used_since(&from).await };
        Ok((used, self.held().await))
    }
}
