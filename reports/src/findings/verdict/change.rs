//! What would change the answer: how tight the SLO could get before the choice is no longer shown to qualify,
//! and which others still are. From this run's own measurements; other loads are for a model.

use pushoff_model::Transport;

use super::sentence::Words;
use super::{Candidate, Tightest};
use crate::metric::{Metric, Standing};
use crate::prose::{Place, Prose, prose};
use crate::words::number::{Quantity, tick};
use crate::words::text::list;

impl Words<'_> {
    /// What would change the answer; `None` where too little was measured to say.
    pub(super) fn change(&self) -> Option<Prose> {
        match self.verdict.choice() {
            Some(choice) => self.tighter(choice),
            None => self.laxer(),
        }
    }

    /// `If you need less than 951 ms, short polling every 1 s is no longer shown to qualify; SSE and WebSocket are.`
    fn tighter(&self, choice: Transport) -> Option<Prose> {
        let tightest = self.case.candidate(choice)?.tightest.as_ref()?;
        let within = self.case.slo.within.as_secs_f64() * 1e9;
        let pace = if choice.polls_on_a_timer() {
            prose![" every ", Prose::asked(tick(self.case.workload.polling.interval.as_secs_f64() * 1e9))]
        } else {
            Prose::default()
        };
        let most = tightest.figure.high().min(within);
        let limit = if most < within { at(choice, tightest) } else { Prose::asked(tick(within)) };
        let is_left = |it: &&Candidate| {
            it.transport != choice && it.tightest.as_ref().is_some_and(|limit| limit.figure.high() < most)
        };
        let left: Vec<Transport> = self.meeting().filter(is_left).map(|it| it.transport).collect();
        let others = match left.as_slice() {
            [] => ", nor is any other".to_owned(),
            [alone] => format!("; {} is", alone.label()),
            several => format!("; {} are", list(several)),
        };
        Some(prose![
            "If you need less than ",
            limit,
            ", ",
            choice.label(),
            pace,
            " is no longer shown to qualify",
            others,
            "."
        ])
    }

    /// How lax the SLO would have to be for one to hold it, where none is taken.
    fn laxer(&self) -> Option<Prose> {
        let is_whole = |it: &&Candidate| {
            let lost = |metric: Metric| it.figures.as_ref().is_none_or(|figures| figures.has_fault(metric));
            !lost(Metric::Lost) && (self.case.slo.may_skip || !lost(Metric::Missed))
        };
        let judged = |it: &&Candidate| matches!(it.standing, Standing::Fails { .. } | Standing::Undecided { .. });
        let limits = self.case.ranked().filter(judged).filter(is_whole);
        let limits = limits.filter_map(|it| Some((it.transport, it.tightest.as_ref()?)));
        let (transport, limit) = limits.min_by(|one, other| one.1.figure.high().total_cmp(&other.1.figure.high()))?;
        // What would be soon enough and is yet not shown to be has failed by something else than lateness.
        let is_later = limit.figure.high() > self.case.slo.within.as_secs_f64() * 1e9;
        is_later.then(|| prose!["If ", at(transport, limit), " is soon enough, ", transport.label(), " qualifies."])
    }
}

/// The far end of its interval: what can be relied on; and the network that it is of.
fn at(transport: Transport, tightest: &Tightest) -> Prose {
    let written = Quantity::Time.write_high(&tightest.figure);
    match &tightest.network {
        Some(network) => prose![Prose::linked_to("#matrix", written), format!(" over {network}")],
        None => Prose::figure(written, Place::Cell(transport, Metric::TightestSlo)),
    }
}
