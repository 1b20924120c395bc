//! The terminal: the verdict first, then tables fitted to the width.
//!
//! The same words and roundings as the page. Columns drop from the right, by importance; where
//! even the most important would not fit with their intervals, the intervals go first, from all
//! tables.

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ContentArrangement, LineStyle, Table as Grid, TableStyle, presets,
};
use pushoff_model::Transport;

use crate::blocks::{Answer, Block, Choice, Document, Fact, Words};
use crate::metric::Standing;
use crate::prose::{Prose, Span, Tone};
use crate::table::{Entry, Mark, Row, Table};
use crate::words::number::unbroken;

/// So many columns must fit with their intervals: transport, SLO, share, cost, p50, p99.
const CORE: usize = 6;
/// A rule below the head and one at the end.
const RULED: TableStyle = TableStyle::new()
    .header_separator(LineStyle::new('─', '─', '─', '─'))
    .bottom_border(LineStyle::new('─', '─', '─', '─'));
/// Below this a table cannot be read anyway.
const NARROWEST: usize = 20;

/// What a terminal shows of a document, at most `width` columns wide, coloured only where asked for.
pub(super) fn document(document: &Document, width: usize, colour: bool) -> String {
    let mut shown = Vec::new();
    for section in document.sections.iter().filter(|section| section.is_brief) {
        brief(&section.blocks, &mut shown);
    }
    let mut screen = Screen::new(width, colour);
    let tables = shown.iter().filter_map(|block| if let Block::Table(it) = block { Some(&it.table) } else { None });
    screen.intervals = tables.clone().all(|table| screen.columns_that_fit(table) >= CORE.min(table.columns.len() + 2));
    let mut text = screen.answers(&shown);
    let mut title = None;
    for block in shown {
        match block {
            Block::Warning(strong, rest) => {
                text.insert_str(0, &format!("{}\n", screen.paragraph(&format!("! {strong}{rest}"))));
            }
            Block::Heading(heading) => {
                title = Some(
                    heading
                        .says
                        .as_ref()
                        .map_or_else(|| heading.text.clone(), |says| format!("{}: {says}", heading.text)),
                );
            }
            Block::Prose(words, _) => text.push_str(&screen.paragraph(&unbroken(&words.to_string()))),
            Block::Table(block) => {
                let title = title.take().map(|title| screen.paragraph(&title)).unwrap_or_default();
                text.push_str(&format!("\n{title}{}", screen.table(&block.table)));
            }
            Block::Words(words) => {
                let title = title.take().map(|title| screen.paragraph(&title)).unwrap_or_default();
                text.push_str(&format!("\n{title}{}", screen.words(words)));
            }
            Block::Note(_) | Block::Card(_) | Block::Chart(_) | Block::Row(_) | Block::Facts(_) | Block::Command(_) => {
            }
            Block::List(_)
            | Block::Fold(_)
            | Block::OnPage(_)
            | Block::Plans(_)
            | Block::Records(_)
            | Block::Data(..) => {}
        }
    }
    if !document.tally.is_empty() {
        text.push_str(&format!("\n{}", screen.paragraph(&document.tally)));
    }
    text
}

/// The blocks that a terminal shows.
fn brief<'d>(blocks: &'d [Block], shown: &mut Vec<&'d Block>) {
    for block in blocks {
        if let Block::Fold(fold) = block {
            brief(if fold.is_brief { &fold.blocks } else { &[] }, shown);
        } else {
            shown.push(block);
        }
    }
}

/// What is drawn on.
struct Screen {
    width: usize,
    colour: bool,
    /// Whether figures carry their intervals: in all tables or in none.
    intervals: bool,
}

impl Screen {
    /// So many columns wide, coloured only where asked for.
    fn new(width: usize, colour: bool) -> Self {
        Self { width: width.max(NARROWEST), colour, intervals: true }
    }

    /// The first of some tables that fits, the last of them broken into lines where none does.
    fn first_that_fits(&self, tables: impl Iterator<Item = Grid>) -> String {
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

    /// The answers of all cards: a row each.
    fn answers(&self, blocks: &[&Block]) -> String {
        let mut grid = self.grid(presets::NOTHING);
        let cards = blocks.iter().filter_map(|block| if let Block::Card(card) = block { Some(card) } else { None });
        for answer in cards.flat_map(|card| &card.answers) {
            let choice = match answer.choice {
                Choice::Transport(choice) => {
                    Cell::new(choice.label()).fg(colour_of(choice)).add_attribute(Attribute::Bold)
                }
                Choice::None(_) => Cell::new("–"),
                Choice::NotAsked => Cell::new(""),
            };
            let label = Cell::new(&answer.label).add_attribute(Attribute::Bold);
            grid.add_row([label, choice, Cell::new(said(answer))]);
        }
        self.finish(&mut grid)
    }

    fn table(&self, table: &Table) -> String {
        let columns = self.columns_that_fit(table);
        let mut text = self.draw(table, columns);
        let mut below = String::from("* best  ≈ not shown to differ from the best");
        match table.columns.len() + 2 - columns {
            0 => {}
            1 => below.push_str("  one more column on a wider terminal, in the report and with --json"),
            more => {
                below.push_str(&format!("  {more} more columns on a wider terminal, in the report and with --json"));
            }
        }
        text.push_str(&self.paragraph(&below));
        for note in &table.notes {
            text.push_str(&self.paragraph(note));
        }
        text
    }

    /// A table of words: with intervals where there is room for them, and then without what goes first.
    fn words(&self, words: &Words) -> String {
        let draw = |intervals: bool, whole: bool| {
            let kept: Vec<usize> =
                (0..words.head.len()).filter(|&index| whole || !words.head[index].is_dropped_first).collect();
            let mut grid = self.grid(RULED);
            grid.set_header(kept.iter().map(|&index| words.head[index].words.to_string()).collect::<Vec<_>>());
            for row in &words.rows {
                grid.add_row(kept.iter().map(|&index| self::words(&row.cells[index], intervals)).collect::<Vec<_>>());
            }
            for (place, &index) in kept.iter().enumerate() {
                let is_entry = |prose: &Prose| matches!(prose.spans.as_slice(), [Span::Entry(_)]);
                let is_figure = words.head[index].is_figure || words.rows.iter().any(|row| is_entry(&row.cells[index]));
                if let Some(column) = grid.column_mut(place).filter(|_| is_figure) {
                    column.set_cell_alignment(CellAlignment::Right);
                }
            }
            grid
        };
        self.first_that_fits(
            [(true, true), (false, true), (false, false)].into_iter().map(|(one, other)| draw(one, other)),
        )
    }

    fn columns_that_fit(&self, table: &Table) -> usize {
        let plain = Self { colour: false, ..*self };
        let fits = |&columns: &usize| widest(&plain.draw(table, columns)) <= self.width;
        (1..=table.columns.len() + 2).rev().find(fits).unwrap_or(1)
    }

    fn draw(&self, table: &Table, columns: usize) -> String {
        let mut grid = self.grid(RULED);
        grid.set_content_arrangement(ContentArrangement::Disabled);
        let order: Vec<usize> = (0..table.columns.len()).collect();
        let second = if table.has_standings() { "SLO" } else { "limit" };
        let heads = ["transport", second].into_iter().chain(order.iter().map(|&index| table.columns[index].label()));
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
    fn paragraph(&self, words: &str) -> String {
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

fn name(row: &Row) -> Cell {
    let sign = if row.is_choice { "▸ " } else { "  " };
    let cell = Cell::new(format!("{sign}{}", row.name())).fg(colour_of(row.transport()));
    if row.is_choice { cell.add_attribute(Attribute::Bold) } else { cell }
}

/// Whether it is good enough; where that is not asked, what limited it.
fn standing(row: &Row) -> Cell {
    match &row.standing {
        Some(standing @ Standing::Meets) => Cell::new(standing.label()).fg(Color::Green),
        Some(standing @ Standing::Fails { .. }) => Cell::new(standing.label()).fg(Color::Red),
        Some(standing @ (Standing::Undecided { .. } | Standing::Void { .. } | Standing::Unranked)) => {
            Cell::new(standing.label()).fg(Color::DarkGrey)
        }
        None => Cell::new(row.validity.label()).fg(Color::DarkGrey),
    }
}

/// The best carries a `*`, what cannot be told from the best a `≈`.
fn figure(entry: &Entry, intervals: bool, row: &Row) -> Cell {
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

/// Words in a cell of a table.
fn words(prose: &Prose, intervals: bool) -> Cell {
    match prose.spans.as_slice() {
        [Span::Strong(words, Tone::Bad)] => Cell::new(words).fg(Color::Red).add_attribute(Attribute::Bold),
        [Span::Strong(words, Tone::Good)] => Cell::new(words).fg(Color::Green),
        [Span::Strong(words, Tone::Faint)] => Cell::new(words).fg(Color::DarkGrey),
        [Span::Name(transport)] => Cell::new(transport.label()).fg(colour_of(*transport)),
        [Span::Entry(entry)] => self::entry(entry, intervals),
        _ => Cell::new(prose.to_string()),
    }
}

/// What is said of an answer: the verdict and how sure it is, then a line a matter.
fn said(answer: &Answer) -> String {
    let sure = answer.sure.map_or_else(String::new, |sure| format!(" [{sure}]"));
    let mut words = format!("{}{sure}", answer.sentence);
    for Fact { name, said, .. } in answer.facts.iter().filter(|fact| fact.is_brief) {
        let said: Vec<String> = said.iter().map(ToString::to_string).filter(|it| !it.is_empty()).collect();
        words.push_str(&format!("\n{name}: {}", said.join(" ")));
    }
    words
}

/// The nearest to the page's palette that a terminal of 256 colours has on either ground.
const fn colour_of(transport: Transport) -> Color {
    Color::AnsiValue(transport.traits().colour.terminal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::study::Study;
    use crate::fixture;

    fn render(study: &Study<'_>, width: usize, colour: bool) -> String {
        document(&crate::document::report(study).unwrap(), width, colour)
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let (run, servers) = (fixture::whole(), fixture::servers());
        for study in [Study::of(&run), Study::of(&servers)] {
            let whole = crate::document::report(&study).unwrap();
            for width in [40, 60, 80, 100, 140, 200, 400] {
                let text = document(&whole, width, false);
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
        assert!(crate::Report::of(&run).unwrap().document().terminal(100, false).starts_with("! Debug build"));
    }
}
