//! Made-up candidates, for tests of what is made of them.

use pushoff_model::Transport;
use pushoff_model::workload::built_in;
use pushoff_planner::Money;

use super::{Bills, Candidate, Tightest};
use crate::cells::faults::CellFaults;
use crate::metric::standing;
use crate::metric::{Figures, Metric};
use pushoff_stats::{Figure, Interval};

/// Rounds of a made-up run.
const ROUNDS: u32 = 6;

pub(crate) fn figure(point: f64, low: f64, high: f64) -> Option<Figure> {
    Some(Figure { point, interval: Some(Interval { low, high }) })
}

pub(crate) fn figures(share: Option<Figure>) -> Figures {
    let count = |point: f64| Some(Figure { point, interval: None });
    let ms = |of: f64| figure(of * 1e6, of * 0.9e6, of * 1.1e6);
    Figures::given(
        6,
        [
            (Metric::Samples, count(10_000.0)),
            (Metric::Trials, count(6.0)),
            (Metric::Lost, count(0.0)),
            (Metric::Missed, count(0.0)),
            (Metric::WithinSlo, share),
            (Metric::P50, ms(1.0)),
            (Metric::P99, ms(4.0)),
            (Metric::TightestSlo, ms(5.0)),
        ],
    )
}

/// A candidate for the ticker: the share that it delivers in time, what a month costs, and by which part of that its
/// rounds differ from each other.
pub(crate) fn candidate(transport: Transport, share: (f64, f64, f64), cost: f64, spread: f64) -> Candidate {
    let slo = built_in("ticker").unwrap().unwrap().slo.unwrap();
    let figures = figures(figure(share.0, share.1, share.2));
    let faults = CellFaults::default();
    // Not in step with those of another transport: its number says which rounds are the dear ones.
    let is_dear = |round: u32| (round + u32::from(transport.simplicity())).is_multiple_of(2);
    let bill = |round| {
        let cost = if is_dear(round) { cost * (1.0 + spread) } else { cost * (1.0 - spread) };
        Money { traffic: cost * 0.9, processor: cost * 0.09, memory: cost * 0.01, requests: 0.0 }
    };
    Candidate {
        transport,
        standing: standing(Some(&figures), None, &faults, &slo),
        tightest: figures.get(Metric::TightestSlo).map(|figure| Tightest { figure, network: None }),
        figures: Some(figures),
        valid: ROUNDS as usize,
        bills: Bills::made((0..ROUNDS).map(bill)),
        faults,
    }
}
