//! Processor time: of the server for a delivery, a publish, a poll, a connection and silence; of the
//! generator for a message that it receives.

use serde::Serialize;

use super::Trials;
use super::wire::{connections, float, seconds};
use pushoff_stats::Figure;
use pushoff_stats::Sums;

/// Nanoseconds, user and system together.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ProcessorCosts {
    /// The server's, a delivery, what it takes to publish among it.
    pub(crate) server_cpu_a_delivery_ns: Option<Figure>,
    /// The server's, a message published to a single reader, that delivery among it.
    pub(crate) server_cpu_a_publish_ns: Option<Figure>,
    /// The server's, a poll that brings nothing.
    pub(crate) server_cpu_a_poll_ns: Option<Figure>,
    /// The server's, a connection until it has its first message.
    pub(crate) server_cpu_a_connection_ns: Option<Figure>,
    /// The server's, a second of a connection that is told nothing.
    pub(crate) server_cpu_a_silent_second_ns: Option<Figure>,
    /// The part of the server's time that the kernel spent on its behalf.
    pub(crate) server_system_share: Option<Figure>,
    /// The generator's, a message received.
    pub(crate) generator_cpu_a_message_ns: Option<Figure>,
}

impl ProcessorCosts {
    pub(super) fn of(trials: Trials<'_, '_>) -> Self {
        let (own, silent, publishing) = (Sums::of(trials.own), Sums::of(trials.silent), Sums::of(trials.publishing));
        let is_polling = trials.transport.is_polling();
        Self {
            server_cpu_a_delivery_ns: own.ratio(|trial| Some((trial.server?.cpu_ns, trial.window.received))),
            server_cpu_a_publish_ns: publishing.ratio(|trial| Some((trial.server?.cpu_ns, trial.window.published))),
            server_cpu_a_poll_ns: silent
                .ratio(|trial| Some((trial.server?.cpu_ns, trial.window.requests)))
                .filter(|_| is_polling),
            server_cpu_a_connection_ns: own
                .ratio(|trial| Some((trial.connecting.server?.cpu_ns, trial.connecting.connections))),
            server_cpu_a_silent_second_ns: silent
                .quotient(|trial| Some((float(trial.server?.cpu_ns), connections(trial) * seconds(trial)))),
            // Ticks of some 10 ms mean something in the sum alone.
            server_system_share: own
                .ratio(|trial| {
                    let server = trial.server?;
                    Some((server.system_ns, server.system_ns + server.user_ns))
                })
                .map(Figure::of_one),
            generator_cpu_a_message_ns: own.ratio(|trial| Some((trial.generator.cpu_ns, trial.window.received))),
        }
    }
}
