//! A reader that goes from server to server: where one breaks off, the next gets its cursor.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pushoff_model::{Cursor, Start, Transport};

use crate::client::subscriber::{Ending, Event, Subscriber};
use crate::server::Server;

/// How often a reader may come back before it gives up.
const RETURNS: usize = 200;

/// All messages of a topic up to its completion, from the beginning.
pub(super) fn read_all(servers: &[Server], first: usize, transport: Transport, topic: &str) -> Vec<(Cursor, String)> {
    let mut read: Vec<(Cursor, String)> = Vec::new();
    for turn in 0..RETURNS {
        let server = &servers[(first + turn) % servers.len()];
        let start = read.last().map_or(Start::Oldest, |(cursor, _)| Start::After(*cursor));
        // The suite's clients panic where a server breaks off, which is what a killed one does.
        let ended = catch_unwind(AssertUnwindSafe(|| {
            let mut subscriber = Subscriber::open(server, transport, topic, start);
            loop {
                match subscriber.next() {
                    Event::Message(cursor, payload) => read.push((cursor, payload)),
                    Event::End(ending) => return ending,
                    missed @ (Event::Missed(..) | Event::Heartbeat) => panic!("nothing was to be missed: {missed:?}"),
                }
            }
        }));
        match ended {
            Ok(ending) if ending == Ending::of_completion(transport) => return read,
            Ok(_) | Err(_) => std::thread::park_timeout(std::time::Duration::from_millis(20)),
        }
    }
    panic!("{transport} came back {RETURNS} times and saw no end, after {} messages", read.len());
}
