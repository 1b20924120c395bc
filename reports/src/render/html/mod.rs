//! The page: one self-contained file, no network, light, dark and print.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::planner::SCRIPT_HASH as PLANNER_HASH;
use self::table::table;
use crate::ReportError;
use crate::blocks::{Answer, Block, Card, Choice, Document, Fact, Figure, Fold, Section, Words};
use crate::charts::SIZE;
use crate::name::name;
use crate::palette;
use crate::prose::{Prose, Span, Tone};
use crate::words::number::unbroken;

mod planner;
mod records;
mod table;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// SHA-256 of the script, in base64: a test holds it to the file.
const SCRIPT_HASH: &str = "X6vVG+Bkvm90o189kcdQojQGPefw2BI5DJyxRC2qNSM=";

/// Nothing may be fetched, framed or sent, and no other scripts run than the two that belong here.
fn policy() -> String {
    format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{SCRIPT_HASH}' 'sha256-{PLANNER_HASH}'; \
         base-uri 'none'; form-action 'none'"
    )
}

/// A document as a page.
///
/// # Errors
/// When something cannot be packed into the page.
pub(super) fn page(document: &Document) -> Result<String, ReportError> {
    let sections: Result<Vec<Markup>, ReportError> = document.sections.iter().map(section).collect();
    let body = html! {
        h1 { (document.title) }
        p.conditions { @for line in &document.conditions { (unbroken(line)) " " } }
        (contents(&document.sections))
        @for section in sections? { (section) }
    };
    Ok(shell(&format!("{} pushoff report", document.title), &body))
}

/// Where each section is.
fn contents(sections: &[Section]) -> Markup {
    html! {
        nav.contents aria-label="Contents" {
            a href="#top" { "Answer" }
            @for section in sections {
                @if let (Some(id), Some(title)) = (section.id, &section.title) { a href=(format!("#{id}")) { (title) } }
            }
        }
    }
}

/// A whole page around its body.
pub(crate) fn shell(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(palette::css())) (PreEscaped(STYLE)) }
            }
            body {
                header.top #top {
                    span.brand { "pushoff" }
                    button #theme type="button" aria-pressed="false" hidden { "Dark" }
                }
                main { (body) }
                button #back type="button" hidden { "Back to where you were" }
                dialog #record aria-label="Record" {
                    form method="dialog" { button { "Close" } }
                    pre {}
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
    .into_string()
}

fn section(section: &Section) -> Result<Markup, ReportError> {
    let blocks: Result<Vec<Markup>, ReportError> = section.blocks.iter().map(packing).collect();
    let inner = html! { @for block in blocks? { (block) } (meanings(&section.blocks)) };
    Ok(html! {
        @match &section.title {
            Some(title) if section.is_folded => details.section id=[section.id] { summary { h2 { (title) } } (inner) },
            Some(title) => section id=[section.id] { h2 { (title) } (inner) },
            // The answer needs no heading.
            None => {
                @for block in &section.blocks { @if let Block::Warning(..) = block { (self::block(block)) } }
                section.answers aria-label="The answer" {
                    @for block in &section.blocks { @if !matches!(block, Block::Warning(..)) { (self::block(block)) } }
                }
            }
        }
    })
}

/// A block at the top of a section: some are packed.
fn packing(block: &Block) -> Result<Markup, ReportError> {
    if let Block::Plans(plans) = block {
        planner::planner(plans)
    } else if let Block::Records(lines) = block {
        records::records(lines)
    } else {
        Ok(self::block(block))
    }
}

fn block(block: &Block) -> Markup {
    html! {
        @match block {
            Block::Warning(strong, rest) => p.banner role="alert" { strong { (strong) } (rest) },
            Block::Heading(heading) => h3 id=(heading.id) { (heading.text) },
            Block::Prose(words, group) => p { (prose(words, group)) },
            Block::Note(words) => p.note id=[&words.id] { (prose(words, "")) },
            Block::Card(card) => (self::card(card)),
            Block::Table(block) => (table(block)),
            Block::Words(words) => (self::words(words)),
            Block::Chart(figure) => div.charts.wide { (self::figure(figure)) },
            Block::Row(figures) => div.charts { @for figure in figures { (self::figure(figure)) } },
            Block::Facts(facts) => dl.facts { @for (name, value) in facts { dt { (name) } dd { (unbroken(value)) } } },
            Block::Command(command) => pre.command { code { (command) } },
            Block::List(items) => ul.concerns { @for item in items { li { (prose(item, "")) } } },
            Block::Fold(fold) => (self::fold(fold)),
            Block::OnPage(blocks) => @for block in blocks { (self::block(block)) },
            Block::Plans(_) | Block::Records(_) | Block::Data(..) => {},
        }
    }
}

fn fold(fold: &Fold) -> Markup {
    html! {
        details open[fold.is_open] {
            summary { (fold.summary) }
            @for block in &fold.blocks { (self::block(block)) }
        }
    }
}

/// Words with their figures linked to their places in the report of that group.
pub(crate) fn prose(words: &Prose, group: &str) -> Markup {
    html! {
        @for span in &words.spans {
            @match span {
                Span::Text(text) => (unbroken(text)),
                Span::Figure(written, place) => a.figure href=(format!("#{}", place.id(group))) { (unbroken(written)) },
                Span::Linked(written, href) => a.figure href=(href) { (unbroken(written)) },
                Span::Name(transport) => (name(*transport)),
                Span::Break => br;,
                Span::Code(command) => code { (command) },
                Span::Strong(words, tone) => strong class=(tone_class(*tone)) { (words) },
                Span::Entry(entry) => (table::entry(entry)),
                Span::Record(number) => a href="#records" data-record=(number) { "record " (number + 1) },
            }
        }
    }
}

const fn tone_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "",
        Tone::Good => "c-good",
        Tone::Bad => "c-bad",
        Tone::Faint => "c-faint",
    }
}

fn card(card: &Card) -> Markup {
    let (is_alone, edge) = match card.answers.as_slice() {
        [Answer { choice: Choice::Transport(choice), server: None, .. }] => (true, choice.name()),
        [Answer { choice: Choice::None(_), server: None, .. }] => (true, "none"),
        _ => (false, "none"),
    };
    let class = if card.is_wide { "card several".to_owned() } else { format!("card edge-{edge}") };
    html! {
        article class=(class) {
            h2 { a href=(card.asked) { (card.question) } }
            @if !card.slo.is_empty() { p.slo { a.figure href=(card.asked) { (unbroken(&card.slo)) } } }
            @match card.answers.as_slice() {
                [alone] if is_alone => {
                    p.choice { (choice(alone.choice)) (sure(alone)) }
                    p.sentence { (prose(&alone.sentence, &alone.anchor)) }
                    (beside(&alone.facts, &alone.anchor, |fact| fact.is_in_sight))
                    details {
                        summary { "Costs, advice, conditions" }
                        (beside(&alone.facts, &alone.anchor, |fact| !fact.is_in_sight))
                        (beside(&card.facts, &card.anchor, |_| true))
                        (more(card))
                    }
                },
                [alone] if alone.server.is_none() => p.sentence { (sentence(alone)) },
                several => {
                    div.each { @for answer in several { (on_server(answer)) } }
                    (beside(&card.facts, &card.anchor, |_| true))
                },
            }
            @if !is_alone { (more(card)) }
        }
    }
}

/// Where to read on.
fn more(card: &Card) -> Markup {
    html! {
        @if !card.more.is_empty() {
            p.more {
                @for (index, (href, words)) in card.more.iter().enumerate() {
                    @if index > 0 { " · " } a href=(href) { (words) }
                }
            }
        }
    }
}

fn on_server(answer: &Answer) -> Markup {
    html! {
        div {
            h3 { "On " (answer.server.as_deref().unwrap_or_default())
                @if !matches!(answer.choice, Choice::NotAsked) { ": " (choice(answer.choice)) } }
            @if !matches!(answer.choice, Choice::NotAsked) { p { (sure(answer)) } }
            p.sentence { (sentence(answer)) }
            (beside(&answer.facts, &answer.anchor, |_| true))
        }
    }
}

fn sentence(answer: &Answer) -> Markup {
    html! {
        (prose(&answer.sentence, &answer.anchor))
        @if let Some((href, words)) = &answer.figures { " " a href=(href) { (words) } }
    }
}

fn choice(choice: Choice) -> Markup {
    html! {
        @match choice {
            Choice::Transport(transport) => (name(transport)),
            Choice::None(why) => span.name { (why) },
            Choice::NotAsked => {},
        }
    }
}

fn sure(answer: &Answer) -> Markup {
    let class = if answer.is_decided { "sure decided" } else { "sure" };
    html! { @if let (Choice::Transport(_), Some(sure)) = (answer.choice, answer.sure) { span class=(class) { (sure) } } }
}

/// Some of the facts, if there are any.
fn beside(facts: &[Fact], group: &str, which: fn(&Fact) -> bool) -> Markup {
    let mut facts = facts.iter().filter(|fact| which(fact)).peekable();
    html! {
        @if facts.peek().is_some() {
            dl.beside { @for fact in facts { dt { (fact.name) } @for said in &fact.said { dd { (prose(said, group)) } } } }
        }
    }
}

/// A chart with its title, its text alternative and its rows.
fn figure(figure: &Figure) -> Markup {
    let (chart, id) = (&figure.chart, format!("chart-{}-{}", figure.chart.key, figure.anchor));
    html! {
        figure {
            figcaption id=(format!("{id}-title")) {
                @if !figure.about.is_empty() { span.about { (figure.about) ": " } }
                (unbroken(&chart.title))
            }
            svg.chart viewBox=(format!("0 0 {} {}", SIZE.0, SIZE.1)) role="group" tabindex="0"
                aria-labelledby=(format!("{id}-title")) aria-describedby=(format!("{id}-desc")) {
                desc id=(format!("{id}-desc")) { (chart.description) " Its rows follow as a table." }
                (chart.drawing)
            }
            output aria-live="polite" {}
            details.rows {
                summary { "Show data" }
                div.scroll tabindex="0" role="region" aria-labelledby=(format!("{id}-title")) {
                    table {
                        thead { tr { @for head in &chart.rows.head { th scope="col" { (head) } } } }
                        tbody { @for row in &chart.rows.body {
                            tr { @for (index, words) in row.iter().enumerate() {
                                @if index == 0 { th scope="row" { (words) } } @else { td { (words) } }
                            } }
                        } }
                    }
                }
            }
        }
    }
}

fn words(words: &Words) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby=(words.labelled_by) {
            table.lines {
                thead { tr { @for head in &words.head { th scope="col" { (prose(&head.words, "")) } } } }
                tbody { @for row in &words.rows {
                    tr id=[&row.id] { @for (index, cell) in row.cells.iter().enumerate() {
                        @if index == 0 { th scope="row" { (prose(cell, &row.group)) } }
                        @else { td { (prose(cell, &row.group)) } }
                    } }
                } }
            }
        }
    }
}

/// What the figures of some blocks mean, each once.
fn meanings(blocks: &[Block]) -> Markup {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    meant(blocks, &mut seen);
    html! {
        @if !seen.is_empty() {
            details {
                summary { "What each figure means" }
                dl.meanings { @for (label, help) in seen { dt { (label) } dd { (help) } } }
            }
        }
    }
}

fn meant<'b>(blocks: &'b [Block], seen: &mut Vec<(&'b str, &'b str)>) {
    for block in blocks {
        if let Block::Table(block) = block {
            for column in block.table.in_order().into_iter().map(|index| block.table.columns[index]) {
                let meaning = (column.label(), column.help());
                if !seen.contains(&meaning) {
                    seen.push(meaning);
                }
            }
        }
        meant(block.inner(), seen);
    }
}

#[cfg(test)]
mod tests;
