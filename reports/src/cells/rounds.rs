//! Rounds of a run, and which of them two cells have in common: their trials make pairs.

/// A round of a run: its trials ran next to each other, one of each cell.
pub(crate) type Round<'a> = (&'a str, u32);

/// The rounds that two cells both have: the place of the trial in each.
pub(crate) fn in_common(one: &[Round<'_>], other: &[Round<'_>]) -> Vec<(usize, usize)> {
    let place = |round| other.iter().position(|it| it == round);
    one.iter().enumerate().filter_map(|(own, round)| Some((own, place(round)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_cells_have_the_rounds_in_common_whose_trials_count_in_both() {
        let (one, other) = ([("a", 1), ("a", 2), ("b", 1)], [("a", 2), ("a", 3), ("b", 1)]);
        assert_eq!(in_common(&one, &other), [(1, 0), (2, 2)]);
        assert!(in_common(&one, &[]).is_empty());
    }
}
