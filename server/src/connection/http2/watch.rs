//! The watch over the client of an HTTP/2 connection, which may be idle for a while and has to answer pings.
//!
//! A slow client is not a dead one: as long as it receives what was written before a ping, the ping may be on its way.
//! Source: RFC 9113 §6.7 and §6.8.

use std::future::{pending, poll_fn};
use std::time::Duration;

use h2::{Ping, PingPong};
use tokio::time::{Instant, sleep_until};

use super::carrier::Reception;
use crate::config::Config;

/// Why a connection ends by itself.
pub(super) enum Life {
    /// No request came for a while.
    Idle,
    /// The client answers no ping, or does not close.
    Gone,
}

/// The watch over one client.
pub(super) struct Watch<'a> {
    pings: Option<PingPong>,
    reception: &'a dyn Reception,
    /// How long the connection may be without a request.
    patience: Duration,
    /// How long the client has to answer a ping, or to close an idle connection.
    answer: Duration,
    since: Instant,
    is_asked: bool,
    is_closing: bool,
    /// How many bytes the client had received at the last look, if others were under way.
    under_way: Option<u64>,
}

impl<'a> Watch<'a> {
    /// The watch over a client whose first request is due within the time of a head.
    pub(super) fn new(pings: Option<PingPong>, reception: &'a dyn Reception, config: &Config) -> Self {
        Self {
            pings,
            reception,
            patience: config.head_timeout,
            answer: config.write_timeout,
            since: Instant::now(),
            is_asked: false,
            is_closing: false,
            under_way: None,
        }
    }

    /// Notes that a request came, and how long the next may take.
    pub(super) fn saw_request(&mut self, patience: Duration) {
        self.patience = patience;
        self.saw_life();
    }

    /// Notes that the client answered, or that a request of its was answered.
    pub(super) fn saw_life(&mut self) {
        self.since = Instant::now();
    }

    /// Waits until the client is idle for too long, or gone. May be called again later, or never.
    pub(super) async fn is_over(&mut self, is_idle: bool) -> Life {
        loop {
            let due = if is_idle && !self.is_closing { self.patience } else { self.answer };
            let pong = async {
                match &mut self.pings {
                    Some(pings) if self.is_asked => poll_fn(|cx| pings.poll_pong(cx)).await.map(drop),
                    Some(_) | None => pending().await,
                }
            };
            tokio::select! {
                pong = pong => {
                    if pong.is_err() {
                        return Life::Gone;
                    }
                    self.is_asked = false;
                    self.saw_life();
                }
                () = sleep_until(self.since + due) => {
                    self.saw_life();
                    let is_receiving = self.is_receiving();
                    // A request that came behind the GOAWAY is answered all the same.
                    if self.is_asked || self.is_closing && is_idle {
                        if is_receiving {
                            continue;
                        }
                        return Life::Gone;
                    }
                    if is_idle {
                        self.is_closing = true;
                        return Life::Idle;
                    }
                    let asked = self.pings.as_mut().map(|pings| pings.send_ping(Ping::opaque()));
                    self.is_asked = asked.is_some_and(|asked| asked.is_ok());
                }
            }
        }
    }

    /// Whether the client has received some of what was under way at the last look; notes what is under way now.
    fn is_receiving(&mut self) -> bool {
        let now = self.reception.progress();
        let under_way = now.filter(|it| it.under_way > 0).map(|it| it.acknowledged);
        let before = std::mem::replace(&mut self.under_way, under_way);
        before.zip(now).is_some_and(|(before, now)| now.acknowledged > before)
    }
}
