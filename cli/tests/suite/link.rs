//! Networks, on real TCP: a command behind one. What needs network namespaces is run by scripts/test, where the machine has
//! them.

mod live;
mod run;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pushoff_model::{RunClock, RunInstant};
use rustix::process::Signal;

use crate::command::{Folder, Run};
use crate::server::Server;

/// 50 ms each way, and one packet of a hundred lost on the way down.
const MINE: &str = "name = \"mine\"\nsays = \"mine\"\n[down]\ndelay = \"50ms\"\nloss = 0.01\n[up]\ndelay = \"50ms\"\n";

/// A feed to ten readers, 100 messages.
const FEED: &str = "name = \"feed\"\nquestion = \"?\"\nsubscribers = 10\n[publish]\nrate = 50.0\npayload = { bytes = 128 }\n\
                    [slo]\nshare = 0.5\nwithin = \"1s\"\nmay_skip = false\n[phases]\nwarm_up = \"500ms\"\nmeasure = \"2s\"\ndrain = \"5s\"\n";

#[test]
#[ignore = "needs network namespaces: scripts/test runs it where they are"]
fn every_delivery_behind_the_network_takes_its_delay_and_none_is_lost_to_its_losses() {
    let (folder, server) = (Folder::new(), Server::with(&["--allow-host", "10.77.0.1"]));
    let (mine, feed) = (folder.file("mine.toml", MINE), folder.file("feed.toml", FEED));
    let port = server.http.port().to_string();
    let url = format!("http://10.77.0.1:{port}");
    let own = env!("CARGO_BIN_EXE_pushoff");
    let run = [own, "run", "--target", &url, "--workload", &feed, "--transport", "sse,websocket", "--trials", "1"];
    let link = [&["link", &mine, "--port", &port, "--seed", "3", "--"][..], &run, &["--out", &folder.path("run")]];
    let ended = Run::command(&folder, &link.concat()).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for record in ended.records() {
        let measured = record.measurement().unwrap();
        assert_eq!(measured.counts.delivered, measured.counts.expected, "{}", record.transport);
        // Publishing crosses the network as well: there and back on one connection, and down to the reader.
        assert!(measured.delivery_latency.quantile(0.01).unwrap() >= Duration::from_millis(99), "{}", record.transport);
    }
    assert!(ended.stderr.contains("passed: down ") && ended.stderr.contains(" lost; "), "{}", ended.stderr);
}

#[test]
#[ignore = "needs network namespaces: scripts/test runs it where they are"]
fn it_ends_as_its_command_ends() {
    let folder = Folder::new();
    let with =
        |command: &[&str]| Run::command(&folder, &[&["link", "lan", "--port", "1", "--"][..], command].concat()).end();
    assert_eq!(with(&["sh", "-c", "exit 7"]).code, Some(7));
    assert_eq!(with(&["sh", "-c", "kill -TERM $$"]).code, Some(128 + 15));
    let absent = with(&["no-such-command"]);
    assert_eq!(absent.code, Some(2));
    assert!(absent.stderr.contains("error: running no-such-command: No such file"), "{}", absent.stderr);
}

#[test]
#[ignore = "needs network namespaces: scripts/test runs it where they are"]
fn its_command_ends_with_it_whatever_ends_it() {
    let folder = Folder::new();
    let there = folder.path("there");
    let script = format!("echo $$ > {there}; exec sleep 600");
    let link = Run::command(&folder, &["link", "lan", "--port", "1", "--", "sh", "-c", &script]);
    let clock = RunClock::start();
    let in_time = |what: &str| {
        assert!(clock.now().since(RunInstant::default()) < Duration::from_mins(1), "{what}");
        std::thread::yield_now();
    };
    let pid = loop {
        if let Some(pid) = std::fs::read_to_string(&there).ok().and_then(|text| text.trim().parse::<u32>().ok()) {
            break pid;
        }
        in_time("the command did not begin");
    };
    link.signal(Signal::KILL);
    drop(link.end());
    while Path::new(&format!("/proc/{pid}/status")).exists() {
        in_time("the command goes on");
    }
}

/// The network namespaces that a process holds open, without that of this machine.
fn namespaces(pid: i32) -> BTreeSet<PathBuf> {
    let held = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let held = held.filter_map(|fd| std::fs::read_link(fd.path()).ok());
    let ours = std::fs::read_link("/proc/self/ns/net").unwrap();
    held.filter(|to| to.to_string_lossy().starts_with("net:") && *to != ours).collect()
}

#[test]
fn a_network_that_is_not_there_is_named_with_what_was_meant() {
    let folder = Folder::new();
    let refused = |arguments: &[&str]| {
        let ended = Run::command(&folder, arguments).end();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
        ended.stderr
    };
    let typo = refused(&["link", "slow4g", "--port", "1", "--", "true"]);
    assert!(typo.contains("\"slow4g\" is not a built-in network (did you mean slow-4g?)"), "{typo}");
    let wrong = folder.file("mine.toml", &MINE.replace("0.01", "1.5"));
    let wrong = refused(&["link", &wrong, "--port", "1", "--", "true"]);
    assert!(wrong.contains("mine.toml line 5: `loss` is 1.5: a share from 0 to 1 is needed"), "{wrong}");
    let typo = refused(&["serve", "--listen", "127.0.0.1:0", "--network", "slow4g"]);
    assert!(typo.contains("\"slow4g\" is not a built-in network (did you mean slow-4g?)"), "{typo}");
    assert!(refused(&["link", "lan", "--", "true"]).contains("--port"));
    assert!(refused(&["link", "lan", "--port", "8080"]).contains("COMMAND"));
}
