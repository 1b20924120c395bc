//! The order of trials: block-randomised, so that what drifts on a machine drifts for all alike.
//!
//! Every round holds each workload × transport once, in an order shuffled by the seed.

use std::num::NonZeroU32;
use std::sync::Arc;

use pushoff_model::{Transport, Workload};
use rand::seq::SliceRandom;

use crate::seeding::{Purpose, mix, stream};

/// One trial of one cell, to be run on a fresh server.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// What is asked for.
    pub workload: Arc<Workload>,
    /// How it is carried.
    pub transport: Transport,
    /// Which trial of its cell, from 1.
    pub number: u32,
    /// Its place in the order of the whole run, from 1.
    pub position: u32,
    /// Seed of its schedule and payloads: the same for all transports of a workload's trial.
    pub seed: u64,
}

/// Every trial of a run, in the order in which to run them.
#[must_use]
pub fn plan(workloads: &[Arc<Workload>], transports: &[Transport], trials: NonZeroU32, seed: u64) -> Vec<Trial> {
    let mut plan = Vec::new();
    for number in 1..=trials.get() {
        let mut round: Vec<Trial> = (0_u64..)
            .zip(workloads)
            .flat_map(|(place, workload)| {
                let seed = mix(mix(seed ^ mix(place)) ^ u64::from(number));
                let trial =
                    move |&transport| Trial { workload: workload.clone(), transport, number, position: 0, seed };
                transports.iter().map(trial)
            })
            .collect();
        round.shuffle(&mut stream(seed, Purpose::Order, number.into()));
        plan.append(&mut round);
    }
    for (position, trial) in (1..).zip(&mut plan) {
        trial.position = position;
    }
    plan
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use pushoff_model::workload::built_in;

    use super::*;

    fn of_seed(seed: u64) -> Vec<Trial> {
        let workloads: Vec<_> =
            ["ticker", "chat"].iter().map(|name| Arc::new(built_in(name).unwrap().unwrap())).collect();
        plan(&workloads, &Transport::ALL, NonZeroU32::new(3).unwrap(), seed)
    }

    #[test]
    fn every_round_holds_each_cell_once() {
        let plan = of_seed(7);
        assert_eq!(plan.len(), 3 * 12);
        for (number, round) in (1..).zip(plan.chunks(12)) {
            let cells: HashSet<_> = round.iter().map(|trial| (trial.workload.name.clone(), trial.transport)).collect();
            assert_eq!(cells.len(), 12);
            assert!(round.iter().all(|trial| trial.number == number));
        }
        assert!((1..).zip(&plan).all(|(position, trial)| trial.position == position));
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
}
