//! Last state: every message is accounted for, and every cost is read.

use pushoff_model::record::{BrowserUse, Connecting, Link, Measurement, Memory, WindowCounts, Wire};
use pushoff_model::time::nanos;
use pushoff_model::workload::Direction;

use super::setting::Setting;
use crate::agents::CONNECTING_AT_ONCE;
use crate::books::{Account, Skew, Totals, Window};
use crate::watch::{Use, validity};

/// The results of a trial.
pub(super) struct Drained {
    pub(super) window: Window,
    pub(super) account: Account,
    pub(super) totals: Totals,
    /// Used while the subscribers connected.
    pub(super) connecting: Use,
    pub(super) memory: Memory,
    /// Used during the measure phase.
    pub(super) used: Use,
    pub(super) wire: Option<Wire>,
    pub(super) link: Option<Link>,
    pub(super) browser: Option<BrowserUse>,
}

impl Drained {
    /// The measurement, as the record keeps it.
    pub(super) fn measurement(self, Setting { trial, .. }: Setting<'_>) -> Measurement {
        let connecting = self.connecting(trial.workload.subscribers);
        let Self { window, account, totals, memory, used, wire, link, browser, .. } = self;
        // A page does not report when its polls were due.
        let polls = trial.transport.is_polling() && browser.is_none();
        let seen = validity::Seen {
            used: &used,
            own_lag: &totals.own_lag,
            delivery_latency: &totals.delivery_latency,
            link: link.as_ref(),
        };
        let mut concerns = validity::flags(&seen, trial.workload.slo.as_ref());
        concerns.extend(wire.as_ref().and_then(validity::uncompressed));
        concerns.extend(browser.as_ref().and_then(|browser| validity::uncertain_clock(&browser.clock)));
        let mut faults = account.faults;
        faults.merge(&totals.breaks);
        Measurement {
            faults,
            warm_up_ns: nanos(trial.workload.phases.warm_up),
            measured_ns: nanos(window.length()),
            counts: account.counts,
            window: WindowCounts { delivered: totals.delivered, received: totals.received, ..account.window },
            concerns,
            connecting,
            wire,
            link,
            memory,
            delivery_latency: totals.delivery_latency,
            latency_from_send: totals.latency_from_send,
            send_lag: totals.send_lag,
            poll_wait: polls.then_some(totals.poll_wait),
            poll_queueing: polls.then_some(totals.poll_queueing),
            transfer: polls.then_some(totals.transfer),
            round_trip: (trial.workload.direction == Direction::Both).then_some(totals.round_trip),
            connect: totals.connect,
            first_message: totals.first_message,
            spread: totals.skew.map(Skew::into_histogram),
            series: totals.series,
            server: used.server,
            generator: used.generator,
            machine: used.machine,
            browser,
        }
    }

    fn connecting(&self, subscribers: u32) -> Connecting {
        let Self { totals, connecting, .. } = self;
        Connecting {
            connections: subscribers.into(),
            at_once: subscribers.min(u32::try_from(CONNECTING_AT_ONCE).unwrap_or(u32::MAX)),
            took_ns: nanos(totals.last_greeted.since(totals.first_connecting.unwrap_or_default())),
            server: connecting.server,
            generator: connecting.generator,
        }
    }
}
