//! Generators as agents over NATS: merged, with clocks that differ, lost, interrupted, and refused.
//!
//! Ignored where nothing says that there is a nats-server: `scripts/test` runs them where there is one.

use pushoff_loadgen::Relay;
use pushoff_model::record::{Measurement, Outcome, Record};
use pushoff_model::{Environment, Transport};
use rustix::process::Signal;

use crate::command::{Ended, Folder, Run};
use crate::nats::Nats;
use crate::server::Server;

/// Two topics with a publisher each, for two agents to divide.
const TOPICS: &str = r#"
name = "topics"
question = "Do the parts make the whole?"
topics = 2
subscribers = 12
[publish]
rate = 20.0
arrival = "poisson"
[polling]
interval = "100ms"
[slo]
share = 0.5
within = "5s"
[phases]
warm_up = "200ms"
measure = "600ms"
drain = "10s"
"#;

impl Nats {
    /// An agent that waits for work.
    fn agent(&self, folder: &Folder, name: &str, more: &[&str]) -> Run {
        let agent = Run::command(folder, &[&["agent", "--nats", &self.url(""), "--name", name][..], more].concat());
        agent.wait_until_it_says("waits for work");
        agent
    }

    /// A run whose load is divided among so many.
    fn run(&self, folder: &Folder, agents: &str, arguments: &[&str]) -> Run {
        let divided = ["--agents", agents, "--nats", &self.url(""), "--seed", "7", "--trials", "1"];
        Run::start(folder, &[&divided[..], arguments].concat())
    }
}

/// The load with one topic, which two agents divide; all members speak.
fn one_topic() -> String {
    let one = TOPICS.replace("\"topics\"", "\"one-topic\"").replace("topics = 2", "topics = 1\ndirection = \"both\"");
    one.replace("rate = 20.0", "rate = 2.0")
}

/// Ends an agent as a person does.
fn end(agent: Run) -> Ended {
    agent.signal(Signal::TERM);
    let ended = agent.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended
}

fn measured(record: &Record) -> &Measurement {
    record.measurement().unwrap_or_else(|| panic!("{:?}", record.outcome))
}

/// Checks that each message was due once to each subscriber of the whole load, and that all have come.
fn balances(record: &Record) {
    let measurement = measured(record);
    let counts = measurement.counts;
    assert!(counts.delivered > 0 && counts.expected == counts.delivered, "{record:?}");
    assert_eq!((counts.lost, counts.missed, counts.duplicated, counts.reordered), (0, 0, 0, 0), "{record:?}");
    assert_eq!(counts.subscribers, u64::from(record.workload.subscribers));
    assert_eq!(measurement.connect.count(), counts.subscribers);
    assert_eq!(measurement.window.expected, measurement.window.delivered);
    let early: u64 = measurement.agents.iter().map(|agent| agent.early).sum();
    assert_eq!(measurement.delivery_latency.count() + early, measurement.window.delivered);
    assert_eq!(measurement.send_lag.count(), measurement.window.published);
}

#[test]
#[ignore = "needs nats-server"]
fn every_ledger_balances_over_two_agents_whose_clocks_differ_and_who_survive_the_run() {
    let (folder, nats) = (Folder::new(), Nats::start());
    let one = nats.agent(&folder, "one", &[]);
    let two = nats.agent(&folder, "two", &["--clock-offset", "50ms"]);
    let topics = folder.file("topics.toml", TOPICS);
    let one_topic = folder.file("one-topic.toml", &one_topic());
    let ended = nats.run(&folder, "2", &["--workload", &topics, "--workload", &one_topic]).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let records = ended.records();
    // What the machine spoilt is measured again.
    for (name, transport) in ["topics", "one-topic"].into_iter().flat_map(|name| Transport::ALL.map(|it| (name, it))) {
        let is_it = |record: &Record| record.workload.name == name && record.transport == transport;
        assert!(records.iter().any(is_it), "{name} over {transport}");
    }
    for record in &records {
        balances(record);
        let agents = &measured(record).agents;
        let named = |name: &str| agents.iter().find(|agent| agent.name == name).unwrap();
        assert_eq!(agents.iter().map(|agent| agent.subscribers).sum::<u32>(), record.workload.subscribers);
        assert_eq!(agents.iter().map(|agent| agent.publishers).sum::<u32>(), record.workload.publishers());
        for (agent, truth) in [(named("one"), 0), (named("two"), 50_000_000)] {
            let clock = agent.clock;
            assert!(clock.offset_ns.abs_diff(truth) <= clock.bound_ns, "{agent:?}");
            // Far less than what was to be found.
            assert!(clock.bound_ns < 10_000_000, "{agent:?}");
        }
    }
    let environment: Environment = serde_json::from_str(&ended.read("environment.json")).unwrap();
    assert_eq!(environment.agents.len(), 2);
    assert!(ended.read("report.html").contains("clock within ±"), "the report names its agents");
    assert!(ended.stderr.contains("clocks of the agents: one within ±"), "{}", ended.stderr);

    // The same agents, another run, and the same plan in one process: as many messages, to as many subscribers.
    let asked = ["--workload", &one_topic, "--transport", "websocket,long-polling"];
    let (again, alone) = (Folder::new(), Folder::new());
    let again = nats.run(&again, "2", &asked).end();
    let alone = Run::start(&alone, &[&["--seed", "7", "--trials", "1"], &asked[..]].concat()).end();
    for record in again.records() {
        balances(&record);
        let same = alone.records().into_iter().find(|it| it.transport == record.transport).unwrap();
        let of = |record: &Record| (measured(record).counts.published, measured(record).counts.expected);
        assert_eq!(of(&record), of(&same), "the union of the parts is the plan");
    }
    for agent in [one, two] {
        end(agent);
    }
}

#[test]
#[ignore = "needs nats-server"]
fn an_agent_that_is_killed_costs_its_part_and_not_the_run() {
    let (folder, nats) = (Folder::new(), Nats::start());
    let one = nats.agent(&folder, "one", &[]);
    let two = nats.agent(&folder, "two", &[]);
    // The first by its name has the only publisher.
    let one_topic = folder.file("ticker.toml", &TOPICS.replace("topics = 2", "topics = 1"));
    let run = nats.run(&folder, "2", &["--workload", &one_topic, "--transport", "sse,websocket", "--duration", "5s"]);
    run.wait_until_measuring();
    one.signal(Signal::KILL);
    let ended = run.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let records = ended.records();
    // One was measured with a part lost, and the others without that agent.
    let [first, others @ ..] = &records[..] else { panic!("no record") };
    let kept = measured(first);
    assert!(kept.agents.iter().any(|agent| agent.name == "one" && agent.is_lost), "{first:?}");
    assert!(kept.void(None).is_some_and(|concern| concern.detail.contains("one was lost")), "{:?}", kept.concerns);
    assert!(kept.counts.delivered > 0 && kept.counts.lost == 0, "{:?}", kept.counts);
    assert!(!others.is_empty(), "the run goes on");
    for record in others {
        balances(record);
        assert_eq!(measured(record).agents.len(), 1);
    }
    one.end();
    end(two);
}

#[test]
#[ignore = "needs nats-server"]
fn a_run_ends_when_its_last_agent_is_lost() {
    let (folder, nats) = (Folder::new(), Nats::start());
    let one = nats.agent(&folder, "one", &[]);
    let topics = folder.file("topics.toml", TOPICS);
    let run = nats.run(&folder, "1", &["--workload", &topics, "--transport", "sse,websocket", "--duration", "5s"]);
    run.wait_until_measuring();
    one.signal(Signal::KILL);
    let ended = run.end();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("every agent of the run is lost: the run ends early"), "{}", ended.stderr);
    assert_eq!(ended.records().len(), 1, "nothing is begun without agents: {}", ended.stderr);
    one.end();
}

#[test]
#[ignore = "needs nats-server"]
fn an_interrupt_stops_every_agent_and_a_second_run_is_refused_meanwhile() {
    let (folder, nats) = (Folder::new(), Nats::start());
    let one = nats.agent(&folder, "one", &[]);
    let topics = folder.file("topics.toml", TOPICS);
    let asked = ["--workload", &*topics, "--transport", "sse"];
    let run = nats.run(&folder, "1", &[&asked[..], &["--duration", "5m"]].concat());
    run.wait_until_measuring();
    let other = Folder::new();
    let refused = nats.run(&other, "1", &asked).end();
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    let holder = format!("process {} on", run.pid());
    assert!(refused.stderr.contains("belong to another run") && refused.stderr.contains(&holder), "{}", refused.stderr);
    run.signal(Signal::INT);
    assert_eq!(run.end().code, Some(130));
    // It is free at once.
    let next = nats.run(&other, "1", &asked).end();
    assert_eq!(next.code, Some(0), "{}", next.stderr);
    balances(&next.records()[0]);
    // One that is gone without a word is let go.
    let gone = Folder::new();
    let run = nats.run(&gone, "1", &[&asked[..], &["--duration", "5m"]].concat());
    run.wait_until_measuring();
    run.signal(Signal::KILL);
    one.wait_until_it_says("has not heard of its run");
    run.end();
    end(one);
}

#[test]
#[ignore = "needs nats-server"]
fn too_few_agents_are_said_and_what_agents_cannot_do_is_refused() {
    let (folder, nats) = (Folder::new(), Nats::start());
    let one = nats.agent(&folder, "one", &[]);
    let few = nats.run(&folder, "2", &["--workload", "ticker", "--agents-within", "1s"]).end();
    assert_eq!(few.code, Some(2), "{}", few.stderr);
    assert!(few.stderr.contains("--agents is 2, and 1 free agents answered"), "{}", few.stderr);
    let wrong = nats.run(&folder, "1", &["--workload", "ticker", "--network", "lan"]).end();
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
    end(one);
    let nobody = Run::command(&folder, &["agent", "--nats", "nats://127.0.0.1:1"]).end();
    assert_eq!(nobody.code, Some(2), "{}", nobody.stderr);
    assert!(nobody.stderr.contains("NATS at nats://127.0.0.1:1"), "{}", nobody.stderr);
}

/// One server behind two addresses, of which one goes away in mid-trial.
#[test]
fn subscribers_and_publishers_go_to_the_next_server_when_theirs_fails() {
    let folder = Folder::new();
    let server = Server::with(&["--max-topics", "1000"]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let [first, second] = [(); 2].map(|()| runtime.block_on(Relay::to(server.http)).unwrap());
    let urls = [&first, &second].map(|relay| format!("http://{}", relay.address)).join(",");
    let only = ["--workload", "ticker", "--subscribers", "20", "--duration", "4s", "--trials", "1"];
    let run = Run::start(&folder, &[&only[..], &["--transport", "sse", "--server-url", &urls]].concat());
    run.wait_until_measuring();
    drop(first);
    let ended = run.end();
    let records = ended.records();
    // What the machine spoilt is measured again, at the server that is left.
    let Some(record) = records.first() else { panic!("{}", ended.stderr) };
    assert!(matches!(record.outcome, Outcome::Measured(_)), "{record:?}");
    assert_eq!(record.server, "pushoff");
    let counts = measured(record).counts;
    assert_eq!((counts.reconnects, counts.lost, counts.missed), (10, 0, 0), "half of them were there: {counts:?}");
    assert_eq!(counts.unpublished, 0, "a message whose answer did not come is sent again: {counts:?}");
    assert_eq!(counts.expected, counts.delivered);
}
