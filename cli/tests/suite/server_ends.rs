//! How a server that pushoff started has ended, and what it printed, are told; and that it lives while it should.

use std::fs;
use std::path::Path;

use pushoff_model::record::{FailureKind, Outcome};

use crate::command::{Folder, Run};
use crate::targets::SMALL;

/// A target whose command is a script of the shell.
fn script(folder: &Folder, script: &str) -> String {
    let ours = include_str!("../../../targets/pushoff.toml");
    let start = format!("name = \"another\"\nstart = [\"sh\", \"-c\", {}]", serde_json::to_string(script).unwrap());
    folder.file("another.toml", &ours.replace("name = \"pushoff\"", &start))
}

#[test]
fn how_a_server_that_was_started_has_ended_is_told() {
    for (command, wanted) in [
        ("exit 7", "the server ended by itself (exit status: 7)"),
        ("kill -KILL $$", "the server ended by itself (signal: 9 (SIGKILL))"),
        (
            "echo nonsense; exit 3",
            "printed \"nonsense\" instead of its address; the server ended by itself (exit status: 3)",
        ),
        ("printf '\\033]0;x\\377'; exit 3", r#"printed "\u{1b}]0;x"#),
    ] {
        let folder = Folder::new();
        let target = script(&folder, command);
        let ended = Run::command(&folder, &["run", "--target", &target, "--transport", "sse"]).end();
        assert_eq!(ended.code, Some(2), "{command}: {}", ended.stderr);
        assert!(ended.stderr.contains(wanted), "{command}: {}", ended.stderr);
        assert!(ended.stderr.contains(r#"must be {"http":"ADDRESS:PORT"}"#), "{command}: {}", ended.stderr);
        assert!(!ended.stderr.contains("server.log"), "there is none: {}", ended.stderr);
    }
}

/// Listens the first time, when it is looked at, and ends as soon as it is started for a trial.
#[test]
fn the_log_is_named_where_there_is_something_in_it() {
    for (says, is_named) in [("", false), ("echo gone >&2; ", true)] {
        let folder = Folder::new();
        let binary = env!("CARGO_BIN_EXE_pushoff");
        let first = folder.path("first");
        let target = script(
            &folder,
            &format!(
                "[ -e {first} ] && {{ {says}exit 7; }}; touch {first}; exec {binary} serve --listen 127.0.0.1:0 --until-stdin-closes"
            ),
        );
        let workload = folder.file("small.toml", SMALL);
        let asked = ["--target", &target, "--transport", "sse", "--workload", &workload, "--trials", "1"];
        let ended = Run::start(&folder, &asked).end();
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        let records = ended.records();
        let Outcome::Failed(failure) = &records[0].outcome else { panic!("{records:?}") };
        assert_eq!(failure.kind, FailureKind::Server);
        assert!(failure.reason.contains("ended by itself (exit status: 7)"), "{}", failure.reason);
        assert_eq!(failure.reason.contains("see server.log"), is_named, "{}", failure.reason);
        assert_eq!(Path::new(ended.folder()).join("server.log").exists(), is_named);
    }
}

/// A server that dies while it is measured, of a signal.
#[test]
fn a_server_that_dies_while_it_is_measured_is_told_with_its_signal() {
    let folder = Folder::new();
    let workload = folder.file("long.toml", &SMALL.replace("\"300ms\"", "\"20s\""));
    let run = Run::start(&folder, &["--transport", "sse", "--workload", &workload, "--trials", "1"]);
    run.wait_until_measuring();
    run.signal_server(rustix::process::Signal::KILL);
    let ended = run.end();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let records = ended.records();
    let Outcome::Failed(failure) = &records[0].outcome else { panic!("{records:?}") };
    assert!(failure.reason.contains("; the server ended by itself (signal: 9 (SIGKILL))"), "{}", failure.reason);
}

/// Its standard input is what keeps a server alive: to look how it fares must not end it.
#[test]
fn a_server_that_is_well_is_not_said_to_have_ended() {
    let folder = Folder::new();
    // Ends at once when its standard input is closed, with whatever it started.
    let binary = env!("CARGO_BIN_EXE_pushoff");
    let prompt = format!(
        "tail -f /dev/null | {binary} serve --listen 127.0.0.1:0 --until-stdin-closes & cat >/dev/null; kill -- -$$"
    );
    let target = script(&folder, &prompt);
    let wrong = fs::read_to_string(&target).unwrap().replace("{topic}/sse", "{topic}/absent");
    let ended = Run::command(&folder, &["probe", &folder.file("another.toml", &wrong)]).end();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stdout.contains("nothing is found at this path"), "{}", ended.stdout);
    assert!(!ended.stderr.contains("ended by itself"), "{}", ended.stderr);
}

#[test]
fn what_a_server_says_while_it_is_looked_at_is_shown_and_steers_nothing() {
    let folder = Folder::new();
    let long = "x".repeat(5_000);
    let target = script(&folder, &format!("printf 'one\\n\\033[31mtwo\\377\\r' >&2; echo {long} >&2; exit 7"));
    let ended = Run::command(&folder, &["probe", &target]).end();
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!((lines[0], lines[1].starts_with(r"\u{1b}[31mtwo"), lines.len()), ("one", true, 4), "{}", ended.stderr);
    assert!(ended.stderr.contains("(exit status: 7)") && !ended.stderr.contains('\u{1b}'), "{}", ended.stderr);
}

#[test]
fn a_server_may_go_on_printing_after_it_said_where_it_listens() {
    let folder = Folder::new();
    let binary = env!("CARGO_BIN_EXE_pushoff");
    // Far more than a pipe holds: whoever prints and is not read stands still, or dies.
    let chatty = format!(
        "{binary} serve --listen 127.0.0.1:0 --until-stdin-closes | {{ read line; echo \"$line\"; i=0; \
         while [ $i -lt 5000 ]; do echo 'a line that nobody needs, of some length'; i=$((i+1)); done; \
         echo printed >{}; cat; }}",
        folder.path("printed")
    );
    let target = script(&folder, &chatty);
    let workload = folder.file("small.toml", SMALL);
    let asked = ["--target", &target, "--transport", "sse", "--workload", &workload, "--trials", "1"];
    let ended = Run::start(&folder, &asked).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(Path::new(&folder.path("printed")).exists());
}
