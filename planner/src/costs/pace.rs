//! How fast the machine was in each round of a run, so that a slow minute does not look like an expensive load.
//!
//! A round has one trial of each cell, so what its costs have in common is the machine. Median polish (Tukey,
//! *Exploratory Data Analysis*, 1977, ch. 10) splits the table of log costs, a row a cell and a column a round, into
//! effects of rows and columns. No single trial can move these effects far.

use std::collections::BTreeMap;

/// How often rows and columns take turns: the effects converge long before.
const TURNS: usize = 10;

/// The factor of each round, around 1, by which a cost of that round is to be divided.
///
/// `rows` has the costs of each cell, by the number of the round; all above zero.
pub(crate) fn paces(rows: &[BTreeMap<u32, f64>]) -> BTreeMap<u32, f64> {
    let rows: Vec<BTreeMap<u32, f64>> =
        rows.iter().map(|row| row.iter().map(|(round, cost)| (*round, cost.ln())).collect()).collect();
    let mut rounds: BTreeMap<u32, f64> = rows.iter().flat_map(BTreeMap::keys).map(|round| (*round, 0.0)).collect();
    for _ in 0..TURNS {
        let cells: Vec<f64> =
            rows.iter().map(|row| median(row.iter().map(|(round, cost)| cost - rounds[round]))).collect();
        let effects = rounds.keys().map(|round| {
            let residuals = rows.iter().zip(&cells).filter_map(|(row, cell)| Some(row.get(round)? - cell));
            (*round, median(residuals))
        });
        rounds = effects.collect();
        let middle = median(rounds.values().copied());
        rounds.values_mut().for_each(|effect| *effect -= middle);
    }
    rounds.into_iter().map(|(round, effect)| (round, effect.exp())).collect()
}

/// The median; 0 of no values.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.as_slice() {
        [] => 0.0,
        sorted if sorted.len() % 2 == 1 => sorted[middle],
        sorted => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_round_did_to_all_is_found_and_what_it_did_to_one_is_not_taken_for_it() {
        let pace = [1.0, 1.3, 0.9];
        let mut rows: Vec<BTreeMap<u32, f64>> = [5.0, 80.0, 700.0, 12.0, 33.0]
            .iter()
            .map(|cost| (1..=3).zip(pace.map(|pace| cost * pace)).collect())
            .collect();
        // One trial went wrong.
        rows[1].insert(2, 80.0 * 10.0);
        let found = paces(&rows);
        for (round, expected) in (1..=3).zip(pace) {
            assert!((found[&round] / expected - 1.0).abs() < 1e-9, "{found:?}");
        }
    }

    #[test]
    fn a_table_with_holes_or_of_nothing_has_paces_too() {
        let rows = [BTreeMap::from([(1, 4.0), (2, 8.0)]), BTreeMap::from([(2, 2.0)])];
        let found = paces(&rows);
        assert!(found.values().all(|pace| pace.is_finite() && *pace > 0.0), "{found:?}");
        assert!(paces(&[]).is_empty());
    }
}
