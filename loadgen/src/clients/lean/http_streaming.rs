//! HTTP streaming: one response that does not end, a unit a message. Source: RFC 6202 §3.

use pushoff_model::target::Units;

use crate::clients::error::ConnectionError;
use crate::clients::feed::{Ended, Feed};
use crate::clients::http::{ANYTHING, stream};
use crate::clients::io::Lines;
use crate::clients::sink::Sink;
use crate::clients::units::TextBuffer;

pub(crate) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let (mut lines, mut texts) = (Lines::default(), TextBuffer::default());
    let are_texts = feed.technique.units == Units::Texts;
    let usual = [ANYTHING];
    let ended = stream(feed, &usual, |feed, piece| {
        if are_texts {
            texts.extend(piece);
            while let Some(text) = texts.next_text() {
                feed.unit(&text, None)?;
            }
            return ConnectionError::bounded("a JSON text", texts.begun());
        }
        lines.read(piece, |line| feed.unit(line, None).map(drop))?;
        ConnectionError::bounded("a line", lines.begun())
    });
    let ended = ended.await?;
    if lines.is_mid_line() || texts.is_mid_text() { Err(ConnectionError::Ended) } else { Ok(ended) }
}
