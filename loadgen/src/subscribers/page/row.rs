//! A row of a page's records: one event of one subscriber, with its time.

use std::collections::VecDeque;

use pushoff_model::message::Epoch;
use pushoff_model::{Cursor, RunInstant};
use serde::Deserialize;

use super::clock::Zero;
use crate::clients::{ConnectionError, Incoming, Sink};
use crate::message::stamp::{self, Stamp};
use crate::numbers::whole;

/// The kind of event (the numbers are those of `server/web/measure.js`), the number of the subscriber in the page,
/// the time in milliseconds of the page's clock, and the event's own values.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Row(u32, usize, f64, f64, f64, f64, f64, f64, f64, f64);

const CONNECTING: u32 = 0;
const OPEN: u32 = 1;
const REQUEST: u32 = 2;
const MESSAGE: u32 = 3;
const MISSED: u32 = 4;
const EMPTY: u32 = 6;
const BROKE: u32 = 7;
const CLOSED: u32 = 8;

/// Whether a client in a page has given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    No,
    /// The client stopped before its topic was complete; the page's reason.
    Early(String),
}

impl Row {
    pub(super) const fn is_message(&self) -> bool {
        self.0 == MESSAGE
    }

    /// When a request was sent, in milliseconds of the page's clock; `None` for other events.
    pub(super) fn request_ms(&self) -> Option<f64> {
        (self.0 == REQUEST).then_some(self.2)
    }

    /// The index of a message and its arrival in milliseconds of the page's clock; `None` for other events.
    pub(super) fn message_ms(&self) -> Option<(u64, f64)> {
        self.is_message().then(|| (whole(self.4), self.2))
    }

    pub(super) const fn subscriber(&self) -> usize {
        self.1
    }

    /// Reports the event to a sink.
    ///
    /// The payload is rebuilt from its stamp in `buffer`, so that the same code keeps the account for every client.
    /// The page has removed the body's checksum from the payload's checksum; the rest must be the checksum of the
    /// stamp. `reasons` are the page's reasons for broken and closed connections, in the order of these rows.
    pub(super) fn tell(
        &self,
        sink: &mut impl Sink,
        zero: &Zero,
        buffer: &mut String,
        reasons: &mut VecDeque<String>,
    ) -> Ended {
        let Self(kind, _, at, ..) = *self;
        let at = zero.moment(at);
        match kind {
            CONNECTING => sink.connecting(at),
            OPEN => sink.opened(at),
            REQUEST => sink.requested(at),
            MESSAGE => self.message(at, sink, buffer),
            MISSED => sink.missed((self.3 >= 0.0).then(|| whole(self.3))),
            EMPTY => sink.polled_empty(),
            BROKE => {
                // A page's client decides for itself whether it reconnects.
                let _goes_on = sink.broke(&reasons.pop_front().map_or(ConnectionError::Ended, ConnectionError::Page));
            }
            CLOSED if self.3 > 0.0 => {
                reasons.pop_front();
                sink.completed();
            }
            CLOSED => return Ended::Early(reasons.pop_front().unwrap_or_else(|| "without a reason".to_owned())),
            // An unknown event counts as a foreign message.
            _ => sink.message(Incoming { cursor: None, payload: b"", received: at, polled: None }),
        }
        Ended::No
    }

    fn message(&self, received: RunInstant, sink: &mut impl Sink, buffer: &mut String) {
        let Self(_, _, _, publisher, index, due, sent, epoch, sequence, found) = *self;
        let [publisher, epoch, found] =
            [publisher, epoch, found].map(|number| u32::try_from(whole(number)).unwrap_or(u32::MAX));
        let [due, sent] = [due, sent].map(|nanos| RunInstant::from_nanos(whole(nanos)));
        buffer.clear();
        stamp::write_found(buffer, &Stamp { publisher, index: whole(index), due, sent }, found);
        let cursor = Cursor { epoch: Epoch(epoch), sequence: whole(sequence) };
        sink.message(Incoming { cursor: Some(cursor), payload: buffer.as_bytes(), received, polled: None });
    }
}
