//! What is read beside a trial: processor time, memory and bytes, each at its moments.
//!
//! Nothing is read while a message may be on its way that is not read in a moment: a walk through a
//! process's memory takes milliseconds, and the one at the end of the measure phase is left to a
//! thread of its own.

use pushoff_model::RunClock;
use pushoff_model::record::{BrowserUse, Connecting, FailureKind, Held, Memory, Traffic, Wire};
use tracing::{info, warn};

use crate::failure::{Failed, caused};
use crate::memory::held;
use crate::phases::Window;
use crate::processes::family;
use crate::recorder::Totals;
use crate::resources::{Reading, Use};
use crate::server::Server;
use crate::setup::CONNECTING_AT_ONCE;
use crate::standstill;
use crate::taps::Taps;
use crate::timer::Timer;

/// Reads what a trial costs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observer<'a> {
    pub(crate) clock: RunClock,
    pub(crate) target: &'a Server,
    /// The process whose descendants receive for the generator, where there is a browser.
    pub(crate) browser: Option<u32>,
}

/// What a trial cost, beside what its messages say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observed {
    /// What was used while everybody connected.
    pub(crate) connecting: Use,
    pub(crate) memory: Memory,
    /// What was used during the measure phase.
    pub(crate) used: Use,
    pub(crate) wire: Option<Wire>,
    pub(crate) browser: Option<BrowserUse>,
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
    pub(crate) async fn measure(&self, window: Window) -> Result<(Use, Held), Failed> {
        let refused = |error| caused(FailureKind::Generator, "setting a timer", &error);
        let timer = Timer::new().map_err(|error| caused(FailureKind::Generator, "making a timer", &error))?;
        let clock = self.clock;
        // Before the first message that counts is due.
        let [server, browser] = self.processes().await;
        timer.until(clock, window.start()).await.map_err(refused)?;
        let from = Reading::now(clock.now(), &server, &browser);
        info!("measuring");
        let stood_still = standstill::until(&timer, clock, window.start(), window.end()).await.map_err(refused)?;
        let used = Use { stood_still, ..self.used_since(&from).await };
        Ok((used, self.held().await))
    }
}

/// What crossed the connections, parted where everybody was connected.
pub(crate) fn wire(taps: &Taps, setup: Option<Traffic>) -> Option<Wire> {
    let (setup, all) = (setup?, taps.traffic()?);
    Some(Wire { setup, load: all.since(&setup), unread: taps.unread() })
}

/// Everybody connecting, as the record has it.
pub(crate) fn connecting(subscribers: u32, totals: &Totals, used: &Use) -> Connecting {
    let began = totals.first_connecting.unwrap_or_default();
    Connecting {
        connections: subscribers.into(),
        at_once: subscribers.min(u32::try_from(CONNECTING_AT_ONCE).unwrap_or(u32::MAX)),
        took_ns: pushoff_model::time::nanos(totals.last_greeted.since(began)),
        server: used.server,
        generator: used.generator,
    }
}
