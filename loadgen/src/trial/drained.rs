//! Last state: every message is accounted for, and every cost is read.

use pushoff_model::Workload;
use pushoff_model::record::{BrowserUse, Concern, Connecting, Link, Measurement, Memory, WindowCounts, Wire};
use pushoff_model::time::nanos;
use pushoff_model::workload::Direction;
use serde::{Deserialize, Serialize};

use crate::books::{Account, Skew, Totals, Window};
use crate::plan::Trial;
use crate::subscribers::CONNECTING_AT_ONCE;
use crate::watch::{Use, validity};

/// The results of a trial, or of an agent's part of one.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Drained {
    pub(crate) window: Window,
    pub(crate) account: Account,
    pub(crate) totals: Totals,
    /// Used while the subscribers connected.
    pub(crate) connecting: Use,
    pub(crate) memory: Memory,
    /// Used during the measure phase.
    pub(crate) used: Use,
    pub(crate) wire: Option<Wire>,
    pub(crate) link: Option<Link>,
    pub(crate) browser: Option<BrowserUse>,
    /// What limited it.
    pub(crate) concerns: Vec<Concern>,
}

impl Drained {
    /// Flags what limited it.
    pub(super) fn judge(&mut self, workload: &Workload) {
        let Self { totals, used, wire, link, browser, .. } = self;
        let seen = validity::Seen {
            used,
            own_lag: &totals.own_lag,
            delivery_latency: &totals.delivery_latency,
            link: link.as_ref(),
        };
        self.concerns = validity::flags(&seen, workload.slo.as_ref());
        self.concerns.extend(wire.as_ref().and_then(validity::uncompressed));
        self.concerns.extend(browser.as_ref().and_then(|browser| validity::uncertain_clock(&browser.clock)));
    }

    /// The measurement, as the record keeps it.
    pub(crate) fn measurement(self, trial: &Trial) -> Measurement {
        let connecting = self.connecting(trial.workload.subscribers);
        let Self { window, account, totals, memory, used, wire, link, browser, concerns, .. } = self;
        // A page does not report when its polls were due.
        let polls = trial.transport.is_polling() && browser.is_none();
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
            handshakes: None,
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
            agents: Vec::new(),
        }
    }

    /// Adds another agent's part: counts, histograms and what the generators used. Server and machine stay as they are:
    /// both are the coordinator's to read.
    pub(crate) fn merge(&mut self, other: Self) {
        self.account.merge(&other.account);
        self.totals.merge(other.totals);
        for (mine, its) in [(&mut self.connecting, &other.connecting), (&mut self.used, &other.used)] {
            mine.generator = mine.generator.plus(&its.generator);
        }
        let (mine, its) = (&mut self.memory, &other.memory);
        for (mine, its) in [
            (&mut mine.empty.generator, &its.empty.generator),
            (&mut mine.idle.generator, &its.idle.generator),
            (&mut mine.delivering.generator, &its.delivering.generator),
        ] {
            *mine = mine.as_ref().zip(its.as_ref()).map(|(mine, its)| mine.plus(its));
        }
        self.wire = self.wire.zip(other.wire).map(|(mine, its)| mine.plus(&its));
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
