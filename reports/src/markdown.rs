//! `report.md`: the answers and tables for a pull request or a wiki.
//!
//! Whatever a name, a question, a reason or a machine may have brought in is [`escaped`].

mod escape;

use std::fmt::Write as _;
use std::iter;

use comfy_table::{Table as Grid, presets};

use crate::browser::facts;
use crate::charts::predictions;
use crate::cost;
use crate::describe;
use crate::kind::Kind;
use crate::number::ABSENT;
use crate::rank::Standing;
use crate::search;
use crate::sections::method;
use crate::sentence::capitalised;
use crate::servers::matrices;
use crate::study::{Comparison, Study};
use crate::table::{Entry, Mark, Row, Table, noise};
use crate::unitcosts::{FINDINGS, Sheet, conclusion, findings, origin};
use pushoff_planner::costs::Check;

pub(crate) use escape::{code, escaped};

/// The whole document.
pub(crate) fn document(study: &Study<'_>) -> String {
    let mut text = String::from("# Which transport should carry these messages?\n");
    if study.has_debug_build() {
        text.push_str("\n> **Debug build: these figures mean nothing.** Build with `--release` and run again.\n");
    }
    if study.is_empty() {
        text.push_str("\nThere are no records to report on.\n");
    }
    text.push_str(&servers(study));
    if study.is_own_model {
        text.push_str(&cost_model(study));
        text.push_str("\n## The cells of the grid\n");
    }
    for comparison in &study.comparisons {
        let words = if study.is_own_model { cell_of_grid(comparison) } else { answer(comparison) };
        text.push_str(&words);
        text.push_str(&whole(&Table::of(comparison), grid));
    }
    text.push_str(&costs(study));
    text.push_str(&searches(study));
    text.push_str(&growth(study));
    text.push_str(&browser(study));
    text.push_str(&million(study));
    if !study.is_own_model {
        text.push_str(&cost_model(study));
    }
    text.push_str(&validity(study));
    text.push_str("\n## How it was measured\n\n");
    for paragraph in method::paragraphs(study) {
        // Writing to a string cannot fail.
        let _written = writeln!(text, "- **{}** {}", paragraph.0, paragraph.1);
    }
    text.push_str(&environment(study));
    text
}

/// What a cell of a cost model's grid was asked: it answers no question by itself.
fn cell_of_grid(comparison: &Comparison<'_>) -> String {
    let workload = comparison.group.workload;
    let use_of_it = if workload.held_out { "held out, to check the model by" } else { "fitted to" };
    format!("\n### {}: {use_of_it}\n\n{}.\n\n", escaped(&comparison.group.label), escaped(&describe::load(workload)))
}

fn answer(comparison: &Comparison<'_>) -> String {
    let workload = comparison.group.workload;
    let verdict = &comparison.verdict;
    let choice = verdict.choice.map_or("no choice", |choice| choice.label());
    let mut text = format!(
        "\n## {}: {}\n\n**{choice}** ({}). {}\n",
        escaped(&comparison.group.label),
        escaped(&workload.question),
        verdict.sure(),
        escaped(&verdict.sentence.to_string())
    );
    text.push('\n');
    for (matter, said) in comparison.counsel.matters() {
        let said: Vec<String> = said.iter().map(ToString::to_string).collect();
        let _written = writeln!(text, "- **{}** {}", matter.label(), escaped(&said.join(" ")));
    }
    if let Some(advice) = verdict.advice {
        let because = verdict.advice_because.as_deref().unwrap_or_default();
        let (says, place) = (&workload.advice.says, comparison.group.place());
        let words = format!("“{says}” {} {place}{because}.", advice.label());
        let _written = writeln!(text, "- **Usual advice** {}", escaped(&words));
    }
    let _written = writeln!(
        text,
        "- **Conditions** {}\n\n**Bold** is best, ≈ too close to call, in brackets the 95 % interval, (?) beyond \
         tenfold.\n",
        escaped(&comparison.counsel.conditions.to_string())
    );
    text
}

/// A table and what is noted below it.
fn whole(table: &Table<'_>, lay_out: fn(&Table<'_>) -> String) -> String {
    let mut text = lay_out(table);
    for note in &table.notes {
        let _written = writeln!(text, "\n{}", escaped(note));
    }
    text
}

fn servers(study: &Study<'_>) -> String {
    let mut text = String::new();
    for matrix in &matrices(&study.besides) {
        let mut grid = Grid::new();
        grid.load_style(presets::ASCII_MARKDOWN);
        let names = matrix.transports.iter().map(|transport| transport.label());
        grid.set_header([""].into_iter().chain(names).collect::<Vec<_>>());
        for row in &matrix.rows {
            let entries = row.entries.iter().map(|it| it.as_ref().map_or_else(String::new, entry));
            grid.add_row([escaped(&row.label)].into_iter().chain(entries).collect::<Vec<_>>());
        }
        let _written = write!(text, "\n### {}\n\n{}\n", escaped(&matrix.title), grid.trim_fmt());
    }
    for beside in &study.besides {
        let load = if beside.is_search { describe::search(beside.workload) } else { describe::load(beside.workload) };
        let title = format!("{} on {}", beside.label, beside.servers.join(", "));
        let _written = write!(text, "\n### {}\n\n{}.\n\n", escaped(&title), escaped(&load));
        text.push_str(&whole(&beside.table(study.noise_ns), lines));
    }
    if text.is_empty() { text } else { format!("\n## Servers side by side\n{text}") }
}

fn costs(study: &Study<'_>) -> String {
    let compared = study.comparisons.iter().map(|it| (&it.group, &it.costs, it.sources.as_slice()));
    let held = study.holdings.iter().map(|it| (&it.group, &it.costs, &[][..]));
    let mut text = String::new();
    for (group, costs, sources) in compared.chain(held) {
        let _written =
            write!(text, "\n### {}\n\n{}.\n\n", escaped(&group.label), escaped(&describe::load(group.workload)));
        text.push_str(&whole(&cost::table(group, costs, sources, study.noise_ns), grid));
    }
    for taxes in &study.taxes {
        let _written = write!(text, "\n### {}: what the client library costs\n\n", escaped(&taxes.label));
        text.push_str(&whole(&taxes.table(), lines));
    }
    if text.is_empty() { text } else { format!("\n## What each costs\n{text}") }
}

fn searches(study: &Study<'_>) -> String {
    let mut text = String::new();
    for searched in &study.searches {
        let group = &searched.group;
        let _written = write!(
            text,
            "\n## {}: {}\n\n{}\n\n{}. SLO: {}.\n\n",
            escaped(&group.label),
            escaped(&group.workload.question),
            escaped(&searched.sentence.to_string()),
            escaped(&describe::search(group.workload)),
            describe::slo(group.workload)
        );
        text.push_str(&whole(&search::table(searched, study.noise_ns), grid));
    }
    text
}

fn browser(study: &Study<'_>) -> String {
    let mut text = String::new();
    for pages in &study.pages {
        let _written = write!(text, "\n### {}\n\n", escaped(&pages.label));
        text.push_str(&whole(&pages.table(), lines));
    }
    for facts in facts(study) {
        let _written = write!(text, "\n### {}\n\n", escaped(&facts.title));
        for (name, value) in facts.all {
            let _written = writeln!(text, "- {}: {}", escaped(&name), escaped(&value));
        }
    }
    if text.is_empty() { text } else { format!("\n## In a browser\n{text}") }
}

fn growth(study: &Study<'_>) -> String {
    let mut text = String::new();
    for family in &study.families {
        let sizes: Vec<String> = family.sizes.iter().map(u32::to_string).collect();
        let _written = write!(text, "\n## As {} grows: {} connections\n\n", escaped(&family.label), sizes.join(", "));
        text.push_str(&whole(&family.table(), lines));
    }
    text
}

fn million(study: &Study<'_>) -> String {
    let mut text = String::new();
    for it in study.answers().filter(|it| it.costs.iter().any(|costs| costs.million.is_some())) {
        let _written = write!(text, "\n## {}: what 1 million users would need\n\n", escaped(&it.group.label));
        text.push_str(&whole(&cost::million_table(&it.group, &it.costs), lines));
    }
    text
}

/// Unit costs, how well they predict and, where the model is this run's own, every cell that it is
/// checked by.
fn cost_model(study: &Study<'_>) -> String {
    if study.is_empty() {
        return String::new();
    }
    let mut text = format!("\n## The cost model, and how well it predicts\n\n{}\n\n", escaped(&conclusion(study)));
    let findings = findings(&study.checked);
    if !findings.is_empty() {
        let rows =
            findings.iter().map(|it| [it.check.label().to_owned()].into_iter().chain(it.words.clone()).collect());
        let _written = writeln!(text, "{}\n", plain(["figure"].into_iter().chain(FINDINGS), rows));
    }
    for sentence in origin(study) {
        let _written = writeln!(text, "{}\n", escaped(&sentence));
    }
    let sheet = Sheet::of(&study.model);
    let rows = sheet.parts.iter().flat_map(|part| {
        let lines = part.lines.iter().map(|line| {
            let entries = line.entries.iter().map(|entry| entry.as_ref().map_or_else(String::new, Entry::whole));
            [line.label.clone()].into_iter().chain(entries).collect()
        });
        iter::once(vec![format!("**{}**", part.title)]).chain(lines)
    });
    let names = sheet.transports.iter().map(|transport| transport.label());
    let _written = writeln!(text, "{}", plain([""].into_iter().chain(names), rows));
    if study.is_own_model {
        for check in Check::ALL {
            let rows = predictions(&study.checked, check);
            if !rows.body.is_empty() {
                let heads = rows.head.iter().map(String::as_str);
                let _written = writeln!(
                    text,
                    "\n### {}\n\n{}",
                    capitalised(check.label()),
                    plain(heads, rows.body.iter().map(|row| row.iter().map(|it| escaped(it)).collect()))
                );
            }
        }
    }
    text
}

/// A table of words.
fn plain<'a>(heads: impl Iterator<Item = &'a str>, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut grid = Grid::new();
    grid.load_style(presets::ASCII_MARKDOWN);
    grid.set_header(heads.collect::<Vec<_>>());
    for row in rows {
        grid.add_row(row);
    }
    grid.trim_fmt()
}

/// A row a transport.
fn lines(table: &Table<'_>) -> String {
    let mut grid = Grid::new();
    grid.load_style(presets::ASCII_MARKDOWN);
    let heads = table.columns.iter().map(|column| column.head);
    grid.set_header(["transport"].into_iter().chain(heads).chain(["limit"]).collect::<Vec<_>>());
    for row in &table.rows {
        let figures = row.entries.iter().map(|entry| figure(row, entry));
        let name = [escaped(&row.name())].into_iter();
        grid.add_row(name.chain(figures).chain([row.validity.label().to_owned()]).collect::<Vec<_>>());
    }
    grid.trim_fmt() + "\n"
}

/// A row a figure and a column a transport, as on the page.
fn grid(table: &Table<'_>) -> String {
    let mut grid = Grid::new();
    grid.load_style(presets::ASCII_MARKDOWN);
    let names = table.rows.iter().map(|row| row.transport.label());
    grid.set_header([""].into_iter().chain(names).collect::<Vec<_>>());
    let limits = table.rows.iter().map(|row| row.validity.label().to_owned());
    grid.add_row(["limit".to_owned()].into_iter().chain(limits).collect::<Vec<_>>());
    if table.rows.iter().any(|row| row.standing.is_some()) {
        let standings = table.rows.iter().map(|row| row.standing.map_or("", Standing::label).to_owned());
        grid.add_row(["SLO".to_owned()].into_iter().chain(standings).collect::<Vec<_>>());
    }
    for kind in Kind::ALL {
        if table.columns.iter().any(|column| column.kind == kind) {
            grid.add_row([format!("**{}**", kind.label())]);
        }
        for (index, column) in table.columns.iter().enumerate().filter(|(_, column)| column.kind == kind) {
            let figures = table.rows.iter().map(|row| figure(row, &row.entries[index]));
            grid.add_row([column.head.to_owned()].into_iter().chain(figures).collect::<Vec<_>>());
        }
    }
    grid.trim_fmt() + "\n"
}

fn figure(row: &Row<'_>, entry: &Entry) -> String {
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

fn validity(study: &Study<'_>) -> String {
    let mut text = format!("\n## Validity\n\n{}\n\n", study.tally());
    for group in study.groups() {
        for cell in &group.cells {
            for trial in &cell.trials {
                let place =
                    format!("{}, {}, trial {}", escaped(&group.label), cell.transport.label(), trial.record.trial);
                let concerns = trial.record.measurement().map_or(&[][..], |it| &it.concerns);
                for concern in concerns {
                    let _written = writeln!(text, "- {place}: {}: {}", concern.limit.label(), escaped(&concern.detail));
                }
                if trial.record.measurement().is_none() {
                    let _written =
                        writeln!(text, "- {place}: not measured: {}", escaped(trial.reason().unwrap_or_default()));
                }
            }
        }
    }
    text
}

fn environment(study: &Study<'_>) -> String {
    let mut text = String::from("\n## Environment\n\n");
    for environment in &study.run.environments {
        let _written = writeln!(
            text,
            "{} at {}, pushoff {} ({}, {}), {}, {} × {}, {}.",
            code(&environment.command),
            escaped(&environment.started),
            escaped(&environment.version),
            escaped(&environment.revision),
            escaped(&environment.profile),
            escaped(&environment.rustc),
            environment.cpus,
            escaped(&environment.cpu),
            escaped(&environment.kernel),
        );
        for sentence in noise(study.noise_ns).iter().chain(&environment.shortages) {
            let _written = writeln!(text, "\n{}", escaped(sentence));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_document_as_a_whole() {
        let run = fixture::run();
        insta::assert_snapshot!("markdown", document(&Study::of(&run)));
    }

    #[test]
    fn several_servers_stand_side_by_side_first() {
        let run = fixture::servers();
        let text = document(&Study::of(&run));
        let start = text.find("## Servers side by side").unwrap();
        insta::assert_snapshot!("markdown_servers", &text[start..text.find("\n## light, pushoff").unwrap()]);
    }

    /// Its cost is not known, its bytes have no theory, there is no floor, and all of that is said.
    #[test]
    fn a_server_of_somebody_elses_alone() {
        let run = fixture::remote();
        let text = document(&Study::of(&run));
        insta::assert_snapshot!("markdown_remote", &text[..text.find("## Environment").unwrap()]);
    }

    #[test]
    fn costs_searches_and_growth_have_their_tables() {
        let mut run = fixture::whole();
        run.records.retain(|it| it.workload.name != "progress" && it.workload.name != "chat");
        let text = document(&Study::of(&run));
        let start = text.find("## What each costs").unwrap();
        insta::assert_snapshot!("markdown_cost", &text[start..text.find("## Validity").unwrap()]);
    }
}
