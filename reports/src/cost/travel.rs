//! How messages travel: how many together, how stale a poll's are and why, and how far apart the
//! first and the last of a topic's subscribers are.

use serde::Serialize;

use super::Trials;
use super::wire::float;
use pushoff_stats::Figure;
use pushoff_stats::Sums;

/// Batching, staleness and fan-out.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Travel {
    /// Polls: messages in a response that has any.
    pub(crate) messages_a_response: Option<Figure>,
    /// Messages in a segment that has data.
    pub(crate) messages_a_segment: Option<Figure>,
    /// Polls: mean wait for the next poll to be due.
    pub(crate) poll_wait_mean_ns: Option<Figure>,
    /// Polls: mean time from when a poll was due until it was sent.
    pub(crate) poll_queueing_mean_ns: Option<Figure>,
    /// Polls: mean time from then, or from when the message was due, until it was received.
    pub(crate) transfer_mean_ns: Option<Figure>,
    /// From a topic's first subscriber that had a message to its last: half at most.
    pub(crate) fan_out_p50_ns: Option<Figure>,
    /// 99 of 100 at most.
    pub(crate) fan_out_p99_ns: Option<Figure>,
}

impl Travel {
    pub(super) fn of(trials: Trials<'_, '_>) -> Self {
        let own = Sums::of(trials.own);
        let spread = own.pool(|trial| trial.spread.as_ref());
        let [fan_out_p50_ns, fan_out_p99_ns] = own.percentiles(spread.as_ref(), [0.5, 0.99]);
        let is_polling = trials.transport.is_polling();
        Self {
            messages_a_response: own
                .quotient(|trial| {
                    let contents = trial.wire?.load.contents;
                    let full = contents.responses.saturating_sub(contents.empty);
                    Some((float(contents.messages), float(full)))
                })
                .filter(|figure| is_polling && figure.point > 0.0),
            messages_a_segment: own
                .quotient(|trial| {
                    let load = trial.wire?.load;
                    Some((float(load.contents.messages), float(load.down.data_segments)))
                })
                .filter(|figure| figure.point > 0.0),
            poll_wait_mean_ns: own.mean(|trial| trial.poll_wait.as_ref()).map(Figure::or_none),
            poll_queueing_mean_ns: own.mean(|trial| trial.poll_queueing.as_ref()),
            transfer_mean_ns: own.mean(|trial| trial.transfer.as_ref()),
            fan_out_p50_ns,
            fan_out_p99_ns,
        }
    }
}
