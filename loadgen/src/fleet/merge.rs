//! Merges the parts of a trial into one measurement: counts add, histograms add bucket for bucket. Validity is judged an
//! agent; what only the whole shows, such as clocks that are too uncertain, is judged here.

use std::time::Duration;

use pushoff_model::LatencyHistogram;
use pushoff_model::record::{AgentClock, AgentPart, Concern, FailureKind, Held, Limit, Measurement, ProcessUse};

use super::playing::{Playing, State};
use crate::failure::{Failed, failed};
use crate::plan::Trial;
use crate::trial::Drained;
use crate::watch::{Use, validity};

/// The coordinator's readings of the server and its machine.
pub(super) struct Observed {
    pub(super) connecting: Use,
    pub(super) empty: Held,
    pub(super) idle: Held,
    pub(super) used: Use,
    pub(super) delivering: Held,
}

/// The measurement of a trial, of the parts that agents returned. `host` is the coordinator's machine.
pub(super) fn merged(
    trial: &Trial,
    all: Vec<(Playing<'_>, AgentClock)>,
    observed: &Observed,
    host: &str,
) -> Result<Measurement, Failed> {
    let workload = &trial.workload;
    let has_whole_topics = all.iter().all(|(playing, _)| playing.part.keeps_topics_whole(workload));
    let is_near = all.iter().all(|(playing, _)| playing.member.agent.host == host);
    let (mut agents, mut parts) = (Vec::new(), Vec::new());
    for (Playing { member, part, state, .. }, clock) in all {
        let mut agent = AgentPart {
            name: member.agent.name.clone(),
            host: member.agent.host.clone(),
            subscribers: u32::try_from(part.subscribers(workload).count()).unwrap_or(u32::MAX),
            publishers: u32::try_from(part.publishers(workload).count()).unwrap_or(u32::MAX),
            clock,
            ..AgentPart::default()
        };
        match state {
            State::Ended(mut part) => {
                agent.generator = Some(part.used.generator);
                agent.early = part.totals.early;
                agent.concerns = std::mem::take(&mut part.concerns);
                parts.push(*part);
            }
            State::Running | State::Lost => agent.is_lost = true,
        }
        agents.push(agent);
    }
    let whole = parts.into_iter().reduce(|mut whole, part| {
        whole.merge(part);
        whole
    });
    let mut whole = whole.ok_or_else(|| failed(FailureKind::Machine, "every agent was lost in mid-trial"))?;
    observe(&mut whole, observed, is_near);
    whole.concerns = of_agents(&agents);
    whole.concerns.extend(of_server(&whole, trial));
    let apart = if has_whole_topics { None } else { apart(&agents) };
    let finer = |histogram: &LatencyHistogram| apart.filter(|&apart| is_finer(histogram, apart));
    whole.concerns.extend(finer(&whole.totals.delivery_latency).map(uncertain));
    let mut measurement = whole.measurement(trial);
    measurement.spread = measurement.spread.filter(|spread| finer(spread).is_none());
    // Each agent has so many under way.
    let at_once = u64::from(measurement.connecting.at_once) * agents.len() as u64;
    measurement.connecting.at_once = u32::try_from(at_once).unwrap_or(u32::MAX).min(workload.subscribers);
    measurement.agents = agents;
    Ok(measurement)
}

/// Puts in the coordinator's readings. The kernel's memory is that of both ends of the connections, where both are here.
fn observe(whole: &mut Drained, observed: &Observed, is_near: bool) {
    let Observed { connecting, empty, idle, used, delivering } = *observed;
    whole.connecting.server = connecting.server;
    whole.used = Use { generator: whole.used.generator, ..used };
    let memory = &mut whole.memory;
    for (held, read) in [(&mut memory.empty, empty), (&mut memory.idle, idle), (&mut memory.delivering, delivering)] {
        (held.server, held.kernel) = (read.server, read.kernel.filter(|_| is_near));
    }
}

/// The limits of agents' parts, each with its agent.
fn of_agents(agents: &[AgentPart]) -> Vec<Concern> {
    let mut concerns = Vec::new();
    for AgentPart { name, early, is_lost, concerns: own, .. } in agents {
        if *is_lost {
            let detail = format!("agent {name} was lost in mid-trial: its part is in none of the figures");
            // The first one is the one that is told of a trial.
            concerns.insert(0, Concern { limit: Limit::Machine, detail });
        }
        let named =
            |concern: &Concern| Concern { limit: concern.limit, detail: format!("agent {name}: {}", concern.detail) };
        concerns.extend(own.iter().map(named));
        if *early > 0 {
            let detail =
                format!("agent {name}: {early} deliveries came before they were sent, by the clocks of two agents");
            concerns.push(Concern { limit: Limit::Generator, detail });
        }
    }
    concerns
}

/// The limits of the server and its machine. The coordinator is no generator.
fn of_server(whole: &Drained, trial: &Trial) -> Vec<Concern> {
    let used = Use { generator: ProcessUse::default(), stalled: 0.0, ..whole.used };
    let own_lag = LatencyHistogram::new();
    let delivery_latency = &whole.totals.delivery_latency;
    let seen = validity::Seen { used: &used, own_lag: &own_lag, delivery_latency, link: None };
    validity::flags(&seen, trial.workload.slo.as_ref())
}

/// How far the clocks of two agents may be apart, at most.
fn apart(agents: &[AgentPart]) -> Option<Duration> {
    let mut bounds: Vec<_> = agents.iter().map(|agent| agent.clock.bound_ns).collect();
    bounds.sort_unstable_by_key(|&bound| std::cmp::Reverse(bound));
    let [first, second, ..] = bounds[..] else { return None };
    Some(Duration::from_nanos(first.saturating_add(second)))
}

/// Whether half of what was measured is no longer than clocks may be apart.
fn is_finer(histogram: &LatencyHistogram, apart: Duration) -> bool {
    histogram.quantile(0.5).is_some_and(|median| median <= apart)
}

fn uncertain(apart: Duration) -> Concern {
    let apart = apart.as_secs_f64() * 1e3;
    Concern {
        limit: Limit::Generator,
        detail: format!(
            "the clocks of two agents may be {apart:.2} ms apart, and half of the deliveries took no longer"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(name: &str, bound_us: u64, early: u64, is_lost: bool) -> AgentPart {
        let clock = AgentClock { bound_ns: bound_us * 1_000, ..AgentClock::default() };
        AgentPart { name: name.into(), clock, early, is_lost, ..AgentPart::default() }
    }

    #[test]
    fn a_lost_agent_is_the_first_concern_and_each_names_its_agent() {
        let mut one = agent("one", 10, 3, false);
        one.concerns = vec![Concern { limit: Limit::Server, detail: "the server was busy".into() }];
        let concerns = of_agents(&[one, agent("two", 10, 0, true), agent("three", 10, 0, false)]);
        let said: Vec<_> = concerns.iter().map(|it| (it.limit, it.detail.as_str())).collect();
        assert!(matches!(said[0], (Limit::Machine, detail) if detail.contains("two was lost")), "{said:?}");
        assert_eq!(said[1], (Limit::Server, "agent one: the server was busy"));
        assert!(
            matches!(said[2], (Limit::Generator, detail) if detail.contains("3 deliveries came before")),
            "{said:?}"
        );
        assert_eq!(said.len(), 3);
    }

    #[test]
    fn what_is_finer_than_two_clocks_may_be_apart_is_void() {
        let apart =
            apart(&[agent("one", 40, 0, false), agent("two", 70, 0, false), agent("three", 60, 0, false)]).unwrap();
        assert_eq!(apart, Duration::from_micros(130));
        let of = |micros: [u64; 3]| {
            let mut histogram = LatencyHistogram::new();
            micros.iter().for_each(|it| histogram.record(Duration::from_micros(*it)));
            is_finer(&histogram, apart)
        };
        assert!(of([100, 120, 900]) && !of([100, 140, 900]));
        assert!(!is_finer(&LatencyHistogram::new(), apart), "where nothing came, nothing is finer");
        assert_eq!(super::apart(&[agent("one", 40, 0, false)]), None, "one clock is not apart from itself");
    }
}
