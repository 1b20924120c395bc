//! Validity flags: did a trial measure the server, or the limit of something else?
//!
//! The thresholds are chosen here and printed in `environment.json`.

use std::time::Duration;

use pushoff_model::LatencyHistogram;
use pushoff_model::record::{Concern, Limit, Link, LinkDirection, PageClocks, ProcessUse, Wire};
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
/// … or this, whichever is more …
pub(crate) const LEAST_LAG: Duration = Duration::from_millis(5);
/// … and this share of the 99th percentile of the delivery latency that it is part of: beyond, the figure is more the
/// generator's than the transport's …
pub(crate) const LAG_PART: f64 = 0.50;
/// … or this, whichever is more: half of a scheduler's tick at 250 Hz, which a timer of an idle machine may be late by.
pub(crate) const LEAST_LAG_PART: Duration = Duration::from_millis(2);
/// A process that waited for this part of the time in which it had work was delayed by other programs. At the bound its
/// work takes a quarter longer than alone; beside one competitor that never rests it takes twice as long (0.5).
pub(crate) const WAITED: f64 = 0.20;
/// Waits of so small a share of the processors' time do not count: fewer than one message in a hundred met one.
pub(crate) const LEAST_WAITED: f64 = 0.01;
/// A generator that was stalled for a larger share of the time did not see what happened then, and sent messages
/// late.
pub(crate) const STALLED: f64 = 0.10;
/// The share of the time that a control group's quota may withhold the processors.
pub(crate) const THROTTLED: f64 = 0.02;
/// The share of the machine's time that a hypervisor may give to others.
pub(crate) const STEAL: f64 = 0.02;
/// The share of TCP segments that may be lost and retransmitted: each waits 200 ms or more. Loopback loses nothing, so a
/// loss shows a machine that lacks time or memory; a probe that met a delayed acknowledgement is no loss.
pub(crate) const RESENT: f64 = 0.001;
/// This share of the packets of a network may be as late as its delay and jitter allow …
const LATE_QUANTILE: f64 = 0.99;
/// … or this share of the delivery latency's 99th percentile, whichever is more: half of the margin that usually decides.
pub(crate) const LATE_PART: f64 = 0.05;
/// How far a page's clock may be off the run's clock, or drift. Chosen here: half of what an idle page takes to hand
/// a message over.
pub(crate) const PAGE_CLOCK: Duration = Duration::from_micros(500);
/// So few retransmissions prove nothing, because the counter is machine-wide.
const FEW_RESENT: u64 = 10;

/// The figures that the flags are derived from.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) used: &'a Use,
    pub(crate) own_lag: &'a LatencyHistogram,
    pub(crate) delivery_latency: &'a LatencyHistogram,
    pub(crate) link: Option<&'a Link>,
}

/// The flags of a trial.
pub(crate) fn flags(seen: &Seen<'_>, slo: Option<&Slo>) -> Vec<Concern> {
    let Seen { used, own_lag, delivery_latency, link } = *seen;
    // Over a network, latencies are milliseconds, costs do not count and losses are meant. This process passes the packets
    // on as well, of several trials: what it and the machine add shows in how late they are.
    let is_near = link.is_none();
    let waited = |it: Option<&ProcessUse>| it.filter(|_| is_near).map_or(0.0, waited);
    let [server_waited, generator_waited] = [used.server.as_ref(), Some(&used.generator)].map(waited);
    let has_processor = generator_waited <= WAITED && used.throttled <= THROTTLED;
    let busy = if is_near { used.generator.utilisation() } else { 0.0 };
    let stalled = used.stalled - waiting(&used.generator) - used.throttled;
    let lost = used.machine.retransmits.saturating_sub(used.machine.spurious_retransmits);
    let resent = if is_near && lost > FEW_RESENT { share(lost, used.segments) } else { 0.0 };
    let flags = [
        over(Limit::Generator, busy, BUSY_GENERATOR, |busy, bound| {
            format!("the generator was busy {busy:.0} % of its time, over {bound:.0} %")
        }),
        // A generator without a processor is already flagged, and its stall includes the time without one.
        slo.and_then(|slo| late(own_lag, delivery_latency, slo)).filter(|_| has_processor),
        over(Limit::Generator, stalled, STALLED, |stalled, bound| {
            let late = millis(MISSED);
            format!(
                "the generator was stalled for {stalled:.0} % of the time (ticks over {late:.0} ms late), over {bound:.0} %"
            )
        }),
        over(Limit::Machine, generator_waited, WAITED, |waited, bound| {
            format!(
                "the generator waited for a processor {waited:.0} % of the time that it had work, over {bound:.0} %"
            )
        }),
        over(Limit::Machine, server_waited, WAITED, |waited, bound| {
            format!("the server waited for a processor {waited:.0} % of the time that it had work, over {bound:.0} %")
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
            let all = used.segments;
            format!("{lost} of {all} TCP segments were lost and retransmitted, over {bound:.1} %")
        }),
    ];
    let slow = |direction, way| slow(direction, way, delivery_latency);
    let late = link.map_or([None, None], |link| [slow(&link.down, "down"), slow(&link.up, "up")]);
    flags.into_iter().chain(late).flatten().collect()
}

/// The flag of a network that passed packets on too late, beside the latencies that they are part of.
fn slow(direction: &LinkDirection, way: &str, delivery_latency: &LatencyHistogram) -> Option<Concern> {
    let late = direction.lateness.quantile(LATE_QUANTILE)?;
    let part = delivery_latency.quantile(0.99).unwrap_or_default().mul_f64(LATE_PART);
    let bound = direction.lateness_allowed().max(part);
    (late > bound).then(|| Concern {
        limit: Limit::Machine,
        detail: format!(
            "1 % of the packets {way} were passed on {:.2} ms or more late, over {:.2} ms",
            millis(late),
            millis(bound)
        ),
    })
}

/// The share of its processors' time that a process waited for them, 0 to 1.
fn waiting(process: &ProcessUse) -> f64 {
    share(process.waited_ns, process.wall_ns) / process.cpus.max(1.0)
}

/// The share of its busy time that a process waited, where it waited long enough to matter.
fn waited(process: &ProcessUse) -> f64 {
    if waiting(process) > LEAST_WAITED { process.waited() } else { 0.0 }
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

/// The flag for streams that a server sends uncompressed although it was asked to compress.
pub(crate) fn uncompressed(crossed: &Wire) -> Option<Concern> {
    let (setup, load) = (&crossed.setup.contents, &crossed.load.contents);
    let (without, all) = (setup.uncompressed + load.uncompressed, setup.responses + load.responses);
    (without > 0).then(|| Concern {
        limit: Limit::Server,
        detail: format!(
            "{without} of {all} streams came uncompressed: the server does not compress, or has no room for more \
             compressors (pushoff serve --memory)"
        ),
    })
}

fn late(own_lag: &LatencyHistogram, delivery_latency: &LatencyHistogram, slo: &Slo) -> Option<Concern> {
    let (lag, within) = (own_lag.quantile(0.99)?, slo.within.mul_f64(LAG_SHARE).max(LEAST_LAG));
    let part = delivery_latency.quantile(0.99).map(|latency| latency.mul_f64(LAG_PART).max(LEAST_LAG_PART));
    let bound = part.map_or(within, |part| part.min(within));
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
    use pushoff_model::record::MachineUse;

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
            stalled: 0.0,
            throttled: 0.0,
        }
    }

    fn waits(process: ProcessUse, waited_ms: u64) -> ProcessUse {
        ProcessUse { waited_ns: waited_ms * 1_000_000, ..process }
    }

    /// With a delivery latency of which the lag is a small part.
    fn judged(used: &Use, lag: Duration) -> Vec<Limit> {
        judged_with(used, lag, Duration::from_secs(1))
    }

    fn judged_with(used: &Use, lag: Duration, latency: Duration) -> Vec<Limit> {
        judged_over(None, used, lag, latency)
    }

    fn judged_over(link: Option<&Link>, used: &Use, lag: Duration, latency: Duration) -> Vec<Limit> {
        let [mut own_lag, mut delivery_latency] = [(); 2].map(|()| LatencyHistogram::new());
        own_lag.record(lag);
        delivery_latency.record(latency);
        let slo = Slo { share: Share::new(0.99).unwrap(), within: Duration::from_millis(100), may_skip: false };
        let seen = Seen { used, own_lag: &own_lag, delivery_latency: &delivery_latency, link };
        flags(&seen, Some(&slo)).into_iter().map(|concern| concern.limit).collect()
    }

    #[test]
    fn a_trial_within_every_bound_has_no_flag() {
        let machine = MachineUse { steal: 0.02, retransmits: 1_010, spurious_retransmits: 1_000 };
        let busy = used(0.9, 0.85);
        let (server, generator) = (busy.server.map(|server| waits(server, 225)), waits(busy.generator, 212));
        let used = Use { machine, server, generator, stalled: 0.1, throttled: 0.02, ..busy };
        assert_eq!(judged(&used, Duration::from_millis(9)), []);
    }

    #[test]
    fn each_bound_has_its_flag() {
        let idle = used(0.0, 0.0);
        let machine =
            |steal, retransmits| Use { machine: MachineUse { steal, retransmits, ..MachineUse::default() }, ..idle };
        assert_eq!(judged(&used(0.91, 0.0), CALM), [Limit::Server]);
        assert_eq!(judged(&used(0.0, 0.86), CALM), [Limit::Generator]);
        assert_eq!(judged(&machine(0.03, 0), CALM), [Limit::Machine]);
        assert_eq!(judged(&machine(0.0, 11), CALM), [Limit::Machine]);
        let waiting = Use { server: idle.server.map(|server| waits(server, 11)), ..idle };
        assert_eq!(judged(&waiting, CALM), [Limit::Machine]);
        assert_eq!(judged(&Use { throttled: 0.03, ..idle }, CALM), [Limit::Machine]);
        assert_eq!(judged(&Use { stalled: 0.11, ..idle }, CALM), [Limit::Generator]);
        assert_eq!(judged(&idle, Duration::from_millis(11)), [Limit::Generator]);
    }

    #[test]
    fn a_wait_counts_by_the_work_that_it_delays() {
        let light = used(0.02, 0.0);
        let waiting = |process_ms| Use { server: light.server.map(|server| waits(server, process_ms)), ..light };
        assert_eq!(judged(&waiting(10), CALM), [], "half as long as it worked, yet 1 % of the time");
        assert_eq!(judged(&waiting(11), CALM), [Limit::Machine]);
        let busy = used(0.5, 0.0);
        assert_eq!(judged(&Use { server: busy.server.map(|server| waits(server, 120)), ..busy }, CALM), []);
    }

    #[test]
    fn a_lag_counts_by_the_latency_that_it_is_part_of() {
        let (idle, ms) = (used(0.0, 0.0), Duration::from_millis);
        assert_eq!(judged_with(&idle, ms(3), ms(5)), [Limit::Generator]);
        assert_eq!(judged_with(&idle, ms(3), ms(7)), []);
        assert_eq!(judged_with(&idle, Duration::from_micros(1_900), ms(2)), [], "as late as a timer may be");
    }

    #[test]
    fn over_a_network_what_counts_is_how_late_its_packets_were() {
        let machine = MachineUse { retransmits: 9_000, ..MachineUse::default() };
        let idle = Use { machine, ..used(0.02, 0.02) };
        let waiting = Use { server: idle.server.map(|server| waits(server, 500)), ..idle };
        let of = |delay_ms: u64, late_us, latency_ms| {
            let mut link = Link::default();
            link.down.delay_ns = delay_ms * 1_000_000;
            (0..50).for_each(|_| link.down.lateness.record(Duration::ZERO));
            link.down.lateness.record(Duration::from_micros(late_us));
            judged_over(Some(&link), &waiting, CALM, Duration::from_millis(latency_ms))
        };
        assert_eq!([of(10, 199, 1), of(75, 1_490, 1), of(10, 990, 20)], [vec![], vec![], vec![]]);
        assert_eq!([of(10, 210, 1), of(75, 1_520, 1), of(10, 1_010, 20)], [(); 3].map(|()| vec![Limit::Machine]));
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
        let idle = used(0.0, 0.0);
        let starved = Use { generator: waits(idle.generator, 110), stalled: 0.21, ..idle };
        assert_eq!(judged(&starved, Duration::from_secs(1)), [Limit::Machine]);
        let withheld = Use { throttled: 0.5, stalled: 0.6, ..used(0.0, 0.0) };
        assert_eq!(judged(&withheld, Duration::from_secs(1)), [Limit::Machine]);
    }
}
