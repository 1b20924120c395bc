//! `pushoff serve`: the reference server alone.

mod over;
mod store;
mod tls;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::iter;
use std::net::{self, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;

use anyhow::{Context, ensure};
use procfs::{Current, Meminfo};
use pushoff_model::foreign::quoted;
use pushoff_network::enter;
use pushoff_server::{Config, Https, Identity, Listeners};
use serde::Serialize;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::ServeOptions;
use crate::{Exit, named, pinning, runtime, terminal};
use over::Over;

/// The one line on standard output: the addresses the server listens on.
#[derive(Serialize)]
struct Ready {
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    https: Option<SocketAddr>,
    /// The SHA-256 of the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_tcp: Option<SocketAddr>,
    /// Where HTTP is reached over each network.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    networks: BTreeMap<String, SocketAddr>,
}

/// Sockets of this machine's own network.
struct Bound {
    http: Option<net::TcpListener>,
    https: Option<(net::TcpListener, Identity)>,
    raw_tcp: Option<net::TcpListener>,
    /// A port to be forwarded over each network.
    forwarded: Vec<net::TcpListener>,
}

pub(crate) fn serve(options: ServeOptions) -> anyhow::Result<Exit> {
    let networks = named::networks(options.network.iter().map(|name| &**name))?;
    let bind = || Bound::new(&options, networks.len());
    let Bound { http, https, raw_tcp, forwarded } = if networks.is_empty() { bind() } else { enter(bind)? }?;
    // Before processors are chosen: those are for the server alone.
    let over = iter::zip(networks, forwarded).map(|(network, port)| Over::begin(network, port));
    let over = over.collect::<anyhow::Result<Vec<_>>>()?;
    let cpus = if options.cpus.is_empty() {
        pinning::allowed()?.len()
    } else {
        pinning::pin(&options.cpus)?;
        options.cpus.len()
    };
    pushoff_loadgen::raise_descriptor_limit().context("raising the limit of open files to the hard limit")?;
    let ready = Ready {
        http: http.as_ref().map(net::TcpListener::local_addr).transpose()?,
        https: https.as_ref().map(|(listener, _)| listener.local_addr()).transpose()?,
        certificate: https.as_ref().map(|(_, identity)| identity.fingerprint().to_owned()),
        raw_tcp: raw_tcp.as_ref().map(net::TcpListener::local_addr).transpose()?,
        networks: over.iter().map(|it| (it.name(), it.address)).collect(),
    };
    let offered = over.iter().map(Over::offered).collect();
    let (behind, _relays): (Vec<_>, Vec<_>) = over.into_iter().map(|it| (it.listener, it.relay)).unzip();
    if let Some(name) = &options.congestion_control {
        for listener in http.iter().chain(https.iter().map(|(listener, _)| listener)).chain(&raw_tcp).chain(&behind) {
            control_congestion(listener, name)?;
        }
    }
    let shutdown = options.until_stdin_closes;
    let store = options.store.as_deref().map(store::Asked::parse).transpose()?;
    let credentials = options.store_credentials.clone();
    let mut config = Config { networks: offered, ..config(options)? };
    runtime::build(cpus)?.block_on(async {
        if let Some(store) = store {
            config.store = Some(store.open(credentials.as_deref(), config.max_payload).await?);
        }
        let taken = TcpListener::from_std;
        let listeners = Listeners {
            http: http.map(taken).transpose()?,
            https: match https {
                Some((listener, identity)) => Some(Https { listener: taken(listener)?, identity }),
                None => None,
            },
            networks: behind.into_iter().map(taken).collect::<io::Result<_>>()?,
            raw_tcp: raw_tcp.map(taken).transpose()?,
        };
        listen(&ready, listeners, shutdown, config).await
    })?;
    Ok(Exit::Done)
}

async fn listen(ready: &Ready, listeners: Listeners, until_stdin_closes: bool, config: Config) -> anyhow::Result<()> {
    let shutdown = shutdown(until_stdin_closes)?;
    let is_a_person = io::stdout().is_terminal();
    terminal::result(&if is_a_person { greeting(ready, config.demo) } else { serde_json::to_string(ready)? });
    pushoff_server::run(listeners, config, shutdown).await.context("serving")?;
    if is_a_person {
        terminal::remark("The server has stopped.");
    }
    Ok(())
}

/// For a person at a terminal; programs read the JSON line instead.
fn greeting(ready: &Ready, demo: bool) -> String {
    let reached = |mut at: SocketAddr| {
        if at.ip().is_unspecified() {
            at.set_ip(if at.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
        }
        at
    };
    let places = [("http", ready.http), ("https", ready.https)];
    let mut places = places.into_iter().filter_map(|(scheme, at)| Some(format!("{scheme}://{}/", reached(at?))));
    let first = places.next().unwrap_or_default();
    let also: String = places.map(|place| format!("\nOver TLS: {place}")).collect();
    let demo = if demo {
        "Because of --demo, anybody who can connect may cut all\nconnections and stall the server."
    } else {
        "With --demo, that page can cut all connections and stall\nthe server."
    };
    let raw_tcp = ready.raw_tcp.map_or_else(String::new, |at| format!("\nRaw TCP is at {at}."));
    let over = ready.networks.iter().map(|(name, &at)| format!("\nOver {name}: http://{}/", reached(at)));
    let over: String = over.collect();
    format!("Open the live page in a browser: {first}\n{demo}{also}{raw_tcp}{over}\nCtrl-C stops the server.")
}

impl Bound {
    fn new(options: &ServeOptions, networks: usize) -> anyhow::Result<Self> {
        let clear = options.listen.0;
        ensure!(networks == 0 || clear.is_some(), "--network needs a port in the clear: leave out --listen none");
        let https = tls::asked(options)?;
        let free = SocketAddr::new(clear.map_or(Ipv4Addr::LOCALHOST.into(), |at| at.ip()), 0);
        Ok(Self {
            http: clear.map(|address| bind(address, "--listen")).transpose()?,
            https: https
                .map(|(address, identity)| Ok::<_, anyhow::Error>((bind(address, "--tls-listen")?, identity)))
                .transpose()?,
            raw_tcp: options.raw_tcp.map(|address| bind(address, "--raw-tcp")).transpose()?,
            forwarded: iter::repeat_with(|| bind(free, "--listen")).take(networks).collect::<anyhow::Result<_>>()?,
        })
    }
}

fn bind(address: SocketAddr, flag: &str) -> anyhow::Result<net::TcpListener> {
    let bound = net::TcpListener::bind(address).and_then(|bound| bound.set_nonblocking(true).map(|()| bound));
    bound.with_context(|| {
        format!("cannot listen on {address}: choose another address with {flag} (port 0 takes a free one)")
    })
}

/// Sets the congestion control of a listener, which accepted connections inherit (tcp(7)).
fn control_congestion(listener: &net::TcpListener, name: &str) -> anyhow::Result<()> {
    rustix::net::sockopt::set_tcp_congestion(listener, name).with_context(|| {
        let allowed = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_allowed_congestion_control").unwrap_or_default();
        format!("cannot set --congestion-control to {}: this system allows {}", quoted(name), allowed.trim())
    })
}

/// The settings, if they are consistent.
fn config(options: ServeOptions) -> anyhow::Result<Config> {
    let max_payload = usize::try_from(options.max_payload.0)?;
    let memory = match options.memory {
        Some(size) => usize::try_from(size.0)?,
        None => quarter_of_the_machine(),
    };
    // An event stream makes line breaks up to eight times as long, and batches have a quarter of the memory.
    anyhow::ensure!(
        memory / 64 >= max_payload,
        "--memory is less than 64 times --max-payload: raise --memory or lower --max-payload"
    );
    Ok(Config {
        allow_hosts: options.allow_host,
        allow_origins: options.allow_origin,
        publish_token: options.publish_token,
        demo: options.demo,
        compress: options.compress,
        echo: options.echo,
        memory,
        max_payload,
        replay: options.replay,
        max_topics: options.max_topics,
        max_connections: options.max_connections,
        heartbeat: options.heartbeat,
        head_timeout: options.head_timeout,
        write_timeout: options.write_timeout,
        drain: options.drain,
        grace: options.grace,
        slow: options.slow,
        ..Config::default()
    })
}

/// The default of `--memory`: a quarter of the machine's, and at least 64 MiB; 1 GiB if the machine's is unknown.
fn quarter_of_the_machine() -> usize {
    let installed = Meminfo::current().ok().and_then(|info| usize::try_from(info.mem_total / 4).ok());
    installed.unwrap_or(1 << 30).max(64 << 20)
}

/// Resolves on SIGTERM, SIGINT, SIGHUP or, with `--until-stdin-closes`, at the end of standard input.
fn shutdown(until_stdin_closes: bool) -> anyhow::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let mut hangup = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    let stdin = if until_stdin_closes { Some(stdin_pipe()?) } else { None };
    Ok(async move {
        let stdin = async {
            let Some(mut input) = stdin else { return std::future::pending().await };
            let mut ignored = [0; 64];
            while matches!(input.read(&mut ignored).await, Ok(1..)) {}
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
            () = stdin => {}
        }
    })
}

fn stdin_pipe() -> anyhow::Result<pipe::Receiver> {
    let stdin = io::stdin().as_fd().try_clone_to_owned().context("taking standard input")?;
    pipe::Receiver::from_owned_fd(stdin).context("--until-stdin-closes needs a pipe on standard input")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn configured(flags: &[&str]) -> anyhow::Result<Config> {
        match Arguments::parse_from(["pushoff", "serve"].iter().chain(flags)).command {
            Some(Command::Serve(options)) => config(options),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn whatever_a_stranger_could_abuse_is_off_by_default() {
        for listen in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0"] {
            let config = configured(&["--listen", listen]).unwrap();
            assert!(!config.demo && !config.echo && config.allow_hosts.is_empty() && config.allow_origins.is_empty());
        }
        let config = configured(&["--demo", "--echo"]).unwrap();
        assert!(config.demo && config.echo);
    }

    #[test]
    fn a_person_is_told_where_the_live_page_is_and_how_to_stop() {
        for (listen, address) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080/"),
            ("0.0.0.0:80", "http://127.0.0.1:80/"),
            ("[::]:80", "http://[::1]:80/"),
        ] {
            let networks = [("slow-4g".to_owned(), listen.parse().unwrap())].into();
            let http = Some(listen.parse().unwrap());
            let ready = Ready { http, https: http, certificate: None, raw_tcp: None, networks };
            let greeting = greeting(&ready, false);
            assert!(greeting.contains(address) && greeting.contains(&format!("\nOver slow-4g: {address}\n")));
            assert!(greeting.contains("Ctrl-C stops"), "{greeting}");
            assert!(greeting.lines().all(|line| line.len() <= 60), "{greeting}");
        }
    }

    #[test]
    fn the_bound_on_memory_is_a_part_of_the_machines_and_holds_the_longest_payload() {
        let config = configured(&[]).unwrap();
        assert!(config.memory >= 64 << 20);
        assert_eq!(configured(&["--memory", "64MiB"]).unwrap().memory, 64 << 20);
        let error = configured(&["--memory", "64MiB", "--max-payload", "4MiB"]).unwrap_err();
        assert!(error.to_string().contains("--max-payload"), "{error}");
    }
}
