//! How many descriptors a trial needs, and getting as many as the system gives.

use pushoff_model::workload::Direction;
use pushoff_model::{Transport, Workload};
use rustix::process::{Resource, getrlimit, setrlimit};

/// Descriptors that a process has open beside a trial's sockets: epoll, timers, files. Chosen here.
const RESERVE: u64 = 64;

/// Raises the soft limit of open descriptors to the hard limit and returns it.
///
/// # Errors
/// When the system refuses.
pub fn raise_descriptor_limit() -> std::io::Result<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    Ok(limit.current.unwrap_or(u64::MAX))
}

/// The most descriptors that the generator will have open in one trial.
///
/// A connection a subscriber, and one a publisher where it publishes by `POST`: each has at most
/// one request under way.
#[must_use]
pub fn descriptors_needed(workload: &Workload, transport: Transport) -> u64 {
    let speaks_there = workload.direction == Direction::Both && transport.sends_on_its_own_connection();
    let posting = if speaks_there { 0 } else { workload.publishers() };
    u64::from(workload.subscribers) + u64::from(posting) + RESERVE
}

#[cfg(test)]
mod tests {
    use pushoff_model::workload::built_in;

    use super::*;

    #[test]
    fn the_limit_can_be_raised_and_holds_the_built_in_workloads() {
        let limit = raise_descriptor_limit().unwrap();
        for name in ["progress", "ticker", "chat"] {
            let workload = built_in(name).unwrap().unwrap();
            for transport in Transport::ALL {
                assert!(descriptors_needed(&workload, transport) <= limit);
            }
        }
    }

    #[test]
    fn members_that_post_need_a_second_connection() {
        let chat = built_in("chat").unwrap().unwrap();
        assert_eq!(descriptors_needed(&chat, Transport::WebSocket), 264);
        assert_eq!(descriptors_needed(&chat, Transport::Sse), 464);
    }
}
