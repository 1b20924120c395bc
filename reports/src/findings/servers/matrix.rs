//! Ratios of one server's figures to another's, of every workload.

use pushoff_model::Transport;
use pushoff_model::target::OURS;

use super::{OnServers, holds_one};
use crate::metric::{Better, Bound, Metric, Value};
use crate::table::{Entry, Mark};
use crate::words::number::Quantity;

/// Ratios of one server to another, a column a transport.
#[derive(Debug)]
pub(crate) struct Matrix {
    /// `pushoff ÷ nchan`.
    pub(crate) title: String,
    /// Those that have a ratio.
    pub(crate) transports: Vec<Transport>,
    pub(crate) rows: Vec<MatrixRow>,
}

/// A figure of a workload.
#[derive(Debug)]
pub(crate) struct MatrixRow {
    /// `light: p50`.
    pub(crate) label: String,
    /// One a transport of the matrix.
    pub(crate) entries: Vec<Option<Entry>>,
}

/// One against each other server.
pub(crate) fn matrices(all: &[OnServers<'_>]) -> Vec<Matrix> {
    let mut servers: Vec<&str> = Vec::new();
    for server in all.iter().flat_map(|on| &on.servers) {
        if !servers.contains(&server.as_str()) {
            servers.push(server);
        }
    }
    // Where pushoff's own was not measured, the second server's figures are divided by those of the others.
    let Some(subject) = servers.iter().copied().find(|it| *it == OURS).or_else(|| servers.get(1).copied()) else {
        return Vec::new();
    };
    let against = servers.iter().filter(|server| **server != subject).map(|server| {
        let title = format!("{subject} ÷ {server}");
        Matrix::of(title, all, [subject, server])
    });
    against.filter(|matrix| !matrix.rows.is_empty()).collect()
}

impl Matrix {
    fn of(title: String, all: &[OnServers<'_>], [subject, other]: [&str; 2]) -> Self {
        let mut rows: Vec<(String, [Option<Entry>; Transport::ALL.len()])> = Vec::new();
        for on in all {
            for metric in on.metrics.iter().copied() {
                let ratio = |transport: Transport| {
                    let line = on.line(transport, subject).filter(|line| line.transport().is_ranked())?;
                    line.over(on.line(transport, other)?, metric).map(|ratio| judged(metric, &ratio))
                };
                let entries = Transport::ALL.map(ratio);
                if entries.iter().any(Option::is_some) {
                    rows.push((format!("{}: {}", on.label, metric.label()), entries));
                }
            }
        }
        let is_there = |transport: &Transport| rows.iter().any(|(_, entries)| entries[*transport as usize].is_some());
        let transports: Vec<Transport> = Transport::ALL.into_iter().filter(is_there).collect();
        let rows = rows.into_iter().map(|(label, entries)| MatrixRow {
            label,
            entries: transports.iter().map(|transport| entries[*transport as usize].clone()).collect(),
        });
        let rows = rows.collect();
        Self { title, transports, rows }
    }
}

/// Best where the first is shown to be better, tied where its interval holds 1.
pub(crate) fn judged(metric: Metric, ratio: &Value) -> Entry {
    let is_less = ratio.figure.point < 1.0;
    let is_better = match metric.better() {
        Better::Lower => is_less && ratio.bound != Bound::AtLeast,
        Better::Higher => !is_less && ratio.bound != Bound::AtMost,
        Better::Neither | Better::Zero => false,
    };
    let mark = match ratio.bound {
        Bound::Exact if holds_one(ratio) => Mark::Tied,
        Bound::Exact | Bound::AtLeast | Bound::AtMost if is_better => Mark::Best,
        Bound::Exact | Bound::AtLeast | Bound::AtMost => Mark::None,
    };
    Entry::of(Quantity::Ratio, *ratio, mark)
}
