//! `pushoff serve`: the reference server alone.

use std::net::SocketAddr;
use std::os::fd::AsFd;

use anyhow::Context;
use pushoff_server::{Config, Listeners};
use serde::Serialize;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::ServeOptions;
use crate::{Exit, pinning, runtime, terminal};

/// The one line on standard output that says where the server listens.
#[derive(Serialize)]
struct Ready {
    http: SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_tcp: Option<SocketAddr>,
}

pub(crate) fn serve(options: ServeOptions) -> anyhow::Result<Exit> {
    let cpus = if options.cpus.is_empty() {
        pinning::allowed()?.len()
    } else {
        pinning::pin(&options.cpus)?;
        options.cpus.len()
    };
    pushoff_loadgen::raise_descriptor_limit().context("raising the limit of open files to the hard limit")?;
    runtime::build(cpus)?.block_on(listen(options))?;
    Ok(Exit::Done)
}

async fn listen(options: ServeOptions) -> anyhow::Result<()> {
    let http = bind(options.listen, "--listen").await?;
    let raw_tcp = match options.raw_tcp {
        Some(address) => Some(bind(address, "--raw-tcp").await?),
        None => None,
    };
    let ready = Ready { http: http.local_addr()?, raw_tcp: raw_tcp.as_ref().map(TcpListener::local_addr).transpose()? };
    let shutdown = shutdown(options.until_stdin_closes)?;
    terminal::result(&serde_json::to_string(&ready)?);
    pushoff_server::run(Listeners { http, raw_tcp }, config(options), shutdown).await.context("serving")
}

async fn bind(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: choose another address with {flag} (port 0 takes a free one)")
    })
}

fn config(options: ServeOptions) -> Config {
    Config {
        allow_origins: options.allow_origin,
        publish_token: options.publish_token,
        max_payload: options.max_payload,
        replay: options.replay,
        max_topics: options.max_topics,
        max_connections: options.max_connections,
        heartbeat: options.heartbeat,
        head_timeout: options.head_timeout,
        write_timeout: options.write_timeout,
        grace: options.grace,
        outages: options.outages.unwrap_or(options.listen.ip().is_loopback()),
        slow: options.slow,
        ..Config::default()
    }
}

/// Resolves when the server is to end: SIGTERM, SIGINT, or standard input's end where asked for.
fn shutdown(until_stdin_closes: bool) -> anyhow::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
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
            () = stdin => {}
        }
    })
}

fn stdin_pipe() -> anyhow::Result<pipe::Receiver> {
    let stdin = std::io::stdin().as_fd().try_clone_to_owned().context("taking standard input")?;
    pipe::Receiver::from_owned_fd(stdin).context("--until-stdin-closes needs a pipe on standard input")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn lets_outages(flags: &[&str]) -> bool {
        match Arguments::parse_from(["pushoff", "serve"].iter().chain(flags)).command {
            Some(Command::Serve(options)) => config(options).outages,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn outages_may_be_asked_for_where_nobody_else_is_struck_or_where_told_so() {
        assert!(lets_outages(&[]));
        assert!(lets_outages(&["--listen", "[::1]:0"]));
        assert!(!lets_outages(&["--listen", "0.0.0.0:0"]));
        assert!(lets_outages(&["--listen", "0.0.0.0:0", "--outages", "true"]));
        assert!(!lets_outages(&["--outages", "false"]));
    }
}
