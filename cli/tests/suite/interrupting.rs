//! Ctrl-C at its worst moments: while a server starts, and a second time.

use std::path::Path;
use std::time::Duration;

use procfs::process::{ProcState, Process};
use pushoff_model::{RunClock, RunInstant};
use rustix::process::Signal;

use crate::command::{Ended, Folder, Run};
use crate::targets::SMALL;

/// A file that describes our own server, started by a shell.
fn started_by(folder: &Folder, script: &str) -> String {
    let ours = include_str!("../../../targets/pushoff.toml");
    let start = format!("name = \"another\"\nstart = [\"sh\", \"-c\", '''{script}''']");
    folder.file("another.toml", &ours.replace("name = \"pushoff\"", &start))
}

/// The command of our own server, which goes on when its standard input closes.
fn serve() -> String {
    format!("{} serve --listen 127.0.0.1:0", Path::new(env!("CARGO_BIN_EXE_pushoff")).display())
}

/// Asks until there is an answer.
fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let clock = RunClock::start();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(clock.now().since(RunInstant::default()) < Duration::from_mins(1), "never: {what}");
        // Another process's state has no event.
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn wait_until_it_ends(pid: i32) {
    let state = || Process::new(pid).and_then(|process| process.stat()).and_then(|stat| stat.state());
    wait_for("its end", || (!state().is_ok_and(|state| state != ProcState::Zombie)).then_some(()));
}

/// Runs a command against a server that leaves a process behind and never listens, which is interrupted meanwhile: what
/// the command says. Nothing of the server may be left.
fn interrupted_while_a_server_starts(folder: &Folder, begins: &str, command: &[&str]) -> Ended {
    let left = folder.path("left");
    let target = started_by(folder, &format!("{begins} sleep 600 & echo $! > {left}; wait"));
    let command: Vec<&str> = command.iter().map(|word| if *word == "TARGET" { &*target } else { *word }).collect();
    let run = Run::command(folder, &command);
    let pid = wait_for("a start", || std::fs::read_to_string(&left).ok()?.trim().parse().ok());
    let clock = RunClock::start();
    run.signal(Signal::INT);
    let ended = run.end();
    let took = clock.now().since(RunInstant::default());
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(took < Duration::from_secs(5), "a server may take ten seconds to listen: {took:?}");
    wait_until_it_ends(pid);
    ended
}

#[test]
fn an_interrupt_is_heeded_while_a_server_starts_and_leaves_nothing_of_it() {
    let folder = Folder::new();
    let (small, seen) = (folder.file("small.toml", SMALL), folder.path("seen"));
    let run = ["run", "--out", "run", "--target", "TARGET", "--workload", &small, "--transport", "sse"];
    // It listens for the preflight, and not for the trial.
    let begins = format!("if [ ! -e {seen} ]; then touch {seen}; exec {} --until-stdin-closes; fi;", serve());
    for begins in [&*begins, ""] {
        let ended = interrupted_while_a_server_starts(&folder, begins, &run);
        assert!(ended.stderr.contains("interrupted before a trial had ended"), "{}", ended.stderr);
        assert!(!Path::new(&folder.path("run")).exists(), "nothing was measured");
        std::fs::remove_file(folder.path("left")).unwrap();
    }
    let ended = interrupted_while_a_server_starts(&folder, "", &["probe", "TARGET"]);
    assert_eq!((ended.stdout.as_str(), ended.stderr.lines().count()), ("", 1), "{}", ended.stderr);
}

#[test]
fn a_second_interrupt_ends_the_run_at_once_and_its_server_too() {
    let folder = Folder::new();
    let small = folder.file("small.toml", &SMALL.replace("\"300ms\"", "\"1min\""));
    // It has to be killed, a second after it was told to end.
    let target = started_by(&folder, &format!("exec {}", serve()));
    let run = Run::start(&folder, &["--target", &target, "--workload", &small, "--transport", "sse", "--trials", "1"]);
    run.wait_until_measuring();
    let [server] = run.children()[..] else { panic!("{:?}", run.children()) };
    for _ in 0..10 {
        run.signal(Signal::INT);
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let ended = run.end();
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.stderr.contains("interrupted again: ended at once"), "{}", ended.stderr);
    wait_until_it_ends(server);
}
