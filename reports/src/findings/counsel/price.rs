//! What taking another transport would cost.
//!
//! The usual advice first, where it does not name the choice; then the worst that one might have
//! taken. What cannot be told from the choice is a tie, and a tie has no price.

use std::cmp::Ordering;

use pushoff_model::Transport;

use super::Case;
use crate::findings::rank::{Candidate, told_apart};
use crate::metric::LEAST_TRIALS;
use crate::metric::Standing;
use crate::metric::{Figures, Metric};
use crate::prose::{Place, Prose, prose};
use crate::words::number::{Quantity, tick};
use pushoff_stats::Figure;

/// What a price is given in.
type Reading = fn(&Figures) -> Option<Figure>;
const SERVER_CPU: Reading = |it| it.get(Metric::DeliveryCpu);
const P99: Reading = |it| it.get(Metric::P99);

impl<'a> Case<'a> {
    /// What the runner-up costs beside the choice.
    pub(super) fn runner_up(&self) -> Option<Prose> {
        let next = self.candidate(self.verdict.runner_up?)?;
        Some(prose![next.transport, ": ", self.beside(next), "."])
    }

    /// What each that one might have taken instead would cost.
    pub(super) fn prices(&self) -> Vec<Prose> {
        let Some((choice, figures)) = self.choice() else { return Vec::new() };
        let others = self.others(choice);
        if others.is_empty() {
            return vec!["Unknown: no other was measured often enough.".into()];
        }
        let advised = self.advised(&others);
        let mut prices: Vec<Prose> =
            advised.iter().map(|it| prose!["As usually advised, ", it.transport, ": ", self.beside(it), "."]).collect();
        let mut told: Vec<Transport> = advised.iter().map(|it| it.transport).collect();
        for worst in self.worst(&others) {
            if !told.contains(&worst.transport) {
                told.push(worst.transport);
                prices.push(prose![worst.transport, ": ", self.beside(worst), "."]);
            }
        }
        if prices.is_empty() {
            let dearer = if figures.get(Metric::DeliveryCpu).is_some() { "costs the server more or " } else { "" };
            prices.push(format!("None that this run shows: no other {dearer}has a longer p99.").into());
        }
        prices
    }

    /// Those besides the choice of which more than a single trial counts.
    fn others(&self, choice: Transport) -> Vec<&'a Candidate> {
        let counts = |it: &&Candidate| {
            let is_void = matches!(it.standing, Standing::Void { .. });
            !is_void && it.figures.as_ref().is_some_and(|figures| figures.trials >= LEAST_TRIALS)
        };
        self.ranked().filter(|it| it.transport != choice).filter(counts).collect()
    }

    /// The best that follows the usual advice, where that does not name the choice.
    fn advised(&self, others: &[&'a Candidate]) -> Option<&'a Candidate> {
        let advised = &self.group.workload.advice.transports;
        if self.verdict.choice.is_some_and(|choice| advised.contains(&choice)) {
            return None;
        }
        let cost = |it: &Candidate| {
            let figure = it.figures.as_ref().and_then(|figures| self.verdict.cost.of(figures));
            figure.map_or(f64::INFINITY, |figure| figure.point)
        };
        let fails = |it: &Candidate| it.standing != Standing::Meets;
        let order = |one: &&&Candidate, other: &&&Candidate| {
            fails(one).cmp(&fails(other)).then(cost(one).total_cmp(&cost(other)))
        };
        others.iter().filter(|it| advised.contains(&it.transport)).min_by(order).copied()
    }

    /// The one that fails the SLO by the most, and of the others the dearest and the slowest: each where
    /// there is such a one.
    fn worst(&self, others: &[&'a Candidate]) -> Vec<&'a Candidate> {
        let (failing, passing): (Vec<&Candidate>, Vec<&Candidate>) =
            others.iter().copied().partition(|it| matches!(it.standing, Standing::Fails { .. }));
        let share =
            |it: &Candidate| it.figures.as_ref().and_then(|it| it.get(Metric::WithinSlo)).map_or(0.0, |it| it.point);
        let farthest = failing.into_iter().min_by(|one, other| share(one).total_cmp(&share(other)));
        let most = |of: Reading, noise_ns: f64| {
            let ratio = |it: &Candidate| self.ratio(it, of);
            let dearer = passing.iter().filter(|it| self.order(it, of, noise_ns) == Some(Ordering::Greater));
            dearer.max_by(|one, other| ratio(one).total_cmp(&ratio(other))).copied()
        };
        let (dearest, slowest) = (most(SERVER_CPU, 0.0), most(P99, self.noise_ns));
        let worst = farthest.into_iter().chain(dearest).chain(slowest);
        worst.take(MOST_PRICES).collect()
    }

    /// How a figure of a candidate compares with the choice's.
    fn order(&self, other: &Candidate, of: Reading, noise: f64) -> Option<Ordering> {
        let (_, ours) = self.choice()?;
        Some(told_apart(&of(other.figures.as_ref()?)?, &of(ours)?, noise))
    }

    fn ratio(&self, other: &Candidate, of: Reading) -> f64 {
        let ratio = || Some(of(other.figures.as_ref()?)?.point / of(self.choice()?.1)?.point);
        ratio().unwrap_or(0.0)
    }

    /// How another does beside the choice: `1.74× (1.26–2.39) the server CPU, p99 too close to call`.
    fn beside(&self, other: &Candidate) -> Prose {
        let Some(theirs) = other.figures.as_ref() else { return "not measured".into() };
        if matches!(other.standing, Standing::Fails { .. }) {
            return self.failure(other.transport, theirs);
        }
        let is_open = matches!(other.standing, Standing::Undecided { .. });
        let open = is_open.then(|| Prose::from("not shown to be good enough"));
        let (cpu, p99) = (self.order(other, SERVER_CPU, 0.0), self.order(other, P99, self.noise_ns));
        let costs: Vec<Prose> = if (cpu, p99) == (Some(Ordering::Equal), Some(Ordering::Equal)) {
            vec!["server CPU and p99 too close to call".into()]
        } else {
            self.cpu_clause(other, cpu).into_iter().chain(self.p99_clause(other, p99)).collect()
        };
        let clauses = open.into_iter().chain(costs).chain(self.missed_clause(other));
        let all = clauses.reduce(|all, clause| all.then(", ").then(clause));
        all.unwrap_or_else(|| "nothing is known of its cost".into())
    }

    fn cpu_clause(&self, other: &Candidate, order: Option<Ordering>) -> Option<Prose> {
        let ratio = other.figures.as_ref()?.get(Metric::DeliveryCpuToChoice);
        match order? {
            Ordering::Equal => Some("server CPU too close to call".into()),
            Ordering::Less | Ordering::Greater => {
                Some(prose![times(other.transport, ratio?, Metric::DeliveryCpuToChoice), " the server CPU"])
            }
        }
    }

    fn p99_clause(&self, other: &Candidate, order: Option<Ordering>) -> Option<Prose> {
        let theirs = other.figures.as_ref()?;
        match order? {
            Ordering::Equal => Some("p99 too close to call".into()),
            Ordering::Greater => {
                Some(prose![times(other.transport, theirs.get(Metric::P99ToChoice)?, Metric::P99ToChoice), " the p99"])
            }
            // So many times less is hard to read: the two as they are.
            Ordering::Less => {
                let (choice, ours) = self.choice()?;
                let p99 = |it: Figure, transport: Transport| {
                    Prose::figure(Quantity::Time.write(it.point), Place::Cell(transport, Metric::P99))
                };
                Some(prose![
                    "a p99 of ",
                    p99(theirs.get(Metric::P99)?, other.transport),
                    " against ",
                    p99(ours.get(Metric::P99)?, choice)
                ])
            }
        }
    }

    /// That more deliveries are missed than with the choice, where the SLO forgives that.
    fn missed_clause(&self, other: &Candidate) -> Option<Prose> {
        let (missed, ours) = (other.figures.as_ref()?.count(Metric::Missed), self.choice()?.1.count(Metric::Missed));
        (missed > ours).then(|| prose![counted(other.transport, missed, Metric::Missed), " missed"])
    }

    /// `fails the SLO: 70.0 % (69.0–71.0) within 100 ms`.
    fn failure(&self, transport: Transport, figures: &Figures) -> Prose {
        let reason = if figures.has_fault(Metric::Lost) {
            prose![counted(transport, figures.count(Metric::Lost), Metric::Lost), " lost in silence"]
        } else if figures.has_fault(Metric::Missed) && !self.slo.may_skip {
            prose![counted(transport, figures.count(Metric::Missed), Metric::Missed), " missed"]
        } else {
            let share = figures.get(Metric::WithinSlo).map_or_else(String::new, |it| Quantity::Share.write_figure(&it));
            let within = Prose::asked(tick(self.slo.within.as_secs_f64() * 1e9));
            prose![Prose::figure(share, Place::Cell(transport, Metric::WithinSlo)), " within ", within]
        };
        prose!["fails the SLO: ", reason]
    }
}

/// So many times the choice's.
fn times(transport: Transport, ratio: Figure, metric: Metric) -> Prose {
    Prose::figure(Quantity::Ratio.write_figure(&ratio), Place::Cell(transport, metric))
}

/// So many deliveries.
fn counted(transport: Transport, count: f64, metric: Metric) -> Prose {
    Prose::figure(Quantity::Count.write(count), Place::Cell(transport, metric))
}

/// More would hide the worst: a card is read in ten seconds.
const MOST_PRICES: usize = 2;
