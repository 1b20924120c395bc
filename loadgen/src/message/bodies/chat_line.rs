//! Chat messages of 20 to 200 characters, with the speaker's name.

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom;

use crate::message::text::append;

const SHORTEST: usize = 20;
const LONGEST: usize = 200;

/// Common English words, for a realistic length distribution.
const WORDS: [&str; 32] = [
    "and", "the", "is", "it", "so", "you", "that", "was", "for", "on", "are", "with", "they", "at", "one", "have",
    "this", "from", "by", "hot", "but", "what", "some", "we", "can", "out", "other", "were", "all", "there", "when",
    "really",
];

/// A member of a chat room.
#[derive(Debug)]
pub(crate) struct Speaker {
    chance: Xoshiro256PlusPlus,
    number: u32,
}

impl Speaker {
    pub(super) const fn new(chance: Xoshiro256PlusPlus, number: u32) -> Self {
        Self { chance, number }
    }

    pub(super) fn write_next(&mut self, out: &mut String) {
        append(out, format_args!("{{\"name\":\"member {:05}\",\"text\":\"", self.number));
        let length = self.chance.random_range(SHORTEST..=LONGEST);
        let start = out.len();
        while out.len() - start < length {
            out.push_str(WORDS.choose(&mut self.chance).copied().unwrap_or("so"));
            out.push(' ');
        }
        // All words are ASCII, so every byte is a boundary.
        out.truncate(start + length);
        out.push_str("\"}");
    }
}
