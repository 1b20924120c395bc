//! Waiting until a browser that was just started has come to rest.
//!
//! For a second or two after its pages are loaded a browser is busy with itself. What it does then is
//! neither the subscribers' nor anything that a reader's browser does for hours on end.

use std::time::Duration;

use pushoff_model::RunClock;
use tokio::time::interval;

use crate::watch::{Reading, family};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// So many quiet looks in a row are rest.
const QUIET: u32 = 4;
/// The part of one processor that a browser at rest uses at most. Chosen here: it uses some 2 %.
const AT_REST: f64 = 0.15;
/// So many looks are enough. One that is busy still is measured as it is, and the record says so.
const MOST: u32 = 80;

/// Waits until the processes that descend from `pid` are at rest.
pub(super) async fn rest(pid: u32, clock: RunClock) {
    let mut looks = interval(LOOK);
    let mut quiet = 0;
    let mut earlier = None;
    for _ in 0..MOST {
        looks.tick().await;
        let later = Reading::now(clock.now(), &family(&[pid]), &[]);
        let used = earlier.as_ref().and_then(|earlier: &Reading| earlier.until(&later, 1.0).server);
        quiet = if used.is_some_and(|used| used.utilisation() < AT_REST) { quiet + 1 } else { 0 };
        if quiet == QUIET {
            return;
        }
        earlier = Some(later);
    }
    tracing::warn!(?LOOK, MOST, "the browser has not come to rest");
}
