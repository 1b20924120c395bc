use std::collections::HashSet;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use pushoff_model::network::Network;
use pushoff_model::record::{Concern, Faults, Measurement, NotRun, Purpose as StepPurpose};
use pushoff_model::target::{self, OURS, Target};
use pushoff_model::workload::built_in;
use pushoff_model::{Http, Wire};

use super::*;
use crate::plan::Whole;
use crate::tls::Anchor;

static OUR_SERVER: LazyLock<[Arc<Target>; 1]> = LazyLock::new(|| [Arc::new(target::built_in(OURS).unwrap().unwrap())]);

fn asked<'a>(workloads: &'a [Arc<Workload>], clients: &'a [Client], seed: u64) -> Asked<'a> {
    let (rounds, targets) = (NonZeroU32::new(3), &OUR_SERVER[..]);
    Asked {
        workloads,
        transports: &Transport::ALL,
        clients,
        targets,
        rounds,
        seed,
        descriptors: 1 << 20,
        networks: &[],
        trust: &Anchor::System,
        wires: &[Wire { tls: false, http: Http::One, compressed: false }],
        whole: Whole::default(),
    }
}

fn workloads(names: &[&str]) -> Vec<Arc<Workload>> {
    names.iter().map(|name| Arc::new(built_in(name).unwrap().unwrap())).collect()
}

/// Every trial of a run whose trials all have this outcome.
fn all(mut plan: Plan, outcome: impl Fn(&Trial) -> Outcome) -> Vec<Trial> {
    let mut trials = Vec::new();
    while let Some(trial) = plan.next_trial() {
        plan.ended(&trial, &outcome(&trial));
        trials.push(trial);
    }
    assert!(plan.is_over());
    assert_eq!(left(&plan), 0);
    trials
}

fn left(plan: &Plan) -> u64 {
    plan.left(|_| Duration::from_secs(1)).trials
}

/// A plan that only its caller ends.
fn endless(workloads: &[Arc<Workload>]) -> Plan {
    Plan::new(&Asked { rounds: None, ..asked(workloads, &[], 7) })
}

/// The trials of the round that begins.
fn round(plan: &mut Plan, outcome: impl Fn(&Trial) -> Outcome) -> Vec<Trial> {
    let mut trials = Vec::new();
    while let Some(trial) = plan.next_trial() {
        plan.ended(&trial, &outcome(&trial));
        trials.push(trial);
        if plan.is_round_complete() {
            break;
        }
    }
    trials
}

fn measured(limit: Option<Limit>) -> Outcome {
    let concerns = limit.into_iter().map(|limit| Concern { limit, detail: String::new() }).collect();
    Outcome::Measured(Box::new(Measurement { concerns, ..Measurement::default() }))
}

fn failed(kind: FailureKind) -> Outcome {
    Outcome::Failed(Failure { kind, reason: String::new(), counts: None, faults: Faults::default() })
}

fn not_run(_: &Trial) -> Outcome {
    Outcome::NotRun(NotRun { reason: "a test".into() })
}

fn of_seed(seed: u64) -> Vec<Trial> {
    all(Plan::new(&asked(&workloads(&["ticker", "chat"]), &Client::ALL, seed)), not_run)
}

#[test]
fn every_round_holds_each_cell_once() {
    let trials = of_seed(7);
    // Two workloads, six transports, three clients, one of them without raw TCP.
    assert_eq!(trials.len(), 3 * 34);
    for (number, round) in (1..).zip(trials.chunks(34)) {
        let cell = |trial: &Trial| (trial.workload.name.clone(), trial.transport, trial.client);
        assert_eq!(round.iter().map(cell).collect::<HashSet<_>>().len(), 34);
        assert!(round.iter().all(|trial| trial.number == number));
    }
    assert!((1..).zip(&trials).all(|(position, trial)| trial.position == position));
}

#[test]
fn a_browser_has_no_trial_of_raw_tcp() {
    let pages = |trial: &Trial| trial.client == Client::Browser;
    let trials = of_seed(7);
    let transports: HashSet<_> = trials.iter().filter(|it| pages(it)).map(|trial| trial.transport).collect();
    assert_eq!(transports.len(), Transport::ALL.len() - 1);
    assert!(!transports.contains(&Transport::RawTcp));
}

#[test]
fn the_transports_of_a_trial_share_a_seed_that_no_other_trial_has() {
    let seeds: HashSet<_> =
        of_seed(7).into_iter().map(|trial| (trial.workload.name.clone(), trial.number, trial.seed)).collect();
    assert_eq!(seeds.len(), 6);
    assert_eq!(seeds.into_iter().map(|(_, _, seed)| seed).collect::<HashSet<_>>().len(), 6);
}

#[test]
fn the_order_follows_from_the_seed_alone() {
    assert_eq!(of_seed(7), of_seed(7));
    assert_ne!(of_seed(7), of_seed(8));
}

#[test]
fn servers_side_by_side_come_right_after_one_another_whichever_first() {
    let ours = target::built_in(OURS).unwrap().unwrap();
    let targets = ["old", "new"].map(|name| Arc::new(Target { name: name.into(), ..ours.clone() }));
    let workloads = workloads(&["ticker", "chat"]);
    let clients = [Client::Library, Client::Lean];
    let plan = Plan::new(&Asked { targets: &targets, ..asked(&workloads, &clients, 7) });
    let trials = all(plan, not_run);
    let question = |trial: &Trial| (trial.workload.name.clone(), trial.transport, trial.client);
    let mut firsts = HashSet::new();
    for pair in trials.chunks(2) {
        assert_eq!((question(&pair[0]), pair[0].number), (question(&pair[1]), pair[1].number));
        assert_ne!(pair[0].target.name, pair[1].target.name);
        firsts.insert(pair[0].target.name.clone());
    }
    // Two workloads, five transports (neither speaks raw TCP), two clients, two servers.
    assert_eq!((trials.len(), firsts.len()), (3 * 40, 2));
}

#[test]
fn by_default_each_workload_has_its_own_client() {
    let pages = Arc::new(Workload { client: Client::Browser, ..Workload::clone(&workloads(&["ticker"])[0]) });
    let trials = all(Plan::new(&asked(&[pages, workloads(&["chat"])[0].clone()], &[], 1)), not_run);
    assert!(trials.iter().all(|trial| trial.client == trial.workload.client));
}

#[test]
fn a_workload_that_compares_clients_is_measured_with_each_on_its_own_transports_in_three_rounds() {
    let trials = all(endless(&workloads(&["clients"])), not_run);
    let cells: HashSet<_> = trials.iter().map(|trial| (trial.transport, trial.client)).collect();
    assert_eq!((trials.len(), cells.len()), (3 * 8, 8));
    assert!(cells.contains(&(Transport::Sse, Client::Library)) && !cells.contains(&(Transport::Sse, Client::Browser)));
    assert!(cells.iter().all(|(transport, _)| !matches!(transport, Transport::ShortPolling | Transport::RawTcp)));
    let of_the_run = all(Plan::new(&asked(&workloads(&["clients"]), &[Client::Lean], 7)), not_run);
    assert_eq!(of_the_run.len(), 3 * 4);
}

#[test]
fn without_a_number_of_rounds_the_contenders_go_on_and_the_floor_stops_after_three() {
    let mut plan = endless(&workloads(&["ticker", "chat"]));
    assert!(plan.is_round_complete() && !plan.is_over());
    assert_eq!((plan.round(), left(&plan)), (0, 12));
    for (number, cells) in [(1, 12), (2, 12), (3, 12), (4, 10)] {
        assert_eq!(left(&plan), cells);
        let trials = round(&mut plan, not_run);
        assert_eq!((plan.round(), trials.len() as u64), (number, cells));
        assert!(trials.iter().all(|trial| trial.number == number));
    }
    let first = plan.next_trial().unwrap();
    assert!(!plan.is_round_complete());
    assert_eq!(left(&plan), 9, "of the present round");
    plan.leave_out(|cell| cell.workload.name == "chat" || cell.transport == Transport::Sse);
    plan.ended(&first, &measured(None));
    assert_eq!(round(&mut plan, not_run).len(), 9, "a round that has begun stays whole");
    let trials = round(&mut plan, not_run);
    assert!(trials.len() == 4 && trials.iter().all(|trial| trial.workload.name == "ticker"));
    plan.leave_out(|_| true);
    assert!(plan.is_over());
    assert_eq!((plan.next_trial(), plan.round(), left(&plan)), (None, 6, 0));
}

#[test]
fn what_the_machine_spoilt_is_measured_again_once_at_the_end_of_its_round() {
    let spoilt = |outcome: fn() -> Outcome| {
        let plan = Plan::new(&asked(&workloads(&["ticker"]), &[], 7));
        let trials = all(plan, |trial| if trial.transport == Transport::Sse { outcome() } else { measured(None) });
        assert!((1..).zip(&trials).all(|(position, trial)| trial.position == position));
        trials
    };
    for outcome in
        [|| measured(Some(Limit::Machine)), || failed(FailureKind::Machine), || failed(FailureKind::Generator)]
    {
        let trials = spoilt(outcome);
        assert_eq!(trials.len(), 3 * 7, "three whole rounds all the same");
        for (number, round) in (1..).zip(trials.chunks(7)) {
            let first = round.iter().find(|trial| trial.transport == Transport::Sse).unwrap();
            let again = Trial { position: number * 7, ..first.clone() };
            assert_eq!((round[6].number, &round[6]), (number, &again));
        }
    }
    for outcome in
        [|| measured(Some(Limit::Generator)), || measured(Some(Limit::Server)), || failed(FailureKind::Server)]
    {
        assert_eq!(spoilt(outcome).len(), 3 * 6);
    }
}

#[test]
fn without_time_what_the_machine_spoilt_stays_as_it_is() {
    let mut plan = Plan::new(&asked(&workloads(&["ticker"]), &[], 7));
    for _ in 0..6 {
        let trial = plan.next_trial().unwrap();
        plan.ended(&trial, &measured(Some(Limit::Machine)));
    }
    let again = plan.next_trial().unwrap();
    assert_eq!((again.number, plan.is_round_complete()), (1, false), "the first of six is measured again");
    plan.ended(&again, &measured(None));
    plan.forgo_repeats();
    assert!(plan.is_round_complete());
    assert_eq!(plan.next_trial().unwrap().number, 2);
}

#[test]
fn searches_step_round_by_round_at_the_load_of_the_step_and_keep_the_workload_as_asked() {
    let workloads = workloads(&["capacity"]);
    let mut plan = Plan::new(&asked(&workloads, &[], 1));
    let mut loads = Vec::new();
    for _ in 0..12 {
        let trial = plan.next_trial().unwrap();
        assert_eq!(trial.asked, workloads[0]);
        let step = trial.step.unwrap();
        assert_eq!(step.purpose, StepPurpose::Ramp);
        assert!((trial.workload.offered(Growth::Rate) - step.load).abs() < f64::EPSILON);
        // Nothing was due and nothing was lost: the SLO held.
        plan.ended(&trial, &Outcome::Measured(Box::default()));
        loads.push(step.load);
    }
    assert_eq!(loads, [[100.0; 6], [200.0; 6]].concat());
    let left = plan.left(|_| Duration::from_secs(1));
    assert!(left.at_most && left.time == Duration::from_secs(left.trials));
    for _ in 0..6 {
        let trial = plan.next_trial().unwrap();
        plan.ended(&trial, &not_run(&trial));
    }
    assert_eq!(plan.next_trial(), None, "an interrupt ends a search");
}

#[test]
fn the_next_round_has_one_step_of_each_search() {
    let mut plan = endless(&workloads(&["ticker", "capacity"]));
    let next_round = |plan: &Plan| plan.next_round(|_| Duration::from_secs(1));
    assert_eq!(next_round(&plan), Duration::from_secs(12));
    assert!(left(&plan) > 12, "all steps of the searches");
    plan.leave_out(|_| true);
    assert_eq!(next_round(&plan), Duration::from_secs(6), "the searches go on");
}

#[test]
fn each_server_takes_part_with_what_it_speaks() {
    let text = "name = \"theirs\"\n[publish]\npath = \"/{topic}\"\n[websocket]\npath = \"/{topic}\"\n";
    let theirs = Arc::new(target::parse(text, Path::new("theirs.toml")).unwrap());
    let (workloads, targets) = (workloads(&["ticker"]), [OUR_SERVER[0].clone(), theirs.clone()]);
    let trials = all(Plan::new(&Asked { targets: &targets, ..asked(&workloads, &[], 1) }), not_run);
    assert_eq!(trials.len(), 3 * 7);
    let of_theirs: Vec<_> = trials.iter().filter(|trial| trial.target == theirs).collect();
    assert!(of_theirs.len() == 3 && of_theirs.iter().all(|trial| trial.transport == Transport::WebSocket));
}

#[test]
fn a_search_goes_no_further_than_descriptors_allow() {
    let few = Plan::new(&Asked { descriptors: 1_000, ..asked(&workloads(&["crowd"]), &[], 1) });
    let most = all(few, |_| Outcome::Measured(Box::default())).iter().map(|trial| trial.workload.subscribers).max();
    assert!((900..1_000).contains(&most.unwrap()), "{most:?}");
}

fn networks(names: &[&str]) -> Vec<Arc<Network>> {
    names.iter().map(|name| Arc::new(pushoff_model::network::built_in(name).unwrap().unwrap())).collect()
}

#[test]
fn trials_over_networks_run_first_and_together_and_the_others_alone() {
    let (workloads, networks) = (workloads(&["ticker", "chat", "idle"]), networks(&["cable", "wifi-bad"]));
    let mut plan = Plan::new(&Asked { networks: &networks, rounds: NonZeroU32::new(2), ..asked(&workloads, &[], 7) });
    let first = plan.next_trials();
    // Two workloads with an SLO, five transports without the floor, two networks; nothing is learnt of silence there.
    assert_eq!(first.len(), 2 * 5 * 2);
    assert!(first.iter().map(Trial::share).sum::<f64>() <= 1.0);
    for trial in &first {
        assert!(trial.network.is_some() && trial.transport.is_ranked());
        assert!(trial.workload.subscribers <= 40 && trial.asked.subscribers > 40, "a few of many");
        assert_eq!(trial.conditions().factors().count(), 3);
        plan.ended(trial, &measured(None));
    }
    let rest = std::iter::from_fn(|| Some(plan.next_trials()).filter(|trials| trials[0].number == 1));
    let rest: Vec<Vec<Trial>> = rest.collect();
    assert_eq!(rest.len(), 3 * 6, "and then each of the others by itself");
    assert!(rest.iter().all(|trials| trials.len() == 1 && trials[0].network.is_none()));
}

#[test]
fn what_the_machine_spoilt_over_a_network_is_measured_again_where_rounds_were_asked_for() {
    let (workloads, networks) = (workloads(&["ticker"]), networks(&["cable"]));
    let again = |rounds| {
        let mut plan = Plan::new(&Asked { networks: &networks, rounds, ..asked(&workloads, &[], 7) });
        let spoilt = |trial: &Trial| measured(trial.network.as_ref().map(|_| Limit::Machine));
        let trials = round(&mut plan, spoilt);
        trials.iter().filter(|trial| trial.network.is_some()).count()
    };
    assert_eq!((again(NonZeroU32::new(2)), again(None)), (10, 5));
}

#[test]
fn threads_that_stay_awake_leave_room_for_fewer_trials_and_a_browser_for_none() {
    let workloads = workloads(&["ticker"]);
    let at_once = |network: &str, client| {
        let networks = networks(&[network]);
        let mut plan = Plan::new(&Asked { networks: &networks, ..asked(&workloads, &[client], 7) });
        plan.next_trials().len()
    };
    assert_eq!(at_once("cable", Client::Lean), 5, "all");
    assert!((2..5).contains(&at_once("lan", Client::Lean)));
    assert_eq!(at_once("cable", Client::Browser), 1);
}
