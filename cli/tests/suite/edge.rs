//! The edge of the process: who reads what it prints may be gone, a disk may be full, a name need not be
//! text, and a file that is not pushoff's is not touched. None of that is a panic or costs a document.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use pushoff_model::store;

const DOCUMENTS: [&str; 3] = ["report.html", "report.md", "latency.hlog"];

/// A load that takes half a second a trial.
const SMALL: &str = r#"
name = "small"
question = "Does it all hang together?"
subscribers = 2
[publish]
rate = 20.0
[slo]
share = 0.9
within = "5s"
[phases]
warm_up = "100ms"
measure = "200ms"
drain = "10s"
"#;

/// `pushoff` in a folder, with its output caught.
fn pushoff(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pushoff"));
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Arguments of a run of a few trials over one transport, in a folder that holds its workload.
fn small(folder: &Path, trials: &str, out: impl AsRef<OsStr>) -> Command {
    fs::write(folder.join("small.toml"), SMALL).unwrap();
    let mut command = pushoff(folder);
    command.args(["run", "--workload", "small.toml", "--transport", "sse", "--no-pin", "--trials", trials, "--out"]);
    command.arg(out);
    command
}

/// A small part of a run that comes with the repository.
fn recorded(folder: &Path) -> PathBuf {
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/default-2026-11-29");
    let run = folder.join("recorded");
    fs::create_dir(&run).unwrap();
    let records = fs::read_to_string(whole.join("records.jsonl")).unwrap();
    let some = |line: &&str| line.contains("\"name\":\"ticker\"") && line.contains("\"transport\":\"sse\"");
    let some: String = records.lines().filter(some).flat_map(|line| [line, "\n"]).collect();
    fs::write(run.join("records.jsonl"), some).unwrap();
    fs::copy(whole.join("environment.json"), run.join("environment.json")).unwrap();
    run
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn assert_no_panic(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_some_and(|code| code != 101) && !stderr.contains("panicked"), "{stderr}");
}

/// The writing end of a pipe that nobody reads any more.
fn unread() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

#[test]
fn whoever_stops_reading_costs_neither_a_document_nor_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    for (name, stdout, stderr) in
        [("both", unread(), unread()), ("out", unread(), Stdio::null()), ("err", Stdio::null(), unread())]
    {
        let out = folder.path().join(name);
        let status = small(folder.path(), "2", &out).env("PUSHOFF_LOG", "trace").stdout(stdout).stderr(stderr).status();
        assert_eq!(status.unwrap().code(), Some(0), "{name}");
        assert!(store::read(&out.join("records.jsonl")).unwrap().records.len() >= 2, "{name}");
        for document in DOCUMENTS {
            assert!(out.join(document).is_file(), "{name}: {document}");
        }
    }
}

#[test]
fn no_command_minds_that_nobody_reads() {
    let folder = tempfile::tempdir().unwrap();
    let run = recorded(folder.path()).into_os_string().into_string().unwrap();
    let commands: [(&[&str], i32); 10] = [
        (&["--help"], 0),
        (&["--version"], 0),
        (&["completions", "bash"], 0),
        (&["list"], 0),
        (&["list", "--json"], 0),
        (&["report", &run, "--json"], 0),
        (&["diff", &run, &run], 0),
        (&["run", "--trials", "none"], 2),
        (&["report", "absent"], 2),
        (&["plan", "--users", "1M", "--rate", "0.2/s", "--payload", "300B", "--staleness", "2s"], 0),
    ];
    for (arguments, code) in commands {
        let status = pushoff(folder.path()).args(arguments).stdout(unread()).stderr(unread()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{arguments:?}");
        let status = pushoff(folder.path()).args(arguments).stdout(Stdio::null()).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{arguments:?}: nowhere to write an error to");
    }
}

#[test]
fn results_that_cannot_be_written_are_told_by_a_code_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let run = recorded(folder.path());
    let ended = pushoff(folder.path()).arg("report").arg(&run).stdout(full()).output().unwrap();
    assert_eq!(ended.status.code(), Some(4), "{}", text(&ended.stderr));
    assert!(text(&ended.stderr).contains("writing to standard output: No space left on device"));
    assert!(run.join("report.html").is_file());
    for words in [&["--help"][..], &["run", "--help"], &["list"], &["completions", "bash"]] {
        let ended = pushoff(folder.path()).args(words).stdout(full()).output().unwrap();
        assert_eq!(ended.status.code(), Some(4), "{words:?}");
        let said = "error: writing to standard output: No space left on device (os error 28)\n";
        assert_eq!(text(&ended.stderr), said, "{words:?}");
    }
    let plain = folder.path().join("plain");
    fs::write(&plain, "").unwrap();
    let ended = pushoff(folder.path()).arg("report").arg(&run).arg("--out").arg(&plain).output().unwrap();
    assert_eq!(ended.status.code(), Some(2), "{}", text(&ended.stderr));
    assert!(text(&ended.stderr).contains("plain: choose a writable folder with --out: "), "{}", text(&ended.stderr));
    let gate = ["diff", "--fail-on", "regressed"];
    let ended = pushoff(folder.path()).args(gate).args([&run, &run]).stdout(full()).output().unwrap();
    assert_eq!(ended.status.code(), Some(4), "{}", text(&ended.stderr));
}

/// `pushoff`, for which no file can grow beyond so many bytes: what a full disk is to it.
fn without_room(command: &Command, bytes: usize) -> Output {
    // In blocks of 512 bytes, as POSIX has it.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", bytes / 512);
    let mut limited = Command::new("sh");
    limited.args(["-c", &script, "sh"]).arg(command.get_program()).args(command.get_args());
    limited.current_dir(command.get_current_dir().unwrap()).output().unwrap()
}

#[test]
fn where_a_document_finds_no_room_the_others_are_written_and_the_verdict_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let run = recorded(folder.path());
    let mut report = pushoff(folder.path());
    report.arg("report").arg(&run);
    let with_room = report.output().unwrap();
    let size = |name: &str| fs::metadata(run.join(name)).unwrap().len();
    let (page, text_page) = (size("report.html"), size("report.md"));
    assert!(text_page * 2 < page, "{text_page} {page}");
    for document in DOCUMENTS {
        fs::remove_file(run.join(document)).unwrap();
    }
    let ended = without_room(&report, usize::try_from(page / 2).unwrap());
    assert_no_panic(&ended);
    assert_eq!(ended.status.code(), Some(4), "{}", text(&ended.stderr));
    assert_eq!(text(&ended.stdout), text(&with_room.stdout));
    let said = "recorded/report.html: File too large (os error 27)\n";
    assert!(text(&ended.stderr).ends_with(said), "{}", text(&ended.stderr));

    let mut left: Vec<_> = run.read_dir().unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    left.sort_unstable();
    assert_eq!(
        left,
        ["environment.json", "latency.hlog", "records.jsonl", "report.csv", "report.md"],
        "whole or not at all"
    );
}

#[test]
fn where_a_record_finds_no_room_those_before_it_stay_whole_and_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    assert!(small(folder.path(), "6", "enough").status().unwrap().success());
    let size = |name: &str| usize::try_from(fs::metadata(folder.path().join(name)).unwrap().len()).unwrap();
    let room = size("enough/records.jsonl") / 2;
    assert!(size("enough/environment.json") < room, "what comes first must fit");
    let ended = without_room(&small(folder.path(), "6", "little"), room);
    assert_no_panic(&ended);
    assert_eq!(ended.status.code(), Some(4), "{}", text(&ended.stderr));
    let stderr = text(&ended.stderr);
    assert!(stderr.contains("is not recorded, and the run ends: appending to little/records.jsonl: "), "{stderr}");
    let stored = store::read(&folder.path().join("little/records.jsonl")).unwrap();
    assert!(!stored.torn && (1..12).contains(&stored.records.len()), "{stored:?}");
    assert!(text(&ended.stdout).contains("small"), "the verdict on what is recorded: {}", text(&ended.stdout));
}

#[test]
fn a_run_whose_environment_finds_no_room_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ended = without_room(&small(folder.path(), "1", "none"), 512);
    assert_no_panic(&ended);
    assert_eq!(ended.status.code(), Some(2), "{}", text(&ended.stderr));
    let said = "cannot write to none: choose a writable folder with --out: writing none/environment.json: ";
    assert!(text(&ended.stderr).contains(said), "{}", text(&ended.stderr));
    assert!(!folder.path().join("none").exists());
}

/// A name that is no text.
fn odd(name: &[u8]) -> OsString {
    OsString::from_vec([name, b"\xff\xfe"].concat())
}

#[test]
fn a_name_that_is_no_text_is_a_name_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let within = folder.path().join(odd(b"here"));
    fs::create_dir(&within).unwrap();
    fs::write(within.join("trace.jsonl"), "{\"offset_ms\":150,\"topic\":\"a\",\"payload\":1}\n").unwrap();
    let mut traced = odd(b"traced");
    traced.push(".toml");
    fs::create_dir(within.join("w")).unwrap();
    let workload = SMALL.replace("small", "traced").replace("rate = 20.0", "trace = \"../trace.jsonl\"");
    fs::write(within.join("w").join(&traced), workload).unwrap();
    let out = odd(b"out");
    let mut named = OsString::from("w/");
    named.push(&traced);
    let ended = pushoff(&within)
        .args(["run", "--transport", "sse", "--no-pin", "--trials", "2", "--workload"])
        .arg(&named)
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
    assert!(text(&ended.stderr).contains("report: out\u{fffd}\u{fffd}/report.html"), "{}", text(&ended.stderr));
    let environment = fs::read_to_string(within.join(&out).join("environment.json")).unwrap();
    assert!(environment.contains(r"--out $'out\\xff\\xfe'"), "as it can be typed again: {environment}");
    for command in [["report"].as_slice(), &["plan", "--model"]] {
        let ended = pushoff(&within).args(command).arg(&out).output().unwrap();
        assert_no_panic(&ended);
    }
    let mut side = out.clone();
    side.push("@pushoff");
    for [base, new] in [[&out, &out], [&side, &side]] {
        let ended = pushoff(&within).arg("diff").args([base, new]).output().unwrap();
        assert_no_panic(&ended);
        // Whether its figures count depends on the machine.
        assert!(text(&ended.stderr).contains(" trials in common"), "{}", text(&ended.stderr));
    }
}

#[test]
fn a_word_that_must_be_text_and_is_none_is_refused_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let odd = odd(b"x");
    let mut file = odd.clone();
    file.push(".toml");
    let cases: [&[&OsStr]; 10] = [
        &["run".as_ref(), "--workload".as_ref(), &odd],
        &["run".as_ref(), "--workload".as_ref(), &file],
        &["run".as_ref(), "--target".as_ref(), &odd],
        &["run".as_ref(), "--target".as_ref(), &file],
        &["run".as_ref(), "--transport".as_ref(), &odd],
        &["run".as_ref(), "--seed".as_ref(), &odd],
        &["probe".as_ref(), &odd],
        &["report".as_ref(), &odd],
        &["diff".as_ref(), &odd, &odd],
        &[&odd],
    ];
    for arguments in cases {
        let ended = pushoff(folder.path()).args(arguments).output().unwrap();
        assert_eq!((ended.status.code(), ended.stdout.len()), (Some(2), 0), "{arguments:?}: {}", text(&ended.stderr));
        assert_no_panic(&ended);
    }
    let ended = pushoff(folder.path()).args(["run", "--seed"]).arg(&odd).output().unwrap();
    assert_eq!(text(&ended.stderr), "error: \"x\u{fffd}\u{fffd}\" must be UTF-8 text\n");
    let ended = pushoff(folder.path()).arg("serve").env("PUSHOFF_PUBLISH_TOKEN", &odd).output().unwrap();
    assert_eq!(text(&ended.stderr), "error: PUSHOFF_PUBLISH_TOKEN must be UTF-8 text\n");
    for value in [OsStr::from_bytes(b"\xff"), "pushoff=nonsense".as_ref(), "\u{1b}[31m=x".as_ref()] {
        let ended = pushoff(folder.path()).arg("list").env("PUSHOFF_LOG", value).output().unwrap();
        let stderr = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{stderr}");
        assert!(stderr.starts_with("error: PUSHOFF_LOG is ") && stderr.lines().count() == 1, "{stderr}");
        assert!(!stderr.contains('\u{1b}'));
    }
}

#[test]
fn a_terminal_that_says_nonsense_of_itself_is_no_matter() {
    let folder = tempfile::tempdir().unwrap();
    for (term, columns) in [("", "0"), ("nonsense", "-1"), ("dumb", "99999999999"), ("\u{1b}", "x")] {
        for argument in ["list", "--help"] {
            let mut command = pushoff(folder.path());
            let ended = command.arg(argument).env("TERM", term).env("COLUMNS", columns).output().unwrap();
            assert_eq!(ended.status.code(), Some(0), "{term:?} {columns}: {}", text(&ended.stderr));
        }
    }
}

#[test]
fn what_is_called_latest_and_is_not_pushoffs_link_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("pushoff-runs");
    fs::create_dir(&runs).unwrap();
    let latest = runs.join("latest");
    let run = || {
        let mut command = small(folder.path(), "2", "unused");
        let arguments: Vec<OsString> = command.get_args().map(OsStr::to_owned).collect();
        command = pushoff(folder.path());
        text(&command.args(&arguments[..arguments.len() - 2]).output().unwrap().stderr)
    };
    fs::write(&latest, "precious").unwrap();
    let stderr = run();
    assert!(stderr.contains("pushoff-runs/latest is not a link of pushoff's and stays as it is"), "{stderr}");
    assert_eq!(fs::read_to_string(&latest).unwrap(), "precious");
    fs::remove_file(&latest).unwrap();
    run();
    let first = fs::read_link(&latest).unwrap();
    run();
    let second = fs::read_link(&latest).unwrap();
    assert!(first != second && runs.join(&second).join("records.jsonl").is_file(), "{first:?} {second:?}");
}
