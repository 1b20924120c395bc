//! How long events wait for one another: the queue M/D/1, of events at random times that take equally long.
//!
//! The grid of `scripts/model` sends at even intervals, at which nothing waits, so the wait at random times is
//! computed and not fitted. Source: Erlang 1909, in the form of Iversen & Staalhagen, "Waiting time distribution in
//! M/D/1 queueing systems", *Electronics Letters* 35, 1999.

/// The longest wait, in service times, and the most busy server that are computed: beyond, the sum below loses its
/// digits. A planned server is at most 60 % busy, where the 99th percentile is below 5.
const LONGEST: f64 = 30.0;
const BUSIEST: f64 = 0.8;
/// Halvings of the range of waits, to a millionth of a service time.
const HALVINGS: u32 = 25;

/// Seconds that a share of the events do not exceed waiting, where `events` a second take `service` seconds each.
pub(super) fn wait(service: f64, events: f64, share: f64) -> f64 {
    let busy = (service * events).min(BUSIEST);
    let (mut low, mut high) = (0.0, LONGEST);
    if share_within(0.0, busy) >= share {
        return 0.0;
    }
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if share_within(middle, busy) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    service * high
}

/// The share of events that wait for no longer than so many service times.
fn share_within(waited: f64, busy: f64) -> f64 {
    let (mut sum, mut factorial, mut before) = (0.0, 1.0, 0.0);
    while before <= waited {
        let left = busy * (waited - before);
        #[expect(clippy::cast_possible_truncation, reason = "at most 30")]
        let power = (-left).powi(before as i32);
        sum += left.exp() * power / factorial;
        before += 1.0;
        factorial *= before;
    }
    (1.0 - busy) * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(value: f64, expected: f64, part: f64) {
        assert!((value / expected - 1.0).abs() < part, "{value} is not {expected}");
    }

    #[test]
    fn the_share_that_does_not_wait_is_the_share_of_idle_time() {
        about(share_within(0.0, 0.4), 0.6, 1e-9);
        assert!(wait(0.01, 40.0, 0.5) < 1e-9, "of a server that is 40 % busy, more than half do not wait");
    }

    #[test]
    fn the_mean_wait_is_that_of_pollaczek_and_khinchine() {
        // The mean is the integral of the share that waits longer: ρ ÷ 2(1 − ρ) service times.
        for busy in [0.1, 0.42, 0.6] {
            let step = 1e-3;
            let mean: f64 = (0..20_000).map(|at| 1.0 - share_within((f64::from(at) + 0.5) * step, busy)).sum();
            about(mean * step, busy / (2.0 * (1.0 - busy)), 1e-3);
        }
    }

    #[test]
    fn the_wait_at_random_is_what_a_simulation_of_the_same_queue_has() {
        // An event at random times is served after the wait; of its deliveries the last 1 % come at its end. A
        // simulation of 40 events a second of 10.4 ms has a p99 of 33.7 ms for both together.
        let p99 = 10.4e-3 * 0.5 + wait(10.4e-3, 40.0, 0.99);
        assert!((0.028..0.034).contains(&p99), "{p99}");
    }
}
