//! `pushoff run --client browser`, in a real headless Chromium: the account it keeps, the limits that it
//! finds, and that nothing of it is left behind.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use pushoff_model::record::Counts;
use pushoff_model::{Client, Environment, Record, RunClock, Transport};
use rustix::process::{Pid, Signal, kill_process};

use crate::command::{Folder, Run};

/// A chat of two rooms in two pages, whose members hear what others say and what they say themselves, to its end.
const TALK: &str = r#"
name = "small-talk"
question = "Does a page hear all, its own too?"
topics = 2
subscribers = 26
direction = "both"
[publish]
rate = 0.8
arrival = "poisson"
completes = true
[polling]
interval = "200ms"
[slo]
share = 0.5
within = "5s"
[phases]
warm_up = "200ms"
measure = "600ms"
drain = "20s"
"#;

/// How long Chromium may take to start, or to be gone.
const DEADLINE: Duration = Duration::from_secs(30);

fn assert_all_is_accounted_for(record: &Record) {
    let measured = record.measurement().unwrap_or_else(|| panic!("{}: {:?}", record.transport, record.outcome));
    let Counts { expected, delivered, missed, lost, duplicated, reordered, .. } = measured.counts;
    assert!(delivered > 0);
    assert_eq!((expected, missed, lost, duplicated, reordered), (delivered, 0, 0, 0, 0), "{}", record.transport);
    assert_eq!(measured.delivery_latency.count(), measured.window.delivered);
    assert_eq!(measured.connect.count(), measured.counts.subscribers);
    assert!(measured.counts.requests >= measured.counts.subscribers, "{:?}", measured.counts);
    assert!(measured.wire.is_none() && measured.poll_wait.is_none(), "a page says nothing of these");
    let browser = measured.browser.unwrap();
    assert_eq!(u64::from(browser.pages), measured.counts.subscribers.div_ceil(25));
    // What was greeted before is not of the load.
    assert_eq!(browser.main_thread.messages, delivered, "{browser:?}");
    assert!(browser.main_thread.tasks_ns > browser.main_thread.scripts_ns && browser.main_thread.scripts_ns > 0);
    assert!(browser.heap.idle_bytes > browser.heap.empty_bytes, "{browser:?}");
    assert!((1..=100_000).contains(&browser.clock.resolution_ns), "isolated pages resolve 5 µs: {browser:?}");
    assert!(browser.clock.uncertainty_ns < 20_000_000 && browser.clock.offset_ns > 0, "{browser:?}");
}

/// All five techniques, and what the browser allows.
#[test]
fn pages_keep_the_same_account_and_show_the_limits_that_a_browser_sets() {
    let folder = Folder::new();
    let talk = folder.file("talk.toml", TALK);
    // A seed drawn anew might have no talk in the measure phase.
    let arguments = ["--client", "browser", "--workload", &talk, "--trials", "1", "--seed", "7"];
    let ended = Run::start(&folder, &arguments).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("raw TCP"), "{}", ended.stderr);
    let records = ended.records();
    assert_eq!(records.len(), 5);
    for record in &records {
        assert_eq!(record.client, Client::Browser);
        assert_all_is_accounted_for(record);
    }

    let environment: Environment = serde_json::from_str(&ended.read("environment.json")).unwrap();
    let browser = environment.browser.unwrap();
    assert!(browser.version.contains('/'), "{browser:?}");
    let tabs: Vec<_> = browser.connected.iter().map(|it| (it.transport, it.tabs)).collect();
    let wall = [
        (Transport::ShortPolling, 10),
        (Transport::LongPolling, 6),
        (Transport::HttpStreaming, 6),
        (Transport::Sse, 6),
        (Transport::WebSocket, 10),
    ];
    assert_eq!((browser.tabs, &tabs[..]), (10, &wall[..]));
    assert_eq!(browser.websockets.connected, 255, "{browser:?}");
    assert!(browser.timer.behind_ns > 5 * browser.timer.in_front_ns, "{browser:?}");
    assert!(browser.event_source.waited_ns >= 900_000_000, "{browser:?}");
    assert!(browser.event_source.unasked_ns > browser.event_source.waited_ns, "{browser:?}");
    let late = browser.xhr_stream;
    assert!(late.median_ns > 2_000_000 && late.most_ns > 10_000_000, "XHR tells every 50 ms: {late:?}");
    let page = ended.read("report.html");
    for said in ["What the client takes", "6 of 10 connected", "255 of 300 connected"] {
        assert!(page.contains(said), "{said}");
    }
}

#[test]
fn without_chromium_one_sentence_says_how_to_get_it() {
    let folder = Folder::new();
    let ended = Command::new(env!("CARGO_BIN_EXE_pushoff"))
        .args(["run", "--client", "browser", "--workload", "ticker", "--out", "run"])
        .current_dir(folder.path(""))
        .env("PATH", folder.path(""))
        .output()
        .unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("there is none on the PATH") && stderr.contains("apt-get install chromium"), "{stderr}");
    assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
    assert!(!Path::new(&folder.path("run")).exists());
}

#[test]
fn a_chromium_that_ends_at_once_is_told_in_one_sentence() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let fake = folder.file("chromium", "#!/bin/sh\nexit 1\n");
    std::fs::set_permissions(&fake, PermissionsExt::from_mode(0o755)).unwrap();
    let ended = Command::new(env!("CARGO_BIN_EXE_pushoff"))
        .args(["run", "--client", "browser", "--workload", "ticker", "--out", "run"])
        .current_dir(folder.path(""))
        .env("PATH", format!("{}:{}", folder.path(""), std::env::var("PATH").unwrap()))
        .output()
        .unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{stderr}");
    let sentence = stderr.lines().last().unwrap();
    assert!(sentence.contains("ended as soon as it was started") && sentence.contains(&fake), "{sentence}");
    assert!(!Path::new(&folder.path("run")).exists());
}

#[test]
fn what_a_browser_cannot_do_is_refused_in_one_sentence() {
    let folder = Folder::new();
    let cases: [(&[&str], &str); 3] = [
        (&["--target", "http://127.0.0.1:1"], "pushoff's own server"),
        (&["--transport", "raw-tcp"], "no raw TCP connection"),
        (&["--workload", "ticker", "--subscribers", "1001"], "at most 1000"),
    ];
    for (arguments, said) in cases {
        let ended = Run::command(&folder, &[&["run", "--client", "browser"], arguments].concat()).end();
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains(said), "{arguments:?}: {}", ended.stderr);
    }
}

/// A run whose browser keeps its profile in the folder, once that browser is there.
fn run_with_a_browser(folder: &Folder) -> Child {
    let talk = folder.file("talk.toml", TALK);
    let run = Command::new(env!("CARGO_BIN_EXE_pushoff"))
        .args(["run", "--client", "browser", "--workload", &talk, "--out", &folder.path("run")])
        .env("TMPDIR", folder.path(""))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("a renderer runs", || processes_with(folder).iter().any(|line| line.contains("--type=renderer")));
    run
}

/// The command lines of processes that name the folder's profiles.
fn processes_with(folder: &Folder) -> Vec<String> {
    let profile = folder.path("pushoff-chromium-");
    let processes = procfs::process::all_processes().unwrap().flatten();
    let lines = processes.filter_map(|process| process.cmdline().ok()).map(|words| words.join(" "));
    lines.filter(|line| line.contains(&profile)).collect()
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let clock = RunClock::start();
    let start = clock.now();
    while !is_so() {
        assert!(clock.now().since(start) < DEADLINE, "{what}: not within {DEADLINE:?}");
        // What other processes do has no event here; this asks for it with a deadline.
        thread::park_timeout(Duration::from_millis(20));
    }
}

fn assert_nothing_is_left_after(signal: Signal) {
    let folder = Folder::new();
    let mut run = run_with_a_browser(&folder);
    kill_process(Pid::from_child(&run), signal).unwrap();
    run.wait().unwrap();
    wait_until("every process of the browser is gone", || processes_with(&folder).is_empty());
    wait_until("its profile is gone", || {
        let left = std::fs::read_dir(folder.path("")).unwrap().flatten();
        left.into_iter().all(|entry| !entry.file_name().to_string_lossy().starts_with("pushoff-chromium-"))
    });
}

#[test]
fn nothing_of_the_browser_is_left_when_the_run_is_killed() {
    assert_nothing_is_left_after(Signal::KILL);
}

#[test]
fn nothing_of_the_browser_is_left_when_the_run_is_interrupted() {
    assert_nothing_is_left_after(Signal::INT);
}
