//! The length of a head of HTTP/2: HPACK (RFC 7541), as an encoder with a dynamic table.
//!
//! It writes nothing: it keeps the table that both ends keep, and adds up lengths. Which fields are put into the
//! table is the encoder's choice (§7.1.3); text is always in the Huffman code, as the usual encoders
//! write it. Whatever is written by RFC 7541 alone is the same for every encoder.

mod tables;

use std::collections::VecDeque;

use tables::{HUFFMAN_BITS, STATIC};

/// The size of a dynamic table that nobody has changed: `SETTINGS_HEADER_TABLE_SIZE` (RFC 9113 §6.5.2).
pub const TABLE_SIZE: u64 = 4_096;

/// What an entry counts beside its name and value (§4.1).
const ENTRY: u64 = 32;

/// Which fields an encoder puts into its dynamic table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeps {
    /// All but those that change with every message or that nobody should guess, and none that would fill three
    /// quarters of the table: what nghttp2 does, and the `h2` crate after it.
    MostFields,
    /// All but pseudo-fields other than the authority: what Chrome does.
    AsChrome,
    /// All: the examples of RFC 7541, Appendix C.
    #[cfg(test)]
    All,
}

/// One direction of a connection: the dynamic table of its encoder.
#[derive(Clone, Debug)]
pub struct Hpack {
    /// The newest first.
    entries: VecDeque<(Box<str>, Box<[u8]>)>,
    size: u64,
    table_size: u64,
    keeps: Keeps,
    text: fn(&[u8]) -> u64,
}

impl Hpack {
    /// An encoder as nghttp2 and the `h2` crate have it, with a dynamic table of that size: [`TABLE_SIZE`] unless
    /// the other end has set another.
    #[must_use]
    pub const fn new(table_size: u64) -> Self {
        Self { entries: VecDeque::new(), size: 0, table_size, keeps: Keeps::MostFields, text: huffman }
    }

    /// An encoder as Chrome has it.
    #[must_use]
    pub fn of_chrome() -> Self {
        Self { keeps: Keeps::AsChrome, ..Self::new(TABLE_SIZE) }
    }

    /// The bytes of the block of a head with these fields, in their order, the pseudo-fields (`:method`) among them.
    ///
    /// Names are in lower case, as HTTP/2 has them (RFC 9113 §8.2).
    pub fn encode<'a>(&mut self, fields: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> u64 {
        fields.into_iter().map(|(name, value)| self.field(name, value)).sum()
    }

    /// A field: its index (§6.1), or a literal that is kept (§6.2.1) or not (§6.2.2).
    fn field(&mut self, name: &str, value: &[u8]) -> u64 {
        if let Some(index) = self.index(|it, its| it == name && its == value) {
            return integer(index, 7);
        }
        let index = self.index(|it, _| it == name);
        let is_kept = self.keeps(name, value);
        let prefix = if is_kept { 6 } else { 4 };
        let text = |of: &[u8]| string((self.text)(of));
        let length = index.map_or_else(|| 1 + text(name.as_bytes()), |index| integer(index, prefix)) + text(value);
        if is_kept {
            self.keep(name, value);
        }
        length
    }

    /// The index of the first entry of which that holds: of the static table, then of the newest on (§2.3.3).
    fn index(&self, is_it: impl Fn(&str, &[u8]) -> bool) -> Option<u64> {
        let dynamic = self.entries.iter().map(|(name, value)| (&**name, &**value));
        let mut all = STATIC.iter().map(|(name, value)| (*name, value.as_bytes())).chain(dynamic);
        all.position(|(name, value)| is_it(name, value)).map(|at| at as u64 + 1)
    }

    fn keeps(&self, name: &str, value: &[u8]) -> bool {
        match self.keeps {
            Keeps::MostFields => !UNKEPT.contains(&name) && entry(name, value) * 4 <= self.table_size * 3,
            Keeps::AsChrome => !name.starts_with(':') || name == ":authority",
            #[cfg(test)]
            Keeps::All => true,
        }
    }

    /// Adds an entry and drops the oldest until all fit; one that is larger than the table empties it (§4.4).
    fn keep(&mut self, name: &str, value: &[u8]) {
        self.size += entry(name, value);
        self.entries.push_front((name.into(), value.into()));
        while self.size > self.table_size {
            let Some((name, value)) = self.entries.pop_back() else { break };
            self.size -= entry(&name, &value);
        }
    }
}

/// What nghttp2 does not put into its table, nor `h2`.
const UNKEPT: [&str; 10] = [
    ":path",
    "age",
    "authorization",
    "content-length",
    "cookie",
    "etag",
    "if-modified-since",
    "if-none-match",
    "location",
    "set-cookie",
];

const fn entry(name: &str, value: &[u8]) -> u64 {
    (name.len() + value.len()) as u64 + ENTRY
}

/// An integer whose first byte has that many bits for it (§5.1).
const fn integer(value: u64, prefix: u32) -> u64 {
    let most = (1 << prefix) - 1;
    if value < most {
        return 1;
    }
    let rest = value - most;
    let bits = if rest == 0 { 1 } else { rest.ilog2() + 1 };
    1 + bits.div_ceil(7) as u64
}

/// A string of so many bytes, with its length (§5.2).
const fn string(bytes: u64) -> u64 {
    integer(bytes, 7) + bytes
}

/// The length of a text in the Huffman code, filled up to a byte (§5.2).
fn huffman(text: &[u8]) -> u64 {
    let bits = |&byte: &u8| u64::from(HUFFMAN_BITS[usize::from(byte)]);
    text.iter().map(bits).sum::<u64>().div_ceil(8)
}

#[cfg(test)]
mod tests;
