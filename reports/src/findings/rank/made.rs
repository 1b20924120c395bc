//! Made-up candidates, for tests of what is made of them.

use pushoff_model::Transport;
use pushoff_model::workload::built_in;

use super::Candidate;
use crate::cells::faults::CellFaults;
use crate::metric::standing;
use crate::metric::{Figures, Metric, Value};
use pushoff_stats::{Figure, Interval};

pub(crate) fn figure(point: f64, low: f64, high: f64) -> Option<Figure> {
    Some(Figure { point, interval: Some(Interval { low, high }) })
}

pub(crate) fn figures(share: Option<Figure>, cpu: Option<Figure>) -> Figures {
    let count = |point: f64| Some(Figure { point, interval: None });
    Figures::given(
        3,
        [
            (Metric::Samples, count(10_000.0)),
            (Metric::Trials, count(3.0)),
            (Metric::Expected, count(10_000.0)),
            (Metric::Delivered, count(10_000.0)),
            (Metric::Lost, count(0.0)),
            (Metric::Missed, count(0.0)),
            (Metric::WithinSlo, share),
            (Metric::DeliveryCpu, cpu),
        ],
    )
}

/// A candidate for the ticker.
pub(crate) fn candidate(transport: Transport, share: (f64, f64, f64), cpu_us: (f64, f64, f64)) -> Candidate {
    let slo = built_in("ticker").unwrap().unwrap().slo.unwrap();
    let cpu = figure(cpu_us.0 * 1e3, cpu_us.1 * 1e3, cpu_us.2 * 1e3);
    let figures = figures(figure(share.0, share.1, share.2), cpu);
    let faults = CellFaults::default();
    Candidate { transport, standing: standing(Some(&figures), None, &faults, &slo), figures: Some(figures), faults }
}

/// Candidates of a server whose process is not ours to see, with their 99th percentiles in ms.
pub(crate) fn remote<const N: usize>(all: [(Transport, (f64, f64, f64)); N]) -> [Candidate; N] {
    all.map(|(transport, p99)| {
        let mut it = candidate(transport, (0.999, 0.998, 1.0), (8.0, 7.0, 9.0));
        if let Some(figures) = &mut it.figures {
            figures.insert(Metric::DeliveryCpu, None);
            let p99 = figure(p99.0 * 1e6, p99.1 * 1e6, p99.2 * 1e6);
            figures.insert(Metric::P99, p99.map(Value::exact));
        }
        it
    })
}
