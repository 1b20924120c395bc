//! A plan in the terminal: the recommendation first, then a table fitted to the width, then what it
//! rests on.

use super::Plan;
use crate::number::unbroken;
use crate::rank::{self, LEAST_TRIALS};
use crate::table::{Column, Reading, Subject, Table, column};
use crate::terminal::Screen;
use pushoff_planner::{Estimate, SAME, Standing};
use pushoff_stats::Figure;

/// The columns of the table.
#[rustfmt::skip]
pub(crate) const COLUMNS: [Column<Estimate>; 12] = [
    column!(1, "money a month", Cost, Count, Less, "by the table of prices, in its currency",
        |it| Reading::Figure(it.figures.money_a_month), Some(|it| it.figures.money_a_month)),
    column!(2, "cores", Processor, Count, Less, "processors like the measured one, each at most 60 % busy",
        |it| Reading::Figure(it.figures.cores)),
    column!(3, "p99", Latency, Time, Less, "from when an update is due until its user has it",
        |it| Reading::Figure(it.figures.p99_ns)),
    column!(4, "memory", Memory, Bytes, Less, "the servers' processes and their ends of the connections in the kernel",
        |it| Reading::Figure(it.figures.memory_bytes)),
    column!(5, "bandwidth", Around, ByteRate, Less, "both directions, with a browser's heads and 52 bytes of TCP and IP a segment",
        |it| Reading::Figure(it.figures.bandwidth_bytes_per_second)),
    column!(6, "requests", Around, Rate, Neither, "polls, and what users publish by request",
        |it| Reading::Figure(it.figures.requests_per_second)),
    column!(7, "p50", Latency, Time, Less, "half of the updates are with their user within",
        |it| Reading::Figure(it.figures.p50_ns)),
    column!(8, "wake-ups/h", Held, Count, Neither, "how often a phone's radio is woken that does nothing else",
        |it| Reading::Figure(plain(it.wakeups_an_hour))),
    column!(9, "radio on", Held, Share, Less, "the share of the time that it is on",
        |it| Reading::Figure(plain(it.radio_share))),
    column!(10, "processes", Processor, Count, Neither, "of the server, each on a processor",
        |it| Reading::Figure(plain(it.processes))),
    column!(11, "connections", Held, Count, Neither, "to subscribe",
        |it| Reading::Figure(it.figures.connections)),
    column!(12, "CPU to connect all", Connecting, Time, Less, "processor time of the servers",
        |it| Reading::Figure(it.figures.connecting_cpu_ns)),
];

fn plain(point: Option<f64>) -> Option<Figure> {
    point.map(|point| Figure { point, interval: None })
}

impl Plan {
    /// At most `width` columns wide, coloured only where asked for.
    #[must_use]
    pub fn terminal(&self, width: usize, colour: bool) -> String {
        let mut screen = Screen::new(width, colour);
        let mut text: String = self.sentences.iter().map(|sentence| screen.paragraph(&unbroken(sentence))).collect();
        text.push('\n');
        let standings: Vec<rank::Standing> = self.answer.estimates.iter().map(|it| self.standing_of(it)).collect();
        let (table, dropped) = screen.fitted(&self.table(&standings));
        text.push_str(&table);
        let mut below = format!("* best  ≈ too close to call  money in {}", self.prices.currency());
        if dropped > 0 {
            let columns = if dropped == 1 { "column" } else { "columns" };
            below.push_str(&format!("  {dropped} more {columns} on a wider terminal and with --json"));
        }
        text.push_str(&screen.paragraph(&below));
        for note in &self.notes {
            text.push_str(&screen.paragraph(&unbroken(note)));
        }
        text.trim_end().to_owned()
    }

    fn table<'a>(&'a self, standings: &'a [rank::Standing]) -> Table<'a> {
        let subjects = self.answer.estimates.iter().zip(standings).map(|(estimate, standing)| Subject {
            standing: Some(standing),
            is_choice: self.answer.choice == Some(estimate.transport),
            // A prediction has its interval without any.
            trials: LEAST_TRIALS,
            ..Subject::new(estimate.transport, Some(estimate))
        });
        Table::lay_out(&COLUMNS, subjects.collect(), self.no_difference())
    }

    /// As for the choice: of money what is less than a tenth is no difference.
    pub(crate) fn no_difference(&self) -> f64 {
        let money = self.answer.estimates.iter().filter_map(|it| it.figures.money_a_month);
        let least = money.map(|money| money.point).reduce(f64::min).unwrap_or_default();
        least * (SAME - 1.0)
    }

    fn standing_of(&self, estimate: &Estimate) -> rank::Standing {
        let reason = self.why(estimate).unwrap_or_default();
        match estimate.standing {
            Standing::Meets => rank::Standing::Meets,
            Standing::Fails => rank::Standing::Fails { reason },
            Standing::Undecided => rank::Standing::Undecided { reason },
        }
    }
}
