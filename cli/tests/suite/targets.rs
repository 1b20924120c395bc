//! Servers that are not ours to start, or not ours at all: looked at, measured side by side, and
//! refused in one sentence before anything is measured.

use std::net::TcpListener;
use std::path::Path;

use pushoff_model::record::Outcome;
use pushoff_model::{Environment, Transport};
use serde_json::Value;

use crate::command::{Folder, Run};
use crate::server::Server;

pub(crate) const SMALL: &str = r#"
name = "small"
question = "Does it all hang together?"
subscribers = 6
[publish]
rate = 40.0
[polling]
interval = "50ms"
[slo]
share = 0.9
within = "5s"
[phases]
warm_up = "100ms"
measure = "300ms"
drain = "10s"
"#;

/// A file that describes our own server, started by its command, under another name.
pub(crate) fn started(folder: &Folder) -> String {
    let ours = include_str!("../../../targets/pushoff.toml");
    let binary = Path::new(env!("CARGO_BIN_EXE_pushoff")).display();
    let start = format!(
        "name = \"another\"\nstart = [\"{binary}\", \"serve\", \"--listen\", \"127.0.0.1:0\", \"--until-stdin-closes\"]"
    );
    folder.file("another.toml", &ours.replace("name = \"pushoff\"", &start))
}

#[test]
fn servers_that_run_already_that_are_started_and_ours_are_measured_in_one_run() {
    let (folder, server) = (Folder::new(), Server::start());
    let (small, another) = (folder.file("small.toml", SMALL), started(&folder));
    let url = format!("http://{}", server.http);
    let targets = ["--target", "pushoff", "--target", &another, "--target", &url];
    let asked = [&["--workload", &small, "--trials", "1", "--json"][..], &targets].concat();
    let ended = Run::start(&folder, &asked).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let records = ended.records();
    for (name, transports) in [("pushoff", 6), ("another", 5), ("target", 5)] {
        let theirs: Vec<_> = records.iter().filter(|record| record.server == name).collect();
        assert_eq!(theirs.len(), transports, "{name}");
        for record in theirs {
            let Outcome::Measured(measured) = &record.outcome else { panic!("{name}: {:?}", record.outcome) };
            let counts = measured.counts;
            assert!(counts.delivered > 0 && counts.delivered == counts.expected, "{name}: {counts:?}");
            assert!(measured.server.is_some_and(|server| server.cpu_ns > 0), "{name}: whose process is it?");
        }
    }
    let environment: Environment = serde_json::from_str(&ended.read("environment.json")).unwrap();
    let names: Vec<_> = environment.servers.iter().map(|server| server.name.as_str()).collect();
    assert_eq!(names, ["pushoff", "another", "target"]);
    server.assert_healthy();
}

#[test]
fn two_builds_of_one_server_take_turns_and_are_compared() {
    let folder = Folder::new();
    let (small, another) = (folder.file("small.toml", SMALL), started(&folder));
    let (old, new) = (format!("old={another}"), format!("new={another}"));
    let asked = ["--workload", &small, "--transport", "sse", "--trials", "3", "--target", &old, "--target", &new];
    let ended = Run::start(&folder, &asked).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let records = ended.records();
    assert_eq!(records.len(), 6);
    for pair in records.chunks(2) {
        let mut servers = [pair[0].server.as_str(), pair[1].server.as_str()];
        servers.sort_unstable();
        assert_eq!((servers, pair[0].trial), (["new", "old"], pair[1].trial));
    }
    let [base, current] = ["old", "new"].map(|server| format!("{}@{server}", ended.folder()));
    let compared = Run::command(&folder, &["diff", &base, &current]).end();
    if compared.code == Some(0) {
        assert!(compared.stdout.contains("BASE old and NEW new, both of "), "{}", compared.stdout);
    } else {
        // A machine that is busy voids what was measured: then that is what is said.
        assert!(compared.code == Some(2) && compared.stderr.contains("void in "), "{}", compared.stderr);
    }
}

#[test]
fn a_probe_shows_what_a_server_offers() {
    let (folder, server) = (Folder::new(), Server::start());
    let url = format!("http://{}", server.http);
    let ended = Run::command(&folder, &["probe", &url, "--json"]).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    let rows = found["probed"][0]["techniques"].as_array().unwrap();
    assert_eq!((rows.len(), &found["findings"]), (Transport::ALL.len(), &serde_json::json!([])));
    for row in rows {
        let is_floor = row["transport"] == Transport::RawTcp.name();
        assert_eq!(row["found"], if is_floor { "not-described" } else { "offered" }, "{row}");
        assert!(is_floor || row["resumes"] == true, "{row}");
    }
    let ended = Run::command(&folder, &["probe", &url]).end();
    assert!(ended.stdout.contains("websocket") && ended.stdout.contains("resumes after a break"), "{}", ended.stdout);
}

#[test]
fn a_target_that_is_wrong_is_told_in_one_sentence_and_nothing_is_measured() {
    let (folder, server) = (Folder::new(), Server::start());
    let small = folder.file("small.toml", SMALL);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let elsewhere = folder.file(
        "elsewhere.toml",
        &format!(
            "name = \"elsewhere\"\nurl = \"http://{}\"\n[publish]\npath = \"/topics/{{topic}}\"\n[sse]\npath = \"/nowhere\"\n",
            server.http
        ),
    );
    let unsaid = folder.file("unsaid.toml", "name = \"a\"\n[publish]\npath = \"/\"\n[websocket]\npath = \"/\"\n");
    let missing = folder.file(
        "missing.toml",
        "name = \"a\"\nstart = [\"./not-there\"]\n[publish]\npath = \"/\"\n[websocket]\npath = \"/\"\n",
    );
    let nobody = format!("http://{nobody}");
    for (target, words) in [
        (&*nobody, &["nobody listens"][..]),
        (&elsewhere, &["sse", "404", "/nowhere"]),
        (&unsaid, &["unsaid.toml", "`url` nor `start`"]),
        (&missing, &["finding ", "/not-there, the command of a target"]),
        ("wss://localhost", &["http:// or https://"]),
        ("http://127.0.0.1:99999", &["http://127.0.0.1:99999", "no number from 1 to 65535"]),
        ("http://me:secret@127.0.0.1:1", &["http://***@127.0.0.1:1", "no password"]),
        ("127.0.0.1:7001", &["write http://127.0.0.1:7001"]),
    ] {
        let ended = Run::start(&folder, &["--workload", &small, "--target", target]).end();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{target}: {}", ended.stderr);
        let sentence = ended.stderr.lines().last().unwrap();
        assert!(words.iter().all(|word| sentence.contains(word)), "{target}: {sentence}");
        assert!(!Path::new(ended.folder()).exists(), "{target}");
    }
}

#[test]
fn a_probe_says_once_what_is_wrong_with_all() {
    let (folder, server) = (Folder::new(), Server::with(&["--publish-token", "t"]));
    let url = format!("http://{}", server.http);
    let ended = Run::command(&folder, &["probe", &url]).end();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let all = "  short-polling, long-polling, http-streaming, sse, websocket:\n                  publishing at ";
    assert!(ended.stdout.contains(all) && ended.stdout.matches("publishing at").count() == 1, "{}", ended.stdout);
    let ended = Run::start(&folder, &["--workload", "ticker", "--target", &url]).end();
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let sentence = ended.stderr.lines().last().unwrap();
    assert!(sentence.contains("looking at target: publishing at ") && !sentence.contains("more like it"), "{sentence}");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ended = Run::command(&folder, &["probe", &format!("http://{nobody}")]).end();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("nobody listens").count(), 1, "{}", ended.stderr);
}

#[test]
fn a_name_stands_for_the_one_address_that_answered() {
    let (folder, server) = (Folder::new(), Server::start());
    let url = format!("here=http://localhost:{}", server.http.port());
    let ended = Run::command(&folder, &["probe", &url]).end();
    assert_eq!(ended.code, Some(0), "{} {}", ended.stdout, ended.stderr);
    let found = format!("http://localhost:{}, found at {}", server.http.port(), server.http);
    assert!(ended.stdout.starts_with(&found), "{}", ended.stdout);
}
