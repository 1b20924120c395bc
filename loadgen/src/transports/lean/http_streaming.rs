//! HTTP streaming: one response that does not end, a unit a message. Source: RFC 6202 §3.

use super::http::{ANYTHING, Connection, get};
use crate::transports::units::UnitBuffer;
use crate::transports::{ConnectionError, Ended, Feed, Sink};

pub(in crate::transports) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let mut connection = Connection::open(feed).await?;
    feed.sink.requested(feed.now());
    let request = get(feed, ANYTHING)?;
    let mut response = connection.ask(request, feed.tally()).await?;
    if feed.stream_begins(response.status(), response.headers())?.is_none() {
        return Ok(Ended::Complete);
    }
    let mut units = UnitBuffer::new(&feed.technique.units);
    while let Some(piece) = connection.piece(response.body_mut()).await {
        units.extend(&piece?);
        while let Some(unit) = units.next_unit() {
            feed.unit(&unit, None)?;
        }
    }
    if units.is_mid_unit() { Err(ConnectionError::Ended) } else { Ok(Ended::Closed) }
}
