//! A trial counts once, wherever and however often its record is found.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::command::{Ended, Folder, Run};

/// A part of a run that comes with the repository, as a folder of its own; with or without the
/// identities that a build gives its trials today.
fn recorded(folder: &Folder, name: &str, with_ids: bool) -> PathBuf {
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/default-2026-11-29");
    let run = PathBuf::from(folder.path(name));
    fs::create_dir_all(&run).unwrap();
    let records = fs::read_to_string(whole.join("records.jsonl")).unwrap();
    let mut some = String::new();
    let is_chosen = |line: &&str| {
        line.contains("\"name\":\"ticker\"")
            && ["http-streaming", "sse", "websocket"].iter().any(|it| line.contains(&format!("\"transport\":\"{it}\"")))
    };
    for (number, line) in records.lines().filter(is_chosen).enumerate() {
        let mut record: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        record.remove("id");
        if with_ids {
            record.insert("id".into(), format!("{number:032x}").into());
        }
        some += &(serde_json::to_string(&record).unwrap() + "\n");
    }
    fs::write(run.join("records.jsonl"), some).unwrap();
    fs::copy(whole.join("environment.json"), run.join("environment.json")).unwrap();
    run
}

fn report(folder: &Folder, runs: &[&Path]) -> Ended {
    let runs: Vec<&str> = runs.iter().map(|run| run.to_str().unwrap()).collect();
    let ended = Run::command(folder, &[&["report", "--json", "--out", &folder.path("out")][..], &runs].concat()).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended
}

#[test]
fn the_same_run_by_several_paths_is_reported_as_if_named_once() {
    for with_ids in [true, false] {
        let folder = Folder::new();
        let run = recorded(&folder, "runs/2026", with_ids);
        let latest = PathBuf::from(folder.path("runs/latest"));
        symlink("2026", &latest).unwrap();
        let copy = PathBuf::from(folder.path("elsewhere"));
        fs::create_dir(&copy).unwrap();
        for file in ["records.jsonl", "environment.json"] {
            fs::copy(run.join(file), copy.join(file)).unwrap();
        }
        let once = report(&folder, &[&run]);
        let trials = fs::read_to_string(run.join("records.jsonl")).unwrap().lines().count();
        assert!(!once.stderr.contains("left out"), "{}", once.stderr);
        let page = fs::read_to_string(folder.path("out/report.md")).unwrap();
        for others in [&[&*run][..], &[&latest], &[&copy], &[&latest, &copy, &run]] {
            let again = report(&folder, &[&[&*run], others].concat());
            assert_eq!(again.stdout, once.stdout, "{others:?}");
            assert_eq!(fs::read_to_string(folder.path("out/report.md")).unwrap(), page, "{others:?}");
            let said = format!("{} records are left out", others.len() * trials);
            assert!(again.stderr.contains(&said), "{said}: {}", again.stderr);
        }
    }
}

#[test]
fn lines_that_were_appended_twice_count_once() {
    for with_ids in [true, false] {
        let folder = Folder::new();
        let run = recorded(&folder, "run", with_ids);
        let once = report(&folder, &[&run]);
        let records = fs::read_to_string(run.join("records.jsonl")).unwrap();
        let first = records.lines().next().unwrap();
        fs::write(run.join("records.jsonl"), format!("{records}{first}\n")).unwrap();
        let again = report(&folder, &[&run]);
        assert_eq!(again.stdout, once.stdout);
        assert!(again.stderr.contains("1 record is left out: the same trials were read before"), "{}", again.stderr);
        fs::write(run.join("records.jsonl"), records.repeat(3)).unwrap();
        assert_eq!(report(&folder, &[&run]).stdout, once.stdout);
    }
}

#[test]
fn folders_that_overlap_are_one_report_of_all_their_trials() {
    let folder = Folder::new();
    let (whole, part) = (recorded(&folder, "whole", true), recorded(&folder, "part", true));
    let records = fs::read_to_string(whole.join("records.jsonl")).unwrap();
    let lines: Vec<&str> = records.lines().collect();
    let written = |lines: &[&str]| lines.join("\n") + "\n";
    fs::write(whole.join("records.jsonl"), written(&lines[..lines.len() - 2])).unwrap();
    fs::write(part.join("records.jsonl"), written(&lines[3..])).unwrap();
    let both = report(&folder, &[&whole, &part]);
    assert!(both.stderr.contains(&format!("{} records are left out", lines.len() - 5)), "{}", both.stderr);
    fs::write(whole.join("records.jsonl"), &records).unwrap();
    assert_eq!(report(&folder, &[&whole]).stdout, both.stdout);
}

#[test]
fn what_is_held_against_itself_is_told() {
    let folder = Folder::new();
    let run = recorded(&folder, "run", true);
    let trials = fs::read_to_string(run.join("records.jsonl")).unwrap().lines().count();
    let run = run.to_str().unwrap();
    let same = format!("{run}@pushoff");
    for sides in [[run, run], [&same, &same]] {
        let ended = Run::command(&folder, &["diff", sides[0], sides[1]]).end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stderr.contains(&format!("{trials} trials in common, which cannot differ")), "{}", ended.stderr);
    }
    let servers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/servers-2026-11-28");
    let servers = servers.to_str().unwrap();
    let ended = Run::command(&folder, &["diff", &format!("{servers}@nchan"), &format!("{servers}@pushoff")]).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("in common"), "two servers of one run: {}", ended.stderr);
}
