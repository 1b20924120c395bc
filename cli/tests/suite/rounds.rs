//! A run as a race: its rounds, its budget, its seed, and the gate on its SLO.

use std::collections::BTreeMap;

use pushoff_model::Environment;

use crate::command::{Folder, Run};

/// Few messages to few readers, polled so seldom that short polling is late for a strict SLO.
const SMALL: &str = r#"
name = "small"
question = "How many rounds?"
topics = 1
subscribers = 3
[publish]
rate = 40.0
arrival = "constant"
[polling]
interval = "200ms"
[slo]
share = 0.9
within = "5s"
[phases]
warm_up = "100ms"
measure = "200ms"
drain = "5s"
"#;

#[test]
fn a_race_has_three_whole_rounds_though_its_budget_is_used_and_says_its_seed() {
    let folder = Folder::new();
    let workload = folder.file("small.toml", SMALL);
    let asked = ["--workload", &workload, "--transport", "sse,ws", "--budget", "1s"];
    let ended = Run::start(&folder, &asked).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mut cells: BTreeMap<(u32, &str), u32> = BTreeMap::new();
    let records = ended.records();
    for record in &records {
        *cells.entry((record.trial, record.transport.name())).or_default() += 1;
    }
    let whole: Vec<_> = (1..=3).flat_map(|round| [(round, "sse"), (round, "websocket")]).collect();
    // What the machine spoils is measured again, once.
    assert!(cells.keys().eq(whole.iter()) && cells.values().all(|&trials| trials <= 2), "{cells:?}");
    let environment: Environment = serde_json::from_str(&ended.read("environment.json")).unwrap();
    assert!(ended.stderr.contains(&format!("seed {}", environment.seed)), "{}", ended.stderr);
    for words in ["round 1 (", "round 3 (the last): small"] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
}

#[test]
fn a_gate_on_the_slo_fails_where_no_transport_meets_it() {
    let folder = Folder::new();
    let easy = folder.file("small.toml", SMALL);
    let hard = folder.file("hard.toml", &SMALL.replace("\"5s\"\n[phases]", "\"1ms\"\n[phases]"));
    for (workload, code) in [(&easy, 0), (&hard, 1)] {
        let out = folder.path(&format!("out{code}"));
        let asked = ["run", "--workload", workload, "--transport", "polling", "--trials", "4", "--fail-on", "slo"];
        let ended = Run::command(&folder, &[&asked[..], &["--out", &out]].concat()).end();
        let says = ended.stderr.contains("no transport meets the SLO (short polling fails)");
        // A machine that spoils the trials leaves too few that count, which fails the gate too.
        let spoilt = ["void", "undecided"].map(|it| format!("no transport meets the SLO (short polling {it})"));
        let is_spoilt = spoilt.iter().any(|it| ended.stderr.contains(it));
        assert!(is_spoilt || (ended.code, says) == (Some(code), code == 1), "{:?}: {}", ended.code, ended.stderr);
        assert!(!is_spoilt || ended.code == Some(1), "{}", ended.stderr);
    }
}

#[test]
fn a_gate_that_cannot_be_judged_is_refused() {
    let folder = Folder::new();
    for (asked, says) in [
        (&["--workload", "idle"][..], "needs a workload with an SLO"),
        (&["--workload", "ticker", "--trials", "1"], "needs two trials or more"),
    ] {
        let ended = Run::start(&folder, &[asked, &["--fail-on", "slo"]].concat()).end();
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
}
