//! What every trial is worth: those that count, those that do not, and why.

use pushoff_model::record::{Measurement, Outcome, Purpose};

use crate::blocks::{Block, Fold, Head, Section, Words, WordsRow};
use crate::cells::validity::Validity;
use crate::cells::{Group, Trial};
use crate::findings::study::Study;
use crate::prose::{Prose, Tone, prose};
use crate::words::number::{ABSENT, Quantity};

pub(super) fn section(study: &Study<'_>) -> Section {
    let meanings = Validity::ALL.map(|it| (it.label().to_owned(), it.meaning().to_owned()));
    let mut blocks = vec![Block::Prose(study.tally().into(), String::new()), Block::Facts(meanings.into())];
    let troubled = troubled(study);
    if !troubled.is_empty() {
        let (is_folded, summary) = (troubled.len() > MOST_SHOWN, format!("{} concerns", troubled.len()));
        blocks.extend(Block::folded(is_folded, &summary, vec![Block::List(troubled)]));
    }
    blocks.extend(study.groups().map(|group| Block::OnPage(vec![Block::Fold(trials(group))])));
    Section::titled("validity", "Validity", blocks).folded()
}

/// More concerns than these are folded away: a search runs into limits on purpose.
const MOST_SHOWN: usize = 12;

/// Every concern and every trial without a measurement, in words.
fn troubled(study: &Study<'_>) -> Vec<Prose> {
    let mut items = Vec::new();
    for group in study.groups() {
        for cell in &group.cells {
            for trial in &cell.trials {
                for (label, detail) in troubles(trial) {
                    let (name, number) = (cell.transport(), trial.record.trial);
                    let place = prose![format!("{}, ", group.label), name, format!(", trial {number}: ")];
                    let what = prose![Prose::strong(label, Tone::Plain), format!(": {detail} (")];
                    items.push(place.then(what).then(link(trial)).then(")"));
                }
            }
        }
    }
    items
}

fn troubles<'a>(trial: &Trial<'a>) -> Vec<(&'static str, &'a str)> {
    match &trial.record.outcome {
        Outcome::Measured(it) => {
            it.concerns.iter().map(|concern| (concern.limit.label(), concern.detail.as_str())).collect()
        }
        Outcome::Failed(failure) => vec![("failed", &failure.reason)],
        Outcome::NotRun(not_run) => vec![("not run", &not_run.reason)],
    }
}

/// What the columns of a group's trials are.
const HEADS: [&str; 10] =
    ["transport", "trial", "ran as", "load", "verdict", "deliveries", "p99", "send lag p99", "generator CPU", "origin"];

/// Every trial of a group, only on the page: a record's number is its line in `records.jsonl`.
fn trials(group: &Group<'_>) -> Fold {
    let (anchor, mut rows) = (group.anchor(), Vec::new());
    for cell in &group.cells {
        for (index, trial) in cell.trials.iter().enumerate() {
            let before = [cell.transport().into(), trial.record.trial.to_string().into()];
            let place = [trial.record.position.to_string().into(), load(trial).into(), verdict(trial)];
            let figures = figures(trial.record.measurement()).map(Prose::from);
            let id = (index == 0).then(|| format!("trials-{anchor}-{}", cell.transport()));
            rows.push(WordsRow {
                id,
                group: String::new(),
                cells: before.into_iter().chain(place).chain(figures).chain([link(trial)]).collect(),
            });
        }
    }
    let id = format!("every-trial-{anchor}");
    let words = Words { labelled_by: id.clone(), head: HEADS.map(Head::from).into(), rows };
    Fold {
        summary: format!("Every trial of {}", group.label),
        is_open: false,
        is_brief: false,
        blocks: vec![
            Block::Note(Prose::with_id(id, "A record's number is its line in records.jsonl.")),
            Block::Words(words),
        ],
    }
}

/// The load of a search's step, and what the step was for.
fn load(trial: &Trial<'_>) -> String {
    trial.record.step.map_or_else(String::new, |step| {
        let purpose = match step.purpose {
            Purpose::Ramp => "ramp",
            Purpose::Bisection => "bisection",
            Purpose::Confirmation => "confirmation",
            Purpose::Overload => "overload",
        };
        format!("{}, {purpose}", Quantity::Count.write(step.load))
    })
}

fn verdict(trial: &Trial<'_>) -> Prose {
    match &trial.record.outcome {
        Outcome::Measured(_) if let Some(concern) = trial.void() => {
            prose![Prose::strong("void", Tone::Bad), format!(", {}", concern.limit.label())]
        }
        Outcome::Measured(measurement) => {
            let limit = measurement.concerns.first().map(|concern| format!(", {}", concern.limit.label()));
            prose![Prose::strong("counts", Tone::Good), limit.unwrap_or_default()]
        }
        Outcome::Failed(_) => Prose::strong("failed", Tone::Bad),
        Outcome::NotRun(_) => Prose::strong("not run", Tone::Faint),
    }
}

/// Deliveries, p99, send lag and the generator's share of its processors: where to look first for a trial gone wrong.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn figures(measurement: Option<&Measurement>) -> [String; 4] {
    let Some(it) = measurement else { return [(); 4].map(|()| ABSENT.to_owned()) };
    let time = |latency: Option<std::time::Duration>| {
        latency.map_or_else(|| ABSENT.to_owned(), |value| Quantity::Time.write(value.as_nanos() as f64))
    };
    [
        Quantity::Count.write(it.delivery_latency.count() as f64),
        time(it.delivery_latency.quantile(0.99)),
        time(it.send_lag.quantile(0.99)),
        Quantity::Share.write(it.generator.utilisation()),
    ]
}

fn link(trial: &Trial<'_>) -> Prose {
    Prose::record(trial.number)
}
