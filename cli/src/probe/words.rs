//! The results of `pushoff probe` as text and as JSON. A fault is told once, with all that show it.

use std::time::Duration;

use pushoff_loadgen::{Course, Fault, Flow, Idle};
use pushoff_model::time::nanos;
use serde_json::{Value, json};

use super::{Found, Probed, Row};

/// A silence that is shorter than this share of the one that was tried was broken by the server.
const NEARLY: f64 = 0.9;

/// How two servers are called.
const NAMES: [&str; 2] = ["direct", "proxied"];

/// A fault, and what shows it.
struct Told<'a> {
    fault: Fault,
    /// Each server's name, where there are two, and its techniques.
    shown_by: Vec<(&'static str, Vec<&'static str>)>,
    evidence: Vec<&'a str>,
}

fn told(probed: &[Probed]) -> Vec<Told<'_>> {
    let one = |fault: Fault| {
        let mut told = Told { fault, shown_by: Vec::new(), evidence: Vec::new() };
        for (name, probed) in NAMES.into_iter().zip(probed) {
            let mut techniques = Vec::new();
            for (row, course) in probed.rows.iter().filter_map(|row| Some((row, row.course.as_ref()?))) {
                for symptom in course.symptoms.iter().filter(|symptom| symptom.fault == fault) {
                    techniques.push(row.technique);
                    if !told.evidence.contains(&symptom.evidence.as_str()) {
                        told.evidence.push(&symptom.evidence);
                    }
                }
            }
            techniques.dedup();
            if !techniques.is_empty() {
                told.shown_by.push((name, techniques));
            }
        }
        (!told.shown_by.is_empty()).then_some(told)
    };
    Fault::ALL.into_iter().filter_map(one).collect()
}

pub(super) fn json(probed: &[Probed]) -> serde_json::Result<String> {
    let findings: Vec<Value> = told(probed)
        .into_iter()
        .map(|told| {
            let shown_by: Vec<Value> = told
                .shown_by
                .iter()
                .map(|(name, techniques)| json!({ "probed": name, "techniques": techniques }))
                .collect();
            json!({
                "fault": told.fault, "says": told.fault.says(), "shown_by": shown_by, "evidence": told.evidence,
                "nginx": told.fault.nginx(), "elsewhere": told.fault.elsewhere(),
            })
        })
        .collect();
    let all: Vec<Value> = NAMES
        .into_iter()
        .zip(probed)
        .map(|(name, probed)| {
            let techniques: Vec<Value> = probed.rows.iter().map(row_json).collect();
            json!({ "probed": name, "says": probed.says, "techniques": techniques })
        })
        .collect();
    serde_json::to_string_pretty(&json!({ "probed": all, "findings": findings }))
}

fn row_json(row: &Row) -> Value {
    let mut value = match &row.found {
        Found::NotDescribed => json!({ "found": "not-described" }),
        Found::Wrong { reason } => json!({ "found": "wrong", "reason": reason }),
        Found::Listened => json!({ "found": "listened" }),
        Found::Offered { first_message, resumes } => {
            json!({ "found": "offered", "first_message_ns": nanos(*first_message), "resumes": resumes })
        }
    };
    value["transport"] = json!(row.technique);
    if let Some(course) = &row.course {
        value["flow"] = json!(course.flow);
        value["events"] = json!(course.events);
        value["arrivals"] = json!(course.arrivals);
        value["first_event_ns"] = json!(course.first.map(nanos));
        value["median_late_ns"] = json!(course.late.map(nanos));
        value["content_coding"] = json!(course.coding);
        value["longest_silence_ns"] = json!(course.idle.map(|idle| nanos(idle.silence)));
    }
    value
}

pub(super) fn text(probed: &[Probed], tried: Option<Duration>) -> String {
    let mut text = String::new();
    for (name, one) in NAMES.into_iter().zip(probed) {
        let name = if probed.len() > 1 { format!("{name}: ") } else { String::new() };
        text += &format!("{name}{}\n", one.says);
        for line in lines(&one.rows, tried) {
            text += &format!("{line}\n");
        }
    }
    if let [direct, proxied] = probed {
        text += "the proxy changes:\n";
        for row in &proxied.rows {
            if let Some(said) = changed(direct, row) {
                text += &format!("  {:<15} {said}\n", row.technique);
            }
        }
    }
    for (number, told) in (1..).zip(told(probed)) {
        text += &finding(number, &told, probed.len() > 1);
    }
    text += &silences(probed, tried);
    text.trim_end().to_owned()
}

/// What the idle test could not see.
fn silences(probed: &[Probed], tried: Option<Duration>) -> String {
    let Some(tried) = tried else {
        return "Whether silence cuts a connection was not tried: --idle 70s tries it.\n".to_owned();
    };
    let courses =
        probed.iter().flat_map(|probed| &probed.rows).filter_map(|row| Some((row, row.course.as_ref()?.idle?)));
    let broken = courses.filter(|(_, idle)| is_broken(*idle, tried));
    let mut names: Vec<&str> = broken.map(|(row, _)| row.technique).collect();
    names.dedup();
    if names.is_empty() {
        return String::new();
    }
    format!(
        "Not silent for {tried:.0?}, because messages, polls or heartbeats came: {}. A time-out that is longer than the \
         silence above does not show, and cuts nothing while they come.\n",
        names.join(", ")
    )
}

/// What one technique is directly, and by the proxy.
fn changed(direct: &Probed, proxied: &Row) -> Option<String> {
    let same = direct.rows.iter().find(|row| row.technique == proxied.technique || row.found.is_listened())?;
    let says = |row: &Row| match (&row.course, &row.found) {
        (Some(course), _) => Some(flow(course)),
        (None, Found::Wrong { .. }) => Some("wrong".to_owned()),
        (None, _) => None,
    };
    let (before, after) = (says(same)?, says(proxied)?);
    let mut said = if before == after { format!("nothing: {after}") } else { format!("{before} → {after}") };
    let late = |row: &Row| row.course.as_ref()?.late.map(milliseconds);
    if let (Some(before), Some(after)) = (late(same), late(proxied)) {
        said += &format!("; {before} → {after} a message, at the median");
    }
    Some(said)
}

fn finding(number: usize, told: &Told<'_>, is_two: bool) -> String {
    let shown_by: Vec<String> = told
        .shown_by
        .iter()
        .map(|(name, techniques)| {
            let techniques = techniques.join(", ");
            if is_two { format!("{name}: {techniques}") } else { techniques }
        })
        .collect();
    let mut text = format!("{number}. {} ({})\n", told.fault.says(), shown_by.join("; "));
    if let Some(evidence) = told.evidence.first() {
        text += &format!("   seen:      {evidence}\n");
    }
    for (number, line) in (0..).zip(told.fault.nginx()) {
        text += &format!("   {} {line}\n", if number == 0 { "nginx:    " } else { "          " });
    }
    text + &format!("   elsewhere: {}\n", told.fault.elsewhere())
}

/// One line a technique; techniques with the same problem share a line.
fn lines(rows: &[Row], tried: Option<Duration>) -> Vec<String> {
    let mut lines: Vec<(Vec<&str>, String)> = Vec::new();
    for row in rows {
        let said = prose(row, tried);
        let is_wrong = matches!(row.found, Found::Wrong { .. });
        match lines.iter_mut().find(|(_, other)| is_wrong && *other == said) {
            Some((names, _)) => names.push(row.technique),
            None => lines.push((vec![row.technique], said)),
        }
    }
    let line = |(names, said): (Vec<&str>, String)| match names[..] {
        [name] => format!("  {name:<15} {said}"),
        _ => format!("  {}:\n  {:<15} {said}", names.join(", "), ""),
    };
    lines.into_iter().map(line).collect()
}

fn prose(row: &Row, tried: Option<Duration>) -> String {
    let course = row.course.as_ref();
    match &row.found {
        Found::NotDescribed => "not described".to_owned(),
        Found::Wrong { reason } => match course {
            Some(course) => format!("{}: {reason}", flow(course)),
            None => reason.clone(),
        },
        Found::Listened => course
            .map(|course| format!("{}: {}{}", flow(course), counts(course), held(course, tried)))
            .unwrap_or_default(),
        Found::Offered { first_message, resumes } => {
            let resumes = if *resumes { "resumes after a break" } else { "starts over after a break" };
            let after = milliseconds(*first_message);
            let late = |course: &Course| {
                course.late.map(|late| format!(", {} a message", milliseconds(late))).unwrap_or_default()
            };
            let flow = course
                .map(|course| format!("; {}{}{}", flow(course), late(course), held(course, tried)))
                .unwrap_or_default();
            format!("offered: first message after {after}, {resumes}{flow}")
        }
    }
}

/// The verdict, with what compression did.
fn flow(course: &Course) -> String {
    let mut said = match (course.flow, course.idle) {
        (Flow::Cut, Some(Idle { silence, .. })) => format!("cut after {silence:.1?} without a byte"),
        (flow, _) => flow.says().to_owned(),
    };
    if let Some(coding) = &course.coding {
        let holds = course.symptoms.iter().any(|symptom| symptom.fault == Fault::Compression);
        said += &format!(", compressed ({coding}, {})", if holds { "held back" } else { "flushed" });
    }
    said
}

/// How long the connection was silent and held, where that was tried.
fn held(course: &Course, tried: Option<Duration>) -> String {
    match (course.idle, tried) {
        (Some(idle), Some(tried)) if is_broken(idle, tried) => {
            format!("; never silent for more than {:.1?}", idle.silence)
        }
        (Some(Idle { silence, is_cut: false }), Some(_)) => format!("; held through {silence:.1?} without a byte"),
        (Some(_) | None, _) => String::new(),
    }
}

/// Whether the server, and no proxy, ended the silence that was tried.
fn is_broken(idle: Idle, tried: Duration) -> bool {
    !idle.is_cut && idle.silence < tried.mul_f64(NEARLY)
}

fn counts(course: &Course) -> String {
    let Course { first, events, arrivals, .. } = course;
    match first {
        Some(first) => format!("{events} events in {arrivals} reads, the first after {}", milliseconds(*first)),
        None if course.flow == Flow::Silent => {
            "no event came: none was sent, or all are held back (pushoff probe DIRECT PROXIED tells which)".to_owned()
        }
        None => "no event came".to_owned(),
    }
}

fn milliseconds(duration: Duration) -> String {
    let microseconds = duration.as_micros();
    format!("{}.{} ms", microseconds / 1_000, microseconds % 1_000 / 100)
}
