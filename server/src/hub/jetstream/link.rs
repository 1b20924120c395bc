//! The connection to NATS: whether it is there, and each time that it came back.
//!
//! The client of NATS reconnects by itself, for ever, and subscribes anew. What was sent in between is lost to it, so
//! whoever follows a stream looks at the stream after each return.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::Client;
use async_nats::connection::State;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

/// How often the client is asked. Chosen here: a look at two numbers, and far shorter than a publisher waits.
const GLANCE: Duration = Duration::from_millis(100);

/// The state of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) is_up: bool,
    /// How often it was established.
    connects: u64,
}

impl Link {
    fn of(client: &Client) -> Self {
        Self {
            is_up: client.connection_state() == State::Connected,
            connects: client.statistics().connects.load(Ordering::Relaxed),
        }
    }
}

/// Watches the connection for as long as anybody has the receiver.
pub(super) fn watch(client: Client) -> watch::Receiver<Link> {
    let (sender, receiver) = watch::channel(Link::of(&client));
    tokio::spawn(async move {
        let mut glances = interval(GLANCE);
        glances.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !sender.is_closed() {
            glances.tick().await;
            let link = Link::of(&client);
            let was_up = sender.borrow().is_up;
            if sender.send_if_modified(|known| std::mem::replace(known, link) != link) {
                match (was_up, link.is_up) {
                    (true, false) => {
                        warn!("the connection to the store is lost: publishing is refused until it is back");
                    }
                    (false, true) => warn!("the connection to the store is back"),
                    (true, true) => warn!("the connection to the store was lost and is back"),
                    (false, false) => {}
                }
            }
        }
    });
    receiver
}
