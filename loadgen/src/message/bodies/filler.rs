//! Text of an exact size, for workloads in which only the size matters.

use std::sync::Arc;

use pushoff_model::ByteCount;
use rand::RngExt;
use rand::distr::Alphanumeric;

use crate::message::stamp::ENVELOPE_BYTES;
use crate::seeding::{Purpose, stream};

/// A JSON string that fills a published message up to `total` bytes, envelope included.
///
/// Random letters, because repetitive text would favour a server that compresses.
pub(super) fn body(total: ByteCount, seed: u64) -> Arc<str> {
    let total = usize::try_from(total.0).unwrap_or(usize::MAX);
    let letters = total.saturating_sub(ENVELOPE_BYTES + 2);
    let chance = stream(seed, Purpose::Bodies, 0);
    let mut text = String::with_capacity(letters + 2);
    text.push('"');
    text.extend(chance.sample_iter(Alphanumeric).take(letters).map(char::from));
    text.push('"');
    text.into()
}
