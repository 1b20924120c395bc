//! Reading from a socket into room that all connections of a thread share.
//!
//! A buffer of its own would be most of what each of ten thousand idle subscribers holds, and one
//! that is large enough for a busy one would be much too large for them. What a read brings is
//! taken before anybody else reads; what has begun in it and is not whole is kept by its reader.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;

use crate::watch::wire::Tapped;

/// The most that one read takes. Chosen here: what Linux' receive buffer holds to begin with.
pub(crate) const ROOM_BYTES: usize = 64 * 1024;

thread_local! {
    static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Waits for bytes and lends them; an empty slice says that no more will come.
///
/// # Errors
/// When the socket fails.
pub(crate) async fn read<T>(socket: &Tapped, mut take: impl FnMut(&[u8]) -> T) -> io::Result<T> {
    poll_fn(|cx| {
        let mut room = ROOM.take();
        room.resize(ROOM_BYTES, 0);
        let taken = socket.poll_read_into(cx, &mut room).map_ok(|bytes| take(&room[..bytes]));
        ROOM.set(room);
        taken
    })
    .await
}

/// What has begun in one read, and is whole only with the next.
#[derive(Debug, Default)]
pub(crate) struct Leftover(Vec<u8>);

impl Leftover {
    /// Lends what was left with what was read; keeps all but what `take` says that it took.
    ///
    /// # Errors
    /// Those of `take`.
    pub(crate) fn with<E>(&mut self, bytes: &[u8], take: impl FnOnce(&[u8]) -> Result<usize, E>) -> Result<(), E> {
        if self.0.is_empty() {
            let taken = take(bytes)?;
            self.0.extend_from_slice(&bytes[taken..]);
        } else {
            self.0.extend_from_slice(bytes);
            let taken = take(&self.0)?;
            self.0.drain(..taken);
        }
        Ok(())
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Lines that end in LF or CR LF, wherever the reads happened to end.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// Hands on every line that is whole.
    ///
    /// # Errors
    /// Those of `hand_on`.
    pub(crate) fn read<E>(&mut self, bytes: &[u8], mut hand_on: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut rest = bytes;
        if !self.begun.is_empty() {
            let Some(end) = memchr::memchr(b'\n', rest) else {
                self.begun.extend_from_slice(rest);
                return Ok(());
            };
            self.begun.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            hand_on(without_cr(&self.begun))?;
            self.begun.clear();
        }
        let mut begin = 0;
        for end in memchr::memchr_iter(b'\n', rest) {
            hand_on(without_cr(&rest[begin..end]))?;
            begin = end + 1;
        }
        self.begun.extend_from_slice(&rest[begin..]);
        Ok(())
    }

    /// How long the line is that has begun and is not whole.
    pub(crate) const fn begun(&self) -> usize {
        self.begun.len()
    }

    /// Whether a line has begun that is not whole.
    pub(crate) const fn is_mid_line(&self) -> bool {
        !self.begun.is_empty()
    }
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_come_out_whole_however_they_were_cut(
            lines in proptest::collection::vec("[a-z\r]{0,9}[a-z]", 0..20),
            ends in prop_oneof![Just("\n"), Just("\r\n")],
            cuts in proptest::collection::vec(1_usize..7, 1..20),
        ) {
            let whole: String = lines.iter().map(|line| format!("{line}{ends}")).collect();
            let (mut reader, mut out, mut rest) = (Lines::default(), Vec::new(), whole.as_bytes());
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                reader.read(piece, |line| { out.push(String::from_utf8(line.to_vec())); Ok::<_, ()>(()) }).unwrap();
                rest = after;
            }
            prop_assert_eq!(out.into_iter().collect::<Result<Vec<_>, _>>().unwrap(), lines);
            prop_assert!(!reader.is_mid_line());
        }

        #[test]
        fn what_was_not_taken_is_lent_again(pieces in proptest::collection::vec(".{0,9}", 0..9), step in 1_usize..5) {
            let (mut leftover, mut out) = (Leftover::default(), Vec::new());
            for piece in &pieces {
                leftover.with(piece.as_bytes(), |bytes| {
                    let taken = bytes.len() / step * step;
                    out.extend_from_slice(&bytes[..taken]);
                    Ok::<_, ()>(taken)
                }).unwrap();
            }
            out.extend_from_slice(&leftover.0);
            prop_assert_eq!(out, pieces.concat().into_bytes());
        }
    }
}
