//! Whether the transports of a workload meet the SLO over the networks that it was also measured over.
//!
//! A choice must meet the SLO over every network over which some transport meets it. A network over which none does
//! says nothing of which one to take. Costs are those without a network.

use std::time::Duration;

use pushoff_model::cell::NETWORK;
use pushoff_model::record::Link;
use pushoff_model::{Conditions, Transport};
use serde::Serialize;

use super::verdict::Candidate;
use crate::cells::Group;
use crate::metric::{Figures, Standing};

/// One network, and whether the transports meet the SLO over it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OverNetwork {
    /// Its name.
    pub(crate) name: String,
    /// What was measured over it.
    #[serde(skip)]
    pub(crate) conditions: Conditions,
    /// What it was.
    #[serde(skip)]
    pub(crate) link: Link,
    /// The time there and back of a small packet.
    pub(crate) round_trip_ns: u64,
    /// Packets that are lost in the long run, the larger share of both directions.
    pub(crate) loss: f64,
    /// The part of an element's id of its own group.
    #[serde(skip)]
    pub(crate) anchor: String,
    /// One a transport.
    pub(crate) transports: Vec<OneOver>,
}

/// One transport over a network.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OneOver {
    pub(crate) transport: Transport,
    pub(crate) standing: Standing,
    #[serde(skip)]
    pub(crate) figures: Option<Figures>,
}

impl OverNetwork {
    /// What was found over the networks of a question: of all groups with their candidates, those that differ from its
    /// own in the network.
    pub(super) fn of<'a: 'g, 'g>(
        group: &Group<'a>,
        all: impl Iterator<Item = (&'g Group<'a>, &'g [Candidate])>,
    ) -> Vec<Self> {
        let over = all.filter(|(it, _)| it.network().is_some() && it.differs_in(NETWORK, group));
        over.filter_map(|(it, candidates)| Self::seen(it, candidates)).collect()
    }

    fn seen(group: &Group<'_>, candidates: &[Candidate]) -> Option<Self> {
        let link = group.link()?;
        let round_trip_ns = u64::try_from(link.round_trip().as_nanos()).unwrap_or(u64::MAX);
        let stands = |it: &Candidate| OneOver {
            transport: it.transport,
            standing: it.standing.clone(),
            figures: it.figures.clone(),
        };
        Some(Self {
            name: group.network()?.to_owned(),
            conditions: group.conditions.clone(),
            link: link.clone(),
            round_trip_ns,
            loss: link.down.loss.max(link.up.loss),
            anchor: group.anchor(),
            transports: candidates.iter().map(stands).collect(),
        })
    }

    pub(crate) const fn round_trip(&self) -> Duration {
        Duration::from_nanos(self.round_trip_ns)
    }

    pub(crate) fn stands(&self, transport: Transport) -> Option<&OneOver> {
        self.transports.iter().find(|it| it.transport == transport)
    }

    /// Whether the answer is held to it: some transport is shown to meet the SLO over it.
    pub(crate) fn is_decisive(&self) -> bool {
        self.meeting().next().is_some()
    }

    /// Those that are neither shown to meet the SLO over it nor to fail it.
    pub(crate) fn open(&self) -> impl Iterator<Item = Transport> {
        self.transports.iter().filter(|it| it.standing.is_open()).map(|it| it.transport)
    }

    /// Those that are shown to meet the SLO over it.
    pub(crate) fn meeting(&self) -> impl Iterator<Item = Transport> {
        self.transports.iter().filter(|it| it.standing == Standing::Meets).map(|it| it.transport)
    }

    /// Whether a transport is shown to fail the SLO over it, where another one meets it.
    pub(crate) fn rules_out(&self, transport: Transport) -> bool {
        let fails = self.stands(transport).is_some_and(|it| matches!(it.standing, Standing::Fails { .. }));
        fails && self.is_decisive()
    }

    /// Whether a transport is shown to meet the SLO over it.
    pub(crate) fn is_met_by(&self, transport: Transport) -> bool {
        self.meeting().any(|it| it == transport)
    }
}

/// The standing of a transport over all networks, from its own without a network: it is no better than over any network
/// over which some transport meets the SLO.
pub(super) fn held_to(own: Standing, transport: Transport, networks: &[OverNetwork]) -> Standing {
    if matches!(own, Standing::Fails { .. } | Standing::Unranked) {
        return own;
    }
    let decisive = || networks.iter().filter(|it| it.is_decisive());
    let over = || decisive().filter_map(|it| Some((it, &it.stands(transport)?.standing)));
    let worse = |is_it: fn(&Standing) -> bool| {
        let (network, standing) = over().find(|(_, standing)| is_it(standing))?;
        Some((network, standing.reason()?))
    };
    let reason = |(network, reason): (&OverNetwork, &str)| format!("over {}: {reason}", network.name);
    let fails = worse(|it| matches!(it, Standing::Fails { .. })).map(reason);
    let unmeasured = || Some((decisive().find(|it| it.stands(transport).is_none())?, "it was not measured"));
    // Over a network of which nothing is known, more rounds might show that some transport meets the SLO.
    let unknown = || {
        let mut stands = networks.iter().filter_map(|it| Some((it, &it.stands(transport)?.standing)));
        let (network, standing) = stands.find(|(_, it)| matches!(it, Standing::Void { .. }))?;
        Some((network, standing.reason()?))
    };
    let open = worse(Standing::is_open).or_else(unmeasured).or_else(unknown).map(reason);
    // One command measures over all of them: as many rounds as the one that needs most.
    let rounds = over().filter_map(|(_, standing)| standing.rounds()).chain(own.rounds()).max();
    match (fails, own) {
        (Some(reason), _) => Standing::Fails { reason },
        (None, Standing::Meets) => open.map_or(Standing::Meets, |reason| Standing::Undecided { reason, rounds }),
        (None, Standing::Undecided { reason, .. }) => Standing::Undecided { reason, rounds },
        (None, own) => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK_NAME: &str = "slow";

    fn network(standings: &[(Transport, Standing)]) -> OverNetwork {
        let stands = |(transport, standing): &(Transport, Standing)| OneOver {
            transport: *transport,
            standing: standing.clone(),
            figures: None,
        };
        OverNetwork {
            name: NETWORK_NAME.into(),
            conditions: Conditions::new(pushoff_model::Client::Lean, "pushoff"),
            link: Link::default(),
            round_trip_ns: 0,
            loss: 0.0,
            anchor: String::new(),
            transports: standings.iter().map(stands).collect(),
        }
    }

    fn fails(reason: &str) -> Standing {
        Standing::Fails { reason: reason.into() }
    }

    fn open(reason: &str) -> Standing {
        Standing::undecided(reason)
    }

    #[test]
    fn a_choice_must_meet_the_slo_over_every_network_over_which_some_transport_does() {
        let [short, long, sse] = [Transport::ShortPolling, Transport::LongPolling, Transport::Sse];
        let some = network(&[(short, fails("late")), (long, open("90 %")), (sse, Standing::Meets)]);
        let held = |transport, own| held_to(own, transport, std::slice::from_ref(&some));
        assert_eq!(held(short, Standing::Meets), fails("over slow: late"));
        assert_eq!(held(long, Standing::Meets), open("over slow: 90 %"));
        assert_eq!(held(sse, Standing::Meets), Standing::Meets);
        assert_eq!(held(short, fails("here")), fails("here"));
        assert_eq!(held(sse, open("here")), open("here"), "a network makes nothing better");
        assert_eq!(held(Transport::RawTcp, Standing::Unranked), Standing::Unranked);
        let void = network(&[(long, Standing::Void { reason: "late packets".into() }), (sse, Standing::Meets)]);
        let held = |transport| held_to(Standing::Meets, transport, std::slice::from_ref(&void));
        assert_eq!(held(long), open("over slow: late packets"), "what does not count shows nothing");
        assert_eq!(held(short), open("over slow: it was not measured"));
        let none = network(&[(short, fails("late")), (sse, open("98 %"))]);
        assert_eq!(held_to(Standing::Meets, short, &[none]), Standing::Meets, "no transport meets the SLO over it");
        let void = |transport| (transport, Standing::Void { reason: "late packets".into() });
        let unknown = network(&[void(short), (sse, open("98 %"))]);
        let held = |transport| held_to(Standing::Meets, transport, std::slice::from_ref(&unknown));
        assert_eq!(held(short), open("over slow: late packets"), "nothing is known of it there");
        assert_eq!(held(sse), Standing::Meets);
    }

    #[test]
    fn as_many_rounds_are_asked_for_as_have_enough_messages_over_each_network() {
        let few = |rounds| Standing::Undecided { reason: "few messages".into(), rounds: Some(rounds) };
        let over = |rounds| network(&[(Transport::Sse, few(rounds)), (Transport::WebSocket, Standing::Meets)]);
        let held = |own| held_to(own, Transport::Sse, &[over(8), over(12)]);
        let reason = "over slow: few messages".to_owned();
        assert_eq!(held(Standing::Meets), Standing::Undecided { reason, rounds: Some(12) });
        assert_eq!([held(few(4)).rounds(), held(few(20)).rounds()], [Some(12), Some(20)]);
    }
}
