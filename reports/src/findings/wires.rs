//! The same cells on several wires: what TLS, HTTP/2 and compression change.
//!
//! Pure. No figure is of two wires together; ratios to the lightest wire are drawn in pairs of the trials of one round.

use pushoff_model::Transport;
use pushoff_model::wire::Wire;

use super::servers::{Line, Part};
use super::study::Study;
use crate::metric::{Metric, Value};
use crate::table::metrics::WIRES;

/// One workload on several wires.
#[derive(Debug)]
pub(crate) struct OnWires<'a> {
    /// The label of its group on the lightest wire.
    pub(crate) label: String,
    /// That group's part of an element's id.
    pub(crate) anchor: String,
    /// The wires, the lightest first.
    pub(crate) wires: Vec<Wire>,
    /// What was measured on any of them.
    pub(crate) metrics: Vec<(Metric, &'static str)>,
    /// The cells of transports that several wires carried: by transport, then by wire.
    pub(crate) lines: Vec<Line<'a>>,
}

impl<'a> OnWires<'a> {
    /// Every workload that was measured on at least two wires.
    pub(crate) fn all(study: &Study<'a>) -> Vec<Self> {
        let mut left: Vec<Part<'_, 'a>> = study.parts().collect();
        let mut found = Vec::new();
        while let Some(first) = left.first().copied() {
            let (mut same, others): (Vec<_>, Vec<_>) =
                left.into_iter().partition(|part| part.group().differs_in_wire(first.group()));
            left = others;
            same.sort_by_key(|part| part.group().wire());
            found.extend(Self::of(&same));
        }
        found
    }

    fn of(parts: &[Part<'_, 'a>]) -> Option<Self> {
        let [lightest, _, ..] = parts else { return None };
        let of = |transport: Transport| -> Vec<Line<'a>> {
            parts.iter().filter_map(|part| part.line_of(transport)).collect()
        };
        let lines: Vec<Line<'a>> = Transport::ALL.into_iter().map(of).filter(|it| it.len() > 1).flatten().collect();
        let is_measured = |(metric, _): &(Metric, &str)| lines.iter().any(|line| line.figures.get(*metric).is_some());
        Some(Self {
            label: lightest.group().label.clone(),
            anchor: lightest.group().anchor(),
            wires: parts.iter().map(|part| part.group().wire()).collect(),
            metrics: WIRES.into_iter().filter(is_measured).collect(),
            lines,
        })
    }

    /// The lines of a transport, the lightest wire first.
    pub(crate) fn of_transport(&self, transport: Transport) -> impl Iterator<Item = &Line<'a>> {
        self.lines.iter().filter(move |line| line.transport() == transport)
    }

    /// How many times the figure on the lightest wire a line's is.
    pub(crate) fn to_lightest(&self, metric: Metric, line: &Line<'a>) -> Option<Value> {
        let lightest = self.of_transport(line.transport()).find(|it| Some(&it.wire()) == self.wires.first())?;
        line.over(lightest, metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn what_differs_in_the_wire_alone_stands_together_and_is_held_against_the_lightest() {
        let run = fixture::on_wires();
        let study = Study::of(&run);
        let all = OnWires::all(&study);
        assert_eq!(all.iter().map(|it| it.label.as_str()).collect::<Vec<_>>(), ["ticker", "chat"]);
        let ticker = &all[0];
        assert_eq!(ticker.wires, fixture::wires::WIRES);
        // The floor has one wire.
        assert!(ticker.of_transport(Transport::RawTcp).next().is_none());
        let [clear, tls, ..] = ticker.of_transport(Transport::Sse).collect::<Vec<_>>()[..] else { panic!() };
        assert!(ticker.to_lightest(Metric::Down, clear).is_none());
        let bytes = |line: &Line<'_>| line.figures.get(Metric::Down).unwrap().point;
        let ratio = ticker.to_lightest(Metric::Down, tls).unwrap().figure.point;
        assert!((ratio - bytes(tls) / bytes(clear)).abs() < 1e-9 && ratio > 1.0);
    }

    #[test]
    fn no_figure_nor_verdict_is_of_two_wires_together() {
        let mut run = fixture::on_wires();
        run.records.retain(|record| record.workload.name == "ticker");
        let together = Study::of(&run);
        assert_eq!(together.answers().map(|it| it.group.label.as_str()).collect::<Vec<_>>(), ["ticker"]);
        let labels: Vec<&str> = together.comparisons.iter().map(|it| it.group.label.as_str()).collect();
        assert_eq!(labels, ["ticker", "ticker, TLS", "ticker, TLS, HTTP/2", "ticker, TLS, HTTP/2, compressed"]);
        for (wire, whole) in fixture::wires::WIRES.into_iter().zip(&together.comparisons) {
            let mut alone = run.clone();
            alone.records.retain(|record| record.conditions().wire() == wire);
            let alone = Study::of(&alone);
            let [alone] = alone.comparisons.as_slice() else { panic!() };
            assert_eq!(alone.verdict.choice(), whole.verdict.choice());
            for (one, other) in alone.candidates.iter().zip(&whole.candidates) {
                let [one, other] = [one, other].map(|it| serde_json::to_string(it.figures.as_ref().unwrap()).unwrap());
                assert_eq!(one, other, "{wire}");
            }
            // On one wire alone it answers the question and needs no further name.
            assert_eq!((alone.group.label.as_str(), alone.group.is_heavier), ("ticker", false));
        }
    }
}
