//! Whether a run says itself what its figures are worth: a generator that is too weak, or was away,
//! and what the machine was like.

use std::path::Path;
use std::time::Duration;

use procfs::process::{ProcState, Process, Stat};
use pushoff_model::Record;
use pushoff_model::environment::{Environment, Pinning};
use pushoff_model::record::Limit;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};

use crate::command::{Ended, Folder, Run};

/// What a whole processor carries with ease.
const EASY: &str = r#"
name = "easy"
question = "Who is too slow?"
topics = 2
subscribers = 20
[publish]
rate = 20.0
arrival = "constant"
[polling]
interval = "200ms"
[slo]
share = 0.9
within = "5s"
[phases]
warm_up = "100ms"
measure = "1s"
drain = "10s"
"#;

/// A workload of the folder, and the arguments that run it once over SSE.
fn easy(folder: &Folder) -> Vec<String> {
    let workload = folder.file("easy.toml", EASY);
    ["--workload", &workload, "--transport", "sse", "--trials", "1"].map(str::to_owned).to_vec()
}

fn start(folder: &Folder, arguments: &[String], more: &[&str]) -> Run {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
    Run::start(folder, &arguments)
}

fn limits(record: &Record) -> Vec<Limit> {
    let measurement = record.measurement().unwrap_or_else(|| panic!("{:?}", record.outcome));
    measurement.concerns.iter().map(|concern| concern.limit).collect()
}

fn environment(ended: &Ended) -> Environment {
    serde_json::from_str(&ended.read("environment.json")).unwrap()
}

/// The processes that have this folder on their command line, and their children: keeper, generator
/// and server.
fn processes_of(folder: &Folder) -> Vec<Stat> {
    let ours = |process: &Process| {
        let words = process.cmdline().unwrap_or_default();
        words.iter().any(|word| Path::new(word).starts_with(folder.path("")))
    };
    let all: Vec<Process> = procfs::process::all_processes().unwrap().flatten().collect();
    let named: Vec<i32> = all.iter().filter(|process| ours(process)).map(Process::pid).collect();
    let stats = all.iter().filter_map(|process| process.stat().ok());
    stats.filter(|stat| named.contains(&stat.pid) || named.contains(&stat.ppid)).collect()
}

/// Waits until each of the processes has ended.
fn wait_until_gone(processes: &[Stat]) {
    for process in processes {
        // One that cannot be opened has ended.
        let Ok(descriptor) = pidfd_open(Pid::from_raw(process.pid).unwrap(), PidfdFlags::empty()) else { continue };
        let deadline = Timespec { tv_sec: 30, tv_nsec: 0 };
        let ended = poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], Some(&deadline)).unwrap();
        assert_eq!(ended, 1, "process {} lives on: {process:?}", process.pid);
    }
}

/// A generator on a tenth of a processor, as it goes until its trial is measured.
fn weak(folder: &Folder, more: &[&str]) -> Run {
    let run = start(folder, &easy(folder), &[&["--generator-cpus", "0.1"], more].concat());
    run.wait_until_measuring();
    run
}

#[test]
fn a_generator_on_a_tenth_of_a_processor_is_the_limit_and_leaves_nothing_behind() {
    let folder = Folder::new();
    let run = weak(&folder, &["--transport", "short-polling", "--transport", "websocket"]);
    let processes = processes_of(&folder);
    let ended = run.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(processes.len(), 3, "keeper, generator and server: {processes:?}");
    let records = ended.records();
    assert_eq!(records.len(), 3);
    for record in &records {
        assert!(limits(record).contains(&Limit::Generator), "{:?}", record.measurement().unwrap().concerns);
        assert!(limits(record).iter().any(|limit| limit.voids()));
        let generator = record.measurement().unwrap().generator;
        assert!((generator.cpus - 0.1).abs() < f64::EPSILON, "{generator:?}");
    }
    wait_until_gone(&processes);
    let environment = environment(&ended);
    let share = environment.knobs.iter().find(|knob| knob.name == "generator's processors").unwrap();
    assert!(share.value.contains("held back to 0.1"), "{share:?}");
    if let Pinning::Split { generator, .. } = &environment.pinning {
        assert_eq!(generator.len(), 1);
    }
    assert!(environment.command.contains("--generator-cpus 0.1"), "{}", environment.command);
    // The machine was listened to before the generator was held back.
    assert!(environment.noise.timer_lateness_p50_ns < 3_000_000, "{:?}", environment.noise);
}

#[test]
fn an_interrupt_of_a_generator_that_is_held_back_ends_all_and_keeps_what_was_measured() {
    let folder = Folder::new();
    let run = weak(&folder, &["--transport", "websocket", "--transport", "long-polling"]);
    let processes = processes_of(&folder);
    run.wait_until_measuring();
    run.signal(Signal::INT);
    let ended = run.end();
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    wait_until_gone(&processes);
    let records = ended.records();
    assert!((1..3).contains(&records.len()), "{records:?}");
    assert!(limits(&records[0]).contains(&Limit::Generator));
    assert!(ended.read("report.html").trim_end().ends_with("</html>"));
}

#[test]
fn a_generator_whose_keeper_is_killed_does_not_stay_stopped() {
    let folder = Folder::new();
    let run = weak(&folder, &[]);
    let processes = processes_of(&folder);
    assert_eq!(processes.len(), 3, "{processes:?}");
    run.signal(Signal::KILL);
    wait_until_gone(&processes);
    assert_eq!(run.end().code, None, "a signal ended it");
}

#[test]
fn only_the_generator_is_ever_stopped() {
    let folder = Folder::new();
    let run = weak(&folder, &[]);
    let processes = processes_of(&folder);
    let (mut generator, mut others) = (0, 0);
    for stat in (0..2_000).flat_map(|_| &processes).filter_map(|stat| Process::new(stat.pid).ok()?.stat().ok()) {
        let stopped = u32::from(stat.state().unwrap() == ProcState::Stopped);
        // The generator is a child and has one: the keeper is no child of these, the server has none.
        let has = |of: fn(&Stat) -> i32, pid| processes.iter().any(|other| of(other) == pid);
        if has(|other| other.pid, stat.ppid) && has(|other| other.ppid, stat.pid) {
            generator += stopped;
        } else {
            others += stopped;
        }
    }
    assert_eq!(run.end().code, Some(0));
    assert!(generator > 0, "it was never seen stopped");
    assert_eq!(others, 0);
}

/// Stops the whole generator for 400 ms of a second.
fn stopped_for_a_moment(folder: &Folder, arguments: &[String]) {
    let run = start(folder, arguments, &[]);
    run.wait_until_measuring();
    run.signal(Signal::STOP);
    // What is measured is this moment itself.
    std::thread::park_timeout(Duration::from_millis(400));
    run.signal(Signal::CONT);
    let ended = run.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let records = ended.records();
    assert!(limits(&records[0]).contains(&Limit::Generator), "{:?}", records[0].measurement().unwrap().concerns);
}

#[test]
fn a_generator_that_was_stopped_for_a_moment_is_the_limit() {
    let folder = Folder::new();
    stopped_for_a_moment(&folder, &easy(&folder));
}

#[test]
fn it_is_the_limit_even_where_nothing_is_published() {
    let folder = Folder::new();
    let silent = "name = \"still\"\nquestion = \"?\"\nsubscribers = 20\n[idle]\nheartbeat = \"1s\"\n\
                  [phases]\nwarm_up = \"0s\"\nmeasure = \"1s\"\ndrain = \"0s\"\n";
    let mut arguments = easy(&folder);
    arguments[1] = folder.file("still.toml", silent);
    stopped_for_a_moment(&folder, &arguments);
}

#[test]
fn a_share_that_cannot_be_given_is_refused_in_one_sentence() {
    let folder = Folder::new();
    for (share, wanted) in [
        ("0", "--generator-cpus is 0: give a whole number"),
        ("-1", "--generator-cpus is -1: give a whole number"),
        ("nan", "--generator-cpus is NaN: give a whole number"),
        ("1.5", "--generator-cpus is 1.5: above 1, only whole processors"),
        ("99", "--generator-cpus is 99 of "),
    ] {
        let ended = Run::start(&folder, &["--generator-cpus", share]).end();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{share}: {}", ended.stderr);
        assert!(ended.stderr.contains(wanted), "{share}: {}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{share}: {}", ended.stderr);
        assert!(!Path::new(ended.folder()).exists(), "{share}: nothing is left behind");
    }
}

#[test]
fn what_the_machine_was_like_stands_in_the_environment() {
    let folder = Folder::new();
    let ended = start(&folder, &easy(&folder), &[]).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let environment = environment(&ended);
    let noise = environment.noise;
    assert!(noise.clock_resolution_ns > 0, "{noise:?}");
    assert!(noise.timer_lateness_p50_ns > 0, "{noise:?}");
    assert!(noise.timer_lateness_p50_ns <= noise.timer_lateness_p99_ns, "{noise:?}");
    assert!(noise.timer_lateness_p99_ns <= noise.timer_lateness_max_ns, "{noise:?}");
    assert!((1..=noise.round_trip_p99_ns).contains(&noise.round_trip_p50_ns), "{noise:?}");
    for shortage in &environment.shortages {
        assert!(ended.stderr.contains(shortage), "what is written down is also said: {shortage}");
    }
    let records = ended.records();
    let measurement = records[0].measurement().unwrap();
    let server = measurement.server.unwrap();
    assert!(server.cpus >= 1.0 && measurement.generator.cpus >= 1.0);
    // A tick is 10 ms and each part is rounded at both ends.
    for process in [server, measurement.generator] {
        assert!((process.user_ns + process.system_ns).abs_diff(process.cpu_ns) <= 40_000_000, "{process:?}");
    }
}
