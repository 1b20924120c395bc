//! What stands above everything: a title that fits what was run, and when, where and how it was measured.

use std::collections::BTreeSet;

use pushoff_model::Environment;
use pushoff_model::wire::Wire;
use pushoff_model::workload::Growth;

use crate::cells::Group;
use crate::findings::study::Study;
use crate::words::describe;
use crate::words::text::capitalised;

/// The title: the question of the only workload, or a question that fits all workloads of the run.
pub(super) fn title(study: &Study<'_>) -> String {
    if study.is_own_model {
        return "What does a load cost that nobody measured?".into();
    }
    let mut questions: Vec<&str> = study.groups().map(|group| group.workload.question.as_str()).collect();
    questions.dedup();
    let asked = match questions.as_slice() {
        [one] => one,
        _ if study.answers().next().is_some() => "Which transport should carry these messages?",
        _ if study.searches.iter().any(|it| it.growth == Growth::Subscribers) => {
            "How many readers does each transport carry?"
        }
        _ if !study.searches.is_empty() => "How much does each transport carry?",
        _ => "What does each transport cost?",
    };
    asked.to_owned()
}

/// When, on what machine and under what conditions the runs were measured: a line for each that differs.
pub(super) fn conditions(study: &Study<'_>) -> Vec<String> {
    let tally = if study.is_empty() { None } else { Some(study.tally()) };
    let mut lines: Vec<String> = study.run.environments.iter().map(|it| conditions_of(study, it)).collect();
    lines.dedup();
    lines.into_iter().chain(tally).collect()
}

fn conditions_of(study: &Study<'_>, it: &Environment) -> String {
    let day = it.started.split('T').next().unwrap_or_default();
    let system = it.kernel.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let place = match it.agents.len() {
        0 if study.has_others() => "other servers beside pushoff’s".to_owned(),
        0 if study.groups().all(Group::is_at_hand) => "server and readers on this machine".to_owned(),
        0 => "readers on this machine".to_owned(),
        1 => "readers at one agent".to_owned(),
        agents => format!("readers at {agents} agents"),
    };
    format!("{day}; {} × {}, {system}; {place}, {}; pushoff {}.", it.cpus, it.cpu, wires(study), it.revision)
}

/// How many trials count; before that the wires, unless all trials ran over HTTP/1.1 without TLS.
pub(super) fn tally(study: &Study<'_>) -> String {
    let is_clear = study.groups().all(|group| group.wire() == Wire::default());
    let wires = if is_clear { String::new() } else { format!("{}. ", capitalised(&wires(study))) };
    if study.is_empty() { String::new() } else { format!("{wires}{}", study.tally()) }
}

/// More wires than these are counted, not named.
const NAMED: usize = 3;

/// The wires that the answers are of, and the others that were measured.
fn wires(study: &Study<'_>) -> String {
    let of = |is_heavier: bool| -> BTreeSet<Wire> {
        study.groups().filter(|it| it.is_heavier == is_heavier).map(Group::wire).collect()
    };
    let answered: Vec<String> = of(false).into_iter().map(describe::wire).collect();
    let answered = if answered.is_empty() { describe::wire(Wire::default()) } else { answered.join(" and ") };
    let others: Vec<String> = of(true).into_iter().map(describe::wire).collect();
    let also = if others.len() > NAMED { format!("{} others", others.len()) } else { others.join("; ") };
    if others.is_empty() { answered } else { format!("answers from {answered} (also measured: {also})") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_title_is_what_the_run_asked() {
        let title_of = |keep: &dyn Fn(&pushoff_model::Record) -> bool| {
            let mut run = fixture::whole();
            run.records.retain(keep);
            title(&Study::of(&run))
        };
        assert_eq!(title_of(&|_| true), "Which transport should carry these messages?");
        assert_eq!(title_of(&|it| it.workload.name == "ticker"), "Which transport should carry a stock ticker?");
        assert_eq!(title_of(&|it| it.step.is_some()), "How many deliveries a second can it carry?");
    }

    #[test]
    fn date_machine_and_conditions_are_one_line() {
        let run = fixture::run();
        let lines = conditions(&Study::of(&run));
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].starts_with("20") && lines[0].contains("HTTP/1.1 without TLS"), "{lines:?}");
        assert!(lines[1].contains("trials"), "{lines:?}");
    }

    #[test]
    fn a_wire_is_named_that_is_not_the_clear_and_which_of_several_the_answers_are_of() {
        let mut run = fixture::on_wires();
        let said = |run: &crate::Run| conditions(&Study::of(run)).remove(0);
        let several = "answers from HTTP/1.1 without TLS (also measured: HTTP/1.1 over TLS; HTTP/2 over TLS; \
                       HTTP/2 over TLS, compressed)";
        assert!(said(&run).contains(several), "{}", said(&run));
        run.records.retain(|record| record.conditions.contains_key("compression"));
        assert!(said(&run).contains("this machine, HTTP/2 over TLS, compressed; pushoff"), "{}", said(&run));
    }
}
