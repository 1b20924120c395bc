//! What others wrote is shown as what it is: it steers no terminal, adds no line to a log, and is neither
//! heading nor markup in a document.

use std::fs;
use std::path::Path;

use crate::command::{Ended, Folder, Run};

/// Every trick at once: colours, a title, a bell, C1, a line that is overwritten, bidirectional overrides, a
/// heading, a row of a table, a link, HTML.
const TRICKS: &str = "\u{1b}[31mred\u{1b}]0;title\u{7}\u{9b}2J\rover\n\n# Heading\n| a | b |\n\u{202e}drawkcab\u{2066} \
                      [x](javascript:1) ![y](http://z) `code` **bold** <img src=x onerror=alert(1)> </script> &amp;";

fn is_control(character: char) -> bool {
    character != '\n'
        && (character.is_control()
            || ('\u{202a}'..='\u{202e}').contains(&character)
            || ('\u{2066}'..='\u{2069}').contains(&character))
}

/// Holds that none of the tricks works in what a command left.
fn assert_harmless(ended: &Ended, documents: &Path) {
    for (what, text) in [("standard output", &ended.stdout), ("standard error", &ended.stderr)] {
        assert!(!text.contains(is_control), "{what}: {text:?}");
        assert!(!text.lines().any(|line| line.starts_with("# Heading") || line.starts_with("| a")), "{what}: {text}");
    }
    let markdown = fs::read_to_string(documents.join("report.md")).unwrap();
    assert!(markdown.contains("Heading"), "it is shown: {markdown}");
    assert!(!markdown.contains(is_control), "report.md");
    for trick in ["<img", "</script", "\n# Heading", "\n| a | b", "[x](", "![y](", "**bold**", "`code`"] {
        assert!(!markdown.contains(trick), "report.md holds {trick}");
    }
    let page = fs::read_to_string(documents.join("report.html")).unwrap();
    assert!(!page.contains("<img") && !page.contains(is_control), "report.html");
    let log = fs::read_to_string(documents.join("latency.hlog")).unwrap();
    assert!(!log.contains(is_control) && log.lines().all(|line| !line.starts_with("# Heading")), "latency.hlog");
}

#[test]
fn whoever_edits_the_files_of_a_run_steers_nothing_by_them() {
    let folder = Folder::new();
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/default-2026-11-29");
    let run = folder.path("run");
    fs::create_dir(&run).unwrap();
    let mut lines = String::new();
    let records = fs::read_to_string(whole.join("records.jsonl")).unwrap();
    let tricks = || serde_json::Value::from(TRICKS);
    for (number, line) in records.lines().filter(|line| line.contains("\"name\":\"ticker\"")).enumerate() {
        let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
        for at in ["/workload/name", "/workload/question", "/workload/advice/says", "/server"] {
            *record.pointer_mut(at).unwrap() = tricks();
        }
        record["run"] = tricks();
        match number {
            0 => record["outcome"] = serde_json::json!({"status": "failed", "kind": "server", "reason": TRICKS}),
            1 => record["outcome"] = serde_json::json!({"status": "not-run", "reason": TRICKS}),
            2 => record["outcome"]["concerns"] = serde_json::json!([{"limit": "generator", "detail": TRICKS}]),
            3 => record["outcome"]["faults"] = serde_json::json!([{"kind": "broke", "cause": TRICKS, "count": 3}]),
            _ => {}
        }
        lines += &format!("{record}\n");
    }
    fs::write(format!("{run}/records.jsonl"), lines).unwrap();
    let environment = fs::read_to_string(whole.join("environment.json")).unwrap();
    let mut environment: serde_json::Value = serde_json::from_str(&environment).unwrap();
    for key in ["command", "run", "started", "version", "revision", "rustc", "cpu", "kernel"] {
        environment[key] = tricks();
    }
    environment["shortages"] = serde_json::json!([TRICKS]);
    environment["servers"] = serde_json::json!([{"name": TRICKS, "value": TRICKS}]);
    environment["pinning"] = serde_json::json!({"mode": "shared", "reason": TRICKS});
    fs::write(format!("{run}/environment.json"), environment.to_string()).unwrap();
    for arguments in
        [&["report", &run][..], &["report", &run, "--json"], &["diff", &run, &run], &["diff", &run, &run, "--markdown"]]
    {
        let ended = Run::command(&folder, arguments).end();
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        assert_harmless(&ended, Path::new(&run));
    }
}

#[test]
fn the_words_of_a_workloads_file_and_the_names_of_files_steer_nothing() {
    let folder = Folder::new();
    let quoted = serde_json::to_string(TRICKS).unwrap().replace("\u{9b}", "\\u009b").replace('\u{7f}', "\\u007f");
    let workload = format!(
        "name = \"small\"\nquestion = {quoted}\nsubscribers = 2\n[advice]\nsays = {quoted}\ntransports = [\"sse\"]\n\
         [publish]\nrate = 20.0\n[slo]\nshare = 0.9\nwithin = \"5s\"\n[phases]\nwarm_up = \"100ms\"\nmeasure = \"200ms\"\n"
    );
    let file = folder.file("\u{1b}[31m.toml", &workload);
    let ended = Run::start(&folder, &["--workload", &file, "--transport", "sse", "--trials", "2", "--no-pin"]).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_harmless(&ended, Path::new(ended.folder()));
}

#[test]
fn a_message_about_somebody_elses_text_is_one_line_of_bounded_length() {
    let folder = Folder::new();
    let long = format!("{TRICKS}{}", "x".repeat(100_000));
    let in_toml = serde_json::to_string(&long).unwrap().replace("\u{9b}", "\\u009b");
    let named = folder.file("a\nb\u{1b}[2J.toml", &format!("name = {in_toml}\nquestion = \"?\"\nsubscribers = 1\n"));
    let unknown = folder.file("unknown.toml", &format!("{in_toml} = 1\n"));
    let within = folder.file("within.toml", &format!("name = \"a\"\nquestion = \"?\"\nsubscribers = {in_toml}\n"));
    fs::create_dir(folder.path("run\n\u{1b}c")).unwrap();
    let (absent, run) = (folder.path("absent\n\u{1b}]0;x\u{7}.toml"), folder.path("run\n\u{1b}c"));
    for arguments in [
        &["run", "--workload", &named][..],
        &["run", "--workload", &unknown],
        &["run", "--workload", &within],
        &["run", "--workload", &absent],
        &["run", "--workload", TRICKS],
        &["run", "--target", &named],
        &["run", "--target", TRICKS],
        &["probe", &absent],
        &["report", &run],
        &["diff", &run, &run],
        &["plan", "--model", &run, "--users", "1", "--rate", "1/s", "--payload", "1B", "--staleness", "1s"],
    ] {
        let ended = Run::command(&folder, arguments).end();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{arguments:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains(is_control), "{arguments:?}: {:?}", ended.stderr);
        assert!(ended.stderr.chars().count() < 2_100, "{arguments:?}: {}", ended.stderr.chars().count());
    }
    // What clap says of a wrong argument is of several lines, and none of them steers anything.
    for arguments in [&["run", "--trials", TRICKS][..], &["run", "--transport", TRICKS], &[TRICKS]] {
        let ended = Run::command(&folder, arguments).end();
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(!ended.stderr.contains(is_control), "{arguments:?}: {:?}", ended.stderr);
    }
}
