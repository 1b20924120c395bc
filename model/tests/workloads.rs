//! The workloads that servers are compared with, in `workloads/servers/`: each is valid and asks what it says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use pushoff_model::Workload;
use pushoff_model::workload::{Growth, Load, read};

/// All of them by name.
fn workloads() -> BTreeMap<String, Workload> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/servers");
    let read = |path: &Path| {
        let workload = read(path).unwrap();
        assert_eq!(workload.name.as_str(), path.file_stem().unwrap().to_str().unwrap());
        (workload.name.to_string(), workload)
    };
    folder.read_dir().unwrap().map(|entry| read(&entry.unwrap().path())).collect()
}

#[test]
fn light_load_is_ten_messages_a_second_to_so_many() {
    for (name, subscribers) in [("light-100", 100), ("light-1000", 1000)] {
        let workload = &workloads()[name];
        assert_eq!((workload.subscribers, workload.offered(Growth::Rate)), (subscribers, 10.0));
    }
}

#[test]
fn the_two_searches_differ_in_how_late_a_message_may_be() {
    let all = workloads();
    let [in_time, at_all] = ["capacity-in-time", "capacity-at-all"].map(|name| &all[name]);
    for workload in [in_time, at_all] {
        assert_eq!((workload.subscribers, workload.search.unwrap().grow), (1000, Growth::Rate));
    }
    let within = |workload: &Workload| workload.slo.unwrap().within;
    assert_eq!(within(in_time), Duration::from_millis(100));
    let longest = at_all.phases.warm_up + at_all.phases.measure + at_all.phases.drain;
    assert!(within(at_all) > longest, "nothing can be late");
}

#[test]
fn in_silence_nothing_but_polls_falls_into_a_trial() {
    for name in ["polls", "idle-10000"] {
        let workload = &workloads()[name];
        let Load::Silence { heartbeat } = workload.load else { panic!("{name} is not silent") };
        let trial = workload.phases.warm_up + workload.phases.measure;
        assert!(heartbeat > trial && workload.polling.wait > trial, "{name}");
    }
}
