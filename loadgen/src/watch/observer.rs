//! Reads the costs of a trial: processor time and memory, each at its moments.
//!
//! During the load, only quick reads are made. Reading a process's memory takes milliseconds, so that at the end of
//! the measure phase runs on its own thread.

use std::time::Duration;

use pushoff_model::record::{FailureKind, Held, Traffic};
use pushoff_model::time::nanos;
use pushoff_model::{RunClock, RunInstant};
use pushoff_network::Link;
use tracing::{info, warn};

use super::memory::held;
use super::processes::family;
use super::stalls::missed_ticks;
use super::usage::{Reading, Use};
use crate::account::Told;
use crate::books::Window;
use crate::failure::{Failed, caused};
use crate::server::Server;
use crate::timer::Timer;
use crate::wire::WireCounters;

/// How long before either end of the measure phase processes and connections are read. The message that is due when the phase
/// begins must not wait for the first reading, which takes a millisecond, and another for each thousand connections. The second
/// is early by as much, so that an interval as long as the phase lies between them. Chosen here.
const AHEAD: Duration = Duration::from_millis(10);

/// The costs of the measure phase.
pub(crate) struct Measured {
    /// Processor time.
    pub(crate) used: Use,
    /// Traffic on the connections; `None` without kernel support.
    pub(crate) crossed: Option<Traffic>,
    /// Memory at the end of the phase.
    pub(crate) delivering: Held,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Observer<'a> {
    pub(crate) clock: RunClock,
    pub(crate) target: &'a Server,
    /// The browser's root process, whose descendants belong to the generator.
    pub(crate) browser: Option<u32>,
}

impl Observer<'_> {
    pub(crate) async fn reading(&self) -> Reading {
        let [server, browser] = self.processes().await;
        self.reading_of(&server, &browser).await
    }

    /// Of these processes of the server and of the browser.
    async fn reading_of(&self, server: &[u32], browser: &[u32]) -> Reading {
        let seen = Reading::now(self.clock.now(), server, browser, self.link());
        seen.and_told(self.told().await)
    }

    /// The server's own report, where one is needed, and its time: the middle of the round trip.
    async fn told(&self) -> Option<(RunInstant, Told)> {
        let (account, asked) = (self.target.account.as_ref()?, self.clock.now());
        let told = account.read().await?;
        Some((asked + self.clock.now().since(asked) / 2, told))
    }

    /// The use since an earlier reading.
    pub(crate) async fn used_since(&self, earlier: &Reading) -> Use {
        earlier.until(&self.reading().await, self.target.cpus)
    }

    /// The memory now. Over a network it is not read: other trials are measured meanwhile, and wait for it.
    pub(crate) async fn held(&self) -> Held {
        if self.link().is_some() {
            return Held::default();
        }
        let told = self.told().await.map(|(_, told)| told);
        let [server, browser] = self.roots();
        let read = move || held(&family(&server), told.as_ref(), &family(&browser));
        tokio::task::spawn_blocking(read).await.unwrap_or_else(|error| {
            warn!(%error, "memory could not be read");
            Held::default()
        })
    }

    /// The present processes of the server and of the browser. Walks all processes of the system.
    async fn processes(&self) -> [Vec<u32>; 2] {
        let roots = self.roots();
        tokio::task::spawn_blocking(move || roots.map(|roots| family(&roots))).await.unwrap_or_else(|error| {
            warn!(%error, "the server's processes could not be found");
            Default::default()
        })
    }

    /// How late packets are matters while messages are measured: setting up loads the machine more.
    pub(crate) fn watch_link(&self, watches: bool) {
        if let Some(link) = self.link() {
            link.watch(watches);
        }
    }

    fn link(&self) -> Option<&Link> {
        self.target.link.as_deref()
    }

    /// The root processes of the server and of the browser.
    fn roots(&self) -> [Vec<u32>; 2] {
        [self.target.pids.clone(), self.browser.into_iter().collect()]
    }

    /// The use and the traffic during the measure phase, and the memory at its end.
    ///
    /// Between the two readings of processes and connections lies an interval as long as the phase.
    pub(crate) async fn measure(&self, window: Window, wire: &WireCounters) -> Result<Measured, Failed> {
        let (start, end) = (window.start(), window.end());
        let refused = |error| caused(FailureKind::Generator, "setting a timer", &error);
        let timer = Timer::new().map_err(|error| caused(FailureKind::Generator, "making a timer", &error))?;
        let clock = self.clock;
        // Before the measure phase begins.
        let [server, browser] = self.processes().await;
        let ahead = |of: RunInstant| RunInstant::from_nanos(of.as_nanos().saturating_sub(nanos(AHEAD)));
        timer.until(clock, ahead(start)).await.map_err(refused)?;
        let from = Reading::now(clock.now(), &server, &browser, self.link());
        let crossed = wire.traffic();
        timer.until(clock, start).await.map_err(refused)?;
        self.watch_link(true);
        info!("measuring");
        // The time that an answer takes is no stall.
        let (told, stalled) = tokio::join!(self.told(), missed_ticks(&timer, clock, start, ahead(end)));
        let (from, stalled) = (from.and_told(told), stalled.map_err(refused)?);
        let crossed = crossed.zip(wire.traffic()).map(|(before, after)| after.since(&before));
        let used = Use { stalled, ..self.used_since(&from).await };
        timer.until(clock, end).await.map_err(refused)?;
        self.watch_link(false);
        Ok(Measured { used, crossed, delivering: self.held().await })
    }
}
