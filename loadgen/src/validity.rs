//! What limits a trial's worth: was it the server that was measured?
//!
//! The bounds are chosen here and printed by `knobs`, so that nobody has to believe them.

use std::time::Duration;

use pushoff_model::LatencyHistogram;
use pushoff_model::record::{Concern, Limit, ProcessUse};
use pushoff_model::workload::Slo;

use crate::resources::{Use, share};

/// A generator busier than this on its processors is late for reasons of its own.
pub(crate) const BUSY_GENERATOR: f64 = 0.85;
/// A server busier than this is at its limit.
pub(crate) const BUSY_SERVER: f64 = 0.90;
/// The 99th percentile of the generator's own lag may be this part of the SLO …
pub(crate) const LAG_SHARE: f64 = 0.10;
/// … or this, where that is more.
pub(crate) const LEAST_LAG: Duration = Duration::from_millis(5);
/// A generator that was ready to run for this part of the time, and had no processor, was late
/// because of what else ran on the machine.
pub(crate) const WAITED: f64 = 0.05;
/// The part of the machine's time that a hypervisor may give to others.
pub(crate) const STEAL: f64 = 0.02;
/// The part of TCP segments that may be sent again: each waits 200 ms and more. Over loopback
/// nothing is lost, so that resending means a machine that is short of time or memory.
pub(crate) const RESENT: f64 = 0.001;
/// So few segments sent again say nothing, the counter being the machine's.
const FEW_RESENT: u64 = 10;

/// Everything that is wrong with a trial, as far as can be known.
pub(crate) fn concerns(used: &Use, own_lag: &LatencyHistogram, slo: &Slo) -> Vec<Concern> {
    let busy = |name: &str, process: &ProcessUse, bound: f64| {
        let busy = process.utilisation();
        (busy > bound)
            .then(|| format!("the {name} was busy {:.0} % of its time, over {:.0} %", busy * 100.0, bound * 100.0))
    };
    let concern = |limit, detail: Option<String>| detail.map(|detail| Concern { limit, detail });
    [
        concern(Limit::Generator, busy("generator", &used.generator, BUSY_GENERATOR)),
        late(own_lag, slo, used.generator_waited),
        concern(Limit::Server, used.server.as_ref().and_then(|server| busy("server", server, BUSY_SERVER))),
        concern(Limit::Machine, stolen(used.machine.steal)),
        concern(Limit::Machine, resent(used.machine.retransmits, used.segments)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn late(own_lag: &LatencyHistogram, slo: &Slo, waited: f64) -> Option<Concern> {
    let lag = own_lag.quantile(0.99)?;
    let bound = slo.within.mul_f64(LAG_SHARE).max(LEAST_LAG);
    if lag <= bound {
        return None;
    }
    let late = format!("1 % of messages were sent {:.1} ms late or more, over {:.1} ms", millis(lag), millis(bound));
    let (limit, cause) = if waited > WAITED {
        (Limit::Machine, format!("others had the generator's processors for {:.0} % of the time", waited * 100.0))
    } else {
        (Limit::Generator, "by the generator's own doing".into())
    };
    Some(Concern { limit, detail: format!("{late}: {cause}") })
}

fn stolen(steal: f64) -> Option<String> {
    (steal > STEAL)
        .then(|| format!("{:.1} % of the machine's time was stolen, over {:.0} %", steal * 100.0, STEAL * 100.0))
}

fn resent(retransmits: u64, segments: u64) -> Option<String> {
    (retransmits > FEW_RESENT && share(retransmits, segments) > RESENT)
        .then(|| format!("{retransmits} of {segments} TCP segments were sent again, over {:.1} %", RESENT * 100.0))
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use pushoff_model::Share;
    use pushoff_model::record::MachineUse;

    use super::*;

    fn judged(
        server: f64,
        generator: f64,
        steal: f64,
        retransmits: u64,
        lag: Duration,
        generator_waited: f64,
    ) -> Vec<Limit> {
        let process = |share: f64| ProcessUse {
            cpu_ns: Duration::from_secs_f64(share).as_nanos().try_into().unwrap(),
            wall_ns: 1_000_000_000,
            cpus: 1,
            rss_bytes: 0,
        };
        let used = Use {
            server: Some(process(server)),
            generator: process(generator),
            machine: MachineUse { steal, retransmits },
            segments: 10_000,
            generator_waited,
        };
        let mut own_lag = LatencyHistogram::new();
        own_lag.record(lag);
        let slo = Slo { share: Share::new(0.99).unwrap(), within: Duration::from_millis(100), may_skip: false };
        concerns(&used, &own_lag, &slo).into_iter().map(|concern| concern.limit).collect()
    }

    #[test]
    fn a_trial_within_every_bound_has_no_concern() {
        assert_eq!(judged(0.9, 0.85, 0.02, 10, Duration::from_millis(9), 0.5), []);
    }

    #[test]
    fn each_bound_has_its_concern() {
        let calm = Duration::from_micros(1);
        assert_eq!(judged(0.91, 0.0, 0.0, 0, calm, 0.0), [Limit::Server]);
        assert_eq!(judged(0.0, 0.86, 0.0, 0, calm, 0.0), [Limit::Generator]);
        assert_eq!(judged(0.0, 0.0, 0.03, 0, calm, 0.0), [Limit::Machine]);
        assert_eq!(judged(0.0, 0.0, 0.0, 11, calm, 0.0), [Limit::Machine]);
        assert_eq!(judged(0.0, 0.0, 0.0, 0, Duration::from_millis(11), 0.0), [Limit::Generator]);
        assert_eq!(judged(0.0, 0.0, 0.0, 0, Duration::from_millis(11), 0.06), [Limit::Machine]);
    }
}
