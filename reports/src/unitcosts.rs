//! The cost model in words and figures: the fitted values, where they are from, and how well they predict. Written
//! once for the page and the Markdown.

use pushoff_model::transport::Polls;
use pushoff_model::{Client, Environment, Transport};

use crate::findings::study::Study;
use crate::table::{Entry, Mark};
use crate::words::number::{ABSENT, Quantity as Unit, asked_share, thousands};
use crate::words::text::{capitalised, joined};
use pushoff_planner::WAIT;
use pushoff_planner::costs::{
    Check, Checked, CostModel, FittedModel, HEARTBEAT, Quantity, Regressor, Summary, TransportModel, coverage,
    summaries,
};
use pushoff_stats::{Figure, Interval};

/// The fitted values, a column a transport.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) transports: Vec<Transport>,
    pub(crate) parts: Vec<Part>,
}

/// The values of one cost.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) title: String,
    pub(crate) lines: Vec<Line>,
}

/// The value of one regressor, an entry a transport.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) label: String,
    /// What it means, where the label does not say it all.
    pub(crate) help: Option<&'static str>,
    /// None where it does not occur, or where no cost of it was found.
    pub(crate) entries: Vec<Option<Entry>>,
}

impl Sheet {
    /// All fitted models, cost by cost.
    pub(crate) fn of(model: &CostModel) -> Self {
        let parts = Quantity::ALL.into_iter().map(|quantity| part(model, quantity));
        Self {
            transports: model.transports.iter().map(|it| it.transport).collect(),
            parts: parts.filter(|part| !part.lines.is_empty()).collect(),
        }
    }
}

fn part(model: &CostModel, quantity: Quantity) -> Part {
    let line = |label: &str, help: Option<&'static str>, entry: &dyn Fn(&TransportModel) -> Option<Entry>| Line {
        label: label.to_owned(),
        help,
        entries: model.transports.iter().map(entry).collect(),
    };
    let term = |regressor: Regressor| {
        let (unit, factor) = unit(quantity, regressor);
        let entry =
            |it: &TransportModel| Some(entry(unit, &value(it.fitted.get(&quantity)?, regressor)?.times(factor)));
        line(regressor.label(), None, &entry)
    };
    let mut lines: Vec<Line> = Regressor::ALL.into_iter().map(term).collect();
    if quantity == Quantity::Processor {
        let help =
            "a heartbeat each 15 s on a stream, an empty poll each 25 s of long polling, one a second of short polling";
        let entry = |it: &TransportModel| Some(entry(Unit::Time, &idle(it)?));
        lines.push(line("an idle second of a connection", Some(help), &entry));
    }
    let scatter = |it: &TransportModel| {
        let point = format!("± {}", error(it.fitted.get(&quantity)?.scatter.exp_m1()));
        Some(Entry { point, interval: None, mark: Mark::None, value: None })
    };
    let help = "the standard deviation of the fitted cells about the model";
    lines.push(line("scatter of the cells", Some(help), &scatter));
    lines.retain(|line| line.entries.iter().any(Option::is_some));
    let mut title = capitalised(quantity.label());
    if matches!(quantity, Quantity::LatencyP50 | Quantity::LatencyP99) {
        title.push_str(": the sum of these, where an event is a poll, or a publish with its deliveries");
    }
    Part { title, lines }
}

/// How a fitted value is written, and what it is multiplied by for that.
const fn unit(quantity: Quantity, regressor: Regressor) -> (Unit, f64) {
    match (quantity, regressor) {
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

fn value(fitted: &FittedModel, regressor: Regressor) -> Option<Figure> {
    let term = fitted.terms.iter().find(|term| term.regressor == regressor)?;
    Some(Figure { point: term.value, interval: Some(Interval { low: term.low, high: term.high }) })
}

/// Processor time of a second without messages: its share of a heartbeat or of an empty poll.
fn idle(of: &TransportModel) -> Option<Figure> {
    let (regressor, a_second) = match of.transport.traits().polls {
        Some(Polls::OnATimer) => (Regressor::Empties, 1.0),
        Some(Polls::WhenAnswered) => (Regressor::Empties, 1.0 / WAIT),
        None => (Regressor::Heartbeats, 1.0 / HEARTBEAT),
    };
    Some(value(of.fitted.get(&Quantity::Processor)?, regressor)?.times(a_second))
}

fn entry(unit: Unit, figure: &Figure) -> Entry {
    Entry { point: unit.write(figure.point), interval: unit.write_interval(figure), mark: Mark::None, value: None }
}

/// Where the model comes from, and between what it was measured.
pub(crate) fn origin(study: &Study<'_>) -> Vec<String> {
    let (model, source) = (&study.model, &study.model.source);
    let cells = model.transports.iter().filter_map(|it| it.fitted.get(&Quantity::Processor)).map(|it| it.cells).max();
    let cells = cells.unwrap_or_default();
    let machine = format!("{} × {}, {}", source.cpus, source.cpu, source.kernel);
    let source = if study.is_own_model {
        format!(
            "The model is fitted to this run: {cells} cells a transport, on {machine}. It is checked by the cells that \
             are marked as held out."
        )
    } else {
        format!(
            "The model comes with pushoff: {cells} cells a transport of the run {}, measured {} with build {} on \
             {machine}.",
            source.run, source.started, source.revision,
        )
    };
    let bounds = model.range.bounds.iter().map(|it| {
        let [low, high] = [it.low, it.high].map(bare);
        format!("{low} to {high} {}", it.dimension.label())
    });
    let range = format!(
        "Measured: {}; and a server busy for up to {} of one processor. Where a server would be busier, no latency is \
         predicted. Each doubling outside these ranges widens an interval by its own width.",
        bounds.collect::<Vec<_>>().join(", "),
        Unit::Share.write(model.range.utilisation)
    );
    vec![source, range]
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

/// In what this run differs from the one that the model was fitted to.
fn elsewhere(study: &Study<'_>) -> String {
    let source = &study.model.source;
    let differs = |of: fn(&Environment) -> &str, theirs: &str| study.run.environments.iter().any(|it| of(it) != theirs);
    let all = [
        (differs(|it| &it.cpu, &source.cpu), "processor"),
        (differs(|it| &it.kernel, &source.kernel), "kernel"),
        (differs(|it| &it.revision, &source.revision), "build of pushoff"),
        (study.groups().any(|group| group.client() != Client::Lean), "client"),
    ];
    let all: Vec<_> = all.iter().filter(|(differs, _)| *differs).map(|(_, what)| *what).collect();
    if all.is_empty() {
        return "The model that comes with pushoff was not fitted to this run.".to_owned();
    }
    format!("The model that comes with pushoff was fitted to a run with another {}.", joined(&all))
}

/// How well one figure is predicted: a line of a table.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) check: Check,
    /// Cells, median error, worst error, share in the interval, goal, and whether it is met.
    pub(crate) words: [String; 6],
    pub(crate) is_met: Option<bool>,
}

/// The heads of the columns of [`Finding::words`].
pub(crate) const FINDINGS: [&str; 6] = ["cells", "median error", "worst error", "in the interval", "goal", ""];

/// How well each figure is predicted.
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

/// How well the model predicts, in a few sentences.
pub(crate) fn conclusion(study: &Study<'_>) -> String {
    let all = summaries(&study.checked);
    if all.is_empty() {
        return "The model cannot be checked by this run: no cell has the figures for that.".into();
    }
    let with_goal = all.iter().filter_map(|it| {
        let goal = it.check.goal()?;
        let met = if it.median <= goal { "met" } else { "missed" };
        let (median, worst) = (error(it.median), error(it.worst));
        Some(format!("{} {median}, worst {worst} (goal: {}, {met})", it.check.label(), asked_share(goal)))
    });
    let with_goal: Vec<String> = with_goal.collect();
    let (elsewhere, cells) = if study.is_own_model {
        (String::new(), "held-out cells")
    } else {
        (format!("{} ", elsewhere(study)), "the cells of this run")
    };
    format!(
        "{elsewhere}Median error on {cells}: {}. {} of the measured figures lie in their predicted 95 % interval.",
        with_goal.join("; "),
        Unit::Share.write(coverage(&study.checked))
    )
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
