//! `report.md`: the answers and tables for a pull request or a wiki.

use std::fmt::Write as _;

use comfy_table::{Table as Grid, presets};

use crate::number::{asked_share, tick};
use crate::rank::Standing;
use crate::sections::method;
use crate::study::{Comparison, Study};
use crate::table::{Mark, Row, Table};

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
        "\nSLO: {} of messages within {}. **Bold** is best, ≈ too close to call, in brackets the 95 % interval.\n",
        asked_share(workload.slo.share.as_f64()),
        tick(workload.slo.within.as_secs_f64() * 1e9),
    );
    let table = Table::of(comparison);
    text.push_str(&grid(&table));
    for note in &table.notes {
        let _written = writeln!(text, "\n{note}");
    }
    text
}

fn grid(table: &Table<'_>) -> String {
    let mut grid = Grid::new();
    grid.load_style(presets::ASCII_MARKDOWN);
    let heads = ["transport", "SLO"].into_iter().chain(table.columns.iter().map(|column| column.head));
    grid.set_header(heads.collect::<Vec<_>>());
    for row in &table.rows {
        let first = [row.transport.label().to_owned(), row.standing.label().to_owned()];
        let entries = row.entries.iter().map(|entry| match entry.mark {
            Mark::None => entry.whole(),
            Mark::Best | Mark::Fault => format!("**{}**", entry.whole()),
            Mark::Tied => format!("≈ {}", entry.whole()),
        });
        grid.add_row(first.into_iter().chain(entries).map(|words| void(row, words)).collect::<Vec<_>>());
    }
    grid.trim_fmt() + "\n"
}

fn void(row: &Row<'_>, words: String) -> String {
    if matches!(row.standing, Standing::Void { .. }) && words != row.standing.label() {
        format!("~~{words}~~")
    } else {
        words
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
