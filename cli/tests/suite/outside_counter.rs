//! The bytes that a cell reports, against a counter that knows nothing of this project: what `lo`
//! of a network namespace of its own says that it carried.

use std::process::{Command, Output};

use pushoff_model::record::{Flow, Wire};
use pushoff_model::{Record, Transport, store};

use crate::command::Folder;

/// Many subscribers, so that what is not theirs, the publishing above all, is little beside it.
const CROWD: &str = r#"
name = "crowd-of-bytes"
question = "How many bytes?"
client = "lean"
subscribers = 800
[publish]
rate = 50.0
arrival = "constant"
payload = { bytes = 1000 }
[polling]
interval = "250ms"
[slo]
share = 0.5
within = "10s"
[phases]
warm_up = "0s"
measure = "1s"
drain = "20s"
"#;

/// Runs the command in this namespace; each line that it says comes with the counts at that moment.
const SCRIPT: &str = r#"
ip link set lo up || exit 1
"$@" 2>&1 >/dev/null | while read -r line; do
  printf '%s %s | %s\n' "$(grep lo: /proc/net/dev)" "$(grep Tcp: /proc/net/snmp | tail -n 1)" "$line"
done
"#;

/// The head of a segment as loopback counts it, with Ethernet's taken off: IPv4 20, TCP 20 and its
/// timestamps 12.
const HEAD_BYTES: u64 = 52;

#[test]
fn a_cells_bytes_are_those_that_the_interface_carried() {
    let folder = Folder::new();
    let transports = [Transport::Sse, Transport::WebSocket, Transport::ShortPolling, Transport::RawTcp];
    let counts = counted(&in_a_namespace(&folder, &transports));
    let stored = store::read(folder.path("run/records.jsonl").as_ref()).unwrap();
    // What the machine spoilt is measured again, and counted again.
    assert!(stored.records.len() >= transports.len(), "{}", stored.records.len());
    assert_eq!(counts.len(), stored.records.len() + 1, "{counts:?}");
    for (record, around) in stored.records.iter().zip(counts.windows(2)) {
        assert_agree(record, &around[0], &around[1]);
    }
}

fn in_a_namespace(folder: &Folder, transports: &[Transport]) -> Output {
    let workload = folder.file("crowd.toml", CROWD);
    let (pushoff, out) = (env!("CARGO_BIN_EXE_pushoff"), folder.path("run"));
    let mut run = Command::new("unshare");
    run.args(["--user", "--map-root-user", "--net", "sh", "-c", SCRIPT, "sh", pushoff, "run", "--trials", "1"]);
    run.args(["--workload", &workload, "--out", &out]);
    for transport in transports {
        run.args(["--transport", transport.name()]);
    }
    let output = run.output().unwrap_or_else(|error| panic!("unshare, of util-linux, is needed: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.is_empty(),
        "a network namespace of one's own is needed (unprivileged user namespaces, and `ip` of iproute2): {said}"
    );
    output
}

/// What this namespace had counted at one moment.
#[derive(Debug)]
struct Count {
    /// Bytes that `lo` carried, each once.
    carried: u64,
    /// Segments that were sent again, in either direction.
    resent: u64,
}

/// The counts when the run began and after each trial.
fn counted(output: &Output) -> Vec<Count> {
    let text = String::from_utf8_lossy(&output.stdout);
    let said = text.lines().filter_map(|line| line.split_once(" | "));
    // The plan, before anything is connected; then each trial, when its server is gone.
    let moments =
        said.filter(|(_, words)| words.contains("Ctrl-C ends early") || words.contains("crowd-of-bytes over"));
    let counts: Vec<Count> = moments.map(|(counts, _)| count(counts)).collect();
    assert!(!counts.is_empty(), "{text}");
    counts
}

/// Reads `lo:` with what it received, and `Tcp:` with `RetransSegs` as its twelfth.
fn count(text: &str) -> Count {
    let after = |name: &str, place: usize| {
        let words = text.split_whitespace().skip_while(|word| *word != name);
        words.skip(place).map(|word| word.parse().unwrap()).next().unwrap()
    };
    Count { carried: after("lo:", 1), resent: after("Tcp:", 12) }
}

fn assert_agree(record: &Record, before: &Count, after: &Count) {
    let measurement = record.measurement().unwrap_or_else(|| panic!("{:?}", record.outcome));
    let Wire { setup, load, window, unread } =
        measurement.wire.unwrap_or_else(|| panic!("{}: no bytes", record.transport));
    assert_eq!(unread, 0, "{}", record.transport);
    let window = window.unwrap_or_else(|| panic!("{}: no bytes of the measure phase", record.transport));
    assert!(window.down.bytes > 0 && window.down.bytes <= load.down.bytes, "{}: {window:?}", record.transport);
    if record.transport.is_polling() {
        // No more than a poll of each subscriber may lie across either end of the phase.
        let (crossed, counted) = (window.contents.requests, measurement.window.requests);
        assert!(crossed.abs_diff(counted) <= u64::from(record.workload.subscribers), "{crossed} {counted}");
    }
    let on_the_wire = |flow: Flow| flow.bytes + flow.segments * HEAD_BYTES;
    let reported: u64 = [setup.down, setup.up, load.down, load.up].map(on_the_wire).iter().sum();
    // A busy machine sends again what is only late. The record does not count those bytes twice; what they were is not known
    // here either: none, or as many as segments of the mean size have.
    let again = (after.resent - before.resent) * load.down.bytes / load.down.data_segments.max(1);
    let carried = after.carried - before.carried;
    let nearest = reported.clamp(carried - again, carried);
    #[expect(clippy::cast_precision_loss, reason = "some millions")]
    let apart = reported.abs_diff(nearest) as f64 / carried as f64;
    assert!(apart < 0.01, "{}: {reported} bytes reported, {carried} carried: {apart:.4} apart", record.transport);
}
