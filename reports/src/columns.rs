//! The columns of the comparison table: what is read from the figures of a cell, and how it is shown.

use crate::figures::Figures;
use crate::table::{Column, Reading, column};

/// The heads that prose takes its figures from.
pub(crate) const WITHIN_SLO: &str = "within SLO";
pub(crate) const TIGHTEST: &str = "tightest SLO";
pub(crate) const TRIALS: &str = "trials";
pub(crate) const P99: &str = "p99";
pub(crate) const P99_TO_CHOICE: &str = "p99 ÷ choice";
pub(crate) const LOST: &str = "lost";
pub(crate) const NOT_PUBLISHED: &str = "not published";
pub(crate) const BROKEN: &str = "broken";
pub(crate) const MISSED: &str = "missed";
pub(crate) const SERVER_CPU: &str = "server CPU";
pub(crate) const SERVER_CPU_TO_CHOICE: &str = "server CPU ÷ choice";

/// The columns beside transport and verdict, each with its importance, 1 the most.
#[rustfmt::skip]
pub(crate) const COLUMNS: [Column<Figures>; 26] = [
    column!(1, WITHIN_SLO, Enough, Share, Neither, "share of the deliveries due that arrived in time",
        |it| Reading::Figure(it.share_within)),
    column!(21, TIGHTEST, Enough, Time, Neither, "the time within which the SLO's share of the deliveries due arrived: a tighter SLO fails",
        |it| Reading::Figure(it.tightest_ns)),
    column!(24, TRIALS, Enough, Count, Neither, "how many trials the figures rest on",
        |it| Reading::Figure(Some(it.trials_counted()))),
    column!(3, "p50", Latency, Time, Less, "half of the deliveries took at most so long, from when they were due",
        |it| Reading::Figure(it.p50_ns), Some(|it| it.p50_ns)),
    column!(7, "p90", Latency, Time, Less, "9 of 10 deliveries took at most so long",
        |it| Reading::Figure(it.p90_ns), Some(|it| it.p90_ns)),
    column!(4, P99, Latency, Time, Less, "99 of 100 deliveries took at most so long",
        |it| Reading::Figure(it.p99_ns), Some(|it| it.p99_ns)),
    column!(5, "p99.9", Latency, Time, Less, "999 of 1,000 deliveries took at most so long",
        |it| Reading::Figure(it.p999_ns), Some(|it| it.p999_ns)),
    column!(6, "max", Latency, Time, Less, "the longest delivery of all trials",
        |it| Reading::Figure(it.max_ns), Some(|it| it.max_ns)),
    column!(10, "p50 ÷ floor", Latency, Ratio, Less, "the median over that of raw TCP in the same run",
        |it| Reading::Figure(it.p50_to_floor), Some(|it| it.p50_ns)),
    column!(11, "p99 ÷ floor", Latency, Ratio, Less, "the 99th percentile over that of raw TCP in the same run",
        |it| Reading::Figure(it.p99_to_floor), Some(|it| it.p99_ns)),
    column!(23, P99_TO_CHOICE, Latency, Ratio, Neither, "the 99th percentile over that of the transport taken",
        |it| Reading::Figure(it.p99_to_choice)),
    column!(20, "p99 from send", Latency, Time, Less, "p99 counted from when a message was really sent: hides a stall",
        |it| Reading::Figure(it.from_send_p99_ns), Some(|it| it.from_send_p99_ns)),
    column!(12, "deliveries", Ledger, Rate, Neither, "deliveries a second: the load is offered, not sought",
        |it| Reading::Figure(it.deliveries_per_second)),
    column!(8, LOST, Ledger, Count, Neither, "deliveries that did not happen, in silence",
        |it| Reading::Fault(it.counts.lost)),
    column!(9, MISSED, Ledger, Count, Neither, "deliveries that did not happen, and the reader was told",
        |it| Reading::Fault(it.counts.missed)),
    column!(25, NOT_PUBLISHED, Ledger, Count, Neither, "messages that were due and that the server did not take: refused, not answered, never sent",
        |it| Reading::Fault(it.counts.unpublished + it.counts.unsent)),
    column!(26, BROKEN, Ledger, Count, Neither, "connections of subscribers that broke and were made again",
        |it| Reading::Fault(it.counts.reconnects)),
    column!(14, "duplicated", Ledger, Count, Neither, "deliveries beyond the first of a message",
        |it| Reading::Fault(it.counts.duplicated)),
    column!(15, "reordered", Ledger, Count, Neither, "deliveries after a later message of the same publisher",
        |it| Reading::Fault(it.counts.reordered)),
    column!(2, SERVER_CPU, Cost, Time, Less, "processor time of the server for one delivery",
        |it| Reading::Figure(it.server_cpu_ns)),
    column!(22, SERVER_CPU_TO_CHOICE, Cost, Ratio, Neither, "the same over that of the transport taken",
        |it| Reading::Figure(it.server_cpu_to_choice)),
    column!(13, "requests", Cost, Rate, Less, "requests that all subscribers made a second, while it was measured",
        |it| Reading::Figure(it.requests_per_second)),
    column!(16, "connect", Start, Time, Less, "median time until the stream is open or the first poll is answered",
        |it| Reading::Figure(it.connect_ns), Some(|it| it.connect_ns)),
    column!(17, "first message", Start, Time, Less, "median time from connecting to the first message in hand",
        |it| Reading::Figure(it.first_message_ns), Some(|it| it.first_message_ns)),
    column!(18, "round trip p50", Start, Time, Less, "half of the messages came back to their speaker within so long",
        |it| Reading::Figure(it.round_trip_p50_ns), Some(|it| it.round_trip_p50_ns)),
    column!(19, "round trip p99", Start, Time, Less, "99 of 100 messages came back to their speaker within so long",
        |it| Reading::Figure(it.round_trip_p99_ns), Some(|it| it.round_trip_p99_ns)),
];
