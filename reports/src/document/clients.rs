//! What a client takes: a library beside the lean client, pages, and what a browser allows.

use pushoff_model::browser::{Browser, Connected};
use pushoff_model::{Client, Transport};

use crate::blocks::{Block, Heading, Layout, Section, TableBlock};
use crate::cells::anchor;
use crate::findings::servers::Part;
use crate::findings::study::Study;
use crate::findings::verdict::Candidate;
use crate::metric::Metric;
use crate::table::metrics::CLIENTS;
use crate::table::{Subject, Table};
use crate::words::number::Quantity;
use pushoff_stats::Figure;

pub(super) fn section(study: &Study<'_>) -> Section {
    let mut blocks = Vec::new();
    let added = added(study);
    if !added.is_empty() {
        let text = "What your Rust client adds".to_owned();
        blocks.push(Block::Heading(Heading { id: "client-adds".into(), text, says: None }));
        blocks.push(Block::Facts(added));
    }
    for (label, table) in tables(study) {
        let id = format!("clients-{}", anchor(&label));
        blocks.push(Block::Heading(Heading { id: id.clone(), text: label, says: None }));
        blocks.push(Block::Table(TableBlock {
            labelled_by: id,
            table,
            layout: Layout::Rows,
            trials: None,
            has_places: false,
        }));
    }
    let browsers = study.run.environments.iter().filter_map(|environment| environment.browser.as_ref());
    for (number, (title, facts)) in (1..).zip(browsers.map(allows)) {
        blocks.push(Block::Heading(Heading { id: format!("browser-{number}"), text: title, says: None }));
        blocks.push(Block::Facts(facts));
    }
    if blocks.is_empty() {
        return Section::default();
    }
    let note = "A client is the library that an application would use, a lean one of pushoff's own, or pages in \
                Chromium, where a message has arrived once the page's client dispatches it.";
    blocks.insert(0, Block::note(note));
    Section::titled("clients", "What the client takes", blocks)
}

/// What each library adds to the lean client: a line each, where so few received that no client was at its limit.
fn added(study: &Study<'_>) -> Vec<(String, String)> {
    let groups = || study.comparisons.iter().filter(|it| !it.group.workload.compared.is_empty());
    let pairs = groups().filter(|it| it.group.client() == Client::Lean).flat_map(|lean| {
        let twins = groups().filter(|it| it.group.client() == Client::Library && it.group.is_twin_of(&lean.group));
        twins.map(move |library| (lean, library))
    });
    let line = |lean: &Candidate, library: &Candidate| {
        let (one, other) = (lean.figures.as_ref()?, library.figures.as_ref()?);
        let (median, with) = (one.get(Metric::P50)?, other.get(Metric::P50)?);
        let written = |figure: &Figure| Quantity::Time.write_figure(figure);
        let adds = Quantity::Time.write((with.point - median.point).abs());
        let adds = if with.point < median.point { format!("{adds} less") } else { format!("{adds} more") };
        let cpu = other.get(Metric::GeneratorCpuToLean).map_or_else(String::new, |ratio| {
            format!(", {} the processor time of a message", Quantity::Ratio.write_figure(&ratio))
        });
        let traits = library.transport.traits();
        let says = format!("a median of {}, {adds} than the lean client's {}{cpu}", written(&with), written(&median));
        Some((format!("{} ({})", traits.library, traits.label), says))
    };
    let lines = pairs.flat_map(|(lean, library)| {
        lean.candidates
            .iter()
            .filter_map(|it| line(it, library.candidates.iter().find(|other| other.transport == it.transport)?))
            .collect::<Vec<_>>()
    });
    lines.collect()
}

/// One a workload that several clients or pages received, a row a transport and client.
fn tables(study: &Study<'_>) -> Vec<(String, Table)> {
    let mut left: Vec<Part<'_, '_>> =
        study.parts().filter(|it| !it.group().is_search && !it.group().workload.is_silent()).collect();
    let mut tables = Vec::new();
    while let Some(first) = left.first().copied() {
        let (mut same, others): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|part| part.group().is_twin_of(first.group()));
        left = others;
        same.sort_by_key(|part| part.group().client());
        let of = |transport| same.iter().filter_map(move |part| part.line_of(transport));
        let lines: Vec<_> = Transport::ALL.into_iter().flat_map(of).collect();
        let has_pages = lines.iter().any(|line| line.figures.get(Metric::MainThread).is_some());
        if same.len() < 2 && !has_pages {
            continue;
        }
        let subjects = lines.iter().map(|line| Subject {
            of: Some(format!(", {}", line.key.conditions.client)),
            // Whether each is good enough is asked of its own table.
            standing: None,
            ..line.subject()
        });
        let mut table = Table::lay_out(&CLIENTS, subjects.collect(), 0.0);
        // What limited each stands beside it.
        table.notes.clear();
        tables.push((same[0].group().label.clone(), table));
    }
    tables
}

/// What is said of a browser: under one title, what each is and how it was found.
type Facts = (String, Vec<(String, String)>);

fn allows(browser: &Browser) -> Facts {
    let tabs = |connected: &Connected| {
        let name = format!("{}, tabs of one origin", connected.transport.label());
        (name, format!("{} of {} connected", connected.tabs, browser.tabs))
    };
    let (websockets, timer, waits) = (&browser.websockets, &browser.timer, &browser.event_source);
    let others = [
        (
            "WebSocket, one page to one host".to_owned(),
            format!("{} of {} connected", websockets.connected, websockets.asked),
        ),
        (
            format!("Short polling every {}", time(timer.asked_ns)),
            format!(
                "every {} in a tab in front, every {} in one behind another",
                time(timer.in_front_ns),
                time(timer.behind_ns)
            ),
        ),
        (
            "EventSource after a stream has ended".to_owned(),
            format!(
                "back after {} where the server said {}, after {} where it said nothing",
                time(waits.waited_ns),
                time(waits.asked_ns),
                time(waits.unasked_ns)
            ),
        ),
        (
            "A stream's text by XMLHttpRequest".to_owned(),
            format!(
                "{} later than by fetch for half of the messages, at most {}",
                time(browser.xhr_stream.median_ns),
                time(browser.xhr_stream.most_ns)
            ),
        ),
    ];
    let title = format!("What {} allows over HTTP/1.1", browser.version.replace('/', " "));
    (title, browser.connected.iter().map(tabs).chain(others).collect())
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn time(nanoseconds: u64) -> String {
    Quantity::Time.write(nanoseconds as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;
    use crate::fixture;
    use crate::metric::Figures;

    fn figures(study: &Study<'_>, client: Client) -> Figures {
        let parts =
            study.parts().filter(|part| part.group().client() == client && part.group().workload.name == "ticker");
        parts.filter_map(|part| part.line_of(Transport::Sse)).next().unwrap().figures
    }

    /// The ticker, received by few with both clients, as the workload `clients` asks for it.
    #[test]
    fn each_library_has_a_line_of_what_it_adds_and_no_card_asks_which_transport_to_take() {
        let mut run = fixture::valid();
        run.records.retain(|record| record.workload.name == "ticker" && record.transport.is_ranked());
        let mut lean = run.records.clone();
        lean.iter_mut().for_each(|record| record.client = Client::Lean);
        run.records.append(&mut lean);
        run.records.iter_mut().for_each(|record| record.workload.compared = vec![Client::Library]);
        let study = Study::of(&run);
        let added = added(&study);
        assert_eq!(added.len(), 5);
        assert!(added.iter().any(|(name, _)| name == "eventsource-client (SSE)"), "{added:?}");
        assert!(added.iter().all(|(_, says)| says.contains("than the lean client's")), "{added:?}");
        assert_eq!(study.answers().count(), 0);
        assert!(crate::race(&run).is_empty());
    }

    #[test]
    fn a_page_stands_beside_the_library_of_the_same_run() {
        let run = fixture::in_pages();
        let study = Study::of(&run);
        let tables = tables(&study);
        assert_eq!(tables.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), ["ticker"]);
        let pages = tables[0].1.rows.iter().filter(|row| row.of.as_deref() == Some(", browser")).count();
        assert_eq!(pages, Transport::ALL.len() - 1, "no page has the floor");
        let sse = figures(&study, Client::Browser);
        let point = |metric: Metric| sse.get(metric).unwrap().point;
        assert!((point(Metric::P50ToLibrary) - 3.0).abs() < 0.05);
        assert!(point(Metric::P90) > point(Metric::P50));
        let is = |metric: Metric, wanted: f64| (point(metric) / wanted - 1.0).abs() < 1e-9;
        assert!(is(Metric::MainThread, 120_000.0) && is(Metric::Scripts, 30_000.0));
        assert!(is(Metric::Heap, 6_400.0) && is(Metric::HeapLeft, 170.0));
    }

    #[test]
    fn pages_alone_say_what_they_take() {
        let mut run = fixture::in_pages();
        run.records.retain(|record| record.client == Client::Browser);
        let study = Study::of(&run);
        let tables = tables(&study);
        assert_eq!(tables.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), ["ticker"]);
        assert_eq!(tables[0].1.rows.len(), Transport::ALL.len() - 1);
        let text = document::report(&study).unwrap().markdown();
        assert!(text.contains("## What the client takes") && text.contains("6 of 10 connected"), "{text}");
        run.records.clear();
        assert!(super::tables(&Study::of(&run)).is_empty());
    }

    #[test]
    fn what_a_library_adds_is_told_by_its_twin_with_the_lean_client() {
        let run = fixture::whole();
        let library = figures(&Study::of(&run), Client::Library);
        assert!((library.get(Metric::GeneratorCpuToLean).unwrap().point - 3.0).abs() < 1e-6);
        assert!(library.get(Metric::P50ToLibrary).is_none());
    }

    #[test]
    fn what_a_browser_allows_is_said_in_every_document() {
        let run = fixture::in_pages();
        let document = document::report(&Study::of(&run)).unwrap();
        for text in [document.html().unwrap(), document.markdown()] {
            let text = text.replace('\u{a0}', " ");
            for said in [
                "What Chrome 140.0.1.2 allows over HTTP/1.1",
                "6 of 10 connected",
                "255 of 300 connected",
                "every 100 ms in a tab in front, every 1.00 s in one behind another",
                "back after 1.01 s where the server said 1.00 s, after 3.01 s where it said nothing",
                "24.0 ms later than by fetch for half of the messages, at most 49.0 ms",
            ] {
                assert!(text.contains(said), "{said}: {text}");
            }
        }
    }
}
