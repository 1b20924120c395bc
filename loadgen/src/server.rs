//! The server under load, and where it listens.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use pushoff_model::target::{Address, Place, Target};
use pushoff_model::workload::Windows;
use pushoff_model::{Http, Wire};
use pushoff_network::Link;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{sleep, timeout};

use crate::account::Account;
use crate::origin::{Origin, source_of};
use crate::tls::Tls;

/// A server that can be measured.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its target description.
    pub target: Arc<Target>,
    /// Its address for HTTP as subscribers speak it: that of TLS, where they speak TLS.
    pub http: SocketAddr,
    /// Its second address, where it has one for HTTP/1.1 without TLS: publishers that do not subscribe use it.
    pub clear: Option<SocketAddr>,
    /// The wire of its subscribers: TLS, HTTP, compression.
    pub wire: Wire,
    /// How much its clients let be under way over HTTP/2.
    pub windows: Windows,
    /// How TLS is spoken to it; `None` is HTTP in the clear.
    pub tls: Option<Arc<Tls>>,
    /// Its name in the `Host` field.
    pub authority: String,
    /// The prefix of every path, without a final slash; often empty.
    pub base: String,
    /// Its raw TCP address, if it has one.
    pub raw_tcp: Option<SocketAddr>,
    /// Its root processes, as far as this user can see them. Costs are read from them and their descendants. When the
    /// first one ends, the server has ended.
    pub pids: Vec<u32>,
    /// The server's own reports of its processes, if they cannot be seen.
    pub account: Option<Arc<Account>>,
    /// How many processors it may use; 0 where that is not known.
    pub cpus: f64,
    /// Several servers that share a log, this one among them, in their order; empty where there is one.
    pub siblings: Arc<[Sibling]>,
    /// The network between it and its readers; `None` is none, so that both are on one machine, or on two that are
    /// connected already.
    pub link: Option<Arc<Link>>,
}

/// The address of one of several servers that share a log.
#[derive(Clone, Debug)]
pub struct Sibling {
    /// Its address.
    pub http: SocketAddr,
    /// How TLS is spoken to it; `None` is HTTP in the clear.
    pub tls: Option<Arc<Tls>>,
    /// Its name in the `Host` field.
    pub authority: String,
    /// The prefix of every path.
    pub base: String,
}

impl Server {
    /// A target at that address, whose processes are not known yet.
    #[must_use]
    pub fn at(target: Arc<Target>, http: SocketAddr) -> Self {
        let (authority, base) = match &target.place {
            Place::At(address) => (address.authority.to_string(), address.base.clone()),
            Place::Unsaid | Place::Started { .. } => (http.to_string(), String::new()),
        };
        let raw_tcp = target.raw_tcp;
        let (clear, wire, tls) = (None, Wire::default(), None);
        Self {
            target,
            http,
            clear,
            wire,
            windows: Windows::default(),
            tls,
            authority,
            base,
            raw_tcp,
            pids: Vec::new(),
            account: None,
            cpus: 1.0,
            siblings: [].into(),
            link: None,
        }
    }

    /// The server that the one with this number uses, where several share a log.
    pub(crate) fn nth(&self, number: u32) -> Self {
        let count = u32::try_from(self.siblings.len()).unwrap_or(u32::MAX).max(1);
        self.siblings.get((number % count) as usize).map_or_else(|| self.clone(), |sibling| self.at_sibling(sibling))
    }

    /// The server to go to when this one fails; `None` where there is no other.
    pub(crate) fn next(&self) -> Option<Self> {
        let at = self.siblings.iter().position(|sibling| sibling.http == self.http)?;
        let next = self.siblings.iter().cycle().nth(at + 1).filter(|next| next.http != self.http)?;
        Some(self.at_sibling(next))
    }

    /// One of the others, chosen by a number; `None` where there is no other. Clients that lose their server at the same
    /// time spread over those that are left.
    pub(crate) fn another(&self, number: u64) -> Option<Self> {
        let others: Vec<_> = self.siblings.iter().filter(|sibling| sibling.http != self.http).collect();
        let chosen = number.checked_rem(others.len() as u64).and_then(|at| usize::try_from(at).ok())?;
        Some(self.at_sibling(others[chosen]))
    }

    fn at_sibling(&self, Sibling { http, tls, authority, base }: &Sibling) -> Self {
        let (authority, base, tls) = (authority.clone(), base.clone(), tls.clone());
        Self { http: *http, tls, authority, base, ..self.clone() }
    }

    /// The process whose end is the server's. Of several servers, one may end: its subscribers go to the next.
    pub(crate) fn only_process(&self) -> Option<u32> {
        self.pids.first().copied().filter(|_| self.siblings.is_empty())
    }

    /// The same server with this wire and this TLS for its subscribers, and, where it has one, a second address for HTTP/1.1
    /// without TLS, which publishers use that do not subscribe.
    #[must_use]
    pub fn on(mut self, wire: Wire, tls: Option<Tls>, clear: Option<SocketAddr>) -> Self {
        (self.wire, self.tls, self.clear) = (wire, tls.map(Arc::new), clear);
        self
    }
}

impl Server {
    /// The origin of the connections of subscriber `number`, with so many ports an address.
    pub(crate) fn reader(&self, number: u32, ports: u32) -> Origin {
        match &self.link {
            Some(link) => Origin { address: Some(link.reader(number)), namespace: Some(link.near.clone()) },
            None => Origin { address: source_of(number, self.http, ports), namespace: None },
        }
    }

    /// The origin of the connections of pages: over a network, the one address of its near side.
    pub(crate) fn pages(&self) -> Origin {
        Origin { address: None, namespace: self.link.as_ref().map(|link| link.near.clone()) }
    }

    /// The origin of the connections of publishers that do not subscribe: over no network.
    pub(crate) fn publisher(&self) -> Origin {
        Origin { address: None, namespace: self.link.as_ref().map(|link| link.far.clone()) }
    }

    /// The server for publishers that do not subscribe: at its second address where it has one, so that publishing costs
    /// the same whatever carries the messages to the subscribers.
    pub(crate) fn for_publishers(&self) -> Self {
        match self.clear {
            Some(http) => Self { http, wire: Wire::default(), tls: None, clear: None, ..self.clone() },
            None => self.clone(),
        }
    }

    pub(crate) const fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Host and port of URLs. Over HTTP/1.1 in the clear they are those of the socket, and the server's name stands in
    /// `Host`. TLS and HTTP/2 take the server's name from the URL (RFC 6066 §3, RFC 9113 §8.3.1); [`Self::resolves`] then
    /// names the socket. A host that is an address has no other.
    pub(crate) fn place(&self) -> String {
        match self.resolves() {
            Some(host) => format!("{host}:{}", self.http.port()),
            None => self.http.to_string(),
        }
    }

    /// The host of URLs that a client has to resolve to the socket.
    pub(crate) fn resolves(&self) -> Option<&str> {
        let named = self.tls.is_some() || self.wire.http == Http::Two;
        let host = self.authority.rsplit_once(':').map_or(&*self.authority, |(host, _port)| host);
        (named && !host.starts_with('[') && host.parse::<IpAddr>().is_err()).then_some(host)
    }
}

/// Why no server was found at an address.
#[derive(Debug, thiserror::Error)]
pub enum NotFound {
    /// The host name cannot be resolved.
    #[error("looking up {0}: is the name right?")]
    Name(String, #[source] io::Error),
    /// No address of the host accepts a connection.
    #[error("nobody listens at {0}; start the server, or correct its address")]
    Nobody(String),
}

/// When the next address is tried if the previous one has not answered (RFC 8305 §5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// How long an address may take to answer. Chosen here.
const PATIENCE: Duration = Duration::from_secs(3);

/// Finds the address at which a host listens: the first one that accepts a connection, tried as in RFC 8305. All
/// clients then use that address.
///
/// # Errors
/// When the name cannot be resolved, or no address accepts a connection.
pub async fn find(address: &Address) -> Result<SocketAddr, NotFound> {
    let host = address.host();
    let found = lookup_host((host, address.port)).await.map_err(|error| NotFound::Name(host.to_owned(), error))?;
    first_to_answer(alternating(found), |socket| async move {
        timeout(PATIENCE, TcpStream::connect(socket)).await.map_or_else(
            |_| Err("no answer".to_owned()),
            |connected| connected.map(drop).map_err(|error| error.to_string()),
        )
    })
    .await
}

/// Starts with the resolver's preference and then alternates between the two families (RFC 8305 §4).
fn alternating(found: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut all: Vec<SocketAddr> = Vec::new();
    for socket in found.filter(|socket| socket.port() > 0) {
        if !all.contains(&socket) {
            all.push(socket);
        }
    }
    let preferred = all.first().map(SocketAddr::is_ipv4);
    let (first, second): (Vec<_>, Vec<_>) = all.into_iter().partition(|socket| Some(socket.is_ipv4()) == preferred);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    std::iter::from_fn(move || Some([first.next(), second.next()]).filter(|pair| pair.iter().any(Option::is_some)))
        .flatten()
        .flatten()
        .collect()
}

/// The first address that accepts a connection. The next one is tried when one fails, or after a delay.
async fn first_to_answer<F>(sockets: Vec<SocketAddr>, connect: impl Fn(SocketAddr) -> F) -> Result<SocketAddr, NotFound>
where
    F: Future<Output = Result<(), String>>,
{
    let (mut waiting, mut trying, mut failed) = (sockets.into_iter(), FuturesUnordered::new(), Vec::new());
    loop {
        if let Some(socket) = waiting.next() {
            let connecting = connect(socket);
            trying.push(async move { (socket, connecting.await) });
        }
        tokio::select! {
            Some((socket, connected)) = trying.next() => match connected {
                Ok(()) => return Ok(socket),
                Err(reason) => failed.push(format!("{socket} ({reason})")),
            },
            () = sleep(ATTEMPT_DELAY), if waiting.len() > 0 => {}
            else => return Err(NotFound::Nobody(failed.join(" or "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sockets(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns_and_the_resolvers_first_stays_first() {
        let found = sockets(&["[::1]:1", "[::2]:1", "127.0.0.1:1", "[::1]:1", "[::3]:1"]);
        let turns = sockets(&["[::1]:1", "127.0.0.1:1", "[::2]:1", "[::3]:1"]);
        assert_eq!(alternating(found.into_iter()), turns);
        assert_eq!(alternating(std::iter::empty()), []);
    }

    #[test]
    fn subscribers_are_spread_over_servers_and_go_from_each_to_the_next() {
        let target = Arc::new(pushoff_model::target::built_in("pushoff").unwrap().unwrap());
        let all = sockets(&["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"]);
        let sibling =
            |http: &SocketAddr| Sibling { http: *http, tls: None, authority: http.to_string(), base: String::new() };
        let one = Server::at(target, all[0]);
        assert!(one.next().is_none() && one.nth(5).http == all[0]);
        let several = Server { siblings: all.iter().map(sibling).collect(), ..one };
        let at: Vec<_> = (0..7).map(|number| several.nth(number).http).collect();
        assert_eq!(at, [0, 1, 2, 0, 1, 2, 0].map(|at: usize| all[at]));
        let second = several.nth(1);
        assert_eq!((second.authority.as_str(), second.next().unwrap().http), ("127.0.0.1:2", all[2]));
        assert_eq!(several.nth(2).next().unwrap().http, all[0]);
        let others: Vec<_> = (0..4).map(|number| several.nth(1).another(number).unwrap().http).collect();
        assert_eq!(others, [all[0], all[2], all[0], all[2]]);
        assert!(several.nth(0).another(0).is_some() && Server { siblings: [].into(), ..several }.another(3).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn each_address_is_tried_until_one_takes_a_connection() {
        let all = sockets(&["[::1]:7", "127.0.0.1:7", "127.0.0.2:7"]);
        let begun = tokio::time::Instant::now();
        let connect = |socket: SocketAddr| async move {
            match socket.to_string().as_str() {
                "[::1]:7" => std::future::pending().await,
                "127.0.0.1:7" => Err("refused".to_owned()),
                _ => Ok(()),
            }
        };
        assert_eq!(first_to_answer(all.clone(), connect).await.unwrap(), all[2]);
        assert_eq!(begun.elapsed(), ATTEMPT_DELAY, "a silent one is waited for, one that refuses is not");
        let nobody = first_to_answer(all, |_| async { Err("refused".to_owned()) }).await.unwrap_err().to_string();
        assert!(
            nobody.contains("nobody listens at [::1]:7 (refused) or 127.0.0.1:7 (refused) or 127.0.0.2:7"),
            "{nobody}"
        );
    }

    #[tokio::test]
    async fn a_host_is_found_where_it_listens() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = listener.local_addr().unwrap();
        let address = |host: &str| pushoff_model::target::address(&format!("http://{host}:{}", socket.port())).unwrap();
        // Nobody listens at ::1, which localhost may resolve to as well.
        assert_eq!(find(&address("localhost")).await.unwrap(), socket);
        assert_eq!(find(&address("127.0.0.1")).await.unwrap(), socket);
        assert!(matches!(find(&address("nowhere.invalid")).await, Err(NotFound::Name(..))));
    }
}
