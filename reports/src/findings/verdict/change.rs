//! What would change the answer: how tight the SLO could get before the choice no longer qualifies, and
//! which others still would. From this run's own measurements; other loads are for a model.

use pushoff_model::Transport;

use super::Candidate;
use super::sentence::Words;
use crate::metric::LEAST_TRIALS;
use crate::metric::Metric;
use crate::metric::Standing;
use crate::prose::{Place, Prose, prose};
use crate::words::number::{Quantity, is_vague, tick};
use crate::words::text::list;
use pushoff_stats::Figure;

impl Words<'_> {
    /// What would change the answer; `None` where too little was measured to say.
    pub(super) fn change(&self) -> Option<Prose> {
        match self.verdict.choice() {
            Some(choice) => self.tighter(choice),
            None => self.laxer(),
        }
    }

    /// `If you need less than 951 ms, short polling every 1 s no longer qualifies; SSE and WebSocket do.`
    fn tighter(&self, choice: Transport) -> Option<Prose> {
        let (_, tightest) = tightest(self.case.candidate(choice)?)?;
        let within = self.case.slo.within.as_secs_f64() * 1e9;
        let pace = if choice.polls_on_a_timer() {
            prose![" every ", Prose::asked(tick(self.case.workload.polling.interval.as_secs_f64() * 1e9))]
        } else {
            Prose::default()
        };
        let limit = if tightest.high() < within { at(choice, tightest) } else { Prose::asked(tick(within)) };
        let left: Vec<Transport> = self
            .meeting()
            .filter_map(self::tightest)
            .filter(|(it, limit)| *it != choice && limit.high() < tightest.high().min(within))
            .map(|(transport, _)| transport)
            .collect();
        let others = match left.as_slice() {
            [] => ", nor does any other".to_owned(),
            [alone] => format!("; {} does", alone.label()),
            several => format!("; {} do", list(several)),
        };
        Some(prose!["If you need less than ", limit, ", ", choice.label(), pace, " no longer qualifies", others, "."])
    }

    /// How lax the SLO would have to be for one to hold it, where none is taken.
    fn laxer(&self) -> Option<Prose> {
        let is_whole = |it: &&Candidate| {
            let lost = |metric: Metric| it.figures.as_ref().is_none_or(|figures| figures.has_fault(metric));
            !lost(Metric::Lost) && (self.case.slo.may_skip || !lost(Metric::Missed))
        };
        let judged = |it: &&Candidate| matches!(it.standing, Standing::Fails { .. } | Standing::Undecided { .. });
        let nearest = self.case.ranked().filter(judged).filter(is_whole).filter_map(tightest);
        let (transport, limit) = nearest.min_by(|one, other| one.1.high().total_cmp(&other.1.high()))?;
        Some(prose!["If ", at(transport, limit), " is soon enough, ", transport.label(), " qualifies."])
    }
}

/// The tightest SLO that a candidate's trials speak of, where they say anything.
fn tightest(candidate: &Candidate) -> Option<(Transport, Figure)> {
    let figures = candidate.figures.as_ref().filter(|figures| figures.trials >= LEAST_TRIALS)?;
    Some((candidate.transport, figures.get(Metric::TightestSlo).filter(|it| !is_vague(it))?))
}

/// The far end of its interval: what can be relied on.
fn at(transport: Transport, tightest: Figure) -> Prose {
    Prose::figure(Quantity::Time.write_high(&tightest), Place::Cell(transport, Metric::TightestSlo))
}
