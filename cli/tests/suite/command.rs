//! The command line as a user has it: arguments in; exit code, output and files out.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use pushoff_model::{Record, store};
use rustix::process::{Pid, Signal, kill_process};

/// How long any single event may take before the test gives up. Generous: the machine is shared.
const DEADLINE: Duration = Duration::from_mins(1);

/// A folder that goes with the test.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The path of something inside.
    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file and returns its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

/// A `pushoff` under way.
pub(crate) struct Run {
    process: Child,
    out: PathBuf,
    /// Standard error, line by line, as it comes.
    lines: mpsc::Receiver<String>,
    stdout: JoinHandle<String>,
}

impl Run {
    /// Starts `pushoff run` with these arguments, into `run` of the folder.
    pub(crate) fn start(folder: &Folder, arguments: &[&str]) -> Self {
        Self::command(folder, &[&["run", "--out", &folder.path("run")][..], arguments].concat())
    }

    /// Starts `pushoff` with these arguments, in the folder.
    pub(crate) fn command(folder: &Folder, arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_pushoff"))
            .args(arguments)
            .current_dir(folder.0.path())
            .env("PUSHOFF_LOG", "pushoff_loadgen=info")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (line, lines) = mpsc::channel();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|text| line.send(text)));
        let stdout = process.stdout.take().unwrap();
        let stdout = std::thread::spawn(move || read_all(stdout));
        Self { process, out: folder.0.path().join("run"), lines, stdout }
    }

    /// Waits until a trial says that its measure phase begins.
    pub(crate) fn wait_until_measuring(&self) {
        self.wait_until_it_says("measuring");
    }

    /// Waits for a line of standard error that holds this.
    pub(crate) fn wait_until_it_says(&self, what: &str) {
        let mut before = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(DEADLINE) {
            if line.contains(what) {
                return;
            }
            before.push(line);
        }
        panic!("it did not say {what:?}: {before:#?}");
    }

    /// Sends the run a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Sends the server of the trial under way a signal.
    pub(crate) fn signal_server(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.children()[0]).unwrap(), signal).unwrap();
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.process.id()).unwrap()
    }

    /// The processes that it started.
    pub(crate) fn children(&self) -> Vec<i32> {
        let processes = procfs::process::all_processes().unwrap().flatten();
        let parents = processes.filter_map(|process| process.stat().ok());
        parents.filter(|stat| stat.ppid == self.pid()).map(|stat| stat.pid).collect()
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ended {
        let mut stderr = String::new();
        for line in self.lines.iter() {
            stderr += &line;
            stderr.push('\n');
        }
        let stdout = self.stdout.join().unwrap();
        let code = self.process.wait().unwrap().code();
        Ended { code, stdout, stderr, out: self.out }
    }
}

fn read_all(mut stdout: ChildStdout) -> String {
    let mut text = String::new();
    stdout.read_to_string(&mut text).unwrap();
    text
}

/// What a command left.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    out: PathBuf,
}

impl Ended {
    /// The folder of the run.
    pub(crate) fn folder(&self) -> &str {
        self.out.to_str().unwrap()
    }

    /// A file of the run.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.out.join(name)).unwrap()
    }

    /// The records of the run; of a trial that was measured again, because the machine spoilt it, the first one.
    pub(crate) fn records(&self) -> Vec<Record> {
        let stored = store::read(&self.out.join("records.jsonl")).unwrap();
        assert!(!stored.torn);
        let is_same = |one: &Record, other: &Record| {
            let conditions = one.conditions() == other.conditions();
            conditions && one.trial == other.trial && one.transport == other.transport && one.workload == other.workload
        };
        let mut records: Vec<Record> = Vec::new();
        for record in stored.records {
            if !records.iter().any(|earlier| is_same(earlier, &record)) {
                records.push(record);
            }
        }
        records
    }
}
