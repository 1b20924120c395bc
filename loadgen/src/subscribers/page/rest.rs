//! Waits until a new browser is idle.
//!
//! For a second or two after its pages have loaded, a browser is busy with its own startup. That work belongs neither
//! to the subscribers nor to a browser that runs for hours.

use std::time::Duration;

use pushoff_model::RunClock;
use tokio::time::interval;

use crate::watch::{Reading, family};

/// Time between two samples.
const LOOK: Duration = Duration::from_millis(100);
/// A browser is idle after this many idle samples in a row.
const QUIET: u32 = 4;
/// An idle browser uses at most this part of one processor. Chosen here: it uses about 2 %.
const AT_REST: f64 = 0.15;
/// The most samples. A browser that is still busy is measured as it is, and the record says so.
const MOST: u32 = 80;

/// Waits until the processes that descend from `pid` are idle.
pub(super) async fn rest(pid: u32, clock: RunClock) {
    let mut looks = interval(LOOK);
    let mut quiet = 0;
    let mut earlier = None;
    for _ in 0..MOST {
        looks.tick().await;
        let later = Reading::now(clock.now(), &family(&[pid]), &[], None);
        let used = earlier.as_ref().and_then(|earlier: &Reading| earlier.until(&later, 1.0).server);
        quiet = if used.is_some_and(|used| used.utilisation() < AT_REST) { quiet + 1 } else { 0 };
        if quiet == QUIET {
            return;
        }
        earlier = Some(later);
    }
    tracing::warn!(?LOOK, MOST, "the browser is still busy");
}
