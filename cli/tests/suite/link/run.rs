//! `pushoff run --network`.

use std::io::{Write, stderr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use procfs::process::all_processes;
use pushoff_model::{Client, Record, RunClock, RunInstant, Transport};
use rustix::process::Signal;

use super::{FEED, MINE, namespaces};
use crate::command::{Ended, Folder, Run};
use crate::server::Server;
use crate::targets::started;

/// The records of a run over the network `mine`: every message was delivered, after 50 ms at the earliest.
fn measured_over_mine(ended: &Ended) -> Vec<Record> {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mut records = ended.records();
    records.retain(|record| record.conditions().value("network") == Some("mine"));
    for record in &records {
        let key = format!("{}/{}", record.transport, record.server);
        let measured = record.measurement().unwrap_or_else(|| panic!("{key}: {:?}", record.outcome));
        let counts = measured.counts;
        assert!(counts.delivered > 0 && counts.delivered == counts.expected, "{key}: {counts:?}");
        // A page's clock may be off by so much.
        let unsure = measured.browser.map_or(0, |browser| browser.clock.uncertainty_ns);
        let least = measured.delivery_latency.quantile(0.01).unwrap() + Duration::from_nanos(unsure);
        assert!(least >= Duration::from_millis(50), "{key}: {least:?}");
    }
    records
}

/// The feed without losses on the way.
fn lossless(folder: &Folder) -> (String, String) {
    (folder.file("mine.toml", &MINE.replace("loss = 0.01\n", "")), folder.file("feed.toml", FEED))
}

#[test]
#[ignore = "needs network namespaces: scripts/test runs it where they are"]
fn all_five_are_measured_over_the_network_and_their_costs_without_it() {
    let folder = Folder::new();
    let (mine, feed) = lossless(&folder);
    let ended =
        Run::start(&folder, &["--network", &mine, "--workload", &feed, "--duration", "2s", "--trials", "1", "--json"])
            .end();
    let records = measured_over_mine(&ended);
    let mut transports: Vec<_> = records.iter().map(|record| record.transport).collect();
    transports.sort_unstable();
    assert_eq!(transports, Transport::ALL[..5], "the floor is measured without a network");
    for record in &records {
        let measured = record.measurement().unwrap();
        let link = measured.link.as_ref().unwrap();
        assert!(link.down.passed > 0 && link.up.passed > 0 && link.down.lateness.count() > 0, "{link:?}");
        assert!(link.down.largest <= 1_500, "{}", link.down.largest);
        // A handshake, and a request with its answer.
        let connected = measured.connect.quantile(0.0).unwrap();
        assert!(connected >= Duration::from_millis(200), "{}: {connected:?}", record.transport);
    }
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let networks = &report["workloads"][0]["networks"];
    assert_eq!((&networks[0]["name"], &networks[0]["round_trip_ns"]), (&"mine".into(), &100_000_000_u64.into()));
    assert_eq!(networks[0]["transports"].as_array().unwrap().len(), 5);
    let without = ended.records().into_iter().filter(|record| record.conditions().value("network").is_none());
    assert_eq!(without.count(), Transport::ALL.len());
}

#[test]
#[ignore = "needs network namespaces: scripts/test runs it where they are"]
fn nothing_of_a_run_over_a_network_outlives_it() {
    let folder = Folder::new();
    let (mine, feed) = lossless(&folder);
    let arguments = ["--network", &mine, "--workload", &feed, "--duration", "1min", "--trials", "1"];
    let run = Run::start(&folder, &[&arguments[..], &["--transport", "sse"]].concat());
    let clock = RunClock::start();
    let in_time = |what: &str| {
        assert!(clock.now().since(RunInstant::default()) < Duration::from_mins(1), "{what}");
        std::thread::yield_now();
    };
    // The far namespace has the server, the near one the readers' sockets.
    let own = loop {
        let own = namespaces(run.pid());
        if own.len() >= 2 && !run.children().is_empty() {
            break own;
        }
        in_time("no network was made");
    };
    let servers = run.children();
    run.signal(Signal::KILL);
    drop(run.end());
    let is_left = || {
        let held = || all_processes().unwrap().flatten().flat_map(|process| namespaces(process.pid()));
        servers.iter().any(|pid| Path::new(&format!("/proc/{pid}")).exists()) || held().any(|it| own.contains(&it))
    };
    while is_left() {
        in_time("a server or a namespace is left");
    }
}

#[test]
fn what_cannot_be_measured_over_a_network_is_refused_with_what_to_do() {
    let folder = Folder::new();
    let feed = folder.file("feed.toml", FEED);
    let refused = |arguments: &[&str]| {
        let ended = Run::start(&folder, &[&["--workload", &feed], arguments].concat()).end();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}: {}", ended.stderr);
        ended.stderr
    };
    let typo = refused(&["--network", "slow4g"]);
    assert!(typo.contains("\"slow4g\" is not a built-in network (did you mean slow-4g?)"), "{typo}");
    let twice = refused(&["--network", "lan,lan"]);
    assert!(twice.contains("two networks are named lan"), "{twice}");
    let server = Server::start();
    let running = refused(&["--network", "lan", "--target", &format!("http://{}", server.http)]);
    assert!(running.contains("\"target\" runs already") && running.contains("pushoff link"), "{running}");
}

#[test]
#[ignore = "needs network namespaces: scripts/test runs it where they are"]
fn a_load_beyond_what_a_network_passes_on_is_refused() {
    let folder = Folder::new();
    let feed = folder.file("feed.toml", FEED);
    let arguments = ["--network", "lan", "--workload", &feed, "--subscribers", "2000", "--trials", "1"];
    let ended = Run::start(&folder, &arguments).end();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("a network passes at most 30000 on: lower --subscribers"), "{}", ended.stderr);
}

#[test]
#[ignore = "needs network namespaces: scripts/test runs it where they are"]
fn pages_of_a_browser_hear_all_over_the_network() {
    let folder = Folder::new();
    let (mine, feed) = lossless(&folder);
    let arguments =
        ["--client", "browser", "--network", &mine, "--workload", &feed, "--duration", "2s", "--trials", "1"];
    let ended = Run::start(&folder, &[&arguments[..], &["--transport", "sse,long-polling"]].concat()).end();
    let records = measured_over_mine(&ended);
    let mut transports: Vec<_> = records.iter().map(|record| record.transport).collect();
    transports.sort_unstable();
    assert_eq!(transports, [Transport::LongPolling, Transport::Sse]);
    for record in records {
        assert_eq!(record.client, Client::Browser);
        let measured = record.measurement().unwrap();
        assert!(measured.link.as_ref().unwrap().up.passed > 0);
        assert!(
            measured.browser.unwrap().clock.resolution_ns <= 100_000,
            "the page is isolated: {:?}",
            measured.browser
        );
    }
}

#[test]
#[ignore = "needs network namespaces: scripts/test runs it where they are"]
fn servers_of_others_are_measured_over_the_network() {
    let folder = Folder::new();
    let (mine, feed) = lossless(&folder);
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let there = Command::new(repository.join("scripts/peers/check")).arg("--there").output().unwrap();
    let missing = String::from_utf8(there.stdout).unwrap();
    let (mut targets, mut cells) = (Vec::new(), 0);
    for (name, transports) in [("nchan", 3), ("node-ws", 2)] {
        if missing.contains(&format!("{name} (")) {
            // Standard error itself: a test's own words are not shown where it passes.
            writeln!(stderr(), "SKIPPED: {name} over a network, for want of it (scripts/peers/check --setup)").unwrap();
        } else {
            targets
                .extend(["--target".to_owned(), repository.join(format!("targets/{name}.toml")).display().to_string()]);
            cells += transports;
        }
    }
    if cells == 0 {
        return;
    }
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    let arguments = ["--network", &mine, "--workload", &feed, "--duration", "2s", "--trials", "1"];
    let transports = ["--transport", "long-polling,sse,websocket"];
    let ended = Run::start(&folder, &[&arguments[..], &transports, &targets].concat()).end();
    assert_eq!(measured_over_mine(&ended).len(), cells);
}

#[test]
#[ignore = "needs network namespaces: scripts/test runs it where they are"]
fn a_server_that_listens_where_no_network_leads_is_told_before_anything_is_measured() {
    let folder = Folder::new();
    let (mine, feed, deaf) = (folder.file("mine.toml", MINE), folder.file("feed.toml", FEED), started(&folder));
    let ended = Run::start(&folder, &["--target", &deaf, "--network", &mine, "--workload", &feed]).end();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    let sentence = ended.stderr.lines().last().unwrap();
    let words = ["another: the server listens at 127.0.0.1:", "environment variable PUSHOFF_ADDRESS"];
    assert!(words.iter().all(|word| sentence.contains(word)), "{sentence}");
    assert!(!Path::new(ended.folder()).exists());
}
