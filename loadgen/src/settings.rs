//! Every setting of the generator that could favour a transport, for `environment.json`.

use pushoff_model::environment::Named;
use pushoff_model::workload::Windows;

use crate::clients::{BACK_OFF_BASE, BACK_OFF_CAP, LONGEST_ANSWER, LONGEST_MESSAGE, READ_BUFFER_BYTES, ROOM_BYTES};
use crate::congestion::congestion_control;
use crate::load::{FULL_BATCH_BYTES, MOST_IN_A_BATCH};
use crate::plan::{SUBSCRIBERS_A_PAGE, setting_of_networks};
use crate::subscribers::CONNECTING_AT_ONCE;
use crate::subscribers::page::FLAGS;
use crate::timer;
use crate::trial::POSTING_CONNECTIONS_WARMED;
use crate::watch::{IN_A_TURN, MISSED, TURNS, generator_share, validity};

/// All settings, with values and units.
#[must_use]
pub fn settings() -> Vec<Named> {
    [clients(), wires(), load(), bounds()].concat()
}

/// Settings of what carries the bytes.
fn wires() -> Vec<Named> {
    let Windows { stream, connection } = Windows::default();
    vec![
        Named::new(
            "TLS",
            "rustls; a full handshake each connection, since each subscriber stands for another machine; \
             publishers that do not subscribe reach pushoff's own server without TLS",
        ),
        Named::new(
            "TLS handshakes",
            format!(
                "{} full and as many resumed, in {TURNS} turns, one after the other once the load is over; fewer where \
                 they take long, none over networks and by agents",
                IN_A_TURN * TURNS
            ),
        ),
        Named::new(
            "HTTP/2 windows",
            format!(
                "{stream} bytes a stream and {connection} a connection, as Chromium has them, every client, unless a \
                 workload says otherwise"
            ),
        ),
        Named::new(
            "compression",
            "only where asked for: gzip, br and zstd are offered, and permessage-deflate with client_max_window_bits; \
             tokio-tungstenite has none, so library clients of WebSocket read uncompressed frames",
        ),
    ]
}

/// Settings of the receiving clients.
fn clients() -> Vec<Named> {
    vec![
        Named::new("TCP_NODELAY", "on, every connection"),
        Named::new(
            "congestion control",
            congestion_control().map_or_else(
                || "the system's, every connection: it does not let this process choose cubic".to_owned(),
                |name| format!("{name}: pushoff's own server, and every client but reqwest, which has the system's"),
            ),
        ),
        Named::new("socket buffers", "the kernel's defaults, every connection"),
        Named::new("read buffer, library", format!("{READ_BUFFER_BYTES} bytes to begin with, every transport")),
        Named::new(
            "HTTP",
            "the version that was asked for alone; no proxy, no redirects, no retries, idle connections kept",
        ),
        Named::new(
            "connections",
            "one a subscriber; subscribers that speak by POST have one more, warmed up; over HTTP/2 one for as many \
             subscribers as the workload has tabs",
        ),
        Named::new(
            "library clients",
            "reqwest (polling, HTTP streaming, POST), eventsource-client over hyper, tokio-tungstenite behind our handshake",
        ),
        Named::new("lean clients", "HTTP/1.1 and one parser a framing, of our own; POST by reqwest as well"),
        Named::new("read buffer, lean", format!("{ROOM_BYTES} bytes, one a thread, every transport")),
        Named::new("received, library", "when the library hands the message over"),
        Named::new(
            "browser",
            format!(
                "{SUBSCRIBERS_A_PAGE} subscribers in a page, each page with a browser context and each subscriber with a name for \
                 the server of its own; members of a conversation speak by POST from the generator; over a network all pages \
                 have one address, and so one link"
            ),
        ),
        Named::new("browser's flags", FLAGS.join(" ")),
        Named::new("received, browser", "when the page's client dispatches `message`, by performance.now()"),
        Named::new("received, lean", "when the read that completed it returned"),
        Named::new("bytes", "TCP_INFO of every subscriber's socket; reqwest's have their descriptor duplicated for it"),
    ]
}

/// Settings of the load.
fn load() -> Vec<Named> {
    vec![
        Named::new("generator's processors", generator_share()),
        Named::new("pacing", timer::KIND),
        Named::new(
            "batching",
            format!(
                "messages due at the same time go as one request: at most {MOST_IN_A_BATCH} messages, and no further one after {FULL_BATCH_BYTES} bytes"
            ),
        ),
        Named::new("requests under way", "one a publisher"),
        Named::new(
            "publishing connections warmed up",
            format!("{POSTING_CONNECTIONS_WARMED} of the server's side, every one of the subscribers'"),
        ),
        Named::new("connecting at once", CONNECTING_AT_ONCE.to_string()),
        Named::new(
            "back-off",
            format!(
                "{BACK_OFF_BASE:?} doubling to {BACK_OFF_CAP:?}, jitter from a half to the whole, every transport; `retry:` is not followed"
            ),
        ),
        Named::new(
            "most that is taken",
            format!(
                "{LONGEST_MESSAGE} bytes a message, {LONGEST_ANSWER} an answer to a poll, every client of this process"
            ),
        ),
        Named::new("over networks", setting_of_networks()),
        Named::new("short polling", "as setInterval ticks; phases spread evenly over the interval, shuffled"),
    ]
}

/// Thresholds of the validity flags.
fn bounds() -> Vec<Named> {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    vec![
        Named::new(
            "generator-limited",
            format!(
                "busy over {}, or own send lag p99 over {} of the SLO and over {:?}, or over {} of the delivery latency's \
                 p99 and over {:?}, or stalled (a tick over {MISSED:?} late) for over {} of the time, or a page's clock off by over {:?}",
                percent(validity::BUSY_GENERATOR),
                percent(validity::LAG_SHARE),
                validity::LEAST_LAG,
                percent(validity::LAG_PART),
                validity::LEAST_LAG_PART,
                percent(validity::STALLED),
                validity::PAGE_CLOCK
            ),
        ),
        Named::new("server-limited", format!("busy over {}", percent(validity::BUSY_SERVER))),
        Named::new(
            "machine-limited",
            format!(
                "over {} of its time stolen, over {} of TCP segments lost and retransmitted, or generator or server waited \
                 for a processor over {} of the time that they had work and over {} of all time, or a control group's \
                 quota withheld them for over {}; over a network instead of segments: packets passed on later than it allows \
                 and than {} of the delivery latency's p99",
                percent(validity::STEAL),
                percent(validity::RESENT),
                percent(validity::WAITED),
                percent(validity::LEAST_WAITED),
                percent(validity::THROTTLED),
                percent(validity::LATE_PART)
            ),
        ),
    ]
}
