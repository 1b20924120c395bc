//! Keeps direct labels from covering each other.

/// Moves places apart so that neighbours keep a gap, as little as a sweep down and one up allow,
/// and all stay between the ends where there is room. The order of the results is the order given.
pub(crate) fn apart(wanted: &[i32], gap: i32, low: i32, high: i32) -> Vec<i32> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|&index| wanted[index]);
    let mut places = wanted.to_vec();
    let mut least = low;
    for &index in &order {
        places[index] = places[index].max(least);
        least = places[index] + gap;
    }
    let mut most = high;
    for &index in order.iter().rev() {
        places[index] = places[index].min(most);
        most = places[index] - gap;
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_does_not_overlap_stays() {
        assert_eq!(apart(&[300, 10, 150], 40, 0, 400), [300, 10, 150]);
    }

    proptest! {
        #[test]
        fn neighbours_keep_their_gap_and_stay_inside(wanted in proptest::collection::vec(0..600_i32, 1..7)) {
            let mut places = apart(&wanted, 44, 0, 600);
            places.sort_unstable();
            prop_assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= 44), "{places:?}");
            prop_assert!(places.iter().all(|place| (0..=600).contains(place)), "{places:?}");
        }
    }
}
