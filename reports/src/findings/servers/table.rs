//! Servers side by side as a table, and what is noted below it.

use super::Beside;
use crate::cells::validity::Validity;
use crate::metric::{Metric, Value};
use crate::table::{Column, Entry, Mark, Over, Row, Table, noise};
use crate::words::number::Quantity;
use crate::words::text::capitalised;

impl Beside<'_> {
    /// A row a transport and server: figures, then their ratios to the baseline, then those to the floor.
    pub(crate) fn table(&self, noise_ns: f64) -> Table {
        let all = |over: Over| (0..self.metrics.len()).map(move |metric| (metric, over));
        let own = all(Over::Nothing).flat_map(|(metric, over)| [(metric, over), (metric, Over::Baseline)]);
        let columns: Vec<(usize, Over)> = own.chain(all(Over::Floor)).filter(|it| self.has_column(*it)).collect();
        let rows = self.lines.iter().enumerate().map(|(index, line)| Row {
            key: line.key.clone(),
            of: Some(format!(" on {}", line.server())),
            standing: line.standing.clone(),
            validity: line.validity,
            void: line.void.clone(),
            is_choice: false,
            entries: columns.iter().map(|column| self.entry(*column, index)).collect(),
        });
        let rows = rows.collect();
        let mut notes = self.notes();
        notes.extend(noise(noise_ns).filter(|_| self.metrics.contains(&Metric::P50)));
        let column = |&(metric, over): &(usize, Over)| Column { metric: self.metrics[metric], over };
        Table { columns: columns.iter().map(column).collect(), rows, notes }
    }

    fn has_column(&self, column: (usize, Over)) -> bool {
        (0..self.lines.len()).any(|line| self.value(column, line).is_some())
    }

    fn value(&self, (metric, over): (usize, Over), line: usize) -> Option<Value> {
        match over {
            Over::Nothing => self.lines[line].figures.value(self.metrics[metric]),
            Over::Baseline => self.relation(metric, line).to_baseline,
            Over::Floor => self.relation(metric, line).to_floor,
        }
    }

    /// A figure of a line, or a ratio of it, written out.
    pub(crate) fn entry(&self, column: (usize, Over), line: usize) -> Entry {
        let value = self.value(column, line);
        match column.1 {
            Over::Nothing => value.map_or_else(Entry::absent, |value| {
                Entry::of(self.metrics[column.0].unit(), value, self.relation(column.0, line).mark)
            }),
            Over::Baseline | Over::Floor => {
                value.map_or_else(|| Entry::words(""), |value| Entry::of(Quantity::Ratio, value, Mark::None))
            }
        }
    }

    /// What ratios are over, and why figures are void or bounds.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = vec![format!("÷ base: over {} on the same transport.", self.baseline)];
        if let Some(floor) = self.floor() {
            notes[0].push_str(&format!(" ÷ floor: over raw TCP on {}.", floor.server()));
        }
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
