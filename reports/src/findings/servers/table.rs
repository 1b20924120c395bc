//! Servers side by side as a table, and what is noted below it.

use super::{Line, OnServers};
use crate::cells::validity::Validity;
use crate::metric::Metric;
use crate::table::{Subject, Table, noise};
use crate::words::text::capitalised;

impl OnServers<'_> {
    /// A row a transport and server. Ratios are the matrices'.
    pub(crate) fn table(&self, noise_ns: f64) -> Table {
        let on = |line: &Line<'_>| format!(" on {}", line.server());
        let subjects = self.lines.iter().map(|line| Subject { of: Some(on(line)), ..line.subject() });
        let mut table = Table::lay_out(&self.metrics, subjects.collect(), noise_ns);
        table.notes = self.notes();
        table.notes.extend(noise(noise_ns).filter(|_| self.metrics.contains(&Metric::P50)));
        table
    }

    /// Why figures are void or bounds.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for line in &self.lines {
            let name = format!("{} on {}", capitalised(line.transport().label()), line.server());
            let reason = line.validity.label();
            let has_figures = self.metrics.iter().any(|metric| line.figures.get(*metric).is_some());
            if self.is_search && line.validity.is_void() && has_figures {
                notes.push(format!("{name} carries at least (≥) that: {reason}."));
            } else if let Some(void) = &line.void {
                notes.push(format!("{name} is void: {void}."));
            }
            notes.extend(line.faults.notes(&name));
        }
        if self.metrics.contains(&Metric::Polls) && self.lines.iter().any(|it| it.validity != Validity::ServerLimited) {
            notes.push(
                "Polls of a server that was not at its limit are as many as were asked of it: at least (≥).".into(),
            );
        }
        notes
    }
}
