//! HTTP streaming: one response that does not end, a unit a message. Source: RFC 6202 §3.

use crate::clients::error::ConnectionError;
use crate::clients::feed::{Ended, Feed};
use crate::clients::http::ANYTHING;
use crate::clients::sink::Sink;
use crate::clients::stream::Stream;
use crate::clients::units::UnitBuffer;

pub(crate) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let Some(mut stream) = Stream::open(feed, &[ANYTHING]).await? else { return Ok(Ended::Complete) };
    let mut units = UnitBuffer::new(&feed.technique.units);
    while let Some(mut piece) = stream.next(feed).await? {
        while let Some(unit) = units.next(&mut piece) {
            feed.unit(unit, None)?;
        }
        units.bounded()?;
    }
    if units.is_mid_unit() { Err(ConnectionError::Ended) } else { Ok(Ended::Closed) }
}
