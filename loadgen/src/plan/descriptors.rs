//! How many file descriptors a trial needs, and how many subscribers a machine has room for.

use pushoff_model::workload::Direction;
use pushoff_model::{Client, Transport, Workload};
use rustix::process::{Resource, getrlimit, setrlimit};

/// Descriptors besides a trial's sockets: epoll, timers, files, connections that opened the topics. Chosen here.
const RESERVE: u64 = 64;

/// The most subscribers in one page. Chosen here: each page is a process that competes for the generator's
/// processors, and a page's subscribers wait for each other.
pub(crate) const SUBSCRIBERS_A_PAGE: usize = 25;
/// Connections that loading a page uses: the most that Chromium opens to one host name.
pub(crate) const CONNECTIONS_A_HOST: u64 = 6;
/// The most subscribers in a browser. Chosen here: 40 pages fit into 8 GiB.
pub const MOST_IN_A_BROWSER: u32 = 1_000;

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

/// The most descriptors that either process opens in one trial. The server has one for each connection, so never more
/// than the generator.
#[must_use]
pub fn descriptors_needed(workload: &Workload, transport: Transport, client: Client) -> u64 {
    let reading = u64::from(workload.subscribers) * descriptors_a_connection(client, transport);
    reading + u64::from(posting(workload, transport, client)) + RESERVE
}

/// The most connections that the server has in one trial.
///
/// One for each subscriber, and one for each publisher that publishes by `POST`, because a publisher has one request
/// under way.
#[must_use]
pub fn connections_needed(workload: &Workload, transport: Transport, client: Client) -> u64 {
    u64::from(workload.subscribers)
        + u64::from(posting(workload, transport, client))
        + loading(workload, client)
        + RESERVE
}

/// The most subscribers that fit this many descriptors, and the browser if there is one; at least one for each topic.
pub(crate) fn most_subscribers(workload: &Workload, transport: Transport, client: Client, descriptors: u64) -> u32 {
    let a_subscriber = descriptors_a_connection(client, transport)
        + match workload.direction {
            Direction::Both if !speaks_on_its_own(transport, client) => 1,
            Direction::Both | Direction::Down => 0,
        };
    let others = match workload.direction {
        Direction::Down => u64::from(workload.publishers()),
        Direction::Both => 0,
    };
    let most = descriptors.saturating_sub(others + RESERVE) / a_subscriber;
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    let held = if client == Client::Browser { most.min(MOST_IN_A_BROWSER) } else { most };
    held.max(workload.topics)
}

/// How many descriptors a subscriber's connection takes.
///
/// A socket that reqwest hides has a second descriptor, through which its counters are read.
const fn descriptors_a_connection(client: Client, transport: Transport) -> u64 {
    match (client, transport) {
        (Client::Library, Transport::ShortPolling | Transport::LongPolling | Transport::HttpStreaming) => 2,
        (Client::Library, Transport::Sse | Transport::WebSocket | Transport::RawTcp)
        | (Client::Lean | Client::Browser, _) => 1,
    }
}

/// Connections that publish.
fn posting(workload: &Workload, transport: Transport, client: Client) -> u32 {
    let speaks_there = workload.direction == Direction::Both && speaks_on_its_own(transport, client);
    if speaks_there { 0 } else { workload.publishers() }
}

/// Whether a subscriber can publish on the connection that it subscribes with. A browser's pages only subscribe.
pub(crate) const fn speaks_on_its_own(transport: Transport, client: Client) -> bool {
    match client {
        Client::Library | Client::Lean => transport.sends_on_its_own_connection(),
        Client::Browser => false,
    }
}

/// Connections that a browser opens to load its pages, and keeps.
fn loading(workload: &Workload, client: Client) -> u64 {
    match client {
        Client::Library | Client::Lean => 0,
        Client::Browser => CONNECTIONS_A_HOST * u64::from(workload.subscribers).div_ceil(SUBSCRIBERS_A_PAGE as u64),
    }
}

#[cfg(test)]
mod tests {
    use pushoff_model::workload::{Growth, built_in};

    use super::*;

    #[test]
    fn the_limit_can_be_raised_and_holds_the_default_workloads() {
        let limit = raise_descriptor_limit().unwrap();
        for name in pushoff_model::workload::DEFAULT {
            let workload = built_in(name).unwrap().unwrap();
            for transport in Transport::ALL {
                for client in Client::ALL {
                    assert!(descriptors_needed(&workload, transport, client) <= limit);
                }
            }
        }
    }

    #[test]
    fn members_that_post_need_a_second_connection() {
        let chat = built_in("chat").unwrap().unwrap();
        assert_eq!(connections_needed(&chat, Transport::WebSocket, Client::Library), 264);
        assert_eq!(connections_needed(&chat, Transport::Sse, Client::Lean), 464);
        assert_eq!(connections_needed(&chat, Transport::WebSocket, Client::Browser), 464 + 8 * 6, "its pages' own");
        assert!(descriptors_needed(&chat, Transport::Sse, Client::Library) >= 464);
    }

    #[test]
    fn the_most_subscribers_are_as_many_as_fit_and_no_more() {
        for name in ["chat", "crowd", "trickle"] {
            let workload = built_in(name).unwrap().unwrap();
            for transport in Transport::ALL {
                for client in Client::ALL {
                    let most = most_subscribers(&workload, transport, client, 20_000);
                    let fits = if client == Client::Browser { MOST_IN_A_BROWSER } else { u32::MAX };
                    let needed = |subscribers: u32| {
                        descriptors_needed(&workload.at(Growth::Subscribers, subscribers.into()), transport, client)
                    };
                    assert!(
                        needed(most) <= 20_000 && (needed(most + 1) > 20_000 || most == fits),
                        "{name}, {transport}: {most}"
                    );
                }
            }
        }
    }
}
