//! The terminal: the verdict first, then a table fitted to the width.
//!
//! The same words and roundings as the page. Columns drop from the right, by importance; where
//! even the most important would not fit with their intervals, the intervals go first, from all
//! tables.

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ContentArrangement, LineStyle, Table as Grid, TableStyle, presets,
};
use pushoff_model::Transport;

use crate::Run;
use crate::cost;
use crate::counsel::Matter;
use crate::describe;
use crate::group::Group;
use crate::rank::{Standing, Sureness};
use crate::search;
use crate::servers::{Matrix, matrices};
use crate::study::Study;
use crate::table::{Entry, Mark, Row, Table};
use crate::unitcosts::conclusion;

/// So many columns must fit with their intervals: transport, SLO, share, cost, p50, p99.
const CORE: usize = 6;
/// A rule below the head and one at the end.
pub(crate) const RULED: TableStyle = TableStyle::new()
    .header_separator(LineStyle::new('─', '─', '─', '─'))
    .bottom_border(LineStyle::new('─', '─', '─', '─'));
/// Below this a table cannot be read anyway.
const NARROWEST: usize = 20;

/// The answers and tables of a run, at most `width` columns wide, coloured only where asked for.
#[must_use]
pub fn terminal(run: &Run, width: usize, colour: bool) -> String {
    render(&Study::of(run), width, colour)
}

fn render(study: &Study<'_>, width: usize, colour: bool) -> String {
    let mut screen = Screen::new(width, colour);
    let mut text = String::new();
    if study.has_debug_build() {
        text.push_str(&screen.paragraph("! DEBUG BUILD: these figures mean nothing. Build with --release."));
        text.push('\n');
    }
    if study.is_empty() {
        text.push_str("There are no records to report on.\n");
        return text;
    }
    if study.is_own_model {
        text.push_str(&screen.paragraph(&conclusion(study)));
    } else {
        text.push_str(&screen.answers(study));
    }
    for matrix in &matrices(&study.besides) {
        text.push('\n');
        text.push_str(&screen.matrix(matrix));
    }
    let tables = tables(study);
    screen.intervals =
        tables.iter().all(|(_, table)| screen.columns_that_fit(table) >= CORE.min(table.columns.len() + 2));
    for (title, table) in &tables {
        text.push('\n');
        text.push_str(&screen.table(title, table));
    }
    text.push('\n');
    text.push_str(&screen.paragraph(&study.tally()));
    text
}

/// Every table with its title: servers side by side, comparisons, what silence costs, searches. What was
/// asked of several servers stands side by side only: the page has a table of each.
fn tables<'a>(study: &'a Study<'_>) -> Vec<(String, Table<'a>)> {
    let titled = |label: &str, what: String| format!("{label}: {what}");
    let beside = study.besides.iter().map(|it| {
        let what = if it.workload.is_silent() { it.workload.question.clone() } else { describe::slo(it.workload) };
        (titled(&it.label, what), it.table(study.noise_ns))
    });
    let is_alone = |group: &Group<'_>| !study.is_beside(group);
    let compared = study
        .comparisons
        .iter()
        .filter(|it| is_alone(&it.group))
        .map(|it| (titled(&it.group.label, describe::slo(it.group.workload)), Table::of(it)));
    let held = study.holdings.iter().filter(|it| is_alone(&it.group)).map(|it| {
        let title = titled(&it.group.label, it.group.workload.question.clone());
        (title, cost::table(&it.group, &it.costs, &[], study.noise_ns))
    });
    let searched = study
        .searches
        .iter()
        .filter(|it| is_alone(&it.group))
        .map(|it| (titled(&it.group.label, describe::slo(it.group.workload)), search::table(it, study.noise_ns)));
    beside.chain(compared).chain(held).chain(searched).collect()
}

/// What is drawn on.
pub(crate) struct Screen {
    width: usize,
    colour: bool,
    /// Whether figures carry their intervals: in all tables or in none.
    intervals: bool,
}

impl Screen {
    /// So many columns wide, coloured only where asked for.
    pub(crate) fn new(width: usize, colour: bool) -> Self {
        Self { width: width.max(NARROWEST), colour, intervals: true }
    }

    /// The first of some tables that fits, the last of them broken into lines where none does.
    pub(crate) fn first_that_fits(&self, tables: impl Iterator<Item = Grid>) -> String {
        let plain = Self { colour: false, ..*self };
        let mut drawn = Grid::new();
        for mut table in tables {
            plain.prepare(&mut table, ContentArrangement::Disabled);
            let fits = widest(&plain.finish(&mut table)) <= self.width;
            let arrangement = if fits { ContentArrangement::Disabled } else { ContentArrangement::Dynamic };
            self.prepare(&mut table, arrangement);
            drawn = table;
            if fits {
                break;
            }
        }
        self.finish(&mut drawn)
    }

    /// A table with as many of its columns as fit, and how many do not; without intervals where they would
    /// leave too few.
    pub(crate) fn fitted(&mut self, table: &Table<'_>) -> (String, usize) {
        let all = table.columns.len() + 2;
        self.intervals = true;
        self.intervals = self.columns_that_fit(table) >= CORE.min(all);
        let columns = self.columns_that_fit(table);
        (self.draw(table, columns), all - columns)
    }

    fn answers(&self, study: &Study<'_>) -> String {
        let mut grid = self.grid(presets::NOTHING);
        for comparison in study.answers() {
            let verdict = &comparison.verdict;
            let choice = verdict.choice.map_or_else(
                || Cell::new("–"),
                |choice| Cell::new(choice.label()).fg(colour_of(choice)).add_attribute(Attribute::Bold),
            );
            let mut words = format!("{} [{}]", verdict.sentence, verdict.sure());
            if verdict.sureness == Sureness::NothingMeets || verdict.sureness == Sureness::NotEnoughTrials {
                words = verdict.sentence.to_string();
            }
            // How sure stands in brackets already.
            for (matter, said) in comparison.counsel.matters().into_iter().filter(|it| it.0 != Matter::HowSure) {
                let said: Vec<String> = said.iter().map(ToString::to_string).collect();
                words.push_str(&format!("\n{}: {}", matter.label(), said.join(" ")));
            }
            if let Some(advice) = verdict.advice {
                let says = &comparison.group.workload.advice.says;
                let because = verdict.advice_because.as_deref().unwrap_or_default();
                let place = comparison.group.place();
                words.push_str(&format!("\nUsual advice: “{says}” {} {place}{because}.", advice.label()));
            }
            grid.add_row([Cell::new(&comparison.group.label).add_attribute(Attribute::Bold), choice, Cell::new(words)]);
        }
        for searched in &study.searches {
            grid.add_row([
                Cell::new(&searched.group.label).add_attribute(Attribute::Bold),
                Cell::new(""),
                Cell::new(searched.sentence.to_string()),
            ]);
        }
        self.finish(&mut grid)
    }

    fn table(&self, title: &str, table: &Table<'_>) -> String {
        let columns = self.columns_that_fit(table);
        let mut text = self.paragraph(title);
        text.push_str(&self.draw(table, columns));
        let mut below = String::from("* best  ≈ too close to call");
        match table.columns.len() + 2 - columns {
            0 => {}
            1 => below.push_str("  one more column in report.html or on a wider terminal"),
            dropped => below.push_str(&format!("  {dropped} more columns in report.html or on a wider terminal")),
        }
        text.push_str(&self.paragraph(&below));
        for note in &table.notes {
            text.push_str(&self.paragraph(note));
        }
        text
    }

    /// One server against another: with intervals where there is room for them.
    fn matrix(&self, matrix: &Matrix) -> String {
        let draw = |intervals: bool| {
            let mut grid = self.grid(RULED);
            grid.set_content_arrangement(ContentArrangement::Disabled);
            let names = matrix.transports.iter().map(|transport| transport.label());
            grid.set_header([matrix.title.as_str()].into_iter().chain(names).collect::<Vec<_>>());
            for row in &matrix.rows {
                let entries = row.entries.iter().map(|it| it.as_ref().map_or(Cell::new(""), |it| entry(it, intervals)));
                grid.add_row([Cell::new(&row.label)].into_iter().chain(entries).collect::<Vec<_>>());
            }
            for column in grid.column_iter_mut().skip(1) {
                column.set_cell_alignment(CellAlignment::Right);
            }
            grid
        };
        let plain = Self { colour: false, ..*self };
        let fits = |grid: &mut Grid| widest(&plain.finish(grid)) <= self.width;
        let mut grid = if fits(&mut draw(true)) { draw(true) } else { draw(false) };
        if !fits(&mut draw(false)) {
            grid.set_content_arrangement(ContentArrangement::Dynamic);
        }
        self.finish(&mut grid)
    }

    fn columns_that_fit(&self, table: &Table<'_>) -> usize {
        let plain = Self { colour: false, ..*self };
        let fits = |&columns: &usize| widest(&plain.draw(table, columns)) <= self.width;
        (1..=table.columns.len() + 2).rev().find(fits).unwrap_or(1)
    }

    fn draw(&self, table: &Table<'_>, columns: usize) -> String {
        let mut grid = self.grid(RULED);
        grid.set_content_arrangement(ContentArrangement::Disabled);
        let order = table.by_importance();
        let second = if table.rows.iter().any(|row| row.standing.is_some()) { "SLO" } else { "limit" };
        let heads = ["transport", second].into_iter().chain(order.iter().map(|&index| table.columns[index].head));
        grid.set_header(heads.take(columns).map(Cell::new).collect::<Vec<_>>());
        for row in &table.rows {
            let entries = order.iter().map(|&index| figure(&row.entries[index], self.intervals, row));
            let cells = [name(row), standing(row)].into_iter().chain(entries);
            grid.add_row(cells.take(columns).collect::<Vec<_>>());
        }
        for column in grid.column_iter_mut().skip(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        self.finish(&mut grid)
    }

    fn grid(&self, style: TableStyle) -> Grid {
        let mut grid = Grid::new();
        grid.load_style(style);
        self.prepare(&mut grid, ContentArrangement::Dynamic);
        grid
    }

    fn prepare(&self, grid: &mut Grid, arrangement: ContentArrangement) {
        grid.set_content_arrangement(arrangement);
        grid.set_width(u16::try_from(self.width).unwrap_or(u16::MAX));
        grid.force_no_tty();
        if self.colour {
            grid.enforce_styling();
        }
    }

    /// Wraps one paragraph to the width.
    pub(crate) fn paragraph(&self, words: &str) -> String {
        let mut grid = self.grid(presets::NOTHING);
        grid.add_row([words]);
        if let Some(column) = grid.column_mut(0) {
            column.set_padding((0, 0));
        }
        self.finish(&mut grid)
    }

    fn finish(&self, grid: &mut Grid) -> String {
        let mut text: String = grid.lines().flat_map(|line| [line.trim_end().to_owned(), "\n".into()]).collect();
        if text.trim().is_empty() {
            text.clear();
        }
        text
    }
}

fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

fn name(row: &Row<'_>) -> Cell {
    let sign = if row.is_choice { "▸ " } else { "  " };
    let cell = Cell::new(format!("{sign}{}", row.name())).fg(colour_of(row.transport));
    if row.is_choice { cell.add_attribute(Attribute::Bold) } else { cell }
}

/// Whether it is good enough; where that is not asked, what limited it.
fn standing(row: &Row<'_>) -> Cell {
    match row.standing {
        Some(standing @ Standing::Meets) => Cell::new(standing.label()).fg(Color::Green),
        Some(standing @ Standing::Fails { .. }) => Cell::new(standing.label()).fg(Color::Red),
        Some(standing @ (Standing::Undecided { .. } | Standing::Void { .. } | Standing::Unranked)) => {
            Cell::new(standing.label()).fg(Color::DarkGrey)
        }
        None => Cell::new(row.validity.label()).fg(Color::DarkGrey),
    }
}

/// The best carries a `*`, what cannot be told from the best a `≈`.
fn figure(entry: &Entry, intervals: bool, row: &Row<'_>) -> Cell {
    let cell = self::entry(entry, intervals);
    if row.void.is_some() { cell.add_attribute(Attribute::CrossedOut) } else { cell }
}

fn entry(entry: &Entry, intervals: bool) -> Cell {
    let words = if intervals { entry.whole() } else { entry.point.clone() };
    match entry.mark {
        Mark::None => Cell::new(words),
        Mark::Best => Cell::new(format!("*{words}")).add_attribute(Attribute::Bold),
        Mark::Tied => Cell::new(format!("≈{words}")).fg(Color::DarkGrey),
        Mark::Fault => Cell::new(format!("!{words}")).fg(Color::Red),
    }
}

/// The nearest to the page's palette that a terminal of 256 colours has on either ground.
pub(crate) const fn colour_of(transport: Transport) -> Color {
    Color::AnsiValue(transport.traits().colour.terminal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let (run, servers) = (fixture::whole(), fixture::servers());
        for study in [Study::of(&run), Study::of(&servers)] {
            for width in [40, 60, 80, 100, 140, 200, 400] {
                let text = render(&study, width, false);
                assert!(widest(&text) <= width, "{width}:\n{text}");
            }
        }
    }

    #[test]
    fn without_colour_there_is_no_escape() {
        let run = fixture::run();
        let study = Study::of(&run);
        assert!(!render(&study, 100, false).contains('\u{1b}'));
        assert!(render(&study, 100, true).contains('\u{1b}'));
    }

    #[test]
    fn the_verdict_stands_before_the_table() {
        let run = fixture::run();
        let study = Study::of(&run);
        insta::assert_snapshot!("terminal_120", render(&study, 120, false));
        insta::assert_snapshot!("terminal_80", render(&study, 80, false));
    }

    /// Silence and searches have no verdict by card: their tables stand alone.
    #[test]
    fn what_looks_for_cost_alone_has_small_tables() {
        let mut run = fixture::whole();
        run.records.retain(|it| it.step.is_some() || it.workload.is_silent() && it.workload.subscribers == 1_000);
        insta::assert_snapshot!("terminal_cost", render(&Study::of(&run), 100, false));
    }

    #[test]
    fn several_servers_stand_side_by_side_and_not_each_alone() {
        let run = fixture::servers();
        let text = render(&Study::of(&run), 120, false);
        assert!(!text.contains("\nlight, nchan: "), "{text}");
        insta::assert_snapshot!("terminal_servers", text);
    }

    #[test]
    fn a_debug_build_is_called_meaningless_first() {
        let mut run = fixture::run();
        run.environments[0].profile = "debug".into();
        assert!(terminal(&run, 100, false).starts_with("! DEBUG BUILD"));
    }
}
