//! Markdown, for a pull request or a wiki.
//!
//! Whatever a name, a question, a reason or a machine may have brought in is [`escaped`].

use comfy_table::{Table as Grid, presets};

use super::escape::{code, escaped};
use crate::blocks::{Answer, Block, Card, Choice, Document, Fact, Fold, Layout, TableBlock, Words};
use crate::metric::Scope;
use crate::metric::Standing;
use crate::prose::{Prose, Span};
use crate::table::{Entry, Mark, Row, Table};
use crate::words::number::ABSENT;

/// A document, without what only a page can show.
pub(super) fn document(document: &Document) -> String {
    let mut text = format!("# {}\n", escaped(&document.title));
    if !document.conditions.is_empty() {
        text.push_str(&format!("\n{}\n", escaped(&document.conditions.join(" "))));
    }
    for section in &document.sections {
        let blocks = blocks(&section.blocks);
        if let Some(title) = section.title.as_ref().filter(|_| !blocks.is_empty()) {
            text.push_str(&format!("\n## {}\n", escaped(title)));
        }
        text.push_str(&blocks);
    }
    text
}

fn blocks(all: &[Block]) -> String {
    all.iter().map(block).collect()
}

fn block(block: &Block) -> String {
    match block {
        Block::Warning(strong, rest) => format!("\n> **{strong}**{rest}\n"),
        Block::Heading(heading) => format!("\n### {}\n", escaped(&heading.text)),
        Block::Prose(words, _) | Block::Note(words) => format!("\n{}\n", prose(words)),
        Block::Card(card) => self::card(card),
        Block::Table(block) => table(block),
        Block::Words(words) => format!("\n{}\n", self::words(words)),
        Block::Facts(facts) => {
            let item = |(name, value): &(String, String)| format!("- **{}** {}\n", escaped(name), escaped(value));
            format!("\n{}", facts.iter().map(item).collect::<String>())
        }
        Block::Command(command) => format!("\n{}\n", code(command)),
        Block::List(items) => format!("\n{}", items.iter().map(|it| format!("- {}\n", prose(it))).collect::<String>()),
        Block::Fold(fold) => self::fold(fold),
        Block::Chart(_) | Block::Row(_) | Block::OnPage(_) | Block::Plans(_) | Block::Records(_) | Block::Data(..) => {
            String::new()
        }
    }
}

fn fold(fold: &Fold) -> String {
    let inner = blocks(&fold.blocks);
    if fold.is_open || inner.is_empty() {
        return inner;
    }
    format!("\n<details><summary>{}</summary>\n{inner}\n</details>\n", escaped(&fold.summary))
}

/// Words as Markdown.
fn prose(prose: &Prose) -> String {
    let written = |(span, words): (&Span, String)| match span {
        Span::Strong(..) => format!("**{}**", escaped(&words)),
        Span::Code(command) => code(command),
        Span::Entry(entry) => self::entry(entry),
        Span::Break => "<br>".into(),
        Span::Text(_) | Span::Figure(..) | Span::Linked(..) | Span::Name(_) | Span::Record(_) => escaped(&words),
    };
    prose.words().map(written).collect::<String>().trim_end().to_owned()
}

fn card(card: &Card) -> String {
    let alone = card.answers.len() == 1;
    let label = card.answers.first().filter(|_| alone).map_or_else(|| card.slo.clone(), |it| it.label.clone());
    let mut text = format!("\n## {}: {}\n", escaped(&label), escaped(&card.question));
    for answer in &card.answers {
        text.push_str(&self::answer(answer));
        text.push_str(&facts(&answer.facts));
    }
    text.push_str(&facts(&card.facts));
    text
}

fn answer(answer: &Answer) -> String {
    let on = answer.server.as_ref().map_or_else(String::new, |server| format!("On {}: ", escaped(server)));
    let sure = answer.sure.map_or_else(String::new, |sure| format!(" ({sure})"));
    let choice = match answer.choice {
        Choice::Transport(choice) => format!("**{}**{sure}. ", choice.label()),
        Choice::None(why) => format!("**{why}**. "),
        Choice::NotAsked => String::new(),
    };
    format!("\n{on}{choice}{}\n\n", prose(&answer.sentence))
}

fn facts(facts: &[Fact]) -> String {
    let said = |fact: &Fact| fact.said.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    facts.iter().map(|fact| format!("- **{}** {}\n", fact.name, escaped(said(fact).trim()))).collect()
}

/// A table and what is noted below it.
fn table(block: &TableBlock) -> String {
    let drawn = match block.layout {
        Layout::Columns => columns(&block.table),
        Layout::Rows => rows(&block.table),
    };
    let notes = block.table.notes.iter().map(|note| format!("\n{}\n", escaped(note)));
    format!("\n{drawn}\n{}", notes.collect::<String>())
}

fn grid(head: Vec<String>) -> Grid {
    let mut grid = Grid::new();
    grid.load_style(presets::ASCII_MARKDOWN);
    grid.set_header(head);
    grid
}

fn words(words: &Words) -> String {
    let mut grid = grid(words.head.iter().map(|head| prose(&head.words)).collect());
    for row in &words.rows {
        grid.add_row(row.cells.iter().map(prose).collect::<Vec<_>>());
    }
    grid.trim_fmt()
}

/// A row a cell.
fn rows(table: &Table) -> String {
    let order = table.in_order();
    let (has_standings, has_limits) = (table.has_standings(), table.has_limits());
    let with = |is_there: bool, words: &str| is_there.then(|| words.to_owned());
    let heads = order.iter().map(|&index| table.columns[index].label().to_owned());
    let before = ["transport".to_owned()].into_iter().chain(with(has_standings, "SLO"));
    let mut grid = grid(before.chain(heads).chain(with(has_limits, "limit")).collect());
    for row in &table.rows {
        let standing = with(has_standings, row.standing.as_ref().map_or("", Standing::label));
        let figures = order.iter().map(|&index| figure(row, &row.entries[index]));
        let cells = [escaped(&row.name())].into_iter().chain(standing).chain(figures);
        grid.add_row(cells.chain(with(has_limits, row.validity.label())).collect::<Vec<_>>());
    }
    grid.trim_fmt()
}

/// A row a figure and a column a transport, as on the page.
fn columns(table: &Table) -> String {
    let names = table.rows.iter().map(|row| row.transport().label().to_owned());
    let mut grid = grid([String::new()].into_iter().chain(names).collect());
    let mut add = |head: &str, words: Vec<String>| {
        grid.add_row([head.to_owned()].into_iter().chain(words).collect::<Vec<_>>());
    };
    if table.has_limits() {
        add("limit", table.rows.iter().map(|row| row.validity.label().to_owned()).collect());
    }
    for scope in Scope::ALL {
        let own = table.in_order().into_iter().filter(|&index| table.columns[index].scope() == scope);
        for (place, index) in own.enumerate() {
            if place == 0 {
                add(&format!("**{}**", scope.label()), Vec::new());
            }
            add(table.columns[index].label(), table.rows.iter().map(|row| figure(row, &row.entries[index])).collect());
        }
    }
    grid.trim_fmt()
}

fn figure(row: &Row, entry: &Entry) -> String {
    let words = entry.whole();
    if row.void.is_some() && words != ABSENT && !words.is_empty() {
        return format!("~~{words}~~");
    }
    self::entry(entry)
}

fn entry(entry: &Entry) -> String {
    let words = entry.whole();
    match entry.mark {
        Mark::None => words,
        Mark::Best | Mark::Fault => format!("**{words}**"),
        Mark::Tied => format!("≈ {words}"),
    }
}

#[cfg(test)]
mod tests {
    use pushoff_model::Transport;

    use super::*;
    use crate::findings::study::Study;
    use crate::fixture;
    use crate::prose::Tone;

    #[test]
    fn a_name_within_a_sentence_is_small_and_a_command_is_code() {
        let words = crate::prose::prose![
            Prose::strong("light", Tone::Plain),
            ", ",
            Transport::RawTcp,
            ". ",
            Transport::ShortPolling,
            ": ",
            Prose::code("pushoff plan --users 1k")
        ];
        assert_eq!(prose(&words), "**light**, raw TCP. Short polling: `pushoff plan --users 1k`");
    }

    fn text(run: &crate::Run) -> String {
        document(&crate::document::report(&Study::of(run)).unwrap())
    }

    #[test]
    fn the_document_as_a_whole() {
        let run = fixture::run();
        insta::assert_snapshot!("markdown", text(&run));
    }

    #[test]
    fn several_servers_stand_side_by_side_first() {
        let run = fixture::servers();
        let text = text(&run);
        let start = text.find("## Servers side by side").unwrap();
        insta::assert_snapshot!("markdown_servers", &text[start..text.find("\n## Transports side by side").unwrap()]);
    }

    /// Its cost is not known, its bytes have no theory, there is no floor, and all of that is said.
    #[test]
    fn a_server_of_somebody_elses_alone() {
        let run = fixture::remote();
        let text = text(&run);
        insta::assert_snapshot!("markdown_remote", &text[..text.find("## Environment").unwrap()]);
    }

    #[test]
    fn costs_searches_and_growth_have_their_tables() {
        let mut run = fixture::whole();
        run.records.retain(|it| it.workload.name != "progress" && it.workload.name != "chat");
        let text = text(&run);
        let start = text.find("## Side by side").unwrap();
        insta::assert_snapshot!("markdown_cost", &text[start..text.find("## All figures").unwrap()]);
    }
}
