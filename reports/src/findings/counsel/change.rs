//! What would change the answer: how tight the SLO could get before the choice no longer holds, and
//! who would be left. From this run's own measurements; other loads are for a model.

use pushoff_model::Transport;

use super::Case;
use crate::findings::rank::Candidate;
use crate::metric::LEAST_TRIALS;
use crate::metric::Metric;
use crate::metric::Standing;
use crate::prose::{Place, Prose, prose};
use crate::words::number::{Quantity, is_vague, tick};
use crate::words::text::{capitalised, list};
use pushoff_stats::Figure;

impl Case<'_> {
    /// What would change the answer; `None` where too little was measured to say.
    pub(super) fn change(&self) -> Option<Prose> {
        match self.choice() {
            Some((choice, figures)) => Some(self.tighter(choice, figures.get(Metric::TightestSlo))),
            None => self.laxer(),
        }
    }

    /// How tight the SLO could get.
    fn tighter(&self, choice: Transport, tightest: Option<Figure>) -> Prose {
        let Some(tightest) = tightest.filter(|it| !is_vague(it)) else {
            return "A tighter SLO: these trials do not tell how tight.".into();
        };
        let name = choice.label();
        let pace = if choice.polls_on_a_timer() {
            prose![", asking every ", Prose::asked(tick(self.group.workload.polling.interval.as_secs_f64() * 1e9)), ","]
        } else {
            Prose::default()
        };
        if tightest.high() >= self.slo.within.as_secs_f64() * 1e9 {
            return prose!["Any tighter SLO: ", name, pace, " is not shown to hold it. ", self.left(f64::INFINITY)];
        }
        let limit = at(choice, tightest);
        prose!["An SLO below ", limit, ": ", name, pace, " is not shown to hold that. ", self.left(tightest.high())]
    }

    /// Who is shown to hold a tighter SLO than that, and the tightest of them.
    fn left(&self, than_ns: f64) -> Prose {
        let within = self.slo.within.as_secs_f64() * 1e9;
        let mut left: Vec<(Transport, Figure)> = self
            .ranked()
            .filter(|it| it.standing == Standing::Meets)
            .filter_map(tightest)
            .filter(|(_, it)| it.high() < than_ns.min(within))
            .collect();
        left.sort_by(|one, other| other.1.high().total_cmp(&one.1.high()));
        let names: Vec<Transport> = left.iter().map(|(transport, _)| *transport).collect();
        match left.as_slice() {
            [] => "Nor is any other.".into(),
            [(alone, limit)] => prose![capitalised(alone.label()), " still is, down to ", at(*alone, *limit), "."],
            [.., (last, limit)] => {
                let names = capitalised(&list(&names));
                prose![names, " still are, ", last.label(), " down to ", at(*last, *limit), "."]
            }
        }
    }

    /// How lax the SLO would have to be for one to hold it, where none is taken.
    fn laxer(&self) -> Option<Prose> {
        let is_whole = |it: &&Candidate| {
            let lost = |metric: Metric| it.figures.as_ref().is_none_or(|figures| figures.has_fault(metric));
            !lost(Metric::Lost) && (self.slo.may_skip || !lost(Metric::Missed))
        };
        let judged = |it: &&Candidate| matches!(it.standing, Standing::Fails { .. } | Standing::Undecided { .. });
        let nearest = self.ranked().filter(judged).filter(is_whole).filter_map(tightest);
        let (transport, limit) = nearest.min_by(|one, other| one.1.high().total_cmp(&other.1.high()))?;
        Some(prose!["An SLO of ", at(transport, limit), " or more: ", transport.label(), " would hold that."])
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
