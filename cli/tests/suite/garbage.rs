//! Garbage that can be had again: pseudo-random numbers, bytes and mutations of a seed.

/// Xorshift (Marsaglia 2003): the same garbage every time, so that a failure can be repeated.
pub(crate) struct Garbage(u64);

impl Garbage {
    /// The garbage of a seed, which must not be 0.
    pub(crate) const fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// The garbage of the piece with this number, unlike that of its neighbours.
    pub(crate) fn of_piece(number: u64) -> Self {
        // An odd factor keeps different numbers apart; the first draws still resemble each other.
        let mut garbage = Self((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for _ in 0..4 {
            garbage.next();
        }
        garbage
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    pub(crate) fn one_of<T: Copy>(&mut self, those: &[T]) -> T {
        those[self.below(those.len())]
    }

    /// Fewer than `longest` bytes.
    pub(crate) fn bytes(&mut self, longest: usize) -> Vec<u8> {
        (0..self.below(longest)).map(|_| self.byte()).collect()
    }

    /// `valid` with a few bytes changed, doubled or left out.
    pub(crate) fn mutated(&mut self, valid: &[u8]) -> Vec<u8> {
        let mut bytes = valid.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(4) {
                0 => bytes[at] = self.byte(),
                1 => bytes.insert(at, b"\r\n\0: %?/"[self.below(8)]),
                2 => bytes.truncate(at.max(1)),
                _ => bytes.extend_from_within(at..),
            }
        }
        bytes
    }
}
