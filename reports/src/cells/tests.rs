//! Every record in one cell, every group under one label.

use super::*;
use crate::fixture;

#[test]
fn every_record_lands_in_one_cell() {
    let run = fixture::whole();
    let groups = group(&run);
    let mut numbers: Vec<usize> =
        groups.iter().flat_map(|group| &group.cells).flat_map(|cell| &cell.trials).map(|t| t.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..run.records.len()).collect::<Vec<_>>());
    assert!(groups.iter().all(|group| group.cells.iter().map(Cell::transport).eq(Transport::ALL)));
}

#[test]
fn workloads_keep_their_order_whatever_ran_first() {
    let mut run = fixture::run();
    run.records.reverse();
    let labels: Vec<String> = group(&run).into_iter().map(|group| group.label).collect();
    assert_eq!(labels, ["progress", "ticker", "chat"]);
}

#[test]
fn networks_stand_by_their_round_trip_whatever_ran_first() {
    let mut run = fixture::over_networks();
    run.records.reverse();
    let groups = group(&run);
    let tickers = groups.iter().filter(|group| group.workload.name == "ticker");
    let networks: Vec<_> = tickers.map(Group::network).collect();
    assert_eq!(networks, [None, Some("cable"), Some("satellite-leo"), Some("fast-4g")]);
}

#[test]
fn a_label_says_what_tells_a_group_from_its_namesakes() {
    let run = fixture::whole();
    let labels: Vec<String> = group(&run).into_iter().map(|group| group.label).collect();
    assert_eq!(
        labels,
        [
            "progress",
            "ticker, library client",
            "ticker",
            "chat",
            "idle at 100",
            "idle at 1,000",
            "idle at 10,000",
            "publish",
            "capacity"
        ]
    );
}

#[test]
fn the_same_name_with_other_parameters_is_another_group() {
    let mut run = fixture::run();
    run.records[0].workload.completes ^= true;
    let name = run.records[0].workload.name.clone();
    let groups = group(&run);
    assert!(groups.iter().any(|group| group.label == format!("{name} (2)")) || groups[0].label.ends_with("(2)"));
}

#[test]
fn a_label_names_the_server_where_it_is_not_the_only_one_or_not_pushoffs_own() {
    let labels = |run: &Run| -> Vec<String> { group(run).into_iter().map(|group| group.label).collect() };
    let several = fixture::servers();
    assert_eq!(labels(&several)[..4], ["light, pushoff", "light, nchan", "light, node-ws", "most, pushoff"]);
    assert_eq!(labels(&fixture::remote()), ["light, nchan"]);
    // What a run asked for first stands first, whatever ran first.
    let mut asked = several;
    asked.environments[0].servers.reverse();
    assert_eq!(labels(&asked)[..3], ["light, node-ws", "light, nchan", "light, pushoff"]);
}

#[test]
fn a_search_is_one_group_whatever_load_its_records_name() {
    let mut run = fixture::whole();
    for record in &mut run.records {
        if let Some(step) = record.step {
            record.workload = record.workload.at(Growth::Rate, step.load);
        }
    }
    let searches = group(&run).into_iter().filter(|group| group.is_search).count();
    assert_eq!(searches, 1);
}

#[test]
fn two_searches_of_one_name_at_two_sizes_have_keys_of_their_own() {
    let mut run = fixture::whole();
    run.records.retain(|record| record.step.is_some());
    let larger = run.records.iter().cloned().map(|mut record| {
        record.workload.subscribers *= 2;
        record
    });
    run.records = [run.records.clone(), larger.collect()].concat();
    let groups = group(&run);
    let keys: Vec<CellKey> = groups.iter().flat_map(|group| &group.cells).map(|cell| cell.key.clone()).collect();
    let once: std::collections::BTreeSet<&CellKey> = keys.iter().collect();
    assert_eq!((groups.len(), once.len()), (2, keys.len()), "{keys:?}");
    assert_eq!(groups.iter().map(|it| it.label.as_str()).collect::<Vec<_>>(), ["capacity at 100", "capacity at 200"]);
}

/// Whoever edits a file of a run steers no reader by the name or the value of a condition.
#[test]
fn a_condition_that_somebody_else_wrote_is_a_line_of_text_in_every_document() {
    let mut run = fixture::run();
    run.records.retain(|it| it.workload.name == "ticker");
    let foreign = run.records.iter().map(|record| {
        let mut json = serde_json::to_value(record).unwrap();
        let value = format!("\u{1b}[31m<img src=x onerror=y>`|\n# b](javascript:z) \u{202e}{}", "w".repeat(5_000));
        json["conditions"] = serde_json::json!({ "up\u{7}\n<b>|stream": value });
        serde_json::from_value(json).unwrap()
    });
    run.records = run.records.iter().cloned().chain(foreign.collect::<Vec<_>>()).collect();
    let report = crate::Report::of(&run).unwrap();
    let document = report.document();
    let [html, markdown] = [document.html().unwrap(), document.markdown()];
    let texts = [
        ("html", html.clone()),
        ("markdown", markdown.clone()),
        ("csv", document.csv()),
        ("json", document.json().to_string()),
        ("terminal", document.terminal(400, false)),
    ];
    for (name, text) in texts {
        let is_break = |it: char| matches!(it, '\n' | '\r');
        assert!(!text.chars().any(|it| it.is_control() && !is_break(it) || it == '\u{202e}'), "{name}");
        assert!(text.contains("stream") && text.contains("img src=x"), "{name}: it is shown");
        assert!(!text.contains(&"w".repeat(100)), "{name}: it is bounded");
        assert!(!text.lines().any(|line| line.starts_with("# b")), "{name}");
    }
    assert!(!html.contains("<img src=x") && !html.contains("up\u{7}"));
    let links = |start: &str| markdown.matches(start).count();
    assert!(!markdown.contains("<img") && links("](javascript") == links("\\](javascript"), "no bracket is bare");
}
