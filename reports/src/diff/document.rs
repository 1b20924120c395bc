//! A diff for people: in the terminal, and as Markdown that fits a pull request.
//!
//! The verdict first, then what differs between the environments, then the table with the regressed
//! first, then what could not be compared.

use comfy_table::{Attribute, Cell, CellAlignment, Color, Table as Grid, presets};

use super::judge::SEARCH_STEP;
use super::{By, Change, Diff, Finding, LeftOut, Side};
use crate::markdown::escaped;
use crate::number::{Quantity, asked_share, unbroken};
use crate::metric::Bound;
use crate::terminal::{RULED, Screen, colour_of};
use pushoff_stats::Figure;

/// Heads of the table; the two figures go first where there is not room for all.
const HEADS: [&str; 7] = ["verdict", "workload", "transport", "figure", "BASE", "NEW", "NEW ÷ BASE"];
/// The place of the first of the two.
const FIGURES: usize = 4;

impl Diff {
    /// At most `width` columns wide, coloured only where asked for.
    #[must_use]
    pub fn terminal(&self, width: usize, colour: bool) -> String {
        let screen = Screen::new(width, colour);
        let mut text = screen.paragraph(&self.verdict());
        for line in self.about() {
            text.push_str(&screen.paragraph(&line));
        }
        if !self.changes.is_empty() {
            text.push('\n');
            let tables = [true, false].into_iter().map(|figures| self.grid(figures));
            text.push_str(&screen.first_that_fits(tables));
        }
        for line in self.notes() {
            text.push_str(&screen.paragraph(&line));
        }
        text.trim_end().to_owned()
    }

    /// What changed in sight, the rest folded away.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!("### pushoff diff: {}\n", self.verdict());
        let changed = |it: &&Change| it.finding < Finding::Inconclusive;
        let (seen, folded): (Vec<&Change>, Vec<&Change>) = self.changes.iter().partition(changed);
        if !seen.is_empty() {
            text.push_str(&format!("\n{}\n", lines(&seen)));
        }
        for line in self.about() {
            text.push_str(&format!("\n{}\n", escaped(&line)));
        }
        if !folded.is_empty() {
            let words = format!("{} inconclusive, {} unchanged", self.tally.inconclusive, self.tally.unchanged);
            text.push_str(&format!("\n<details><summary>{words}</summary>\n\n{}\n\n</details>\n", lines(&folded)));
        }
        for line in self.notes() {
            text.push_str(&format!("\n{}\n", escaped(&line)));
        }
        text.trim_end().to_owned()
    }

    /// One sentence: how many came out how.
    fn verdict(&self) -> String {
        let count = |finding: Finding| format!("{} {}", self.tally.of(finding), finding.label());
        let all = Finding::ALL.map(count).join(", ");
        let head = if self.tally.compared() == 0 {
            "nothing could be compared"
        } else if self.has_regressed() {
            "regressed"
        } else if self.tally.improved > 0 {
            "nothing regressed, something improved"
        } else if self.tally.unchanged == 0 {
            "inconclusive"
        } else {
            "nothing regressed"
        };
        let faults = match self.tally.faults {
            0 => String::new(),
            faults => format!(", {faults} where something went wrong that did not before"),
        };
        format!("{head} ({all}{faults})")
    }

    /// What was held against what, and what differed around it.
    fn about(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.faults.iter().map(|fault| format!("{fault}.")).collect();
        lines.push(self.sides());
        if self.base.debug_build || self.new.debug_build {
            lines.push("A debug build measured this: the figures mean nothing.".into());
        }
        if self.by == By::RatioToFloor {
            lines.push(
                "The machines differ: what is compared is how many times raw TCP's each figure is, in the same run. \
                 What slows raw TCP as well does not show."
                    .into(),
            );
        }
        if self.is_one_run() {
            lines.push(
                "Their trials took turns, and are compared in pairs: what the machine did to both cancels out.".into(),
            );
        } else if self.environment.is_empty() {
            lines.push("Machine, versions and settings are the same.".into());
        } else {
            let all: Vec<String> = self.environment.iter().map(super::Difference::sentence).collect();
            lines.push(format!("What differs: {}.", all.join("; ")));
        }
        let changed = || self.changes.iter().filter(|it| it.finding < Finding::Inconclusive);
        if changed().any(|it| !it.key.transport.is_ranked()) {
            let machine = if self.is_one_run() { "" } else { "either the machine did between the runs, or " };
            lines.push(format!("Raw TCP changed too: {machine}what all transports share."));
        }
        if !self.is_one_run() && changed().any(|it| it.p.is_some()) {
            lines.push(
                "BASE and NEW ran at different times: what the machine did meanwhile is in no interval. Measured as two \
                 targets of one run (docs/CI.md), their trials would take turns."
                    .into(),
            );
        }
        lines
    }

    /// Which two were compared.
    fn sides(&self) -> String {
        let (base, new) = (&self.base, &self.new);
        if let (true, Some(old), Some(current)) = (self.is_one_run(), &base.server, &new.server) {
            return format!("BASE {old} and NEW {current}, both of {} (revision {}).", base.run, base.revision);
        }
        let side = |it: &Side| {
            let server = it.server.as_ref().map_or_else(String::new, |server| format!("{server} of "));
            format!("{server}{} (revision {})", it.run, it.revision)
        };
        format!("BASE {}, NEW {}.", side(base), side(new))
    }

    /// Whether both were measured by the same run.
    fn is_one_run(&self) -> bool {
        self.base.run == self.new.run
    }

    /// What could not be compared, and what the words mean.
    fn notes(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.left_out.is_empty() {
            let all: Vec<String> =
                by_reason(&self.left_out).into_iter().map(|(why, what)| format!("{why}: {what}")).collect();
            lines.push(format!("Not compared: {}.", all.join(". ")));
        }
        if !self.changes.is_empty() {
            let mut floors = Vec::new();
            if self.noise_ns > 0.0 && self.changes.iter().any(|it| it.metric.latency().is_some()) {
                floors.push(format!("of a latency at least {}", Quantity::Time.write(self.noise_ns)));
            }
            if self.changes.iter().any(|it| it.metric.is_of_a_search()) {
                floors.push(format!("of the most deliveries {}, a step of their search", asked_share(SEARCH_STEP)));
            }
            let floors = if floors.is_empty() { String::new() } else { format!(" ({})", floors.join("; ")) };
            lines.push(unbroken(&format!(
                "Regressed and improved: by more than {}{floors}, with at most 5 % false among all that are called so. \
                 Unchanged: the whole 95 % interval lies within that. Inconclusive: neither; more trials tell more.",
                asked_share(self.floor)
            )));
        }
        lines
    }

    /// The table, with or without the two figures.
    fn grid(&self, figures: bool) -> Grid {
        let is_shown = |column: usize| figures || column != FIGURES && column != FIGURES + 1;
        let mut grid = Grid::new();
        grid.load_style(RULED);
        grid.set_header(HEADS.into_iter().enumerate().filter(|it| is_shown(it.0)).map(|it| it.1).collect::<Vec<_>>());
        for change in &self.changes {
            let words = row(change);
            let cells = words.into_iter().enumerate().filter(|it| is_shown(it.0));
            grid.add_row(cells.map(|(column, words)| dressed(column, words, change)).collect::<Vec<_>>());
        }
        for column in grid.column_iter_mut().skip(FIGURES) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        grid
    }
}

fn dressed(column: usize, words: String, change: &Change) -> Cell {
    let cell = Cell::new(words);
    match (column, change.finding) {
        (0, Finding::Regressed) => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        (0, Finding::Improved) => cell.fg(Color::Green),
        (0, Finding::Inconclusive | Finding::Unchanged) => cell.fg(Color::DarkGrey),
        (2, _) => cell.fg(colour_of(change.key.transport)),
        _ => cell,
    }
}

fn lines(changes: &[&Change]) -> String {
    let mut grid = Grid::new();
    grid.load_style(presets::ASCII_MARKDOWN);
    grid.set_header(HEADS);
    for change in changes {
        grid.add_row(row(change).map(|words| escaped(&words)));
    }
    grid.trim_fmt()
}

fn row(change: &Change) -> [String; HEADS.len()] {
    // Where machines differ, base and new are ratios to raw TCP.
    let quantity = if change.is_ratio { Quantity::Ratio } else { change.metric.unit() };
    let write = |figure: &Figure| quantity.write(figure.point);
    let ratio = match change.bound {
        Bound::Exact => Quantity::Ratio.write_figure(&change.ratio),
        Bound::AtLeast | Bound::AtMost => {
            format!("{}{}", change.bound.sign(), Quantity::Ratio.write(change.ratio.point))
        }
    };
    [
        change.finding.label().to_owned(),
        change.key.workload.clone(),
        change.key.transport.label().to_owned(),
        change.metric.label().to_owned(),
        write(&change.base),
        write(&change.new),
        ratio,
    ]
}

/// Reasons as they first come, each with all that it keeps out.
fn by_reason(all: &[LeftOut]) -> Vec<(&str, String)> {
    let mut reasons: Vec<(&str, String)> = Vec::new();
    for one in all {
        match reasons.iter_mut().find(|(reason, _)| *reason == one.reason) {
            Some((_, what)) => {
                what.push_str("; ");
                what.push_str(&one.what);
            }
            None => reasons.push((&one.reason, one.what.clone())),
        }
    }
    reasons
}
