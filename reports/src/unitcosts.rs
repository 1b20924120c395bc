//! The cost model in words and figures: what one of each costs, where that is known from, and how
//! well it predicts. Written out once for the page and the Markdown.

use pushoff_model::{Client, Environment, Transport};

use crate::number::{ABSENT, Quantity as Unit, asked_share, thousands};
use crate::sentence::capitalised;
use crate::study::Study;
use crate::table::{Entry, Mark};
use pushoff_planner::WAIT;
use pushoff_planner::costs::{
    Check, Checked, CostModel, FittedModel, HEARTBEAT, Quantity, Regressor, Summary, TransportModel, summaries,
};
use pushoff_stats::{Figure, Interval};

/// What one of each costs, a column a transport.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) transports: Vec<Transport>,
    pub(crate) parts: Vec<Part>,
}

/// The costs of one kind.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) title: String,
    pub(crate) lines: Vec<Line>,
}

/// One cost, an entry a transport.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) label: String,
    /// What it means, where the label does not say it all.
    pub(crate) help: Option<&'static str>,
    /// None where it does not occur, or where no cost of it was found.
    pub(crate) entries: Vec<Option<Entry>>,
}

impl Sheet {
    /// What the model says, law by law.
    pub(crate) fn of(model: &CostModel) -> Self {
        let parts = Quantity::ALL.into_iter().map(|quantity| part(model, quantity));
        Self {
            transports: model.transports.iter().map(|it| it.transport).collect(),
            parts: parts.filter(|part| !part.lines.is_empty()).collect(),
        }
    }
}

fn part(model: &CostModel, quantity: Quantity) -> Part {
    let each = |of: &dyn Fn(&TransportModel) -> Option<Entry>| -> Vec<Option<Entry>> {
        model.transports.iter().map(of).collect()
    };
    let terms = Regressor::ALL.into_iter().map(|driver| Line {
        label: driver.label().to_owned(),
        help: None,
        entries: each(&|laws| {
            let (unit, factor) = unit(quantity, driver);
            Some(entry(unit, &term(laws.fitted.get(&quantity)?, driver)?.times(factor)))
        }),
    });
    let mut lines: Vec<Line> = terms.collect();
    if quantity == Quantity::Processor {
        lines.push(Line {
            label: "an idle second of a connection".into(),
            help: Some(
                "a heartbeat each 15 s on a stream, an empty poll each 25 s of long polling, one a second of short polling",
            ),
            entries: each(&|laws| Some(entry(Unit::Time, &idle(laws)?))),
        });
    }
    lines.push(Line {
        label: "a cell lies beside it by".into(),
        help: Some("the standard deviation of the cells that the model was fitted to, about what it says of them"),
        entries: each(&|laws| {
            laws.fitted.get(&quantity).map(|law| plain(format!("± {}", error(law.scatter.exp_m1()))))
        }),
    });
    lines.retain(|line| line.entries.iter().any(Option::is_some));
    let title = match quantity {
        Quantity::LatencyP50 | Quantity::LatencyP99 => {
            format!(
                "{}: added up, an event being a publish with its deliveries or a poll",
                capitalised(quantity.label())
            )
        }
        Quantity::Processor
        | Quantity::Connecting
        | Quantity::ProcessMemory
        | Quantity::KernelMemory
        | Quantity::BytesDown
        | Quantity::BytesUp
        | Quantity::SegmentsDown
        | Quantity::SegmentsUp => capitalised(quantity.label()),
    };
    Part { title, lines }
}

/// How a law's value is written, and what it is multiplied by for that.
const fn unit(quantity: Quantity, driver: Regressor) -> (Unit, f64) {
    match (quantity, driver) {
        // Nanoseconds of latency a second of processor time.
        (Quantity::LatencyP50 | Quantity::LatencyP99, Regressor::Event | Regressor::Queue) => (Unit::Ratio, 1e-9),
        (Quantity::Processor | Quantity::Connecting | Quantity::LatencyP50 | Quantity::LatencyP99, _) => {
            (Unit::Time, 1.0)
        }
        (Quantity::ProcessMemory | Quantity::KernelMemory | Quantity::BytesDown | Quantity::BytesUp, _) => {
            (Unit::Bytes, 1.0)
        }
        (Quantity::SegmentsDown | Quantity::SegmentsUp, _) => (Unit::Count, 1.0),
    }
}

fn term(law: &FittedModel, driver: Regressor) -> Option<Figure> {
    let term = law.terms.iter().find(|term| term.regressor == driver)?;
    Some(Figure { point: term.value, interval: Some(Interval { low: term.low, high: term.high }) })
}

/// What nothing costs: the heartbeats or empty polls of a second in which nobody says anything.
fn idle(laws: &TransportModel) -> Option<Figure> {
    let (driver, a_second) = match laws.transport {
        Transport::ShortPolling => (Regressor::Empties, 1.0),
        Transport::LongPolling => (Regressor::Empties, 1.0 / WAIT),
        Transport::HttpStreaming | Transport::Sse | Transport::WebSocket | Transport::RawTcp => {
            (Regressor::Heartbeats, 1.0 / HEARTBEAT)
        }
    };
    Some(term(laws.fitted.get(&Quantity::Processor)?, driver)?.times(a_second))
}

fn entry(unit: Unit, figure: &Figure) -> Entry {
    Entry { point: unit.write(figure.point), interval: unit.write_interval(figure), mark: Mark::None, value: None }
}

const fn plain(point: String) -> Entry {
    Entry { point, interval: None, mark: Mark::None, value: None }
}

/// Where the model comes from, and between what it was measured.
pub(crate) fn origin(study: &Study<'_>) -> Vec<String> {
    let (model, source) = (&study.model, &study.model.source);
    let cells = model.transports.iter().filter_map(|it| it.fitted.get(&Quantity::Processor)).map(|law| law.cells).max();
    let cells = cells.unwrap_or_default();
    let machine = format!("{} × {}, {}", source.cpus, source.cpu, source.kernel);
    let whence = if study.is_own_model {
        format!(
            "It is fitted to this run: {cells} cells a transport, on {machine}. Cells marked as held out were kept from \
             it, and are what it is checked by."
        )
    } else {
        format!(
            "It comes with pushoff: {cells} cells a transport of the run {}, measured {} with build {} on {machine}.",
            source.run, source.started, source.revision,
        )
    };
    let bounds = model.range.bounds.iter().map(|it| {
        let [low, high] = [it.low, it.high].map(bare);
        format!("{low} to {high} {}", it.dimension.label())
    });
    let range = format!(
        "Measured between: {}; and with the server busy for up to {} of one processor, beyond which no latency is \
         predicted. What lies outside is predicted with an interval that is as wide again with each doubling beyond.",
        bounds.collect::<Vec<_>>().join(", "),
        Unit::Share.write(model.range.utilisation)
    );
    vec![whence, range]
}

/// A bound as it was asked for: `10,000`, `0.2`.
fn bare(value: f64) -> String {
    if value >= 10.0 {
        return thousands(&format!("{value:.0}"));
    }
    format!("{value:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The size of an error in per cent, which may be above 100.
pub(crate) fn error(size: f64) -> String {
    Unit::Deviation.write(size).trim_start_matches('+').to_owned()
}

/// That the model is held against another run than its own, and in what that one differs.
fn elsewhere(study: &Study<'_>) -> String {
    let source = &study.model.source;
    let differs = |of: fn(&Environment) -> &str, theirs: &str| study.run.environments.iter().any(|it| of(it) != theirs);
    let all = [
        (differs(|it| &it.cpu, &source.cpu), "another processor"),
        (differs(|it| &it.kernel, &source.kernel), "another kernel"),
        (differs(|it| &it.revision, &source.revision), "another build of pushoff"),
        (
            study.groups().any(|group| group.client() != Client::Lean),
            "other clients, whose requests weigh what theirs do",
        ),
    ];
    let all: Vec<_> = all.iter().filter(|(differs, _)| *differs).map(|(_, what)| *what).collect();
    let what = match all.as_slice() {
        [] => return "The model that comes with pushoff has not seen this run. ".to_owned(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    };
    format!("The model that comes with pushoff has not seen this run, which is of {what}. ")
}

/// A line of the table of how well it predicts.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) check: Check,
    /// Cells, median error, worst error, share in the interval, goal, and whether it is met.
    pub(crate) words: [String; 6],
    pub(crate) is_met: Option<bool>,
}

/// The heads of the columns of [`Finding::words`].
pub(crate) const FINDINGS: [&str; 6] = ["cells", "median error", "worst error", "in the interval", "goal", ""];

/// How well it predicts, a line a check.
pub(crate) fn findings(checked: &[Checked]) -> Vec<Finding> {
    summaries(checked).iter().map(finding).collect()
}

fn finding(summary: &Summary) -> Finding {
    let goal = summary.check.goal();
    let is_met = goal.map(|goal| summary.median <= goal);
    Finding {
        check: summary.check,
        words: [
            summary.cells.to_string(),
            error(summary.median),
            error(summary.worst),
            summary.covered.map_or_else(|| ABSENT.to_owned(), |covered| Unit::Share.write(covered)),
            goal.map_or_else(String::new, |goal| format!("at most {}", asked_share(goal))),
            is_met.map_or_else(String::new, |is_met| if is_met { "met".into() } else { "not met".into() }),
        ],
        is_met,
    }
}

/// What all of that comes to, in a sentence or two.
pub(crate) fn conclusion(study: &Study<'_>) -> String {
    let all = summaries(&study.checked);
    if all.is_empty() {
        return "No cell of this run can be held against it.".into();
    }
    let of = |is_met: bool| -> Vec<String> {
        let asked = all.iter().filter_map(|it| Some((it, it.check.goal()?)));
        let chosen = asked.filter(|(it, goal)| (it.median <= *goal) == is_met);
        let words = |it: &Summary, goal: f64| match is_met {
            true => format!("{} ({})", it.check.label(), error(it.median)),
            false => format!("{} ({}, {} asked)", it.check.label(), error(it.median), asked_share(goal)),
        };
        chosen.map(|(it, goal)| words(it, goal)).collect()
    };
    let unseen = if study.is_own_model { "cells that it was not fitted to" } else { "this run's cells" };
    let clause = |names: Vec<String>, what: &str| {
        (!names.is_empty()).then(|| format!("the goal {what} for {}", names.join(", ")))
    };
    let clauses: Vec<_> = [clause(of(true), "is met"), clause(of(false), "is not met")].into_iter().flatten().collect();
    let rated = study.checked.iter().filter(|it| it.predicted.interval.is_some());
    let (mut cells, mut covered) = (0_u32, 0_u32);
    for it in rated {
        cells += 1;
        covered += u32::from((it.predicted.low()..=it.predicted.high()).contains(&it.measured));
    }
    let share = f64::from(covered) / f64::from(cells.max(1));
    format!(
        "{}By the median error over {unseen}, {}. {} of the figures lie in the interval that was predicted for them, \
         where 95 % should.",
        if study.is_own_model { String::new() } else { elsewhere(study) },
        clauses.join("; "),
        Unit::Share.write(share)
    )
}

/// What was predicted and what was measured of one cell: `predicted`, `measured` and the error.
pub(crate) fn beside(checked: &Checked) -> [String; 3] {
    let unit = written(checked.check);
    [unit.write_figure(&checked.predicted), unit.write(checked.measured), Unit::Deviation.write(checked.error)]
}

/// How a check's figures are written.
pub(crate) const fn written(check: Check) -> Unit {
    match check {
        Check::Processor | Check::LatencyP50 | Check::LatencyP99 | Check::Connecting => Unit::Time,
        Check::Memory | Check::Bytes => Unit::Bytes,
        Check::Requests => Unit::Rate,
        Check::Segments => Unit::Count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn checked(check: Check, error: f64, is_covered: bool) -> Checked {
        let measured = 2e6;
        let point = measured * (1.0 + error);
        let reach = if is_covered { 2.0 * error.abs() } else { 0.5 * error.abs() };
        let interval = Interval { low: point * (1.0 - reach), high: point * (1.0 + reach) };
        let predicted = Figure { point, interval: Some(interval) };
        Checked { label: "feed".into(), transport: Transport::Sse, check, predicted, measured, error }
    }

    #[test]
    fn a_goal_is_met_by_the_median_whatever_the_worst() {
        let of = |errors: [f64; 3]| findings(&errors.map(|error| checked(Check::Processor, error, true))).remove(0);
        let met = of([0.02, -0.08, 0.9]);
        assert_eq!((met.is_met, met.words[1].as_str(), met.words[2].as_str()), (Some(true), "8.0 %", "90.0 %"));
        let missed = of([0.02, -0.11, 0.2]);
        assert_eq!((missed.is_met, missed.words[5].as_str()), (Some(false), "not met"));
        assert_eq!(findings(&[checked(Check::Segments, 9.0, true)])[0].is_met, None);
    }

    #[test]
    fn what_is_concluded_follows_from_what_was_checked() {
        let run = fixture::run();
        let mut study = Study::of(&run);
        let mut said = Vec::new();
        for (cpu, bytes, is_own) in [(0.05, 0.001, true), (0.2, 0.001, true), (0.2, 0.05, false)] {
            study.checked = vec![checked(Check::Processor, cpu, true), checked(Check::Bytes, bytes, cpu < 0.1)];
            study.is_own_model = is_own;
            said.push(conclusion(&study));
        }
        study.checked = Vec::new();
        said.push(conclusion(&study));
        insta::assert_snapshot!("conclusions", said.join("\n"));
    }

    #[test]
    fn where_a_model_comes_from_is_said_and_in_what_this_run_is_another() {
        let run = fixture::run();
        let mut study = Study::of(&run);
        study.model = fixture::model();
        study.is_own_model = false;
        let others = origin(&study);
        study.is_own_model = true;
        insta::assert_snapshot!("origin", [others, origin(&study)].concat().join("\n"));
    }

    #[test]
    fn an_idle_second_is_a_part_of_a_heartbeat_or_of_an_empty_poll() {
        let idle = |transport| {
            let model = fixture::model();
            idle(model.transports.iter().find(|it| it.transport == transport).unwrap()).unwrap().point
        };
        // 6 µs a heartbeat each 15 s; 10 µs an empty poll each 25 s; 9 µs an empty poll a second.
        assert!((idle(Transport::Sse) - 400.0).abs() < 1e-9);
        assert!((idle(Transport::LongPolling) - 400.0).abs() < 1e-9);
        assert!((idle(Transport::ShortPolling) - 9_000.0).abs() < 1e-9);
    }

    #[test]
    fn what_does_not_occur_on_a_transport_is_empty_there() {
        let sheet = Sheet::of(&fixture::model());
        let entry = |label: &str, transport| {
            let place = sheet.transports.iter().position(|it| *it == transport).unwrap();
            let line = sheet.parts[0].lines.iter().find(|line| line.label == label).unwrap();
            line.entries[place].as_ref().map(Entry::whole)
        };
        assert_eq!(entry("an empty poll", Transport::ShortPolling).as_deref(), Some("9.00 µs (8.10–9.90)"));
        assert_eq!(entry("an empty poll", Transport::Sse), None);
        let width = sheet.transports.len();
        assert!(sheet.parts.iter().flat_map(|part| &part.lines).all(|line| line.entries.len() == width));
    }
}
