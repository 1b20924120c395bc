//! The figures of one cell: every column of the tables, each with its interval.
//!
//! Pure. Percentiles come from merged histograms, rates and shares are ratios of sums; nothing is
//! rounded here.

use pushoff_model::record::{Counts, Measurement};
use pushoff_model::workload::Slo;
use serde::Serialize;

use pushoff_stats::Sums;
use pushoff_stats::{Figure, Pool, paired};

/// The percentiles that are shown, as shares.
const SHOWN: [f64; 5] = [0.5, 0.9, 0.99, 0.999, 1.0];

/// What the trials of a cell show. Absent: not measured, or too little for it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figures {
    /// How many trials it rests on.
    pub(crate) trials: usize,
    /// How many deliveries it rests on.
    pub(crate) samples: u64,
    /// Delivery latency that half stay under.
    pub(crate) p50_ns: Option<Figure>,
    /// Delivery latency that 90 % stay under.
    pub(crate) p90_ns: Option<Figure>,
    /// Delivery latency that 99 % stay under.
    pub(crate) p99_ns: Option<Figure>,
    /// Delivery latency that 99.9 % stay under.
    pub(crate) p999_ns: Option<Figure>,
    /// The longest delivery latency.
    pub(crate) max_ns: Option<Figure>,
    /// The median over that of the floor.
    pub(crate) p50_to_floor: Option<Figure>,
    /// The 99th percentile over that of the floor.
    pub(crate) p99_to_floor: Option<Figure>,
    /// The same 99th percentile counted from when a message was really sent.
    pub(crate) from_send_p99_ns: Option<Figure>,
    /// Share of the deliveries that were due that arrived within the SLO's time.
    pub(crate) share_within: Option<Figure>,
    /// The time within which the SLO's share of the deliveries due arrived: a tighter SLO fails.
    pub(crate) tightest_ns: Option<Figure>,
    /// Processor time of the server for one delivery.
    pub(crate) server_cpu_ns: Option<Figure>,
    /// The same over that of the choice, where one is taken.
    pub(crate) server_cpu_to_choice: Option<Figure>,
    /// The 99th percentile over that of the choice, where one is taken.
    pub(crate) p99_to_choice: Option<Figure>,
    /// Requests that a client made for one delivery.
    pub(crate) requests_a_delivery: Option<Figure>,
    /// Requests that all clients made a second.
    pub(crate) requests_per_second: Option<Figure>,
    /// Deliveries a second.
    pub(crate) deliveries_per_second: Option<Figure>,
    /// Median time to set a connection up.
    pub(crate) connect_ns: Option<Figure>,
    /// Median time to the first message.
    pub(crate) first_message_ns: Option<Figure>,
    /// Median round trip.
    pub(crate) round_trip_p50_ns: Option<Figure>,
    /// Round trip that 99 % stay under.
    pub(crate) round_trip_p99_ns: Option<Figure>,
    /// Mean wait for the next poll.
    pub(crate) poll_wait_mean_ns: Option<Figure>,
    /// Mean time that a poll was late by.
    pub(crate) poll_queueing_mean_ns: Option<Figure>,
    /// Mean time from the later of due and asked to received.
    pub(crate) transfer_mean_ns: Option<Figure>,
    /// Every message of these trials.
    pub(crate) counts: Counts,
}

impl Figures {
    /// The figures of these trials beside those of the floor; `None` without a trial.
    pub(crate) fn of(trials: &[&Measurement], floor: &[&Measurement], slo: &Slo) -> Option<Self> {
        if trials.is_empty() {
            return None;
        }
        let sums = Sums::of(trials);
        let delivery = sums.pool(|trial| Some(&trial.delivery_latency));
        let [p50_ns, p90_ns, p99_ns, p999_ns, max_ns] = sums.percentiles(delivery.as_ref(), SHOWN);
        let round_trip = sums.pool(|trial| trial.round_trip.as_ref());
        let [round_trip_p50_ns, round_trip_p99_ns] = sums.percentiles(round_trip.as_ref(), [0.5, 0.99]);
        let median = |pool: Option<Pool>| sums.percentiles(pool.as_ref(), [0.5])[0];
        let from_send = sums.pool(|trial| Some(&trial.latency_from_send));
        Some(Self {
            trials: trials.len(),
            samples: delivery.as_ref().map_or(0, Pool::count),
            p50_ns,
            p90_ns,
            p99_ns,
            p999_ns,
            max_ns,
            p50_to_floor: ratio_to_floor(trials, floor, 0.5),
            p99_to_floor: ratio_to_floor(trials, floor, 0.99),
            from_send_p99_ns: sums.percentiles(from_send.as_ref(), [0.99])[0],
            share_within: sums
                .ratio(|trial| Some((trial.delivery_latency.count_within(slo.within), trial.window.due)))
                .map(Figure::of_one),
            tightest_ns: delivery.as_ref().and_then(|pool| sums.tightest(pool, slo)),
            server_cpu_to_choice: None,
            p99_to_choice: None,
            server_cpu_ns: sums.ratio(|trial| Some((trial.server.as_ref()?.cpu_ns, trial.window.received))),
            requests_a_delivery: sums.ratio(|trial| Some((trial.window.requests, trial.window.received))),
            requests_per_second: sums.per_second(|trial| trial.window.requests),
            deliveries_per_second: sums.per_second(|trial| trial.window.received),
            connect_ns: median(sums.pool(|trial| Some(&trial.connect))),
            first_message_ns: median(sums.pool(|trial| Some(&trial.first_message))),
            round_trip_p50_ns,
            round_trip_p99_ns,
            poll_wait_mean_ns: sums.mean(|trial| trial.poll_wait.as_ref()),
            poll_queueing_mean_ns: sums.mean(|trial| trial.poll_queueing.as_ref()),
            transfer_mean_ns: sums.mean(|trial| trial.transfer.as_ref()),
            counts: trials.iter().fold(Counts::default(), |sum, trial| add(&sum, &trial.counts)),
        })
    }

    /// How many trials, as a table shows it.
    #[expect(clippy::cast_precision_loss, reason = "a number of trials is far below 2^53")]
    pub(crate) const fn trials_counted(&self) -> Figure {
        Figure { point: self.trials as f64, interval: None }
    }
}

/// How many times the floor's figure this cell's is. Where both ran the same trials, these are
/// drawn in pairs, so that what a trial did to both cancels out.
fn ratio_to_floor(cell: &[&Measurement], floor: &[&Measurement], share: f64) -> Option<Figure> {
    let pools =
        [cell, floor].map(|trials| Pool::new(&trials.iter().map(|trial| &trial.delivery_latency).collect::<Vec<_>>()));
    let value = |pool: &Pool, drawn: &[u32]| pool.quantiles(drawn, &[share]).pop().flatten();
    if cell.len() == floor.len() {
        return paired(cell.len(), |drawn| value(&pools[0], drawn), |drawn| value(&pools[1], drawn));
    }
    let point = value(&pools[0], &vec![1; cell.len()])? / value(&pools[1], &vec![1; floor.len()])?;
    Some(Figure { point, interval: None })
}

fn add(one: &Counts, other: &Counts) -> Counts {
    Counts {
        subscribers: one.subscribers + other.subscribers,
        published: one.published + other.published,
        unpublished: one.unpublished + other.unpublished,
        unsent: one.unsent + other.unsent,
        expected: one.expected + other.expected,
        delivered: one.delivered + other.delivered,
        missed: one.missed + other.missed,
        lost: one.lost + other.lost,
        duplicated: one.duplicated + other.duplicated,
        reordered: one.reordered + other.reordered,
        altered: one.altered + other.altered,
        requests: one.requests + other.requests,
        empty_polls: one.empty_polls + other.empty_polls,
        reconnects: one.reconnects + other.reconnects,
    }
}
