//! The use of processes, as the kernel counts it and as a server reports it.

use pushoff_model::RunClock;
use rustix::time::{ClockId, clock_gettime};

use super::*;
use crate::account::Itself;
use crate::watch::processes::{family, tests::Shell};

#[test]
fn work_shows_as_processor_time_and_as_waiting_for_it() {
    let clock = RunClock::start();
    let me = [std::process::id()];
    let before = Reading::now(clock.now(), &me, &[], None);
    let busy_until = clock.now() + Duration::from_millis(60);
    while clock.now() < busy_until {
        std::hint::spin_loop();
    }
    let used = before.until(&Reading::now(clock.now(), &me, &[], None), 1.0);
    let server = used.server.unwrap();
    let wanted = server.cpu_ns + server.waited_ns;
    assert!(server.cpu_ns > 0 && wanted > 30_000_000, "others may have the processor: {server:?}");
    assert!(server.wall_ns >= 60_000_000);
    assert!((0.0..=1.0).contains(&used.machine.steal));
}

#[test]
fn a_child_that_comes_meanwhile_counts_as_the_servers_work() {
    let burn = "i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done";
    let script = format!("read begin <&1; sh -c '{burn}; echo done; cat <&1 >&2' & wait");
    let mut shell = Shell::start(&script, std::process::Stdio::null());
    let clock = RunClock::start();
    let roots = [shell.child.id()];
    let before = Reading::now(clock.now(), &family(&roots), &[], None);
    shell.say("begin");
    assert_eq!(shell.hear(), "done");
    let later = [roots.to_vec(), family(&roots)].map(|pids| Reading::now(clock.now(), &pids, &[], None));
    shell.end();
    let [alone, all] = later.map(|later| before.until(&later, 1.0).server.unwrap().cpu_ns);
    assert!(all > 5_000_000 && all > 3 * alone, "{alone} ns of the parent, {all} ns of all");
    assert!(before.until(&Reading::now(clock.now(), &[], &[], None), 1.0).server.is_none());
}

#[test]
fn the_waits_of_several_processes_are_no_fault_of_the_machine() {
    let process = |pid, clock_ns, waited_ns| ProcessReading {
        who: (pid, 1),
        clock_ns: Some(clock_ns),
        waited_ns: [(pid, waited_ns)].into(),
        ..ProcessReading::default()
    };
    let reading = |server: Vec<ProcessReading>| Reading {
        told: None,
        at: RunInstant::default(),
        server,
        generator: Vec::new(),
        machine: MachineReading::default(),
    };
    let used = |from, to| reading(from).until(&reading(to), 1.0).server.map(|used| (used.cpu_ns, used.waited_ns));
    assert_eq!(used(vec![process(1, 10, 5)], vec![process(1, 30, 45)]), Some((20, 40)));
    let workers = |cpu_ns, waited_ns| [1, 2, 3].map(|pid| process(pid, cpu_ns, waited_ns)).to_vec();
    assert_eq!(used(workers(10, 5), workers(30, 45)), Some((60, 0)), "workers wait for each other");
}

#[test]
fn what_a_server_says_of_itself_is_what_it_used_unless_it_was_started_again() {
    let clock = RunClock::start();
    let itself = |cpu_ns| Itself { cpu_ns, ..Itself::default() };
    let at = |cpu_ns| {
        let told = Some((clock.now(), Told(vec![itself(cpu_ns)])));
        Reading::now(clock.now(), &[], &[], None).and_told(told)
    };
    let (early, late) = (at(2_000_000), at(5_000_000));
    let used = early.until(&late, 0.0).server.unwrap();
    assert!(used.is_told && used.cpu_ns == 3_000_000 && used.utilisation() == 0.0, "{used:?}");
    assert_eq!(late.until(&at(1_000_000), 0.0).server, None);
    assert_eq!(early.until(&Reading::now(clock.now(), &[], &[], None), 0.0).server, None);
}

#[test]
fn both_versions_of_control_groups_say_what_was_withheld() {
    let v2 = "usage_usec 5\nnr_periods 9\nnr_throttled 3\nthrottled_usec 250\n";
    assert_eq!(withheld_ns(v2), Some(250_000));
    assert_eq!(withheld_ns("nr_periods 9\nnr_throttled 3\nthrottled_time 777\n"), Some(777));
    assert_eq!(withheld_ns("usage_usec 5\n"), None);
}

#[test]
fn a_probe_and_the_report_of_its_duplicate_count_once() {
    let netstat = |probes, reported| {
        format!(
            "TcpExt: A TCPLossProbes TCPLossProbeRecovery TCPDSACKRecv TCPDSACKOfoRecv\n\
             TcpExt: 9 {probes} 2 {reported} 1\nIpExt: TCPLossProbes\nIpExt: 77\n"
        )
    };
    let reading = |probes, reported| Reading {
        told: None,
        at: RunInstant::default(),
        server: Vec::new(),
        generator: Vec::new(),
        machine: MachineReading { spurious: spurious(&netstat(probes, reported)), ..MachineReading::default() },
    };
    let between = |to: Reading| reading(2, 999).until(&to, 1.0).machine.spurious_retransmits;
    assert_eq!([between(reading(204, 1_168)), between(reading(2, 1_029))], [202, 30]);
    assert_eq!([spurious(""), spurious("TcpExt: A\nTcpExt: 1\n")], [[0; 2]; 2]);
}

#[test]
fn a_thread_that_ends_takes_nothing_with_it() {
    let clock = RunClock::start();
    // Processor time, as others may have the processor meanwhile.
    let used_here = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
    let burn = move |millis| {
        let until = used_here() + Duration::from_millis(millis);
        while used_here() < until {
            std::hint::spin_loop();
        }
    };
    let (burnt, is_burnt) = std::sync::mpsc::channel::<()>();
    let (end, is_to_end) = std::sync::mpsc::channel::<()>();
    let worker = std::thread::spawn(move || {
        burn(60);
        drop(burnt);
        is_to_end.recv().unwrap_err();
    });
    is_burnt.recv().unwrap_err();
    let before = Reading::now(clock.now(), &[], &[], None);
    drop(end);
    worker.join().unwrap();
    burn(20);
    let used = before.until(&Reading::now(clock.now(), &[], &[], None), 1.0).generator;
    assert!(used.cpu_ns >= 20_000_000 && !used.in_ticks, "{used:?}");
}

#[test]
fn without_a_process_clock_ticks_are_used_and_waits_are_those_of_threads_that_live() {
    let reading = |clock_ns, ticks_ns, waits: &[(i32, u64)]| ProcessReading {
        clock_ns,
        user_ns: ticks_ns,
        waited_ns: waits.iter().copied().collect(),
        ..ProcessReading::default()
    };
    let used = |from: ProcessReading, to: ProcessReading| {
        let spent = Spent::between(&from, &to);
        (spent.cpu_ns, spent.in_ticks, spent.waited_ns)
    };
    let before = || reading(Some(5), 10_000_000, &[(1, 100), (2, 900)]);
    assert_eq!(used(before(), reading(Some(12), 20_000_000, &[(1, 130), (3, 7)])), (7, false, 37));
    assert_eq!(used(before(), reading(None, 30_000_000, &[])), (20_000_000, true, 0));
}
