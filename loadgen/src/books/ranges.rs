//! A set of indices kept as disjoint ranges in rising order: gaps in a ledger are few and long.

use std::ops::Range;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RangeSet(Vec<Range<u64>>);

impl RangeSet {
    pub(crate) fn insert(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let from = self.0.partition_point(|held| held.end < range.start);
        let until = self.0.partition_point(|held| held.start <= range.end);
        let start = self.0.get(from).filter(|_| from < until).map_or(range.start, |held| held.start.min(range.start));
        let end =
            until.checked_sub(1).filter(|last| *last >= from).map_or(range.end, |last| self.0[last].end.max(range.end));
        self.0.splice(from..until, std::iter::once(start..end));
    }

    /// Removes an index; whether it was in the set.
    pub(crate) fn remove(&mut self, index: u64) -> bool {
        let Some(at) = self.position(index) else { return false };
        let held = self.0[at].clone();
        let parts = [held.start..index, index + 1..held.end];
        self.0.splice(at..=at, parts.into_iter().filter(|part| !part.is_empty()));
        true
    }

    /// The parts of a range that are not in the set, in rising order.
    pub(crate) fn gaps(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let from = self.0.partition_point(|held| held.end <= range.start);
        let mut gaps = Vec::new();
        let mut at = range.start;
        for held in self.0[from..].iter().take_while(|held| held.start < range.end) {
            gaps.push(at..held.start.max(at));
            at = held.end;
        }
        gaps.push(at..range.end.max(at));
        gaps.retain(|gap| !gap.is_empty());
        gaps
    }

    pub(crate) fn contains(&self, index: u64) -> bool {
        self.position(index).is_some()
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|range| range.end - range.start).sum()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().cloned().flatten()
    }

    /// How many indices both sets hold.
    pub(crate) fn overlap(&self, other: &Self) -> u64 {
        let (mut one, mut two) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut count = 0;
        while let (Some(a), Some(b)) = (one.peek(), two.peek()) {
            count += a.end.min(b.end).saturating_sub(a.start.max(b.start));
            if a.end <= b.end {
                one.next()
            } else {
                two.next()
            };
        }
        count
    }

    fn position(&self, index: u64) -> Option<usize> {
        let at = self.0.partition_point(|held| held.end <= index);
        self.0.get(at).filter(|held| held.contains(&index)).map(|_| at)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_a_plain_set_holds(
            steps in proptest::collection::vec((any::<bool>(), 0_u64..40, 0_u64..9), 0..60),
            other in proptest::collection::vec((0_u64..40, 0_u64..9), 0..5),
        ) {
            let (mut ranges, mut plain) = (RangeSet::default(), BTreeSet::new());
            for (insert, start, length) in steps {
                if insert {
                    ranges.insert(start..start + length);
                    plain.extend(start..start + length);
                } else {
                    prop_assert_eq!(ranges.remove(start), plain.remove(&start));
                }
                prop_assert!(ranges.iter().eq(plain.iter().copied()));
                prop_assert!(ranges.0.windows(2).all(|pair| pair[0].end < pair[1].start), "{:?}", ranges);
            }
            prop_assert_eq!(ranges.count(), plain.len() as u64);
            prop_assert!((0..50).all(|index| ranges.contains(index) == plain.contains(&index)));
            let (mut second, mut second_plain) = (RangeSet::default(), BTreeSet::new());
            for (start, length) in other {
                second.insert(start..start + length);
                second_plain.extend(start..start + length);
            }
            prop_assert_eq!(ranges.overlap(&second), plain.intersection(&second_plain).count() as u64);
        }
    }
}
