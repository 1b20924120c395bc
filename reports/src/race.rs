//! How far the questions of a run are answered by the records so far, and who is still in the race.
//!
//! A run measures in rounds, and asks after each of them. The answers are those of the report: the same rule over the
//! same records.

use pushoff_model::{Conditions, Transport, Workload};

use crate::Run;
use crate::cells::group;
use crate::findings::comparison::{Compared, Comparison};
use crate::findings::networks::OverNetwork;
use crate::findings::study::noise_of;
use crate::findings::verdict::Candidate;
use crate::metric::sources::Sources;
use crate::metric::{Metric, Standing};
use crate::words::number::ABSENT;

/// One question: a workload under one set of conditions.
#[derive(Clone, Debug)]
pub struct Question {
    /// What was asked for.
    pub workload: Workload,
    /// What it is measured under.
    pub conditions: Conditions,
    /// The question's name in the report.
    pub label: String,
    /// How far it is answered: `decided`, `equivalent`, `undecided`, `nothing meets the SLO`, `not enough trials`.
    pub outcome: &'static str,
    /// Whether more rounds would change nothing.
    pub is_settled: bool,
    /// The transport to take, where the question is answered.
    pub choice: Option<Transport>,
    /// One a transport, in the order of [`Transport::ALL`].
    pub runners: Vec<Runner>,
    /// What it is measured under over each network, and the transports of which more rounds over it may change the answer.
    pub over: Vec<(Conditions, Vec<Transport>)>,
}

impl Question {
    /// Whether more rounds of a cell that belongs to the question would not change its answer.
    #[must_use]
    pub fn leaves_out(&self, workload: &Workload, transport: Transport, conditions: &Conditions) -> bool {
        if self.workload != *workload {
            return false;
        }
        if let Some((_, open)) = self.over.iter().find(|(over, _)| over == conditions) {
            return !open.contains(&transport);
        }
        let is_out = |runner: &Runner| runner.transport == transport && runner.out.is_some();
        self.conditions == *conditions && (self.is_settled || self.runners.iter().any(is_out))
    }
}

/// A transport in the race.
#[derive(Clone, Debug)]
pub struct Runner {
    /// Which transport.
    pub transport: Transport,
    /// Why more rounds of it would not change the answer; absent where they may, and of the floor.
    pub out: Option<&'static str>,
    /// Whether it meets the SLO, in a word.
    pub standing: &'static str,
    /// Its median latency, as the report writes it.
    pub p50: String,
    /// Its 99th percentile, as the report writes it.
    pub p99: String,
    /// What a month of the load would cost, as the report writes it.
    pub cost: String,
}

/// How the race stands: a question each that a verdict is given on, one a wire: each is measured until it is settled.
#[must_use]
pub fn race(run: &Run) -> Vec<Question> {
    let noise_ns = run.environments.iter().map(noise_of).fold(0.0, f64::max);
    let groups = group(run);
    let figures: Vec<_> = {
        let sources = Sources::of(&groups);
        groups.iter().map(|group| sources.figures(group)).collect()
    };
    let asked = groups.into_iter().zip(figures).filter(|(group, _)| !group.is_search);
    let compared = asked.filter_map(|(group, figures)| {
        let slo = group.workload.slo?;
        Some(Compared { group, slo, figures, sources: Vec::new() })
    });
    let all = Comparison::all(compared.collect(), noise_ns);
    all.iter().filter(|it| it.group.has_a_choice()).map(question).collect()
}

fn question(comparison: &Comparison<'_>) -> Question {
    let Comparison { group, verdict, candidates, .. } = comparison;
    Question {
        workload: group.workload.clone(),
        conditions: group.conditions.clone(),
        label: group.label.clone(),
        outcome: verdict.outcome(),
        is_settled: verdict.decision.outcome.is_settled(),
        choice: verdict.choice(),
        runners: candidates.iter().map(|it| runner(comparison, it)).collect(),
        over: comparison.networks.iter().map(|it| (it.conditions.clone(), open_over(comparison, it))).collect(),
    }
}

/// Of whom more rounds over a network may change the answer: of those that are neither shown to meet the SLO over it nor
/// to fail it, who may be taken; and who may be the one that shows that the SLO can be met, where none is shown to.
fn open_over(comparison: &Comparison<'_>, network: &OverNetwork) -> Vec<Transport> {
    let decision = &comparison.verdict.decision;
    let may_be_taken = |it: Transport| {
        decision.choice == Some(it) || [&decision.equivalent, &decision.contenders].iter().any(|all| all.contains(&it))
    };
    let fails = |it: Transport| {
        let standing = comparison.candidates.iter().find(|candidate| candidate.transport == it).map(|it| &it.standing);
        matches!(standing, Some(Standing::Fails { .. }))
    };
    network.open().filter(|&it| !fails(it) && (may_be_taken(it) || !network.is_decisive())).collect()
}

fn runner(comparison: &Comparison<'_>, candidate: &Candidate) -> Runner {
    let decision = &comparison.verdict.decision;
    let written = |metric: Metric| {
        let figure = candidate.figures.as_ref().and_then(|figures| figures.get(metric));
        figure.map_or_else(|| ABSENT.to_owned(), |figure| metric.unit().write(figure.point))
    };
    let remains = decision.contenders.contains(&candidate.transport);
    let out = match candidate.standing {
        Standing::Unranked => None,
        Standing::Fails { .. } => Some("fails the SLO"),
        Standing::Meets | Standing::Undecided { .. } | Standing::Void { .. } if remains => None,
        _ if decision.outcome.is_settled() => Some("answered"),
        Standing::Meets | Standing::Undecided { .. } | Standing::Void { .. } => Some("costs more"),
    };
    Runner {
        transport: candidate.transport,
        out,
        standing: candidate.standing.label(),
        p50: written(Metric::P50),
        p99: written(Metric::P99),
        cost: written(Metric::Cost),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    /// Of whom rounds of the ticker go on over each network, where of these transports one trial was measured over it.
    fn open(once: &[(&str, Transport)]) -> Vec<(String, Vec<Transport>)> {
        let mut run = fixture::over_networks();
        run.records.retain(|it| {
            let conditions = it.conditions();
            let is_once = |(network, transport): &(&str, Transport)| {
                conditions.value("network") == Some(*network) && it.transport == *transport
            };
            it.trial == 1 || !once.iter().any(is_once)
        });
        let ticker = race(&run).into_iter().find(|it| it.label == "ticker").unwrap();
        let named = |(over, open): (Conditions, Vec<Transport>)| (over.value("network").unwrap().to_owned(), open);
        ticker.over.into_iter().map(named).filter(|(_, open)| !open.is_empty()).collect()
    }

    #[test]
    fn rounds_over_a_network_go_on_of_those_that_may_change_the_answer() {
        assert_eq!(open(&[]), [], "all is known");
        let sse = Transport::Sse;
        assert_eq!(open(&[("fast-4g", sse)]), [("fast-4g".to_owned(), vec![sse])], "it may be taken");
        // Over the satellite every other transport fails: SSE alone may show that the SLO can be met there.
        assert_eq!(open(&[("satellite-leo", sse)]), [("satellite-leo".to_owned(), vec![sse])]);
        assert_eq!(open(&[("satellite-leo", Transport::LongPolling)]), [], "it fails over fast-4g in any case");
    }
}
