//! Trials that run at the same time wait for each other, so that none does its set-up or its accounts while another is
//! measured.

use std::time::Duration;

use tokio::sync::watch;

/// How much later than the one before a trial begins its load: what each reads of the machine when it is measured takes
/// milliseconds, for which messages of all others would wait at once. Chosen here.
const APART: Duration = Duration::from_millis(15);

/// One trial's part of a group that waits for each other. A trial that ends early, for whatever reason, is waited for no more.
#[derive(Debug)]
pub struct Together {
    /// How many are not ready yet, for each of the moments at which all wait.
    unready: [Part; 2],
    /// How much later than the first it begins its load.
    later: Duration,
}

/// A trial's part in one moment.
#[derive(Debug)]
struct Part(watch::Sender<usize>);

impl Drop for Part {
    fn drop(&mut self) {
        self.0.send_modify(|unready| *unready -= 1);
    }
}

impl Together {
    /// A part for each of so many trials.
    #[must_use]
    pub fn of(trials: usize) -> Vec<Self> {
        let moments = [(); 2].map(|()| watch::Sender::new(trials));
        let part = |number| Self {
            unready: moments.each_ref().map(|moment| Part(moment.clone())),
            later: APART.saturating_mul(number),
        };
        (0..).take(trials).map(part).collect()
    }

    /// The part of a trial that waits for no other.
    #[must_use]
    pub fn alone() -> Self {
        Self { unready: [(); 2].map(|()| Part(watch::Sender::new(1))), later: Duration::ZERO }
    }

    /// Waits until every trial is connected and it is this one's turn, so that its load can begin.
    pub(super) async fn connected(self) -> Measuring {
        let [connected, measured] = self.unready;
        ready(connected).await;
        tokio::time::sleep(self.later).await;
        Measuring(measured)
    }
}

/// A trial that is being measured, among others.
pub(super) struct Measuring(Part);

impl Measuring {
    /// Waits until every trial is measured.
    pub(super) async fn measured(self) {
        ready(self.0).await;
    }
}

async fn ready(part: Part) {
    let mut unready = part.0.subscribe();
    drop(part);
    // It fails only once nobody is left who could be waited for.
    drop(unready.wait_for(|unready| *unready == 0).await);
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_waits_for_the_others_and_for_none_that_is_gone() {
        let [one, other, third]: [Together; 3] = Together::of(3).try_into().unwrap();
        let mut first = Box::pin(one.connected());
        assert!((&mut first).now_or_never().is_none());
        drop(third);
        assert!((&mut first).now_or_never().is_none());
        let begun = tokio::time::Instant::now();
        let (first, second) = tokio::join!(first, other.connected());
        assert_eq!(begun.elapsed(), APART, "the second begins later");
        let mut waits = Box::pin(first.measured());
        assert!((&mut waits).now_or_never().is_none());
        drop(second);
        assert!(waits.now_or_never().is_some());
    }
}
