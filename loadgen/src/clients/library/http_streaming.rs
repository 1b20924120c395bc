//! HTTP streaming, by `reqwest`: one response that does not end, a unit a message. Source:
//! RFC 6202 §3.

use super::requests::Requests;
use crate::clients::error::ConnectionError;
use crate::clients::feed::{Ended, Feed};
use crate::clients::sink::Sink;
use crate::clients::units::UnitBuffer;

pub(crate) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let requests = Requests::new(&feed.subscription)?;
    feed.sink.requested(feed.now());
    let mut response = requests.ask(feed).await?;
    if feed.stream_begins(response.status(), response.headers())?.is_none() {
        return Ok(Ended::Complete);
    }
    let mut units = UnitBuffer::new(&feed.technique.units);
    while let Some(chunk) = response.chunk().await? {
        let mut piece = &chunk[..];
        while let Some(unit) = units.next(&mut piece) {
            feed.unit(unit, None)?;
        }
        units.bounded()?;
    }
    if units.is_mid_unit() { Err(ConnectionError::Ended) } else { Ok(Ended::Closed) }
}
