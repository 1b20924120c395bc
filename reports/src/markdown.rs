//! `report.md`: the answers and tables for a pull request or a wiki.

use std::fmt::Write as _;

use comfy_table::{Table as Grid, presets};

use crate::describe;
use crate::number::ABSENT;
use crate::rank::Standing;
use crate::sections::method;
use crate::study::{Comparison, Study};
use crate::table::{Entry, Kind, Mark, Row, Table};

/// The whole document.
pub(crate) fn document(study: &Study<'_>) -> String {
    let mut text = String::from("# Which transport should carry these messages?\n");
    if study.has_debug_build() {
        text.push_str("\n> **Debug build: these figures mean nothing.** Build with `--release` and run again.\n");
    }
    if study.comparisons.is_empty() {
        text.push_str("\nThere are no records to report on.\n");
    }
    for comparison in &study.comparisons {
        text.push_str(&section(comparison));
    }
    text.push_str(&validity(study));
    text.push_str("\n## How it was measured\n\n");
    for paragraph in method::PARAGRAPHS {
        // Writing to a string cannot fail.
        let _written = writeln!(text, "- **{}** {}", paragraph.0, paragraph.1);
    }
    text.push_str(&environment(study));
    text
}

fn section(comparison: &Comparison<'_>) -> String {
    let workload = comparison.group.workload;
    let verdict = &comparison.verdict;
    let choice = verdict.choice.map_or("no choice", |choice| choice.label());
    let mut text = format!(
        "\n## {}: {}\n\n**{choice}** ({}). {}\n",
        comparison.group.label,
        workload.question,
        verdict.sureness.label(),
        verdict.sentence
    );
    if let Some(next) = verdict.runner_up {
        let _written = writeln!(text, "\nRunner-up: {}.", next.label());
    }
    if let Some(advice) = verdict.advice {
        let _written = writeln!(
            text,
            "\nUsual advice: {}. The data {}{}.",
            workload.advice.says,
            advice.label(),
            verdict.advice_because.as_deref().unwrap_or_default()
        );
    }
    let _written = writeln!(
        text,
        "\n{}. SLO: {}. **Bold** is best, ≈ too close to call, in brackets the 95 % interval.\n",
        describe::load(workload),
        describe::slo(workload),
    );
    let table = Table::of(comparison);
    text.push_str(&grid(&table));
    for note in &table.notes {
        let _written = writeln!(text, "\n{note}");
    }
    text
}

/// A row a figure and a column a transport, as on the page.
fn grid(table: &Table<'_>) -> String {
    let mut grid = Grid::new();
    grid.load_style(presets::ASCII_MARKDOWN);
    let names = table.rows.iter().map(|row| row.transport.label());
    grid.set_header([""].into_iter().chain(names).collect::<Vec<_>>());
    let standings = table.rows.iter().map(|row| row.standing.label().to_owned());
    grid.add_row(["SLO".to_owned()].into_iter().chain(standings).collect::<Vec<_>>());
    for kind in Kind::ALL {
        for (index, column) in table.columns.iter().enumerate().filter(|(_, column)| column.kind == kind) {
            let figures = table.rows.iter().map(|row| figure(row, &row.entries[index]));
            grid.add_row([column.head.to_owned()].into_iter().chain(figures).collect::<Vec<_>>());
        }
    }
    grid.trim_fmt() + "\n"
}

fn figure(row: &Row<'_>, entry: &Entry) -> String {
    let words = entry.whole();
    match entry.mark {
        _ if matches!(row.standing, Standing::Void { .. }) && words != ABSENT => format!("~~{words}~~"),
        Mark::None => words,
        Mark::Best | Mark::Fault => format!("**{words}**"),
        Mark::Tied => format!("≈ {words}"),
    }
}

fn validity(study: &Study<'_>) -> String {
    let mut text = format!("\n## Validity\n\n{}\n\n", study.tally());
    for comparison in &study.comparisons {
        for cell in &comparison.group.cells {
            for trial in &cell.trials {
                let place =
                    format!("{}, {}, trial {}", comparison.group.label, cell.transport.label(), trial.record.trial);
                let concerns = trial.record.measurement().map_or(&[][..], |it| &it.concerns);
                for concern in concerns {
                    let _written = writeln!(text, "- {place}: {}: {}", concern.limit.label(), concern.detail);
                }
                if trial.record.measurement().is_none() {
                    let _written = writeln!(text, "- {place}: not measured: {}", trial.reason().unwrap_or_default());
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
            "`{}` at {}, pushoff {} ({}, {}), {}, {} × {}, {}.",
            environment.command,
            environment.started,
            environment.version,
            environment.revision,
            environment.profile,
            environment.rustc,
            environment.cpus,
            environment.cpu,
            environment.kernel,
        );
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
}
