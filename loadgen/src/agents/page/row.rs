//! A row of a page's notes: something that happened to one of its subscribers, and when.

use std::collections::VecDeque;

use pushoff_model::message::Epoch;
use pushoff_model::{Cursor, RunInstant};
use serde::Deserialize;

use super::clock::{Zero, whole};
use crate::clients::{ConnectionError, Incoming, Sink};
use crate::message::stamp::{self, Stamp};

/// What happened (`server/web/measure.js` has the same numbers), to which subscriber of the page, at
/// which millisecond of the page's clock, and what else there is to say of it.
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

/// What is not the subscriber's to note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Nothing: it goes on.
    No,
    /// It is over, though its topic is not complete; why, in the page's words.
    Early(String),
}

impl Row {
    pub(super) const fn is_message(&self) -> bool {
        self.0 == MESSAGE
    }

    /// When it asked, at which millisecond of the page's clock, where it is a request.
    pub(super) fn request_ms(&self) -> Option<f64> {
        (self.0 == REQUEST).then_some(self.2)
    }

    /// Of a message: which of its publisher's it is, and when it came by the page's clock.
    pub(super) fn message_ms(&self) -> Option<(u64, f64)> {
        self.is_message().then(|| (whole(self.4), self.2))
    }

    /// The number of the subscriber in its page.
    pub(super) const fn subscriber(&self) -> usize {
        self.1
    }

    /// Tells a sink what happened.
    ///
    /// The payload is made anew from its stamp, in `buffer`, so that the account is kept by the same
    /// code for every client. The page took the checksum of the body that came out of the one in the payload:
    /// what is left must be the stamp's. `reasons` are the page's words for what broke and closed, in the order
    /// of these rows.
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
                // A page's client goes on whatever is thought of it.
                let _goes_on = sink.broke(&reasons.pop_front().map_or(ConnectionError::Ended, ConnectionError::Page));
            }
            CLOSED if self.3 > 0.0 => {
                reasons.pop_front();
                sink.completed();
            }
            CLOSED => return Ended::Early(reasons.pop_front().unwrap_or_else(|| "without a reason".to_owned())),
            // What is strange, and what no page of this build notes.
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
