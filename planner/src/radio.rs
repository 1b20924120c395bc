//! How often receiving wakes a phone's radio, and how long the radio stays on.
//!
//! The phone does nothing else. After a transfer an LTE radio stays on for its tail: Huang et al.,
//! "A Close Examination of Performance and Power Characteristics of 4G LTE Networks", ACM `MobiSys` 2012.

use pushoff_model::Transport;
use pushoff_model::transport::Polls;
use serde::Serialize;

use super::needs::Needs;
use super::sizing::WAIT;
use crate::costs::HEARTBEAT;

/// Seconds that the radio stays on after a transfer.
const TAIL: f64 = 11.6;
const HOUR: f64 = 3_600.0;

/// What one user's radio does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Radio {
    pub(crate) wakeups_an_hour: f64,
    /// The share of the time that it is on.
    pub(crate) radio_share: f64,
}

impl Radio {
    /// Over a transport; `pace` is that of its polls or flushes, in seconds.
    pub(crate) fn of(transport: Transport, needs: &Needs, pace: f64) -> Self {
        match transport.traits().polls {
            Some(Polls::OnATimer) => Self::periodic(pace),
            // Messages that come while no poll waits arrive together.
            Some(Polls::WhenAnswered) => Self::random(needs.rate / needs.rate.mul_add(needs.rtt, 1.0), WAIT),
            // As for a long poll, messages that come before the next flush arrive together.
            None => Self::random(needs.rate / needs.rate.mul_add(pace, 1.0), HEARTBEAT),
        }
    }

    fn periodic(interval: f64) -> Self {
        if interval > TAIL {
            Self { wakeups_an_hour: HOUR / interval, radio_share: TAIL / interval }
        } else {
            Self { wakeups_an_hour: 0.0, radio_share: 1.0 }
        }
    }

    /// Messages at random times, and a heartbeat after each silence of `patience` seconds. The gap between transfers is
    /// exponential, cut off at `patience`: its mean is (1 − e^(−rate × patience)) ÷ rate, it is longer than the tail
    /// with probability e^(−rate × tail), and the radio is on for the shorter of gap and tail.
    fn random(rate: f64, patience: f64) -> Self {
        let mean = |cut_off: f64| -(-rate * cut_off).exp_m1() / rate;
        let gap = mean(patience);
        if patience <= TAIL {
            return Self { wakeups_an_hour: 0.0, radio_share: 1.0 };
        }
        Self { wakeups_an_hour: HOUR / gap * (-rate * TAIL).exp(), radio_share: mean(TAIL) / gap }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(radio: Radio, wakeups: f64, share: f64) {
        assert!((radio.wakeups_an_hour / wakeups - 1.0).abs() < 1e-3, "{radio:?}");
        assert!((radio.radio_share / share - 1.0).abs() < 1e-3, "{radio:?}");
    }

    #[test]
    fn a_poll_a_minute_wakes_the_radio_each_time_and_a_poll_a_second_never_lets_it_sleep() {
        about(Radio::periodic(60.0), 60.0, 11.6 / 60.0);
        assert_eq!(Radio::periodic(1.0), Radio { wakeups_an_hour: 0.0, radio_share: 1.0 });
    }

    #[test]
    fn heartbeats_alone_wake_it_as_often_as_they_come() {
        // One a day: next to nothing but heartbeats, every 15 s.
        let still = Needs { rate: 1.0 / 86_400.0, ..Needs::EXAMPLE };
        about(Radio::of(Transport::Sse, &still, 0.0), 240.0, 11.6 / 15.0);
        about(Radio::of(Transport::LongPolling, &still, 0.0), 144.0, 11.6 / 25.0);
    }

    #[test]
    fn of_random_messages_those_that_come_in_the_tail_wake_nothing() {
        // 0.2 a second: 1 − e⁻³ = 0.9502 and 1 − e^−2.32 = 0.9017; a gap of 4.751 s on average.
        about(Radio::of(Transport::WebSocket, &Needs::EXAMPLE, 0.0), 3_600.0 / 4.751 * 0.098_27, 0.9017 / 0.9502);
    }
}
