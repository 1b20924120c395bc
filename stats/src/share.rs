//! The share of deliveries in time, and how far so many messages can show it.
//!
//! The unit is the published message: its deliveries to many readers are late together, so that a thousand readers of
//! one message are one observation. That all trials so far were alike does not show what few messages leave open: of
//! 120 messages of which none was late, 2.5 % might have been. Therefore no end of the interval lies nearer to the
//! share than Wilson's score interval with z² = 3, whose lower end for n messages of which none is late is
//! n ÷ (n + 3), the rule of three. Sources: Wilson, *J. Am. Stat. Assoc.* 22, 1927; Hanley & Lippman-Hand, *If Nothing
//! Goes Wrong, Is Everything All Right?*, JAMA 249, 1983 (the rule of three).

use std::time::Duration;

use pushoff_model::record::Measurement;

use crate::{Figure, Interval, Sums};

/// The square of the score: with it the lower end is the rule of three. It lies between those of a one-sided (2.71) and
/// a two-sided (3.84) interval of 95 %.
const SCORE_SQUARED: f64 = 3.0;

/// Where the true share lies if so many messages show this one; all is possible where there are none.
#[must_use]
pub fn score_interval(share: f64, messages: u64) -> Interval {
    if messages == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let all = float(messages);
    let in_time = share.clamp(0.0, 1.0) * all;
    let center = in_time + SCORE_SQUARED / 2.0;
    let half = (SCORE_SQUARED * (in_time * (all - in_time) / all + SCORE_SQUARED / 4.0)).sqrt();
    let end = |away: f64| ((center + away) / (all + SCORE_SQUARED)).clamp(0.0, 1.0);
    Interval { low: end(-half), high: end(half) }
}

/// How many messages tell on which side of the wanted share the seen one lies, if it stays what it is: the
/// [`score_interval`] of fewer holds the wanted one. `None` where the two are the same.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of messages, above zero")]
pub fn messages_to_tell(seen: f64, wanted: f64) -> Option<u64> {
    let needed = SCORE_SQUARED * wanted * (1.0 - wanted) / (seen - wanted).powi(2);
    // Not one more for what the last digit of a division rounds up.
    needed.is_finite().then(|| ((needed * (1.0 - 1e-12)).ceil() as u64).max(1))
}

impl Sums<'_> {
    /// The share of the deliveries due that arrived within a time, as far as trials and messages show it.
    #[must_use]
    pub fn share_within(&self, within: Duration) -> Option<Figure> {
        let share = self.ratio(|it| Some((it.delivery_latency.count_within(within), it.window.due)))?;
        let shown = score_interval(share.point, self.messages_due());
        let interval = share.interval.map(|it| Interval {
            low: it.low.min(shown.low),
            // A part of a whole is at most the whole.
            high: it.high.max(shown.high).min(1.0),
        });
        Some(Figure { interval, ..share })
    }

    /// Messages that were due while it was measured, whatever became of them.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of messages")]
    pub fn messages_due(&self) -> u64 {
        self.trials.iter().map(|trial| messages_due(trial)).sum::<f64>() as u64
    }
}

/// A record counts the messages that were accepted, and the deliveries that were due: of the others as well. A message
/// is taken to have as many readers as the accepted ones had; where none was accepted, all of them, which makes it the
/// fewest messages.
fn messages_due(trial: &Measurement) -> f64 {
    let (window, counts) = (&trial.window, &trial.counts);
    let [readers, messages] = match (window.published, counts.published) {
        (0, 0) => [counts.subscribers, 1],
        (0, published) => [counts.expected, published],
        (published, _) => [window.expected, published],
    };
    if readers > 0 { float(window.due) * float(messages) / float(readers) } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use pushoff_model::LatencyHistogram;
    use pushoff_model::record::{Counts, WindowCounts};
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;

    #[test]
    fn with_none_late_the_lower_end_is_the_rule_of_three_and_with_all_late_the_upper_end_is() {
        for messages in [1, 57, 120, 297, 10_000] {
            let bound = float(messages) / (float(messages) + 3.0);
            assert!((score_interval(1.0, messages).low - bound).abs() < 1e-12);
            assert!((score_interval(0.0, messages).high - (1.0 - bound)).abs() < 1e-12);
        }
        assert_eq!(score_interval(1.0, 0), Interval { low: 0.0, high: 1.0 });
    }

    /// Wilson's own formula, with z = 1.96, of 50 of 100: 0.404 to 0.596. With z² = 3 by hand: (50 + 1.5 ± √77.25) ÷
    /// 103.
    #[test]
    fn it_is_wilsons_interval() {
        let Interval { low, high } = score_interval(0.5, 100);
        assert!((low - 0.414_668).abs() < 1e-6 && (high - 0.585_332).abs() < 1e-6, "{low} {high}");
    }

    #[test]
    fn so_many_messages_tell_and_one_fewer_does_not() {
        assert_eq!([0.99, 0.95].map(|wanted| messages_to_tell(1.0, wanted)), [Some(297), Some(57)]);
        for (seen, wanted) in [(1.0, 0.99), (1.0, 0.95), (0.998, 0.99), (0.97, 0.99), (0.9, 0.95), (0.0, 0.99)] {
            let needed = messages_to_tell(seen, wanted).unwrap();
            let tells = |messages| {
                let Interval { low, high } = score_interval(seen, messages);
                low >= wanted || high <= wanted + 1e-12
            };
            assert!(tells(needed) && (needed == 1 || !tells(needed - 1)), "{seen} of {wanted}: {needed}");
        }
        assert_eq!(messages_to_tell(0.99, 0.99), None);
    }

    /// Three trials of these messages to ten readers each, of which so many are late to all.
    fn trials(messages: u64, late: u64) -> Vec<Measurement> {
        let one = |_| {
            let mut delivery_latency = LatencyHistogram::new();
            for message in 0..messages {
                let latency = Duration::from_millis(if message < late { 200 } else { 1 });
                (0..10).for_each(|_| delivery_latency.record(latency));
            }
            let window = WindowCounts {
                published: messages,
                due: messages * 10,
                expected: messages * 10,
                ..WindowCounts::default()
            };
            Measurement { delivery_latency, window, ..Measurement::default() }
        };
        (0..3).map(one).collect()
    }

    #[test]
    fn trials_that_were_alike_show_no_more_than_their_messages_do() {
        let share = |messages, late| {
            let all = trials(messages, late);
            Sums::of(&all.iter().collect::<Vec<_>>()).share_within(Duration::from_millis(100)).unwrap()
        };
        let none_late = share(40, 0);
        assert!((none_late.point - 1.0).abs() < 1e-12 && (none_late.low() - 120.0 / 123.0).abs() < 1e-12);
        assert!(share(99, 0).low() >= 0.99, "297 of 297 are 99 %");
        let half = share(2, 1);
        assert!(half.low() < 0.3 && half.high() > 0.7, "six messages, however many readers: {half:?}");
    }

    #[test]
    fn messages_that_the_server_refused_were_due_and_readers_are_no_messages() {
        let due = |window: WindowCounts, counts: Counts| {
            let trial = Measurement { window, counts, ..Measurement::default() };
            Sums::of(&[&trial, &trial]).messages_due()
        };
        let window = |published, expected, due| WindowCounts { published, expected, due, ..WindowCounts::default() };
        let counts = |published, expected| Counts { published, expected, subscribers: 30, ..Counts::default() };
        assert_eq!(due(window(20, 200, 200), counts(40, 400)), 40);
        assert_eq!(due(window(20, 200, 300), counts(40, 400)), 60, "a third was refused");
        assert_eq!(due(window(0, 0, 300), counts(40, 400)), 60, "all while it was measured");
        assert_eq!(due(window(0, 0, 300), counts(0, 0)), 20, "all of them");
        assert_eq!(due(WindowCounts::default(), Counts::default()), 0);
    }

    /// A transport that is late a little too often for 99 %, in three trials of forty messages: it must hardly ever be
    /// called good enough.
    #[test]
    fn what_misses_the_slo_by_little_is_hardly_ever_shown_to_meet_it() {
        let mut random = StdRng::seed_from_u64(5);
        let mut meets = |messages: u64| {
            let mut trial = |_| {
                let late = (0..messages).filter(|_| random.random_bool(0.011)).count() as u64;
                trials(messages, late).swap_remove(0)
            };
            let all: Vec<Measurement> = (0..3).map(&mut trial).collect();
            let share = Sums::of(&all.iter().collect::<Vec<_>>()).share_within(Duration::from_millis(100)).unwrap();
            share.low() >= 0.99
        };
        let wrong = [40, 100, 200].map(|messages| (0..300).filter(|_| meets(messages)).count());
        assert!(wrong[0] == 0 && wrong.iter().all(|it| *it <= 15), "{wrong:?} of 300");
    }
}
