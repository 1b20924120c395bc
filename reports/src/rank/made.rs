//! Made-up candidates, for tests of what is made of them.

use pushoff_model::Transport;
use pushoff_model::record::Counts;
use pushoff_model::workload::built_in;

use super::{Candidate, standing};
use crate::faults::CellFaults;
use crate::figures::Figures;
use pushoff_stats::{Figure, Interval};

pub(crate) fn figure(point: f64, low: f64, high: f64) -> Option<Figure> {
    Some(Figure { point, interval: Some(Interval { low, high }) })
}

pub(crate) fn figures(share: Option<Figure>, cpu: Option<Figure>) -> Figures {
    Figures {
        trials: 3,
        samples: 10_000,
        p50_ns: None,
        p90_ns: None,
        p99_ns: None,
        p999_ns: None,
        max_ns: None,
        p50_to_floor: None,
        p99_to_floor: None,
        from_send_p99_ns: None,
        share_within: share,
        tightest_ns: None,
        server_cpu_ns: cpu,
        server_cpu_to_choice: None,
        p99_to_choice: None,
        requests_a_delivery: figure(0.0, 0.0, 0.0),
        requests_per_second: None,
        deliveries_per_second: None,
        connect_ns: None,
        first_message_ns: None,
        round_trip_p50_ns: None,
        round_trip_p99_ns: None,
        poll_wait_mean_ns: None,
        poll_queueing_mean_ns: None,
        transfer_mean_ns: None,
        counts: Counts { expected: 10_000, delivered: 10_000, ..Counts::default() },
    }
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
            (figures.server_cpu_ns, figures.p99_ns) = (None, figure(p99.0 * 1e6, p99.1 * 1e6, p99.2 * 1e6));
        }
        it
    })
}
