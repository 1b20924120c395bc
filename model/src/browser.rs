//! What a browser allows a page, as it was found: limits that no client of the command line meets.

use serde::{Deserialize, Serialize};

use crate::foreign;
use crate::transport::Transport;

/// The browser of a run and what it allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Browser {
    /// What it says that it is.
    #[serde(deserialize_with = "foreign::line")]
    pub version: String,
    /// How many tabs were opened on one origin over HTTP/1.1, each with a subscriber.
    pub tabs: u32,
    /// How many of them were connected at the same time, by technique. Of short polling, which holds no
    /// connection, how many had an answer.
    pub connected: Vec<Connected>,
    /// `WebSocket`s of one page to one host.
    pub websockets: WebSockets,
    /// What short polling's timer does in a tab that is not in front.
    pub timer: Timer,
    /// How long `EventSource` waits after a stream has ended.
    pub event_source: EventSourceWait,
    /// How much later a stream's text reaches a page by `XMLHttpRequest` than by `fetch`.
    pub xhr_stream: Later,
}

/// The tabs that one technique connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// The technique.
    pub transport: Transport,
    /// How many.
    pub tabs: u32,
}

/// `WebSocket`s that were asked for and that there were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebSockets {
    /// Asked for.
    pub asked: u32,
    /// Connected at the same time.
    pub connected: u32,
}

/// From one poll to the next, the median of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// What the page asks for.
    pub asked_ns: u64,
    /// In a tab in front.
    pub in_front_ns: u64,
    /// In a tab behind another.
    pub behind_ns: u64,
}

/// How much later the same messages came by one client than by another in the same page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    /// Of half of the messages at most.
    pub median_ns: u64,
    /// Of the latest.
    pub most_ns: u64,
}

/// From the end of a stream to the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSourceWait {
    /// What the server's `retry:` said.
    pub asked_ns: u64,
    /// The wait then.
    pub waited_ns: u64,
    /// The wait where the server said nothing.
    pub unasked_ns: u64,
}
