//! Validity flags: did a trial measure the server, or the limit of something else?
//!
//! The thresholds are chosen here and printed in `environment.json`.

use std::time::Duration;

use pushoff_model::LatencyHistogram;
use pushoff_model::record::{Concern, Limit, PageClocks};
use pushoff_model::workload::Slo;

use super::stalls::MISSED;
use super::usage::Use;
use crate::numbers::share;

/// A generator with a higher utilisation delays messages itself.
pub(crate) const BUSY_GENERATOR: f64 = 0.85;
/// A server with a higher utilisation is at its limit.
pub(crate) const BUSY_SERVER: f64 = 0.90;
/// The 99th percentile of the generator's own send lag may be this share of the SLO …
pub(crate) const LAG_SHARE: f64 = 0.10;
/// … or this, whichever is more.
pub(crate) const LEAST_LAG: Duration = Duration::from_millis(5);
/// A process that was runnable for this share of its processors' time, while others had them, was delayed by other
/// programs.
pub(crate) const WAITED: f64 = 0.10;
/// A generator that was stalled for a larger share of the time did not see what happened then, and sent messages
/// late.
pub(crate) const STALLED: f64 = 0.10;
/// The share of the time that a control group's quota may withhold the processors.
pub(crate) const THROTTLED: f64 = 0.02;
/// The share of the machine's time that a hypervisor may give to others.
pub(crate) const STEAL: f64 = 0.02;
/// The share of TCP segments that may be retransmitted: each waits 200 ms or more. Loopback loses nothing, so a
/// retransmission shows a machine that lacks time or memory.
pub(crate) const RESENT: f64 = 0.001;
/// How far a page's clock may be off the run's clock, or drift. Chosen here: half of what an idle page takes to hand
/// a message over.
pub(crate) const PAGE_CLOCK: Duration = Duration::from_micros(500);
/// So few retransmissions prove nothing, because the counter is machine-wide.
const FEW_RESENT: u64 = 10;

/// The flags of a trial.
pub(crate) fn flags(used: &Use, own_lag: &LatencyHistogram, slo: Option<&Slo>) -> Vec<Concern> {
    let has_processor = used.generator_waited <= WAITED && used.throttled <= THROTTLED;
    let busy = used.generator.utilisation();
    let stalled = used.stalled - used.generator_waited - used.throttled;
    let resent =
        if used.machine.retransmits > FEW_RESENT { share(used.machine.retransmits, used.segments) } else { 0.0 };
    let flags = [
        over(Limit::Generator, busy, BUSY_GENERATOR, |busy, bound| {
            format!("the generator was busy {busy:.0} % of its time, over {bound:.0} %")
        }),
        // A generator without a processor is already flagged, and its stall includes the time without one.
        slo.and_then(|slo| late(own_lag, slo)).filter(|_| has_processor),
        over(Limit::Generator, stalled, STALLED, |stalled, bound| {
            let late = millis(MISSED);
            format!(
                "the generator was stalled for {stalled:.0} % of the time (ticks over {late:.0} ms late), over {bound:.0} %"
            )
        }),
        over(Limit::Machine, used.generator_waited, WAITED, |waited, bound| {
            format!("others had the generator's processors for {waited:.0} % of the time, over {bound:.0} %")
        }),
        over(Limit::Machine, used.server_waited, WAITED, |waited, bound| {
            format!("others had the server's processors for {waited:.0} % of the time, over {bound:.0} %")
        }),
        over(Limit::Server, used.server.map_or(0.0, |server| server.utilisation()), BUSY_SERVER, |busy, bound| {
            format!("the server was busy {busy:.0} % of its time, over {bound:.0} %")
        }),
        over(Limit::Machine, used.throttled, THROTTLED, |throttled, bound| {
            format!(
                "the control group's quota withheld the processors for {throttled:.0} % of the time, over {bound:.0} %: \
                 raise cpu.max (a container's CPU limit)"
            )
        }),
        over(Limit::Machine, used.machine.steal, STEAL, |steal, bound| {
            format!("{steal:.1} % of the machine's time was stolen, over {bound:.0} %")
        }),
        over(Limit::Machine, resent, RESENT, |_, bound| {
            let (resent, all) = (used.machine.retransmits, used.segments);
            format!("{resent} of {all} TCP segments were retransmitted, over {bound:.1} %")
        }),
    ];
    flags.into_iter().flatten().collect()
}

/// A flag, where a share is over its bound. The detail is made of both, in percent.
fn over(limit: Limit, share: f64, bound: f64, detail: impl FnOnce(f64, f64) -> String) -> Option<Concern> {
    (share > bound).then(|| Concern { limit, detail: detail(share * 100.0, bound * 100.0) })
}

/// The flag for uncertain page clocks.
pub(crate) fn uncertain_clock(clock: &PageClocks) -> Option<Concern> {
    let off = Duration::from_nanos(clock.uncertainty_ns.max(clock.drift_ns));
    (off > PAGE_CLOCK).then(|| Concern {
        limit: Limit::Generator,
        detail: format!("a page's clock may be {:.2} ms off the run's, over {:.1} ms", millis(off), millis(PAGE_CLOCK)),
    })
}

fn late(own_lag: &LatencyHistogram, slo: &Slo) -> Option<Concern> {
    let (lag, bound) = (own_lag.quantile(0.99)?, slo.within.mul_f64(LAG_SHARE).max(LEAST_LAG));
    (lag > bound).then(|| {
        let (lag, bound) = (millis(lag), millis(bound));
        let detail = format!("1 % of messages were sent {lag:.1} ms or more late by the generator, over {bound:.1} ms");
        Concern { limit: Limit::Generator, detail }
    })
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use pushoff_model::Share;
    use pushoff_model::record::{MachineUse, ProcessUse};

    use super::*;

    const CALM: Duration = Duration::from_micros(1);

    fn used(server: f64, generator: f64) -> Use {
        let process = |share: f64| ProcessUse {
            cpu_ns: Duration::from_secs_f64(share).as_nanos().try_into().unwrap(),
            wall_ns: 1_000_000_000,
            cpus: 1.0,
            ..ProcessUse::default()
        };
        Use {
            server: Some(process(server)),
            generator: process(generator),
            machine: MachineUse::default(),
            segments: 10_000,
            server_waited: 0.0,
            generator_waited: 0.0,
            stalled: 0.0,
            throttled: 0.0,
        }
    }

    fn judged(used: &Use, lag: Duration) -> Vec<Limit> {
        let mut own_lag = LatencyHistogram::new();
        own_lag.record(lag);
        let slo = Slo { share: Share::new(0.99).unwrap(), within: Duration::from_millis(100), may_skip: false };
        flags(used, &own_lag, Some(&slo)).into_iter().map(|concern| concern.limit).collect()
    }

    #[test]
    fn a_trial_within_every_bound_has_no_flag() {
        let machine = MachineUse { steal: 0.02, retransmits: 10 };
        let used = Use {
            machine,
            server_waited: 0.1,
            generator_waited: 0.1,
            stalled: 0.1,
            throttled: 0.02,
            ..used(0.9, 0.85)
        };
        assert_eq!(judged(&used, Duration::from_millis(9)), []);
    }

    #[test]
    fn each_bound_has_its_flag() {
        let idle = used(0.0, 0.0);
        let machine = |steal, retransmits| Use { machine: MachineUse { steal, retransmits }, ..idle };
        assert_eq!(judged(&used(0.91, 0.0), CALM), [Limit::Server]);
        assert_eq!(judged(&used(0.0, 0.86), CALM), [Limit::Generator]);
        assert_eq!(judged(&machine(0.03, 0), CALM), [Limit::Machine]);
        assert_eq!(judged(&machine(0.0, 11), CALM), [Limit::Machine]);
        assert_eq!(judged(&Use { server_waited: 0.11, ..idle }, CALM), [Limit::Machine]);
        assert_eq!(judged(&Use { throttled: 0.03, ..idle }, CALM), [Limit::Machine]);
        assert_eq!(judged(&Use { stalled: 0.11, ..idle }, CALM), [Limit::Generator]);
        assert_eq!(judged(&idle, Duration::from_millis(11)), [Limit::Generator]);
    }

    #[test]
    fn a_page_whose_clock_is_not_known_well_enough_is_a_limit_of_the_generator() {
        let of = |uncertainty_ns, drift_ns| {
            uncertain_clock(&PageClocks { uncertainty_ns, drift_ns, ..PageClocks::default() })
                .map(|concern| concern.limit)
        };
        assert_eq!(of(500_000, 500_000), None);
        assert_eq!([of(500_001, 0), of(0, 500_001)], [Some(Limit::Generator); 2]);
    }

    #[test]
    fn a_generator_without_a_processor_is_the_machines_limit_however_late_it_is() {
        let starved = Use { generator_waited: 0.11, stalled: 0.21, ..used(0.0, 0.0) };
        assert_eq!(judged(&starved, Duration::from_secs(1)), [Limit::Machine]);
        let withheld = Use { throttled: 0.5, stalled: 0.6, ..used(0.0, 0.0) };
        assert_eq!(judged(&withheld, Duration::from_secs(1)), [Limit::Machine]);
    }
}
