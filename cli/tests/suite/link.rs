//! Networks, on real TCP: a command behind one (`pushoff link`), runs over one (`pushoff run --network`) and the live page's
//! lanes behind one (`pushoff serve --network`). What needs network namespaces is run by scripts/test, where the machine has
//! them.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Write, stderr};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use procfs::process::all_processes;
use pushoff_model::{Client, Record, RunClock, RunInstant, Transport};
use rustix::process::Signal;

use crate::client::event_stream::{Item, next_item};
use crate::client::http::{Connection, Request, Response};
use crate::command::{Ended, Folder, Run};
use crate::server::{DEADLINE, Server};
use crate::targets::started;

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

#[test]
#[ignore = "needs network namespaces: scripts/test runs it where they are"]
fn pages_of_a_browser_hear_all_over_the_network() {
    let folder = Folder::new();
    let (mine, feed) = (folder.file("mine.toml", &MINE.replace("loss = 0.01\n", "")), folder.file("feed.toml", FEED));
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
    let (mine, feed) = (folder.file("mine.toml", &MINE.replace("loss = 0.01\n", "")), folder.file("feed.toml", FEED));
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

/// A server that offers a network of 50 ms each way, and the port that is forwarded over it.
fn offering(folder: &Folder) -> (Server, SocketAddr) {
    let server = Server::with(&["--network", &folder.file("mine.toml", &MINE.replace("0.01", "0"))]);
    let forwarded = server.networks["mine"];
    (server, forwarded)
}

#[test]
#[ignore = "needs network namespaces: scripts/test runs it where they are"]
fn what_reaches_the_server_by_a_forwarded_port_crossed_the_network_both_ways() {
    let (server, forwarded) = offering(&Folder::new());
    let clock = RunClock::start();
    let mut connection = Connection::open(forwarded);
    for least in [200, 100] {
        let asked = clock.now();
        connection.send(&Request::get("/healthz"));
        assert_eq!(connection.receive().text, "ok");
        let took = clock.now().since(asked);
        assert!(took >= Duration::from_millis(least), "{took:?}: a handshake at first, and a request");
    }
    let mut stream = Connection::open(forwarded);
    stream.send(&Request::get("/topics/t/sse?after=start"));
    let (head, mut events) = stream.into_body();
    assert_eq!(head.status, 200);
    let published = clock.now();
    let id = server.publish("t", "\"direct\"");
    loop {
        let Some(Item::Block(block)) = next_item(&mut events) else { continue };
        if block.data.as_deref() == Some("\"direct\"") {
            assert_eq!(block.id, Some(id.to_string()));
            break;
        }
    }
    assert!(clock.now().since(published) >= Duration::from_millis(50));
}

#[test]
#[ignore = "needs network namespaces: scripts/test runs it where they are"]
fn to_a_forwarded_port_the_live_page_may_connect_and_no_page_of_another_origin() {
    let (server, forwarded) = offering(&Folder::new());
    let ask = |host: &str, origin: &str| -> Response {
        let request = Request::get("/topics/t/short-polling").header("Origin", origin);
        let bytes = String::from_utf8(request.bytes(forwarded)).unwrap();
        let mut connection = Connection::open(forwarded);
        connection
            .send_bytes(bytes.replace(&format!("Host: {forwarded}"), &format!("Host: {host}")).as_bytes())
            .unwrap();
        connection.receive()
    };
    let (page, port) = (server.http.port(), forwarded.port());
    for name in ["127.0.0.1", "localhost"] {
        let (host, own) = (format!("{name}:{port}"), format!("http://{name}:{page}"));
        let allowed = ask(&host, &own);
        assert_eq!(allowed.header("Access-Control-Allow-Origin"), Some(own), "{allowed:?}");
        for foreign in ["http://evil.example", "http://127.0.0.1:1", &format!("http://evil.example:{page}"), "null"] {
            ask(&host, foreign).assert_problem(403);
        }
    }
    ask(&format!("127.0.0.1:{port}"), &format!("http://localhost:{page}")).assert_problem(403);
    ask(&format!("evil.example:{port}"), &format!("http://evil.example:{page}")).assert_problem(421);
    let policy = |host| {
        let mut connection = Connection::open(host);
        connection.send(&Request::get("/"));
        connection.receive().header("Content-Security-Policy").unwrap()
    };
    let sources = format!("connect-src 'self' http://{forwarded} ws://{forwarded};");
    assert!(policy(server.http).contains(&sources) && !policy(forwarded).contains(&sources));
}

#[test]
#[ignore = "needs network namespaces: scripts/test runs it where they are"]
fn nothing_of_a_forwarded_port_outlives_the_server() {
    let (mut server, forwarded) = offering(&Folder::new());
    let own = namespaces(server.pid());
    assert!(own.len() >= 2, "near and far: {own:?}");
    server.signal(Signal::KILL);
    server.wait_for_exit(DEADLINE);
    assert_eq!(TcpStream::connect(forwarded).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    let left: BTreeSet<_> = all_processes().unwrap().flatten().flat_map(|process| namespaces(process.pid())).collect();
    assert!(left.is_disjoint(&own), "{left:?}");
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
