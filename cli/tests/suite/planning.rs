//! `pushoff plan` as a user has it: an answer from flags alone, and one sentence for what is wrong.

use crate::command::{Ended, Folder, Run};

/// What the README asks.
const FEED: [&str; 9] = ["plan", "--users", "1M", "--rate", "0.2/s", "--payload", "300B", "--staleness", "2s"];

fn plan(folder: &Folder, more: &[&str]) -> Ended {
    Run::command(folder, &[&FEED[..], more].concat()).end()
}

fn json(folder: &Folder, more: &[&str]) -> serde_json::Value {
    let ended = plan(folder, &[more, &["--json"]].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    serde_json::from_str(&ended.stdout).unwrap()
}

#[test]
fn a_load_that_nobody_measured_gets_a_recommendation_and_its_table() {
    let folder = Folder::new();
    let ended = plan(&folder, &[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.starts_with("Take "), "{}", ended.stdout);
    for words in ["1M users", "USD a month", "short polling", "WebSocket", "comes with pushoff", "scripts/model"] {
        assert!(ended.stdout.contains(words), "{words}: {}", ended.stdout);
    }
}

#[test]
fn as_json_it_is_numbers_with_stable_keys() {
    let folder = Folder::new();
    let answer = json(&folder, &["--audience", "50", "--direction", "both", "--rtt", "100ms"]);
    assert_eq!(answer["transports"].as_array().unwrap().len(), 5);
    // What each hears 0.2 times a second one of 50 publishes.
    assert_eq!((&answer["needs"]["audience"], &answer["needs"]["up_rate_per_second"]), (&50.0.into(), &0.004.into()));
    for it in answer["transports"].as_array().unwrap() {
        assert!(it["money_a_month"]["point"].as_f64().unwrap() > 0.0, "{it}");
    }
}

#[test]
fn prices_of_ones_own_are_what_counts() {
    let folder = Folder::new();
    let prices = folder.file("mine.toml", "currency = \"EUR\"\ncore_month = 0\ngib_month = 0\negress_gb = 1\n");
    let (mine, others) = (json(&folder, &["--prices", &prices]), json(&folder, &[]));
    let money = |answer: &serde_json::Value| answer["transports"][3]["money_a_month"]["point"].as_f64().unwrap();
    let down = others["transports"][3]["down_bytes_per_second"]["point"].as_f64().unwrap();
    assert!((money(&mine) / (down * 2_628_000.0 / 1e9) - 1.0).abs() < 1e-9);
    assert!(plan(&folder, &["--prices", &prices]).stdout.contains("EUR a month"));
    let free = folder.file("free.toml", "currency = \"EUR\"\ncore_month = 20\ngib_month = 3\negress_gb = 0\n");
    let bill = &json(&folder, &["--prices", &free])["transports"][3]["bill"];
    assert_eq!((&bill["traffic"], bill["processor"].as_f64().unwrap() > 0.0), (&0.0.into(), true), "{bill}");
}

#[test]
fn a_model_that_a_debug_build_measured_says_so() {
    let folder = Folder::new();
    let shipped = include_str!("../../../results/model-2026-11-28/model.json");
    let model = folder.file("model.json", &shipped.replacen("\"kernel\"", "\"debug_build\": true, \"kernel\"", 1));
    assert!(plan(&folder, &["--model", &model]).stdout.contains("A debug build measured it"));
    assert!(!plan(&folder, &[]).stdout.contains("debug build"));
}

#[test]
fn a_model_of_a_run_is_what_its_records_give() {
    let folder = Folder::new();
    let run = concat!(env!("CARGO_MANIFEST_DIR"), "/../results/model-2026-11-28");
    let (mine, shipped) = (json(&folder, &["--model", run]), json(&folder, &[]));
    let file = json(&folder, &["--model", &format!("{run}/model.json")]);
    assert_eq!((&mine["model"]["is_shipped"], &shipped["model"]["is_shipped"]), (&false.into(), &true.into()));
    assert_eq!(mine["model"]["run"], shipped["model"]["run"]);
    let cores = |answer: &serde_json::Value| answer["transports"][3]["cores"]["point"].as_f64().unwrap();
    for other in [&mine, &file] {
        assert!((cores(other) / cores(&shipped) - 1.0).abs() < 1e-6);
        assert_eq!(other["choice"], shipped["choice"]);
    }
}

#[test]
fn a_run_that_is_none_of_the_script_gives_no_model() {
    let folder = Folder::new();
    for name in ["scale-2026-11-28/idle", "capacity-2026-11-28"] {
        let run = format!("{}/../results/{name}", env!("CARGO_MANIFEST_DIR"));
        let asked = [&FEED[..], &["--model", &run]].concat();
        refused(&folder, &asked, &["--model: ", &run, "is not a run of scripts/model", "or leave --model out"]);
    }
}

/// A workload of the default run as `plan` has it; the payloads are what the run measured. Not the chat: whoever speaks
/// beside a stream posts with a browser's head in a plan, and with the lean client's in the run.
const LOADS: [(&str, &[&str]); 2] = [
    ("progress", &["--users", "200", "--rate", "2/s", "--staleness", "1s", "--audience", "1"]),
    ("ticker", &["--users", "300", "--rate", "20/s", "--staleness", "100ms"]),
];

#[test]
fn the_card_of_a_recorded_run_and_a_plan_for_its_load_do_not_contradict_each_other() {
    let folder = Folder::new();
    let run = concat!(env!("CARGO_MANIFEST_DIR"), "/../results/default-2026-11-29");
    let report = Run::command(&folder, &["report", "--json", "--out", &folder.path("out"), run]).end();
    let report: serde_json::Value = serde_json::from_str(&report.stdout).unwrap();
    for (name, load) in LOADS {
        let is = |it: &&serde_json::Value| it["name"] == name;
        let asked = report["workloads"].as_array().unwrap().iter().find(is).unwrap();
        let (card, client) = (&asked["verdict"], &asked["conditions"]["client"]);
        let is =
            |it: &&serde_json::Value| it["workload"] == name && it["transport"] == "sse" && it["client"] == *client;
        let sse = report["cells"].as_array().unwrap().iter().find(is).unwrap();
        let payload = format!("{:.0}B", sse["figures"]["down_payload_bytes"]["point"].as_f64().unwrap());
        let ended =
            Run::command(&folder, &[&["plan", "--json", "--rtt", "0s", "--payload", &payload], load].concat()).end();
        let plan: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        match (card["choice"].as_str(), plan["choice"].as_str()) {
            (Some(measured), Some(planned)) => assert_eq!(measured, planned, "{name}: {card} {plan}"),
            // What one answers, the other still holds for possible.
            (Some(measured), None) => assert!(plan["contenders"].to_string().contains(measured), "{name}: {plan}"),
            (None, Some(planned)) => assert!(card["contenders"].to_string().contains(planned), "{name}: {card}"),
            (None, None) => {}
        }
    }
}

#[test]
fn absurd_needs_get_one_sentence_that_names_flag_and_value() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("empty")).unwrap();
    folder.file("cheap.toml", "currency = \"USD\"\ncore_month = -1\ngib_month = 3\negress_gb = 0.08\n");
    folder.file("page.json", "<html>");
    folder.file("old.json", "{\"schema\":1}");
    let cases: [(&[&str], &[&str]); 18] = [
        (&["--users", "0"], &["--users is 0", "1 to 1G"]),
        (&["--users", "-5"], &["--users is -5"]),
        (&["--rate", "-0.2/s"], &["--rate is -0.2/s", "12/min"]),
        (&["--rate", "2 a day"], &["--rate is 2 a day", "1/d to 1000/s"]),
        (&["--payload", "1TB"], &["--payload is 1TB", "64KiB"]),
        (&["--payload", "300parsecs"], &["--payload is 300parsecs", "300B"]),
        (&["--staleness", "2"], &["--staleness is 2", "1ms to 1h"]),
        (&["--audience", "2M"], &["--audience is 2M", "1M users"]),
        (&["--direction", "sideways"], &["--direction is sideways", "`both`"]),
        (&["--direction", "both", "--up-rate", "1/s"], &["--direction is both", "--up-rate says"]),
        (&["--rtt", "-1ms"], &["--rtt is -1ms", "40ms"]),
        (&["--margin", "0.1"], &["--margin is 0.1", "10%"]),
        (&["--freshness", "soon"], &["--freshness is soon", "200ms"]),
        (&["--prices", "absent.toml"], &["--prices", "absent.toml", "No such file"]),
        (&["--prices", "cheap.toml"], &["--prices", "cheap.toml line 2", "-1"]),
        (&["--model", "empty"], &["--model", "empty holds neither records.jsonl nor model.json"]),
        (&["--model", "page.json"], &["--model", "page.json", "not a cost model"]),
        (&["--model", "old.json"], &["--model", "old.json", "not a cost model"]),
    ];
    for (arguments, wanted) in cases {
        // The value stands in the place of the right one where that is given already.
        let mut all = FEED.to_vec();
        match all.iter().position(|it| *it == arguments[0]) {
            Some(place) => all[place + 1] = arguments[1],
            None => all.extend(arguments),
        }
        refused(&folder, &all, wanted);
    }
    refused(&folder, &["plan", "--users", "1M", "--rate", "1/s", "--payload", "1kB"], &["--staleness is missing"]);
    refused(&folder, &["plan"], &["--users is missing", "20k"]);
}

fn refused(folder: &Folder, arguments: &[&str], wanted: &[&str]) {
    let ended = Run::command(folder, arguments).end();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}: {}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{arguments:?}: {}", ended.stderr);
    for words in wanted {
        assert!(ended.stderr.contains(words), "{arguments:?}: {}", ended.stderr);
    }
}
