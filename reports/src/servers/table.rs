//! Servers side by side as a table, for the Markdown and the terminal, and what is noted below it.

use super::{Beside, Gauge, Ratio, Reading};
use crate::kind::Kind;
use crate::number::{ABSENT, Quantity};
use crate::table::{Entry, Head, Mark, Row, Table, noise};
use crate::validity::Validity;

/// Of a gauge, the figure or one of its ratios.
#[derive(Clone, Copy)]
enum What {
    Figure,
    ToBaseline,
    ToFloor,
}

impl Beside<'_> {
    /// A row a transport and server: figures, each followed by its ratios.
    pub(crate) fn table(&self, noise_ns: f64) -> Table<'_> {
        let wanted = |what: What| (0..self.gauges.len()).map(move |gauge| (gauge, what));
        let mut columns: Vec<(usize, What)> =
            wanted(What::Figure).chain(wanted(What::ToBaseline)).chain(wanted(What::ToFloor)).collect();
        columns.sort_by_key(|column| column.0);
        columns.retain(|&(gauge, what)| self.lines.iter().any(|line| is_there(line.readings[gauge].as_ref(), what)));
        let row = |line: &'_ super::Line<'_>| {
            columns
                .iter()
                .map(|&(gauge, what)| entry(self.gauges[gauge], line.readings[gauge].as_ref(), what))
                .collect()
        };
        let rows = self.lines.iter().map(|line| Row {
            transport: line.transport,
            server: Some(line.server),
            standing: line.standing.as_ref(),
            validity: line.validity,
            void: line.void.clone(),
            is_choice: false,
            entries: row(line),
        });
        let rows = rows.collect();
        let mut notes = self.notes();
        notes.extend(noise(noise_ns).filter(|_| self.gauges.contains(&Gauge::P50)));
        Table {
            columns: columns.iter().map(|&(gauge, what)| head(self.gauges[gauge], gauge, what)).collect(),
            rows,
            notes,
        }
    }

    /// What ratios are over, and why figures are void or bounds.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = vec![format!("÷ base: over {} on the same transport.", self.baseline)];
        if let Some(floor) = self.floor() {
            notes[0].push_str(&format!(" ÷ floor: over raw TCP on {}.", floor.server));
        }
        for line in &self.lines {
            let name = format!("{} on {}", crate::sentence::capitalised(line.transport.label()), line.server);
            let reason = line.validity.label();
            if self.is_search && line.validity.is_void() && line.readings.iter().any(Option::is_some) {
                notes.push(format!("{name} carries at least (≥) that: {reason}."));
            } else if let Some(void) = &line.void {
                notes.push(format!("{name} is void: {void}."));
            }
            notes.extend(line.faults.notes(&name));
        }
        if self.gauges.contains(&Gauge::Polls) && self.lines.iter().any(|it| it.validity != Validity::ServerLimited) {
            notes.push(
                "Polls of a server that was not at its limit are as many as were asked of it: at least (≥).".into(),
            );
        }
        notes
    }
}

fn is_there(reading: Option<&Reading>, what: What) -> bool {
    reading.is_some_and(|it| match what {
        What::Figure => true,
        What::ToBaseline => it.to_baseline.is_some(),
        What::ToFloor => it.to_floor.is_some(),
    })
}

/// A figure of its own comes before ratios, and these before those to the floor.
fn head(gauge: Gauge, place: usize, what: What) -> Head {
    let place = u8::try_from(place).unwrap_or(u8::MAX / 4);
    let (head, help, importance) = match what {
        What::Figure => (gauge.head(), gauge.help(), 2 * place + 1),
        What::ToBaseline => ("÷ base", "over that of the server that the others are held against", 2 * place + 2),
        What::ToFloor => ("÷ floor", "over that of raw TCP in the same run", 100 + place),
    };
    Head { head, help, kind: Kind::Enough, importance }
}

fn entry(gauge: Gauge, reading: Option<&Reading>, what: What) -> Entry {
    let absent = |point: &str| Entry { point: point.into(), interval: None, mark: Mark::None };
    let Some(reading) = reading else { return absent(ABSENT) };
    let ratio = |ratio: Option<Ratio>| ratio.map_or_else(|| absent(""), |ratio| ratio.entry());
    match what {
        What::Figure => reading.entry(gauge),
        What::ToBaseline => ratio(reading.to_baseline),
        What::ToFloor => ratio(reading.to_floor),
    }
}

impl Reading {
    /// Written out.
    pub(crate) fn entry(&self, gauge: Gauge) -> Entry {
        let quantity = gauge.quantity();
        Entry {
            point: format!("{}{}", self.bound.sign(), quantity.write(self.figure.point)),
            interval: quantity.write_interval(&self.figure).filter(|_| self.bound == super::Bound::Exact),
            mark: self.mark,
        }
    }
}

impl Ratio {
    /// Written out, without judging it.
    pub(crate) fn entry(&self) -> Entry {
        Entry {
            point: format!("{}{}", self.bound.sign(), Quantity::Ratio.write(self.figure.point)),
            interval: Quantity::Ratio.write_interval(&self.figure),
            mark: Mark::None,
        }
    }
}
