//! The order of trials: block-randomised, so that drift of the machine affects all cells alike.
//!
//! Every round holds each cell (workload × transport × client × server) once, in an order shuffled by the seed.
//! Servers that are compared run one right after the other, in random order, because a pair of trials is worth more
//! the closer it stands. A cell with a fixed load takes part in as many rounds as it has trials. A cell whose
//! capacity is searched takes part until its search ends: each round is one step of every search, so no result
//! depends on when in the run it was measured.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use pushoff_model::record::{Outcome, Step};
use pushoff_model::target::Target;
use pushoff_model::workload::{Direction, Growth, Search};
use pushoff_model::{Client, Transport, Workload};
use rand::seq::SliceRandom;

use super::descriptors::{most_subscribers, speaks_on_its_own};
use super::search::{CapacitySearch, verdict};
use crate::seeding::{Purpose, mix, stream};

/// One trial of one cell, to be run on a fresh server.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The requested workload, as the record keeps it.
    pub asked: Arc<Workload>,
    /// The workload to run: the requested one, at the load of the search's step.
    pub workload: Arc<Workload>,
    /// The transport.
    pub transport: Transport,
    /// The client that receives.
    pub client: Client,
    /// The server.
    pub target: Arc<Target>,
    /// The step of a capacity search.
    pub step: Option<Step>,
    /// Its number among the trials of its cell, from 1.
    pub number: u32,
    /// Its position in the whole run, from 1.
    pub position: u32,
    /// Seed of its schedule and payloads, equal for all transports of a workload's trial.
    pub seed: u64,
    /// Its cell's number in the plan, from 0.
    cell: usize,
}

impl Trial {
    /// Whether members speak on the connection that they listen on.
    pub(crate) fn speaks_on_its_own_connection(&self) -> bool {
        let technique = self.target.dialect.technique(self.transport);
        self.workload.direction == Direction::Both
            && speaks_on_its_own(self.transport, self.client)
            && technique.is_some_and(|technique| technique.speaks.is_some())
    }

    /// A single trial, outside any plan.
    #[must_use]
    pub fn new(workload: Arc<Workload>, transport: Transport, target: Arc<Target>, seed: u64) -> Self {
        let (asked, client) = (workload.clone(), workload.client);
        Self { asked, workload, transport, client, target, step: None, number: 1, position: 1, seed, cell: 0 }
    }
}

/// The request for a run.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The workloads; one at several sizes stands here several times.
    pub workloads: &'a [Arc<Workload>],
    /// The transports.
    pub transports: &'a [Transport],
    /// The clients; if empty, each workload's own.
    pub clients: &'a [Client],
    /// The servers. Transports that a server or a client does not speak are left out for it.
    pub targets: &'a [Arc<Target>],
    /// Trials of each cell. A search's staircase has twice as many.
    pub trials: NonZeroU32,
    /// Seed of order, schedules and payloads.
    pub seed: u64,
    /// How many descriptors a process may open, which limits a search for subscribers.
    pub descriptors: u64,
}

/// The trials of a run. It hands out the next one and is told each outcome.
#[derive(Clone, Debug)]
pub struct Plan {
    cells: Vec<Cell>,
    seed: u64,
    round: u32,
    /// The cells that remain in this round, the next one last.
    rest: Vec<usize>,
    begun: u32,
}

#[derive(Clone, Debug)]
struct Cell {
    /// Its workload's number.
    place: u64,
    workload: Arc<Workload>,
    transport: Transport,
    client: Client,
    target: Arc<Target>,
    remaining: Remaining,
}

/// What remains of a cell.
#[derive(Clone, Debug)]
enum Remaining {
    /// This many trials.
    Trials(u32),
    Search(CapacitySearch),
}

/// What remains of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Trials.
    pub trials: u64,
    /// How long they take.
    pub time: Duration,
    /// Whether fewer may follow: a search ends when it has its result.
    pub at_most: bool,
}

impl Plan {
    /// A plan with nothing done.
    #[must_use]
    pub fn new(asked: &Asked<'_>) -> Self {
        let mut cells = Vec::new();
        for (place, workload) in (0..).zip(asked.workloads) {
            let own = [workload.client];
            let clients = if asked.clients.is_empty() { &own[..] } else { asked.clients };
            for &transport in asked.transports {
                let speaking = asked.targets.iter().filter(|target| target.speaks(transport));
                let able = clients.iter().filter(|client| client.speaks(transport));
                for (&client, target) in able.flat_map(|client| speaking.clone().map(move |it| (client, it))) {
                    let remaining = match &workload.search {
                        None => Remaining::Trials(asked.trials.get()),
                        Some(search) => {
                            let within = fitting(search, workload, transport, client, asked.descriptors);
                            let walk = asked.trials.get().saturating_mul(2);
                            Remaining::Search(CapacitySearch::new(&within, workload, walk))
                        }
                    };
                    let (workload, target) = (workload.clone(), target.clone());
                    cells.push(Cell { place, workload, transport, client, target, remaining });
                }
            }
        }
        Self { cells, seed: asked.seed, round: 0, rest: Vec::new(), begun: 0 }
    }

    /// The next trial; `None` when the run is over. Call [`Self::ended`] for each trial before the next.
    pub fn next_trial(&mut self) -> Option<Trial> {
        loop {
            let Some(cell) = self.rest.pop() else {
                self.begin_round();
                if self.rest.is_empty() {
                    return None;
                }
                continue;
            };
            let Cell { place, workload, transport, client, target, remaining } = self.cells.get(cell)?;
            let step = match remaining {
                Remaining::Trials(0) => continue,
                Remaining::Trials(_) => None,
                Remaining::Search(search) => match search.step() {
                    Some(step) => Some((search.growth, step)),
                    None => continue,
                },
            };
            self.begun += 1;
            return Some(Trial {
                asked: workload.clone(),
                workload: step.map_or_else(|| workload.clone(), |(growth, step)| workload.at(growth, step.load).into()),
                transport: *transport,
                client: *client,
                target: target.clone(),
                step: step.map(|(_, step)| step),
                number: self.round,
                position: self.begun,
                seed: mix(mix(self.seed ^ mix(*place)) ^ u64::from(self.round)),
                cell,
            });
        }
    }

    /// Notes a trial's outcome, which decides a search's next step.
    pub fn ended(&mut self, trial: &Trial, outcome: &Outcome) {
        let Some(cell) = self.cells.get_mut(trial.cell) else { return };
        match &mut cell.remaining {
            Remaining::Trials(left) => *left = left.saturating_sub(1),
            Remaining::Search(search) => search.tell(verdict(cell.workload.slo.as_ref(), outcome)),
        }
    }

    /// What remains, if a trial of a workload `takes` that long.
    #[must_use]
    pub fn left(&self, takes: impl Fn(&Workload) -> Duration) -> Left {
        let mut left = Left::default();
        for cell in &self.cells {
            let (trials, at_most) = match &cell.remaining {
                Remaining::Trials(trials) => (u64::from(*trials), false),
                Remaining::Search(search) => (search.most_left(), search.step().is_some()),
            };
            left.trials += trials;
            left.time += takes(&cell.workload).saturating_mul(u32::try_from(trials).unwrap_or(u32::MAX));
            left.at_most |= at_most;
        }
        left
    }

    fn begin_round(&mut self) {
        self.round += 1;
        let goes_on = |cell: &Cell| match &cell.remaining {
            Remaining::Trials(left) => *left > 0,
            Remaining::Search(search) => search.step().is_some(),
        };
        let going: Vec<usize> = (0..).zip(&self.cells).filter(|it| goes_on(it.1)).map(|(number, _)| number).collect();
        let asks_the_same = |&one: &usize, &other: &usize| self.cells[one].asks_the_same_as(&self.cells[other]);
        let mut sides: Vec<Vec<usize>> = going.chunk_by(asks_the_same).map(<[usize]>::to_vec).collect();
        let mut random = stream(self.seed, Purpose::Order, self.round.into());
        sides.shuffle(&mut random);
        sides.iter_mut().for_each(|servers| servers.shuffle(&mut random));
        self.rest = sides.concat();
    }
}

impl Cell {
    /// Whether two cells differ only in the server. Such cells are neighbours in the plan.
    fn asks_the_same_as(&self, other: &Self) -> bool {
        (self.place, self.transport, self.client) == (other.place, other.transport, other.client)
    }
}

/// Limits a search to what the descriptors allow.
fn fitting(search: &Search, workload: &Workload, transport: Transport, client: Client, descriptors: u64) -> Search {
    match search.grow {
        Growth::Rate => *search,
        Growth::Subscribers => {
            let most = most_subscribers(workload, transport, client, descriptors);
            Search { most: search.most.min(f64::from(most)), ..*search }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::Path;
    use std::sync::LazyLock;

    use pushoff_model::record::{NotRun, Purpose as StepPurpose};
    use pushoff_model::target::{self, OURS};
    use pushoff_model::workload::built_in;

    use super::*;

    static OUR_SERVER: LazyLock<[Arc<Target>; 1]> =
        LazyLock::new(|| [Arc::new(target::built_in(OURS).unwrap().unwrap())]);

    fn asked<'a>(workloads: &'a [Arc<Workload>], clients: &'a [Client], seed: u64) -> Asked<'a> {
        let (trials, targets) = (NonZeroU32::new(3).unwrap(), &OUR_SERVER[..]);
        Asked { workloads, transports: &Transport::ALL, clients, targets, trials, seed, descriptors: 1 << 20 }
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
        assert_eq!(plan.left(|_| Duration::from_secs(1)).trials, 0);
        trials
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
        let trials = all(Plan::new(&asked(&workloads(&["ticker", "idle"]), &[], 1)), not_run);
        assert!(trials.iter().all(|trial| trial.client == trial.workload.client));
        assert!(trials.iter().any(|trial| trial.client == Client::Lean));
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
}
