//! `pushoff run`, whole: from the plan to the parsed report, with the server stopped, killed and
//! interrupted on the way.

use std::time::Duration;

use pushoff_model::record::{FailureKind, Limit, Outcome};
use pushoff_model::{LatencyHistogram, Transport};
use rustix::process::Signal;

use crate::command::{Folder, Run};

const SMALL: &str = r#"
name = "small"
question = "Does it all hang together?"
topics = 2
subscribers = 20
[advice]
transports = ["sse"]
says = "small things want SSE"
[publish]
rate = 40.0
arrival = "poisson"
[polling]
interval = "50ms"
[slo]
share = 0.9
within = "5s"
[phases]
warm_up = "100ms"
measure = "400ms"
drain = "10s"
"#;

/// Every transport, twice; everybody speaks, and the topics are completed.
#[test]
fn every_cell_is_measured_balanced_and_reported() {
    let folder = Folder::new();
    let both = SMALL.replace("topics = 2", "topics = 2\ndirection = \"both\"").replace("small", "talk");
    let ends = SMALL.replace("[publish]", "[publish]\ncompletes = true").replace("small", "ends");
    let (both, ends) = (folder.file("talk.toml", &both), folder.file("ends.toml", &ends));
    let run = Run::start(&folder, &["--workload", &both, "--workload", &ends, "--trials", "2", "--json"]);
    let ended = run.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);

    let records = ended.records();
    assert_eq!(records.len(), 2 * 6 * 2);
    for record in &records {
        let measurement = record.measurement().unwrap_or_else(|| panic!("{:?}", record.outcome));
        let counts = measurement.counts;
        assert!(counts.delivered > 0);
        assert_eq!(counts.expected, counts.delivered + counts.missed + counts.lost);
        assert_eq!((counts.lost, counts.missed, counts.duplicated, counts.reordered), (0, 0, 0, 0), "{record:?}");
        assert_eq!(measurement.window.expected, measurement.window.delivered);
        assert_eq!(measurement.delivery_latency.count(), measurement.window.delivered);
        assert_eq!(measurement.send_lag.count(), measurement.window.published);
        assert_eq!(measurement.connect.count(), counts.subscribers);
        assert_eq!(measurement.poll_wait.is_some(), record.transport.is_polling());
        assert!(measurement.server.is_some_and(|server| server.cpu_ns > 0));
    }
    for transport in Transport::ALL {
        let seeds = |of: Transport| records.iter().filter(|r| r.transport == of).map(|r| r.seed).collect::<Vec<_>>();
        let (mut seeds, mut floor) = (seeds(transport), seeds(Transport::RawTcp));
        seeds.sort_unstable();
        floor.sort_unstable();
        assert_eq!(seeds, floor, "every transport is put to the same schedules");
    }

    let summary: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert!(summary.is_object());
    for (file, wanted) in [
        ("report.html", "small things want SSE"),
        ("report.md", "WebSocket"),
        ("latency.hlog", "Tag=small/20/sse/lean/pushoff,"),
    ] {
        assert!(ended.read(file).contains(&wanted.replace("small", "talk")), "{file}");
    }
    assert!(ended.read("report.html").trim_end().ends_with("</html>"));

    let again = Run::command(&folder, &["report", ended.folder(), "--out", &folder.path("again")]).end();
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    let rendered = std::fs::read_to_string(folder.path("again/report.html")).unwrap();
    assert_eq!(rendered, ended.read("report.html"), "the same records give the same report");
}

/// The server is stopped for one of ten seconds, and a tenth of the deliveries must show it.
fn stalled(transport: Transport) -> (LatencyHistogram, LatencyHistogram) {
    let folder = Folder::new();
    let workload = SMALL.replace("\"poisson\"", "\"constant\"").replace("\"400ms\"", "\"10s\"");
    let workload = folder.file("stall.toml", &workload);
    let run =
        Run::start(&folder, &["--workload", &workload, "--transport", transport.name(), "--trials", "1", "--no-pin"]);
    run.wait_until_measuring();
    run.signal_server(Signal::STOP);
    // What is measured is this second itself.
    std::thread::park_timeout(Duration::from_secs(1));
    run.signal_server(Signal::CONT);
    let ended = run.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let records = ended.records();
    let measurement = records[0].measurement().unwrap();
    // A busy machine may be a limit, too.
    assert!(measurement.concerns.iter().all(|it| it.limit != Limit::Generator), "{:?}", measurement.concerns);
    (measurement.delivery_latency.clone(), measurement.latency_from_send.clone())
}

fn assert_a_tenth_carries_the_stall(transport: Transport) {
    let (delivery, from_send) = stalled(transport);
    let late = delivery.count() - delivery.count_within(Duration::from_millis(50));
    #[expect(clippy::cast_precision_loss, reason = "a share of some thousands")]
    let share = late as f64 / delivery.count() as f64;
    assert!((0.07..0.14).contains(&share), "{transport}: {share} of the deliveries are late");
    let p95 = delivery.quantile(0.95).unwrap();
    assert!((300..750).contains(&p95.as_millis()), "{transport}: p95 is {p95:?}");
    assert!(from_send.quantile(0.95).unwrap() <= p95, "from send, the stall can only look shorter");
}

#[test]
fn a_stall_of_the_server_shows_in_a_tenth_of_the_deliveries_over_http_streaming() {
    assert_a_tenth_carries_the_stall(Transport::HttpStreaming);
}

#[test]
fn a_stall_of_the_server_shows_in_a_tenth_of_the_deliveries_over_sse() {
    assert_a_tenth_carries_the_stall(Transport::Sse);
}

#[test]
fn a_stall_of_the_server_shows_in_a_tenth_of_the_deliveries_over_websocket() {
    assert_a_tenth_carries_the_stall(Transport::WebSocket);
}

#[test]
fn a_message_waits_half_the_interval_for_a_short_poll() {
    let folder = Folder::new();
    let workload = SMALL.replace("\"50ms\"", "\"400ms\"").replace("subscribers = 20", "subscribers = 100");
    let workload = workload.replace("\"400ms\"\ndrain", "\"3s\"\ndrain").replace("\"poisson\"", "\"constant\"");
    let workload = folder.file("wait.toml", &workload);
    let run = Run::start(&folder, &["--workload", &workload, "--transport", "short-polling", "--trials", "1"]);
    let ended = run.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let records = ended.records();
    let measurement = records[0].measurement().unwrap();
    let mean = measurement.delivery_latency.mean().unwrap();
    assert!((190..210).contains(&mean.as_millis()), "the mean is {mean:?}, and theory says 200 ms");
    // In its stride, as many arrive in the measure phase as are due in it: cost is divided by these.
    let (received, due) = (measurement.window.received, measurement.window.expected);
    assert!(received.abs_diff(due) * 40 < due, "{received} received of {due} due");
}

#[test]
fn a_killed_server_costs_its_trial_and_no_other() {
    let folder = Folder::new();
    let workload = folder.file("small.toml", &SMALL.replace("\"400ms\"", "\"1s\""));
    let transports = ["--transport", "sse", "--transport", "short-polling"];
    let run = Run::start(&folder, &[&["--workload", &workload, "--trials", "2"][..], &transports].concat());
    run.wait_until_measuring();
    run.signal_server(Signal::KILL);
    let ended = run.end();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let records = ended.records();
    assert_eq!(records.len(), 4);
    let failed: Vec<_> = records.iter().filter(|record| record.measurement().is_none()).collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    let Outcome::Failed(failure) = &failed[0].outcome else { panic!("{failed:?}") };
    assert_eq!(failure.kind, FailureKind::Server);
    assert!(ended.read("report.html").contains("failed"));
}

#[test]
fn an_interrupt_keeps_what_was_measured() {
    let folder = Folder::new();
    let workload = folder.file("small.toml", SMALL);
    let run = Run::start(&folder, &["--workload", &workload, "--transport", "sse", "--trials", "50"]);
    run.wait_until_measuring();
    run.wait_until_measuring();
    run.signal(Signal::INT);
    let ended = run.end();
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    let records = ended.records();
    assert!((1..50).contains(&records.len()), "{}", records.len());
    assert!(records.iter().all(|record| record.measurement().is_some()), "what was broken off is left out");
    assert!(ended.stderr.contains("interrupted after "), "{}", ended.stderr);
    assert!(ended.read("report.html").trim_end().ends_with("</html>"));
}

#[test]
fn an_interrupt_of_the_first_trial_is_one_line_and_leaves_nothing() {
    let folder = Folder::new();
    let workload = folder.file("small.toml", &SMALL.replace("\"400ms\"", "\"20s\""));
    let run = Run::start(&folder, &["--workload", &workload, "--trials", "12"]);
    run.wait_until_measuring();
    run.signal(Signal::INT);
    let ended = run.end();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(130), ""), "{}", ended.stderr);
    let said: Vec<&str> = ended.stderr.lines().filter(|line| !line.contains("INFO")).collect();
    assert_eq!(said, ["interrupted before a trial had ended: nothing was measured, and nothing is kept"]);
    assert!(!std::path::Path::new(ended.folder()).exists());
}
