//! The transports: one file each, and the one match that tells them apart.

pub(crate) mod answer;
pub(crate) mod ask;
mod coded;
mod http_streaming;
mod keep_alive;
mod long_polling;
mod poll;
pub(crate) mod query;
pub(crate) mod raw_tcp;
mod short_polling;
mod sse;
pub(crate) mod stream;
pub(crate) mod websocket;

use pushoff_model::Transport;

use self::answer::Answer;
use self::ask::Ask;
use crate::http::Problem;

/// The answer of a transport to a subscriber.
pub(crate) fn answer(transport: Transport, ask: &Ask<'_>) -> Result<Answer, Problem> {
    match transport {
        Transport::ShortPolling => short_polling::answer(ask).map(Answer::Now),
        Transport::LongPolling => long_polling::answer(ask),
        Transport::HttpStreaming => http_streaming::answer(ask),
        Transport::Sse => sse::answer(ask),
        Transport::WebSocket => websocket::upgrade(ask).map(|(response, session)| Answer::Upgrade(response, session)),
        // Raw TCP has a port of its own and no path.
        Transport::RawTcp => Err(Problem::not_found()),
    }
}
