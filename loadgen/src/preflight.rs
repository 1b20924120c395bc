//! Preflight: resources that a run asks of the machine and that it lacks, as far as that is known before the run.
//!
//! A missing resource does not stop the run: the warning says how the run copes and how to raise the limit. A run
//! that cannot cope is refused elsewhere, before anything is measured.

use pushoff_model::workload::{Growth, Search};
use pushoff_model::{Transport, Workload};

use crate::origin::port_range;
use crate::plan::descriptors_needed;
use crate::subscribers::CONNECTING_AT_ONCE;

/// A warning for each resource that these workloads need and this machine lacks.
#[must_use]
pub fn preflight<'a>(workloads: impl IntoIterator<Item = &'a Workload>, descriptor_limit: u64) -> Vec<String> {
    let limits = Limits {
        descriptors: descriptor_limit,
        ports: port_range().map(u64::from),
        backlog: std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok().and_then(|most| most.trim().parse().ok()),
    };
    let workloads: Vec<_> = workloads.into_iter().collect();
    let searches = workloads.iter().filter_map(|workload| limits.search(workload));
    searches.chain(limits.sources(&workloads)).chain(limits.burst()).collect()
}

/// The machine's limits. A limit that cannot be read counts as unlimited.
struct Limits {
    descriptors: u64,
    /// Local ports for each address.
    ports: Option<u64>,
    /// Connections that may wait to be accepted.
    backlog: Option<u64>,
}

impl Limits {
    /// Warns of a search that runs out of descriptors.
    fn search(&self, workload: &Workload) -> Option<String> {
        let Search { grow: Growth::Subscribers, most } = workload.search? else { return None };
        let needed = connections(&workload.at(Growth::Subscribers, most));
        (needed > self.descriptors).then(|| {
            format!(
                "a process may open {} files here, and {} searches up to {most} subscribers, which takes {needed}: \
                 the search ends where the files do; raise the hard limit (ulimit -Hn, LimitNOFILE=)",
                self.descriptors, workload.name
            )
        })
    }

    /// Warns of more connections than one source address has ports for.
    fn sources(&self, workloads: &[&Workload]) -> Option<String> {
        let ports = self.ports?;
        let asked = |workload: &&Workload| connections(workload).min(self.descriptors);
        let most = workloads.iter().map(asked).max().filter(|&most| most > ports)?;
        Some(format!(
            "{most} connections need more than the {ports} ports of one source address, so several loopback addresses are \
             used; widen net.ipv4.ip_local_port_range to use one"
        ))
    }

    /// Warns of a short accept queue: connections that do not fit retry after a second.
    fn burst(&self) -> Option<String> {
        let backlog = self.backlog.filter(|&most| most < CONNECTING_AT_ONCE as u64)?;
        Some(format!(
            "{backlog} connections may wait to be accepted and {CONNECTING_AT_ONCE} connect at once, so some may \
             connect a second late; raise net.core.somaxconn"
        ))
    }
}

/// The most sockets that any transport of a workload opens.
fn connections(workload: &Workload) -> u64 {
    Transport::ALL
        .into_iter()
        .map(|transport| descriptors_needed(workload, transport, workload.client))
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use pushoff_model::workload::built_in;

    use super::*;

    const PLENTY: Limits = Limits { descriptors: u64::MAX, ports: None, backlog: None };

    fn ticker() -> Workload {
        built_in("ticker").unwrap().unwrap()
    }

    #[test]
    fn a_search_for_more_subscribers_than_files_says_how_many_files_there_are() {
        let search = |grow| Workload { search: Some(Search { grow, most: 60_000.0 }), ..ticker() };
        let few = Limits { descriptors: 20_000, ..PLENTY };
        let said = few.search(&search(Growth::Subscribers)).unwrap();
        assert!(said.contains("20000 files") && said.contains("60000 subscribers"), "{said}");
        assert_eq!(few.search(&search(Growth::Rate)), None);
        assert_eq!(few.search(&ticker()), None);
        assert_eq!(PLENTY.search(&search(Growth::Subscribers)), None);
    }

    #[test]
    fn more_connections_than_ports_come_from_several_addresses() {
        let many = Workload { subscribers: 18_000, ..ticker() };
        let few = Limits { ports: Some(10_000), ..PLENTY };
        assert!(few.sources(&[&ticker(), &many]).unwrap().contains("10000 ports"));
        assert_eq!(few.sources(&[&ticker()]), None);
        assert_eq!(PLENTY.sources(&[&many]), None);
    }

    #[test]
    fn a_short_queue_of_connections_is_named() {
        assert!(Limits { backlog: Some(8), ..PLENTY }.burst().unwrap().contains("somaxconn"));
        assert_eq!(Limits { backlog: Some(4_096), ..PLENTY }.burst(), None);
    }
}
