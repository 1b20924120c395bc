//! What is wrong with the input is said in one sentence on standard error, with exit code 2, and
//! nothing is left behind.

use crate::command::{Ended, Folder, Run};

fn refused(folder: &Folder, arguments: &[&str]) -> Ended {
    let ended = Run::command(folder, arguments).end();
    assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
    assert_eq!(ended.stdout, "", "{arguments:?}");
    assert!(!ended.stderr.contains("panicked") && !ended.stderr.contains("backtrace"), "{}", ended.stderr);
    ended
}

#[test]
fn each_mistake_is_named_with_what_to_do() {
    let folder = Folder::new();
    let wrong = folder.file(
        "wrong.toml",
        "name = \"x\"\nquestion = \"?\"\nsubscribers = 0\n[publish]\nrate = 1.0\n[slo]\nshare = 1\nwithin = \"1s\"\n",
    );
    let rare = folder.file(
        "rare.toml",
        "name = \"rare\"\nquestion = \"?\"\nsubscribers = 2\n[publish]\nrate = 0.5\n[slo]\nshare = 0.9\nwithin = \"1s\"\n[phases]\nwarm_up = \"250ms\"\nmeasure = \"300ms\"\n",
    );
    folder.file("plain", "a file where a folder should be");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let cases: [(&[&str], &[&str]); 24] = [
        (&["run", "--workload", "tikcer"], &["error: \"tikcer\" is not", "did you mean ticker?"]),
        (&["run", "--transport", "sse,websocket,sss"], &["error: ", "'sss'", "a similar value exists: 'sse'"]),
        (&["run", "--client", "library,laen"], &["error: ", "'laen'", "'lean'"]),
        (&["serve", "--json"], &["error: ", "--json"]),
        (&["run", "--seed", "1", "--workload", &rare], &["no message of rare is due", "300ms", "--duration"]),
        (&["run", "--duration", "500000000000years"], &["--duration", "from 100ms to 1day"]),
        (&["run", "--duration", "0s"], &["--duration", "from 100ms to 1day"]),
        (&["run", "--duration", "5"], &["--duration", "a time with its unit"]),
        (&["run", "--trials", "99999999999"], &["--trials", "from 1 to 10000"]),
        (&["run", "--trials", "-1"], &["--trials", "from 1 to 10000"]),
        (&["run", "--subscribers", "10,0"], &["--subscribers", "from 1 to 1000000"]),
        (&["run", "--seed", "-1"], &["--seed", "from 0 to 18446744073709551615"]),
        (&["run", "--generator-cpus", "some"], &["--generator-cpus", "a part of one from 0.01"]),
        (&["run", "--workload", "nonsense"], &["nonsense", "progress, ticker, chat"]),
        (&["run", "--workload", "absent.toml"], &["reading absent.toml", "No such file"]),
        (&["run", "--workload", &wrong], &["line 3", "`subscribers` is 0", "1 to 1000000"]),
        (&["run", "--transport", "carrier-pigeon"], &["carrier-pigeon", "http-streaming"]),
        (&["run", "--workload", "ticker", "--subscribers", "9000000"], &["1000000", "--subscribers"]),
        (&["run", "--duration", "1ns"], &["--duration", "100ms"]),
        (&["run", "--out", "plain"], &["plain", "--out"]),
        (&["serve", "--listen", &taken], &[&taken, "--listen"]),
        (&["serve", "--slow", "0%"], &["--slow", "e.g. 20%"]),
        (&["report", "absent"], &["absent", "pushoff run"]),
        (&["report", "one", "two"], &["--out"]),
    ];
    for (arguments, wanted) in cases {
        let stderr = refused(&folder, arguments).stderr;
        for words in wanted {
            assert!(stderr.contains(words), "{arguments:?}: {stderr}");
        }
    }
    assert_eq!(std::fs::read_to_string(folder.path("plain")).unwrap(), "a file where a folder should be");
}

#[test]
fn what_cannot_be_measured_or_looked_at_is_named_with_what_can() {
    let folder = Folder::new();
    let run = "results/default-2026-11-29";
    let cases: [(&[&str], &str); 18] = [
        (
            &["run", "--workload", "clients", "--transport", "short-polling"],
            "clients is not measured on short-polling: take one of long-polling, http-streaming, sse, websocket",
        ),
        (
            &["run", "--target", "http://127.0.0.1:1", "--transport", "raw-tcp"],
            "target has no raw TCP: take one of short-polling, ",
        ),
        (&["run", "--target", "foo"], "--target: \"foo\" is neither a URL"),
        (&["probe", "foo"], "error: \"foo\" is neither a URL"),
        (&["probe", "http://127.0.0.1:1", "--ca", "nofile"], "--ca is for https:// addresses"),
        (&["probe", "http://127.0.0.1:1/x?y", "--ca", "nofile"], "--ca is for https:// addresses"),
        (&["probe", "http://127.0.0.1:1", "--insecure"], "--insecure is for https:// addresses"),
        (&["run", "--target", "http://127.0.0.1:1", "--ca", "nofile"], "--ca is for https:// addresses"),
        (&["run", "--tls", "--insecure"], "--insecure is for https:// addresses: leave it out, or give the server's"),
        (&["run", "--network", "none,cable"], "--network none stands alone: leave out cable, or none"),
        (&["run", "--workload", "ticker,"], "the name of a workload is missing beside a comma"),
        (&["run", "--network", "cable,"], "the name of a network is missing beside a comma"),
        (&["serve", "--cpus", "a"], "give processor numbers, e.g. 0,1"),
        (&["agent", "--nats", "nats://127.0.0.1:1", "--cpus", "0;1"], "give processor numbers, e.g. 0,1"),
        (&["link", "cable", "--port", "0", "--", "true"], "give a port from 1 to 65535"),
        (&["link", "cable", "--port", "-1", "--", "true"], "give a port from 1 to 65535"),
        (&["diff", "@x", run], "\"@x\" names no run: give a run's folder, or FOLDER@SERVER"),
        (&["diff", "", run], "\"\" names no run"),
    ];
    for (arguments, wanted) in cases {
        let stderr = refused(&folder, arguments).stderr;
        assert!(stderr.contains(wanted), "{arguments:?}: {stderr}");
    }
}

#[test]
fn what_a_server_cannot_be_is_refused_at_the_door_with_its_range() {
    let folder = Folder::new();
    let times = ["--heartbeat", "--head-timeout", "--write-timeout", "--grace"];
    for flag in times {
        for time in ["-1s", "500000000000years", "2h", "5", "x"] {
            let stderr = refused(&folder, &["serve", &format!("{flag}={time}")]).stderr;
            assert!(stderr.contains(flag) && stderr.contains("1h"), "{flag} {time}: {stderr}");
        }
    }
    for (flag, wrong) in [
        ("--heartbeat", "0s"),
        ("--head-timeout", "1ns"),
        ("--write-timeout", "0s"),
        ("--max-connections", "0"),
        ("--max-connections", "18446744073709551615"),
        ("--max-topics", "0"),
        ("--replay", "0"),
        ("--max-payload", "0"),
        ("--max-payload", "100000000000"),
        ("--memory", "1MiB"),
        ("--memory", "1e9"),
        ("--allow-origin", "ok.example"),
        ("--allow-origin", "https://ok.example/path"),
        ("--allow-host", "https://ok.example"),
        ("--allow-host", "ok.example:80"),
        ("--publish-token", ""),
        ("--publish-token", "with space"),
    ] {
        let stderr = refused(&folder, &["serve", &format!("{flag}={wrong}")]).stderr;
        assert!(stderr.contains(flag), "{flag} {wrong}: {stderr}");
    }
    let wrong = ["serve", "--listen", "127.0.0.1:0", "--congestion-control", "nonsense"];
    let stderr = refused(&folder, &wrong).stderr;
    assert!(stderr.contains("--congestion-control") && stderr.contains("nonsense"), "{stderr}");
    let stderr = refused(&folder, &["serve", "--memory", "16MiB", "--max-payload", "1MiB"]).stderr;
    assert!(stderr.contains("--memory") && stderr.contains("--max-payload"), "{stderr}");
}

#[test]
fn a_folder_that_holds_a_run_is_never_written_to_again() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("run")).unwrap();
    folder.file("run/records.jsonl", "precious\n");
    let stderr = refused(&folder, &["run", "--out", "run"]).stderr;
    assert!(stderr.contains("already holds a run"), "{stderr}");
    assert_eq!(std::fs::read_to_string(folder.path("run/records.jsonl")).unwrap(), "precious\n");
}

#[test]
fn a_file_of_records_that_is_none_is_named_by_its_line() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("run")).unwrap();
    folder.file("run/records.jsonl", "{\"schema\":2}\n");
    let stderr = refused(&folder, &["report", "run"]).stderr;
    assert!(stderr.starts_with("error: run/records.jsonl line 1 is damaged ("), "{stderr}");
    assert!(stderr.ends_with("remove that line (its trial is lost), then run the command again\n"), "{stderr}");
    folder.file("run/records.jsonl", "{\"schema\":1}\n");
    let stderr = refused(&folder, &["report", "run"]).stderr;
    assert!(stderr.starts_with("error: run/records.jsonl line 1 has schema 1, and this build reads 2"), "{stderr}");
}

#[test]
fn a_run_that_lacks_a_file_or_lies_deeper_is_told_what_to_do() {
    let folder = Folder::new();
    for name in ["all", "all/one", "all/two", "all/notes"] {
        std::fs::create_dir(folder.path(name)).unwrap();
    }
    for name in ["one", "two"] {
        folder.file(&format!("all/{name}/records.jsonl"), "");
    }
    let stderr = refused(&folder, &["report", "all"]).stderr;
    assert!(stderr.contains("all holds runs in its folders: name one or several of all/one, all/two: "), "{stderr}");
    let stderr = refused(&folder, &["report", "all/one"]).stderr;
    assert!(stderr.contains("all/one/environment.json is missing or unreadable: restore it"), "{stderr}");
    folder.file("all/one/environment.json", "{");
    let stderr = refused(&folder, &["report", "all/one"]).stderr;
    assert!(stderr.contains("all/one/environment.json is damaged: restore it"), "{stderr}");
}

#[test]
fn too_few_descriptors_are_named_before_anything_is_measured() {
    let folder = Folder::new();
    let command = format!(
        "ulimit -n 128; exec {} run --workload ticker --transport sse --out run",
        env!("CARGO_BIN_EXE_pushoff")
    );
    let ended = std::process::Command::new("sh").args(["-c", &command]).current_dir(folder.path("")).output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{stderr}");
    for words in ["300 subscribers", "open files", "allows 128", "ulimit -Hn", "--subscribers"] {
        assert!(stderr.contains(words), "{words}: {stderr}");
    }
    assert!(!std::path::Path::new(&folder.path("run")).exists());
}

#[test]
fn what_can_be_measured_is_listed_and_completed() {
    let folder = Folder::new();
    let listed = Run::command(&folder, &["list"]).end();
    assert_eq!(listed.code, Some(0));
    for words in [
        "ticker",
        "websocket",
        "--workload",
        "2,000 messages a second",
        "round trip 0.4 ms, 1,000 Mbit/s down, 1,000 Mbit/s up",
        "round trip 50 ms, 3.6 Mbit/s down, 1.2 Mbit/s up, varying rate",
        "round trip 30 ms, 10 Mbit/s down, 5 Mbit/s up, 1.2 % lost in bursts",
    ] {
        assert!(listed.stdout.contains(words), "{words}: {}", listed.stdout);
    }
    let json = Run::command(&folder, &["list", "--json"]).end();
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["transports"].as_array().unwrap().len(), 6);
    assert!(Run::command(&folder, &["completions", "bash"]).end().stdout.contains("pushoff"));
}
