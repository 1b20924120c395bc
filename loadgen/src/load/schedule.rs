//! When each message is due: a pure function of seed, publisher and index.
//!
//! Open loop: a due time never depends on how late the last send was, so a stalled server cannot slow its own load.
//! Source: Schroeder et al., "Open versus closed" (NSDI 2006); Tene, "How not to measure latency" (coordinated
//! omission).

use std::sync::Arc;
use std::time::Duration;

use pushoff_model::Workload;
use pushoff_model::workload::{Arrival, Load, TraceEvent};
use rand::rngs::Xoshiro256PlusPlus;
use rand_distr::{Distribution, Exp1};

use crate::numbers::{float, whole};
use crate::seeding::{Purpose, stream};

/// The due times of a whole load, as offsets from its start.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    seed: u64,
    publishers: u32,
    length: Duration,
    load: Timing,
}

#[derive(Clone, Debug)]
enum Timing {
    Rate {
        gap_ns: f64,
        arrival: Arrival,
    },
    /// The events, and the positions of each publisher's events. Each topic has one publisher.
    Trace {
        events: Arc<[TraceEvent]>,
        of: Arc<[Arc<[usize]>]>,
    },
}

impl Schedule {
    /// The schedule of a workload's warm-up and measure phase.
    pub(crate) fn new(workload: &Workload, seed: u64) -> Self {
        let load = match &workload.load {
            Load::Rate { per_second, arrival } => {
                Timing::Rate { gap_ns: 1e9 / per_second.as_per_second(), arrival: *arrival }
            }
            Load::Trace { events, .. } => {
                Timing::Trace { events: events.clone(), of: by_topic(events, workload.topics) }
            }
            // A trace without messages.
            Load::Silence { .. } => Timing::Trace { events: Arc::default(), of: Arc::default() },
        };
        let length = workload.phases.warm_up + workload.phases.measure;
        Self { seed, publishers: workload.publishers(), length, load }
    }

    pub(crate) const fn publishers(&self) -> u32 {
        self.publishers
    }

    /// The due times of one publisher, in rising order.
    pub(crate) fn of(&self, publisher: u32) -> DueTimes {
        let kind = match &self.load {
            Timing::Rate { gap_ns, arrival: Arrival::Constant } => {
                DueKind::Constant { phase_ns: self.phase_ns(publisher), gap_ns: *gap_ns, index: 0 }
            }
            Timing::Rate { gap_ns, arrival: Arrival::Poisson } => {
                let chance = stream(self.seed, Purpose::Arrivals, publisher.into());
                DueKind::Poisson { chance, gap_ns: *gap_ns, at_ns: 0.0 }
            }
            Timing::Trace { events, of } => {
                let mine = of.get(publisher as usize).cloned().unwrap_or_default();
                DueKind::Trace { events: events.clone(), mine, index: 0 }
            }
        };
        DueTimes { kind, end: self.length }
    }

    /// The first due time of a publisher with constant arrivals: the publishers are spread evenly over one gap.
    pub(crate) fn phase(&self, publisher: u32) -> Duration {
        Duration::from_nanos(whole(self.phase_ns(publisher)))
    }

    fn phase_ns(&self, publisher: u32) -> f64 {
        match self.load {
            Timing::Rate { gap_ns, .. } => gap_ns * f64::from(publisher) / f64::from(self.publishers.max(1)),
            Timing::Trace { .. } => 0.0,
        }
    }
}

fn by_topic(events: &[TraceEvent], topics: u32) -> Arc<[Arc<[usize]>]> {
    let mut of = vec![Vec::new(); topics as usize];
    for (position, event) in events.iter().enumerate() {
        if let Some(mine) = of.get_mut(event.topic as usize) {
            mine.push(position);
        }
    }
    of.into_iter().map(Arc::from).collect()
}

/// The due times of one publisher, as offsets from the start of the load.
#[derive(Clone, Debug)]
pub(crate) struct DueTimes {
    kind: DueKind,
    end: Duration,
}

#[derive(Clone, Debug)]
enum DueKind {
    Constant { phase_ns: f64, gap_ns: f64, index: u64 },
    Poisson { chance: Xoshiro256PlusPlus, gap_ns: f64, at_ns: f64 },
    Trace { events: Arc<[TraceEvent]>, mine: Arc<[usize]>, index: usize },
}

impl Iterator for DueTimes {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let due = match &mut self.kind {
            DueKind::Constant { phase_ns, gap_ns, index } => {
                let due = Duration::from_nanos(whole(float(*index).mul_add(*gap_ns, *phase_ns)));
                *index += 1;
                due
            }
            DueKind::Poisson { chance, gap_ns, at_ns } => {
                let gap: f64 = Exp1.sample(chance);
                *at_ns += gap * *gap_ns;
                Duration::from_nanos(whole(*at_ns))
            }
            DueKind::Trace { events, mine, index } => {
                let due = events[*mine.get(*index)?].offset;
                *index += 1;
                due
            }
        };
        (due < self.end).then_some(due)
    }
}

#[cfg(test)]
mod tests {
    use pushoff_model::OfferedRate;
    use pushoff_model::workload::built_in;

    use super::*;

    fn schedule(arrival: Arrival, per_second: f64, seed: u64) -> Schedule {
        let mut workload = built_in("progress").unwrap().unwrap();
        workload.topics = 4;
        workload.phases.warm_up = Duration::ZERO;
        workload.phases.measure = Duration::from_secs(100);
        workload.load = Load::Rate { per_second: OfferedRate::per_second(per_second).unwrap(), arrival };
        Schedule::new(&workload, seed)
    }

    #[test]
    fn constant_arrivals_keep_their_period_and_spread_their_phases_evenly() {
        let schedule = schedule(Arrival::Constant, 2.0, 1);
        let ms = Duration::from_millis;
        assert_eq!(schedule.of(0).take(3).collect::<Vec<_>>(), [ms(0), ms(500), ms(1000)]);
        assert_eq!(schedule.of(3).take(2).collect::<Vec<_>>(), [ms(375), ms(875)]);
        assert_eq!(schedule.of(0).count(), 200);
    }

    #[test]
    fn intended_time_depends_on_the_index_alone() {
        for arrival in [Arrival::Constant, Arrival::Poisson] {
            let one = schedule(arrival, 50.0, 9);
            let mut late = one.of(2);
            late.nth(100);
            assert_eq!(late.next(), one.of(2).nth(101));
        }
    }

    #[test]
    fn poisson_gaps_have_the_mean_and_the_spread_of_an_exponential() {
        let times: Vec<_> = schedule(Arrival::Poisson, 100.0, 3).of(1).collect();
        let gaps: Vec<_> = times.windows(2).map(|pair| pair[1].as_secs_f64() - pair[0].as_secs_f64()).collect();
        let count = f64::from(u32::try_from(gaps.len()).unwrap());
        let mean = gaps.iter().sum::<f64>() / count;
        let deviation = (gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / count).sqrt();
        assert!((0.0095..0.0105).contains(&mean), "{mean}");
        assert!((0.95..1.05).contains(&(deviation / mean)), "{deviation}");
    }

    #[test]
    fn poisson_publishers_are_independent_and_follow_the_seed() {
        let first = |seed, publisher| schedule(Arrival::Poisson, 100.0, seed).of(publisher).next();
        assert_eq!(first(3, 1), first(3, 1));
        assert_ne!(first(3, 1), first(3, 2));
        assert_ne!(first(3, 1), first(4, 1));
    }

    #[test]
    fn a_trace_is_dealt_to_its_topics_and_ends_with_the_measure_phase() {
        let event = |milliseconds, topic| TraceEvent {
            offset: Duration::from_millis(milliseconds),
            topic,
            payload: serde_json::value::RawValue::from_string("1".into()).unwrap().into(),
        };
        let mut workload = built_in("progress").unwrap().unwrap();
        workload.topics = 2;
        workload.phases.warm_up = Duration::ZERO;
        workload.phases.measure = Duration::from_millis(100);
        let events: Arc<[_]> = [event(5, 0), event(6, 1), event(50, 0), event(200, 0)].into();
        workload.load = Load::Trace { path: "t.jsonl".into(), messages: 4, events };
        let schedule = Schedule::new(&workload, 1);
        let ms = Duration::from_millis;
        assert_eq!(schedule.of(0).collect::<Vec<_>>(), [ms(5), ms(50)]);
        assert_eq!(schedule.of(1).collect::<Vec<_>>(), [ms(6)]);
    }
}
