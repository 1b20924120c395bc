//! The request for a run, and the trials that it is made of.

use std::num::NonZeroU32;
use std::sync::Arc;

use pushoff_model::network::Network;
use pushoff_model::record::Step;
use pushoff_model::target::{Place, Target};
use pushoff_model::workload::Direction;
use pushoff_model::{Client, Conditions, Transport, Wire, Workload};

use super::descriptors::speaks_on_its_own;
use super::networks::{MOST_PACKETS, Whole, is_measured, over_network, packets, share};
use crate::tls::Anchor;

/// The request for a run.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The workloads; one at several sizes stands here several times.
    pub workloads: &'a [Arc<Workload>],
    /// The transports. A workload that names some is measured on those of them.
    pub transports: &'a [Transport],
    /// The clients; if empty, each workload's own.
    pub clients: &'a [Client],
    /// The servers. Transports that a server or a client does not speak are left out for it.
    pub targets: &'a [Arc<Target>],
    /// The networks over which latencies are measured as well, of servers that can be started.
    pub networks: &'a [Arc<Network>],
    /// The wires (TLS, HTTP, compression); a cell on each that its transport and its server have.
    pub wires: &'a [Wire],
    /// Whose certificates are trusted, of servers that run already.
    pub trust: &'a Anchor,
    /// The parts of a workload that stay as they are over a network.
    pub whole: Whole,
    /// Rounds of every cell. If absent, the plan goes on until the caller ends it or leaves every cell out.
    pub rounds: Option<NonZeroU32>,
    /// Seed of order, schedules and payloads.
    pub seed: u64,
    /// How many descriptors generators or servers may open, which limits a search for subscribers.
    pub descriptors: u64,
}

/// A cell of a run, measured in every round: a workload over a transport, to a client, by a server, over a network, on a wire.
#[derive(Clone, Debug)]
pub struct AskedCell<'a> {
    /// The workload.
    pub workload: &'a Arc<Workload>,
    /// The transport.
    pub transport: Transport,
    /// The client.
    pub client: Client,
    /// The server.
    pub target: &'a Arc<Target>,
    /// The network between server and readers; `None` is none.
    pub network: Option<&'a Arc<Network>>,
    /// The wire: TLS, HTTP, compression.
    pub wire: Wire,
}

impl AskedCell<'_> {
    /// The conditions that it is measured under.
    #[must_use]
    pub fn conditions(&self) -> Conditions {
        let conditions = Conditions::new(self.client, &self.target.name).on(self.wire);
        match self.network {
            Some(network) => conditions.over(&network.name),
            None => conditions,
        }
    }

    /// How many packets a second would cross its network, where they are too many.
    #[must_use]
    pub fn too_many_packets(&self, whole: Whole) -> Option<f64> {
        let packets = self.network.map(|_| packets(&self.as_run(whole), self.transport));
        packets.filter(|&packets| packets > MOST_PACKETS)
    }

    /// Whether the choice of a transport depends on it.
    pub(super) fn is_contender(&self) -> bool {
        self.transport.is_ranked() && self.workload.compared.is_empty()
    }

    /// The common part of its trials, as the cell with that number in a plan.
    pub(super) fn trial(&self, whole: Whole, cell: usize) -> Trial {
        let (client, wire, network) = (self.client, self.wire, self.network.cloned());
        let trial = Trial::new(self.as_run(whole), self.transport, self.target.clone(), 0);
        Trial { asked: self.workload.clone(), client, network, wire, cell, ..trial }
    }

    /// The workload as it is run.
    #[must_use]
    pub fn as_run(&self, whole: Whole) -> Arc<Workload> {
        match self.network {
            Some(_) => Arc::new(over_network(self.workload, whole)),
            None => self.workload.clone(),
        }
    }
}

impl<'a> Asked<'a> {
    /// Every cell of a workload, those that differ in the server alone next to one another.
    pub fn cells(&self, workload: &'a Arc<Workload>) -> impl Iterator<Item = AskedCell<'a>> {
        let Self { transports, clients, targets, networks, wires, .. } = *self;
        let networks = if is_measured(workload) { networks } else { &[] };
        let clients: Vec<Client> = if clients.is_empty() {
            [workload.client].iter().chain(&workload.compared).copied().collect()
        } else {
            clients.to_vec()
        };
        let is_asked =
            |transport: &&Transport| workload.transports.is_empty() || workload.transports.contains(transport);
        transports.iter().filter(is_asked).flat_map(move |&transport| {
            clients.clone().into_iter().flat_map(move |client| {
                let networks = networks.iter().map(Some).filter(move |_| transport.is_ranked());
                let places = [None].into_iter().chain(networks).flat_map(move |network| {
                    let able = move |wire: &&Wire| wire.carries(transport) && client.speaks(transport, **wire);
                    wires.iter().filter(able).map(move |&wire| (network, wire))
                });
                places.flat_map(move |(network, wire)| {
                    // A server that runs already is where it is.
                    let is_there = move |target: &Target| network.is_none() || !matches!(target.place, Place::At(_));
                    let speaking =
                        targets.iter().filter(move |it| it.speaks(transport) && it.is_reached(wire) && is_there(it));
                    speaking.map(move |target| AskedCell { workload, transport, client, target, network, wire })
                })
            })
        })
    }
}

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
    /// The network between server and readers; `None` is none.
    pub network: Option<Arc<Network>>,
    /// The wire: TLS, HTTP, compression.
    pub wire: Wire,
    /// The step of a capacity search.
    pub step: Option<Step>,
    /// Its round, from 1. A trial that is measured again has the number of the one that it replaces.
    pub number: u32,
    /// Its position in the whole run, from 1.
    pub position: u32,
    /// Seed of its schedule and payloads, equal for all transports of a workload's trial.
    pub seed: u64,
    /// Its cell's number in the plan, from 0.
    pub(super) cell: usize,
}

impl Trial {
    /// The conditions that it is measured under.
    #[must_use]
    pub fn conditions(&self) -> Conditions {
        self.as_asked().conditions()
    }

    /// How much of what can run at once it takes, above 0 and at most 1: without a network it runs alone.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.network.as_ref().map_or(1.0, |network| share(&self.workload, self.transport, self.client, network))
    }

    pub(super) fn as_asked(&self) -> AskedCell<'_> {
        let Self { asked: workload, transport, client, target, network, wire, .. } = self;
        AskedCell { workload, transport: *transport, client: *client, target, network: network.as_ref(), wire: *wire }
    }

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
        Self {
            asked,
            workload,
            transport,
            client,
            target,
            network: None,
            wire: Wire::default(),
            step: None,
            number: 1,
            position: 1,
            seed,
            cell: 0,
        }
    }
}
