//! `pushoff diff` over recorded runs: exit codes, documents, and what is wrong with its input.

use std::path::PathBuf;

use crate::command::{Ended, Folder, Run};

/// A recorded run that comes with the repository.
fn recorded(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../results").join(name);
    path.to_str().unwrap().to_owned()
}

fn diff(folder: &Folder, arguments: &[&str]) -> Ended {
    Run::command(folder, &[&["diff"][..], arguments].concat()).end()
}

/// A copy of a recorded run with each record changed, or left out.
fn copy(folder: &Folder, name: &str, change: impl Fn(&mut serde_json::Value) -> bool) -> String {
    let records = std::fs::read_to_string(PathBuf::from(recorded(name)).join("records.jsonl")).unwrap();
    let mut changed = String::new();
    for line in records.lines() {
        let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
        if change(&mut record) {
            changed += &format!("{record}\n");
        }
    }
    std::fs::create_dir(folder.path("copy")).unwrap();
    folder.file("copy/records.jsonl", &changed);
    let environment = std::fs::read_to_string(PathBuf::from(recorded(name)).join("environment.json")).unwrap();
    folder.file("copy/environment.json", &environment);
    folder.path("copy")
}

/// A copy of a recorded run whose server took so many times the processor time.
fn dearer(folder: &Folder, name: &str, times: u64) -> String {
    copy(folder, name, |record| {
        if let Some(cpu) = record.pointer_mut("/outcome/server/cpu_ns") {
            *cpu = (cpu.as_u64().unwrap() * times).into();
        }
        true
    })
}

#[test]
fn a_recorded_run_has_not_changed_against_itself() {
    let folder = Folder::new();
    for name in ["default-2026-11-29", "scale-2026-11-28/idle"] {
        let run = recorded(name);
        let ended = diff(&folder, &[&run, &run, "--fail-on", "regressed", "--json"]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!((json["tally"]["regressed"].as_u64(), json["tally"]["improved"].as_u64()), (Some(0), Some(0)));
        assert_eq!(json["environment"].as_array().unwrap().len(), 0);
        assert!(!json["changes"].as_array().unwrap().is_empty());
    }
}

#[test]
fn what_became_four_times_as_dear_fails_the_gate_and_only_the_gate() {
    let folder = Folder::new();
    let (base, new) = (recorded("default-2026-11-29"), dearer(&folder, "default-2026-11-29", 4));
    let told = diff(&folder, &[&base, &new]);
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    assert!(told.stdout.starts_with("regressed ("), "{}", told.stdout);
    let failed = diff(&folder, &[&base, &new, "--fail-on", "regressed"]);
    assert_eq!((failed.code, &failed.stdout), (Some(1), &told.stdout));
    assert_eq!(diff(&folder, &[&new, &base, "--fail-on", "regressed"]).code, Some(0), "cheaper is no failure");
    assert_eq!(diff(&folder, &[&base, &new, "--fail-on", "regressed", "--floor", "900%"]).code, Some(0));
    let markdown = diff(&folder, &[&base, &new, "--markdown"]).stdout;
    assert!(markdown.starts_with("# pushoff diff\n\nregressed ("), "{markdown}");
    assert!(markdown.contains("| **regressed** |") && markdown.contains("</details>"), "{markdown}");
}

#[test]
fn runs_that_differ_in_more_than_they_share_are_told_apart() {
    let folder = Folder::new();
    let (ours, theirs) = (recorded("default-2026-11-29"), recorded("capacity-2026-11-28"));
    let ended = diff(&folder, &[&ours, &theirs]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("no figure in common"), "{}", ended.stderr);
    let fast = copy(&folder, "capacity-2026-11-28", |record| record["transport"] == "websocket");
    let bounds = diff(&folder, &[&fast, &fast]);
    assert_eq!(bounds.code, Some(2), "the generator limited all of it: nothing is known to have changed or not");
    assert!(bounds.stderr.contains("only lower bounds are known"), "{}", bounds.stderr);
}

#[test]
fn two_servers_of_one_run_are_compared_trial_by_trial_whatever_they_are_called() {
    let folder = Folder::new();
    let run = recorded("servers-2026-11-28");
    let (base, new) = (format!("{run}@nchan"), format!("{run}@pushoff"));
    let ended = diff(&folder, &[&base, &new, "--json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&json["base"]["server"], &json["new"]["server"]), (&"nchan".into(), &"pushoff".into()));
    let changes = json["changes"].as_array().unwrap();
    let is = |it: &&serde_json::Value| {
        (&it["metric"], &it["transport"], &it["workload"]) == (&"p50_ns".into(), &"sse".into(), &"light-1000".into())
    };
    let p50 = changes.iter().find(is).unwrap();
    assert_eq!(p50["pairs"], 3);
    assert!(p50["ratio"]["point"].as_f64().unwrap() < 1.0, "{p50}");
    assert!(diff(&folder, &[&base, &new]).stdout.contains("BASE nchan and NEW pushoff, both of "));
    assert!(p50["ratio"]["interval"]["low"].as_f64() < p50["ratio"]["point"].as_f64(), "{p50}");
}

#[test]
fn each_mistake_is_one_sentence() {
    let folder = Folder::new();
    let run = recorded("default-2026-11-29");
    std::fs::create_dir(folder.path("other")).unwrap();
    folder.file("other/records.jsonl", "{\"schema\":1}\n");
    std::fs::create_dir(folder.path("empty")).unwrap();
    let servers = recorded("servers-2026-11-28");
    let (nchan, nobody, elsewhere) = (format!("{servers}@nchan"), format!("{servers}@nobody"), "absent@nchan");
    let cases: [(&[&str], &str); 10] = [
        (&[&nobody, &nchan], "has no server named \"nobody\": it measured pushoff, nchan, node-ws"),
        (&[&servers, &nchan], "holds several servers (pushoff, nchan, node-ws): name one, as in"),
        (&[elsewhere, &nchan], "absent is not a recorded run"),
        (&[&run], "<NEW>"),
        (&[&run, "absent"], "absent is not a recorded run"),
        (&[&run, "empty"], "empty is not a recorded run"),
        (&["other", &run], "has schema 1"),
        (&[&run, &run, "--floor", "much"], "20%"),
        (&[&run, &run, "--fail-on", "rain"], "regressed"),
        (&[&run, &run, "--markdown", "--json"], "cannot be used with"),
    ];
    for (arguments, wanted) in cases {
        let ended = diff(&folder, arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(wanted) && !ended.stderr.contains("panicked"), "{arguments:?}: {}", ended.stderr);
    }
}
