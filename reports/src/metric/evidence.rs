//! What figures of a cell are read from: its own trials, and those of other cells that show what its own cannot.

use std::cell::OnceCell;

use pushoff_model::record::Measurement;
use pushoff_model::wire::Wire;
use pushoff_model::workload::Slo;
use pushoff_model::{Client, LatencyHistogram, Transport};

use super::{Bound, Metric};
use crate::cells::faults::CellFaults;
use crate::cells::validity::Validity;
use pushoff_stats::{Figure, Pool, Sums};

/// What figures of a cell are read from.
#[derive(Debug)]
pub(crate) struct Evidence<'e> {
    pub(crate) transport: Transport,
    /// Whether pushoff's own server sent the bytes: then their theory is known.
    pub(crate) is_ours: bool,
    /// What carried them.
    pub(crate) wire: Wire,
    pub(crate) slo: Option<Slo>,
    pub(crate) validity: Validity,
    /// What went wrong in all trials, whether they count or not.
    pub(crate) faults: CellFaults,
    /// The trials that are shown.
    pub(crate) own: Vec<&'e Measurement>,
    /// Trials in which nothing is published: an empty poll and a silent connection can be seen there.
    pub(crate) silent: Vec<&'e Measurement>,
    /// Trials with one reader a topic: a publish can be seen there.
    pub(crate) publishing: Vec<&'e Measurement>,
    /// Trials of raw TCP under the same load; none of itself.
    pub(crate) floor: Vec<&'e Measurement>,
    /// The same cell with other clients.
    pub(crate) twins: Vec<(Client, Vec<&'e Measurement>)>,
    /// The pool of [`Self::own`]'s delivery latencies.
    pub(crate) delivery: OnceCell<Pool>,
}

impl<'e> Evidence<'e> {
    /// Of some trials, of which nothing else is known: what statistics are read from.
    pub(crate) fn of_trials(transport: Transport, own: Vec<&'e Measurement>) -> Self {
        Self {
            transport,
            is_ours: false,
            wire: Wire::default(),
            slo: None,
            validity: Validity::NotMeasured,
            faults: CellFaults::default(),
            own,
            silent: Vec::new(),
            publishing: Vec::new(),
            floor: Vec::new(),
            twins: Vec::new(),
            delivery: OnceCell::new(),
        }
    }

    /// Whether the standards say what the bytes weigh: of what was compressed they do not.
    pub(crate) const fn has_theory(&self) -> bool {
        self.is_ours && !self.wire.compressed
    }

    /// The trials that are shown.
    pub(crate) fn trials(&self) -> &[&'e Measurement] {
        &self.own
    }

    /// Whether a browser received.
    pub(crate) fn is_in_pages(&self) -> bool {
        self.own.iter().any(|trial| trial.browser.is_some())
    }

    pub(crate) fn own(&self) -> Sums<'_> {
        Sums::of(&self.own)
    }

    pub(crate) fn silent(&self) -> Sums<'_> {
        Sums::of(&self.silent)
    }

    pub(crate) fn publishing(&self) -> Sums<'_> {
        Sums::of(&self.publishing)
    }

    /// The delivery latencies of all trials.
    pub(crate) fn deliveries(&self) -> &Pool {
        self.delivery.get_or_init(|| Pool::new(&self.own.iter().map(|it| &it.delivery_latency).collect::<Vec<_>>()))
    }

    /// Messages that were published while it was measured: as many independent events, however many readers each had.
    fn messages(&self) -> u64 {
        self.own.iter().map(|trial| trial.window.published).sum()
    }

    /// A percentile of delivery latency, where there are enough messages for it.
    pub(crate) fn delivery(&self, share: f64) -> Option<Figure> {
        let figure = self.own().percentiles(Some(self.deliveries()), self.messages(), [share])[0];
        figure.filter(|_| !self.own.is_empty())
    }

    /// A percentile of something else that happens to messages, where there are enough of them for it; `None` where a
    /// trial lacks it.
    pub(crate) fn of_messages(
        &self,
        share: f64,
        of: impl Fn(&Measurement) -> Option<&LatencyHistogram>,
    ) -> Option<Figure> {
        let own = self.own();
        own.percentiles(own.pool(of).as_ref(), self.messages(), [share])[0].filter(|_| !self.own.is_empty())
    }

    /// A percentile of a histogram whose entries are independent; `None` where a trial lacks it.
    pub(crate) fn percentile(
        &self,
        share: f64,
        of: impl Fn(&Measurement) -> Option<&LatencyHistogram>,
    ) -> Option<Figure> {
        let own = self.own();
        let pool = own.pool(of);
        let events = pool.as_ref().map_or(0, Pool::count);
        own.percentiles(pool.as_ref(), events, [share])[0].filter(|_| !self.own.is_empty())
    }

    /// A sum over the trials.
    pub(crate) fn count(&self, of: impl Fn(&Measurement) -> u64) -> Option<Figure> {
        self.count_of(self.own.iter().map(|trial| of(trial)).sum())
    }

    /// A count; none without a trial.
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    pub(crate) fn count_of(&self, count: u64) -> Option<Figure> {
        (!self.own.is_empty()).then_some(Figure { point: count as f64, interval: None })
    }

    /// A figure over that of the same cell with another client.
    pub(crate) fn to_client(&self, client: Client, of: impl Fn(&Sums<'_>) -> Option<Figure>) -> Option<Figure> {
        let twin = &self.twins.iter().find(|(it, _)| *it == client)?.1;
        of(&self.own())?.over(&of(&Sums::of(twin))?)
    }

    /// How much more a figure is than raw TCP's; `None` where it is not shown to be more than nothing.
    pub(crate) fn over_floor(&self, of: impl Fn(&Sums<'_>) -> Option<Figure>) -> Option<Figure> {
        let more = of(&self.own())?.minus(&of(&Sums::of(&self.floor))?);
        // One trial of either shows nothing.
        more.interval.is_some_and(|interval| interval.low > 0.0).then_some(more)
    }

    /// Whether a metric's figure is known or a bound. Polls of a server that was not at its limit are as many
    /// as were asked of it.
    pub(crate) fn bound(&self, metric: Metric) -> Bound {
        let is_bound = metric == Metric::Polls && self.validity != Validity::ServerLimited;
        if is_bound { Bound::AtLeast } else { Bound::Exact }
    }
}

#[cfg(test)]
mod tests {
    use pushoff_model::Transport;

    use crate::Run;
    use crate::findings::study::Study;
    use crate::fixture;
    use crate::metric::Metric;

    fn figure(run: &Run, metric: Metric, transport: Transport) -> Option<f64> {
        let study = Study::of(run);
        let of_ticker = study.parts().filter(|part| part.group().workload.name == "ticker");
        of_ticker.filter_map(|part| part.line_of(transport)).next()?.figures.get(metric).map(|figure| figure.point)
    }

    #[test]
    fn what_a_delivery_costs_over_raw_tcp_is_the_difference_and_one_trial_shows_none() {
        let mut run = fixture::valid();
        let cpu = |run: &Run, transport| figure(run, Metric::DeliveryCpu, transport).unwrap();
        let over = |run: &Run| figure(run, Metric::DeliveryCpuOverFloor, Transport::Sse);
        let difference = cpu(&run, Transport::Sse) - cpu(&run, Transport::RawTcp);
        assert!((over(&run).unwrap() - difference).abs() < 1e-6, "{difference}");
        assert_eq!(figure(&run, Metric::DeliveryCpuOverFloor, Transport::RawTcp), None);
        run.records.retain(|record| record.trial == 1);
        assert_eq!(over(&run), None);
    }
}
