//! Compression, with `--compress`: content codings of responses, and permessage-deflate.
//!
//! A compressor that a connection keeps is counted as memory before it is made. What needs no context is compressed
//! once for all readers of a batch. The module knows no connection and no transport. Sources: RFC 9110 §8.4 and
//! §12.5.3, RFC 1951, RFC 1952, RFC 7692, RFC 7932, RFC 8878.
//!
//! The parameters are chosen here, for small messages in JSON that are flushed one by one, by measuring 2,000 messages
//! of 107, 602 and 4,002 bytes on one core (bytes that are left, time a message, memory kept):
//!
//! | | left | time in µs | memory |
//! |---|---|---|---|
//! | zstd, level 3, window of 32 KiB, small tables | 0.33, 0.25, 0.15 | 1.0, 2.2, 8.5 | 305 KiB |
//! | gzip, level 4, window of 4 KiB | 0.30, 0.20, 0.17 | 4.4, 10, 39 | 259 KiB |
//! | gzip, level 6, window of 32 KiB | 0.27, 0.19, 0.13 | 5.5, 18, 88 | 371 KiB |
//! | br, quality 3, window of 16 KiB | 0.37, 0.26, 0.20 | 6.4, 13, 44 | 310 to 564 KiB |
//! | br, quality 4, window of 64 KiB | 0.35, 0.26, 0.20 | 8.3, 16, 51 | 715 KiB and more |
//! | br, quality 5, window of 64 KiB | 0.31, 0.18, 0.13 | 24, 66, 363 | 33 MiB |
//! | deflate without context, level 4 | 0.95, 0.40, 0.19 | 6.7, 12, 36 | none |

mod accept;
mod compressor;
mod deflate;
mod extension;
mod forms;
mod room;

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

pub(crate) use self::accept::Accepts;
pub(crate) use self::compressor::{Compressor, whole};
pub(crate) use self::deflate::{Deflater, InflateError, Inflater, longest_deflated};
pub(crate) use self::extension::{Agreed, Context};
pub(crate) use self::forms::{Form, Forms};
pub(crate) use self::room::{Compressors, Keeper, Kept};
use crate::limits;

/// The effort of gzip and deflate, of 9. Chosen here: at level 6, 600 bytes take 18 µs rather than 11, for 8 % fewer
/// bytes.
const DEFLATE_LEVEL: u32 = 4;

/// The window that gzip has, and deflate where the client leaves the size to the server, as a power of two. Chosen
/// here: with 15, a compressor keeps 371 KiB rather than 259, and short messages gain little by it.
const DEFLATE_BITS: u8 = 12;

/// The effort of brotli, of 11. Chosen here: 4 takes twice the memory for 4 % fewer bytes.
const BROTLI_QUALITY: u32 = 3;

/// The window of brotli, as a power of two.
const BROTLI_BITS: u32 = 14;

/// The effort of zstd, of 22. Chosen here: as quick as level 1 at this window.
const ZSTD_LEVEL: i32 = 3;

/// The window of zstd, as a power of two.
const ZSTD_BITS: u32 = 15;

/// The two tables of zstd, as powers of two. Chosen here: at this window the level's own tables of 640 KiB find nothing
/// more.
const ZSTD_TABLE_BITS: u32 = 13;

/// The shortest body that is compressed as a whole. Chosen here: about 100 bytes become longer by gzip, and 300 become
/// half as long.
pub(crate) const SHORTEST: usize = 128;

/// Does work on so many bytes. Other tasks of the thread go on elsewhere meanwhile where the work is long: some 3 ms for
/// 256 KiB.
pub(crate) fn aside<T>(length: usize, work: impl FnOnce() -> T) -> T {
    let is_long = length > limits::LONG_PAYLOAD;
    // A runtime of one thread, as tests have, cannot hand its tasks over.
    let threads = || {
        let handle = Handle::try_current().ok().filter(|it| it.runtime_flavor() == RuntimeFlavor::MultiThread);
        handle.map_or(0, |it| it.metrics().num_workers())
    };
    match Aside::one_of(if is_long { threads() } else { 0 }) {
        Some(_one) => block_in_place(work),
        None => work(),
    }
}

/// How many tasks have handed the rest of their thread's over. Each takes a thread for it: no more of them than the runtime
/// has threads anyhow, or a crowd of long bodies would be compressed all at once.
static ASIDE: AtomicUsize = AtomicUsize::new(0);

/// One of [`ASIDE`].
struct Aside;

impl Aside {
    /// One of at most so many.
    fn one_of(most: usize) -> Option<Self> {
        let has_room = |taken: usize| (taken < most).then_some(taken + 1);
        ASIDE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, has_room).ok().map(|_| Self)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        ASIDE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A content coding, in the order in which the server prefers them where a client likes several equally.
///
/// Chosen here: zstd takes a quarter of the time of the others, and gzip less time and memory than br for as many
/// bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// RFC 8878.
    Zstd,
    /// RFC 1952.
    Gzip,
    /// RFC 7932.
    Brotli,
}

impl Coding {
    pub(crate) const ALL: [Self; 3] = [Self::Zstd, Self::Gzip, Self::Brotli];

    /// Its name in `Accept-Encoding` and `Content-Encoding`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
        }
    }
}
