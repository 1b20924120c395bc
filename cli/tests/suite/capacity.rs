//! Silent loads, sizes and clients, overload and the search for capacity, by the real command.

use std::collections::BTreeSet;

use pushoff_model::record::{Outcome, Purpose};
use pushoff_model::{Client, Record, Transport};
use rustix::process::Signal;

use crate::command::{Folder, Run};

const SILENT: &str = r#"
name = "silent"
question = "What does doing nothing cost?"
subscribers = 10
[idle]
heartbeat = "1s"
[polling]
interval = "50ms"
[phases]
warm_up = "0s"
measure = "200ms"
drain = "0s"
"#;

/// A poll brings 1,000 messages at most, so that more than 4,000 a second are too many for one that
/// comes four times a second: a border that does not depend on the machine.
const BORDER: &str = r#"
name = "border"
question = "How many messages can a poll bring?"
subscribers = 2
client = "lean"
[search]
grow = "rate"
most = 40000.0
[publish]
rate = 1500.0
arrival = "constant"
payload = { bytes = 100 }
[polling]
interval = "250ms"
[slo]
share = 0.9
within = "2s"
[phases]
warm_up = "0s"
measure = "500ms"
drain = "500ms"
"#;

#[test]
fn doing_nothing_is_measured_on_every_transport_with_both_clients() {
    let folder = Folder::new();
    let workload = folder.file("silent.toml", SILENT);
    let run = Run::start(
        &folder,
        &["--workload", &workload, "--client", "library", "--client", "lean", "--trials", "1", "--no-pin"],
    );
    let ended = run.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let records = ended.records();
    let cells: BTreeSet<_> = records.iter().map(|record| (record.transport, record.client)).collect();
    assert_eq!(cells.len(), Transport::ALL.len() * Client::OF_THE_PROCESS.len());
    for record in &records {
        let it = record.measurement().unwrap_or_else(|| panic!("{:?}", record.outcome));
        let named = (record.transport, record.client);
        assert_eq!((it.counts.subscribers, it.counts.published, it.window.due), (10, 0, 0), "{named:?}");
        assert_eq!((it.connecting.connections, it.connect.count(), it.first_message.count()), (10, 10, 10));
        assert!(it.connecting.took_ns > 0 && it.connecting.server.is_some(), "{named:?}");
        for held in [it.memory.empty, it.memory.idle, it.memory.delivering] {
            assert!(held.server.is_some() && held.generator.is_some() && held.kernel.is_some(), "{named:?}");
        }
        let is_timed = record.transport == Transport::ShortPolling;
        assert_eq!(it.window.requests > 0, is_timed, "{named:?}: {}", it.window.requests);
        let wire = it.wire.unwrap();
        assert!(wire.setup.down.bytes > 0, "{named:?}");
        assert_eq!(wire.load.down.bytes > 0, is_timed, "{named:?}: {wire:?}");
    }
}

#[test]
fn each_size_is_a_cell_of_its_own_and_heartbeats_go_on() {
    let folder = Folder::new();
    let workload = folder.file("silent.toml", &SILENT.replace("\"200ms\"", "\"1200ms\""));
    let sizes = ["--subscribers", "10,30", "--transport", "sse", "--trials", "1", "--no-pin"];
    let ended = Run::start(&folder, &[&["--workload", &workload][..], &sizes].concat()).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mut records = ended.records();
    records.sort_unstable_by_key(|record| record.workload.subscribers);
    for (record, size) in records.iter().zip([10, 30]) {
        let it = record.measurement().unwrap();
        assert_eq!((record.workload.subscribers, it.counts.subscribers), (size, u64::from(size)));
        // A heartbeat of an event stream is a comment in a chunk of its own: it is there, and small.
        let each = it.wire.unwrap().load.down.bytes / u64::from(size);
        assert!((1..=40).contains(&each), "{each} bytes a connection");
    }
    assert_eq!(records.len(), 2);
}

#[test]
fn a_server_that_stands_still_to_the_end_is_a_result() {
    let folder = Folder::new();
    let workload = BORDER.replace("[search]\ngrow = \"rate\"\nmost = 40000.0\n", "");
    let workload = folder.file("stuck.toml", &workload.replace("rate = 1500.0", "rate = 100.0"));
    let run =
        Run::start(&folder, &["--workload", &workload, "--transport", "http-streaming", "--trials", "1", "--no-pin"]);
    run.wait_until_measuring();
    run.signal_server(Signal::STOP);
    let ended = run.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let records = ended.records();
    let it = records[0].measurement().unwrap_or_else(|| panic!("{:?}", records[0].outcome));
    assert!(it.counts.unsent > 0, "{:?}", it.counts);
    assert_eq!(it.window.due, 100, "two readers of 50 messages: {:?}", it.window);
    assert!(it.window.delivered < it.window.due, "{:?}", it.window);
    assert_eq!(it.counts.expected, it.counts.delivered + it.counts.missed + it.counts.lost);
}

/// The records of a search whose end the generator or the machine did not make.
fn searched_to_its_end() -> Vec<Record> {
    // A machine that is disturbed at three trials in a row ends a search, and says so.
    for _ in 0..8 {
        let records = searched();
        if records.iter().any(|record| record.step.is_some_and(|step| step.purpose == Purpose::Confirmation)) {
            return records;
        }
        assert!(is_void(records.last().unwrap()), "{:?}", records.last());
    }
    panic!("eight searches were cut short by a disturbed machine: nothing was tested");
}

fn searched() -> Vec<Record> {
    let folder = Folder::new();
    let workload = folder.file("border.toml", BORDER);
    let transport = ["--transport", "short-polling", "--trials", "1"];
    let ended = Run::start(&folder, &[&["--workload", &workload][..], &transport].concat()).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.records()
}

#[test]
fn a_search_walks_around_the_border_and_looks_beyond_it() {
    let records = searched_to_its_end();
    let whole: Vec<_> = records.iter().map(|record| &record.workload).collect();
    assert!(whole.windows(2).all(|pair| pair[0] == pair[1]), "all steps are of one cell");
    for record in &records {
        let counts = record.measurement().unwrap_or_else(|| panic!("{:?}", record.outcome)).counts;
        assert_eq!(counts.expected, counts.delivered + counts.missed + counts.lost, "{counts:?}");
    }
    let loads = |purpose| -> Vec<f64> {
        let steps = records.iter().filter_map(|record| record.step);
        steps.filter(|step| step.purpose == purpose).map(|step| step.load).collect()
    };
    assert!(loads(Purpose::Ramp).contains(&1_500.0));
    let walked = loads(Purpose::Confirmation);
    assert!(walked.iter().all(|load| (2_000.0..7_000.0).contains(load)), "{walked:?}");
    for beyond in loads(Purpose::Overload) {
        let record = records.iter().find(|record| record.step.is_some_and(|step| step.load >= beyond)).unwrap();
        let it = record.measurement().unwrap();
        assert!(it.window.delivered < it.window.due, "{:?}", it.window);
    }
}

fn is_void(record: &Record) -> bool {
    record.measurement().is_some_and(|it| it.concerns.iter().any(|concern| concern.limit.voids()))
}

#[test]
fn an_interrupt_ends_a_search_and_keeps_its_steps() {
    let folder = Folder::new();
    let workload = folder.file("border.toml", BORDER);
    let transports = ["--transport", "short-polling", "--transport", "sse", "--trials", "1"];
    let run = Run::start(&folder, &[&["--workload", &workload][..], &transports].concat());
    run.wait_until_measuring();
    run.wait_until_measuring();
    run.signal(Signal::INT);
    let ended = run.end();
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    let records = ended.records();
    assert!(records[0].measurement().is_some() && records[0].step.is_some());
    assert!(records.iter().all(|record| matches!(record.outcome, Outcome::Measured(_))), "{records:?}");
    assert!(ended.read("report.html").trim_end().ends_with("</html>"));
}
