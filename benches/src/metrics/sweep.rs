//! At which thresholds a curve is tabulated: dense where false positives are rare, because that is where thresholds lie.

/// The largest scores that all get a row.
const EVERY: usize = 100;

/// Beyond those, ranks grow by this factor.
const GROWTH: f64 = 1.02;

/// Rows for quantiles of the mates' scores.
const QUANTILES: usize = 200;

/// Thresholds for a table, ascending and distinct: the `EVERY` largest non-mated scores, then the scores at ranks
/// that grow by `GROWTH`, quantiles of the mates' scores, and one just above everything non-mated.
///
/// Both lists ascending.
#[must_use]
pub fn thresholds(non_mated: &[f64], mates: &[f64]) -> Vec<f64> {
    let mut chosen = Vec::new();
    let count = non_mated.len();
    let mut rank = 1;
    while rank <= count {
        chosen.push(non_mated[count - rank]);
        rank = if rank < EVERY { rank + 1 } else { (rank as f64 * GROWTH).ceil() as usize };
    }
    chosen.extend(non_mated.first().copied());
    chosen.extend(non_mated.last().map(|largest| largest.next_up()));
    if let Some(last) = mates.len().checked_sub(1) {
        chosen.extend((0..=QUANTILES).map(|part| mates[last * part / QUANTILES]));
    }
    chosen.sort_unstable_by(f64::total_cmp);
    chosen.dedup();
    chosen
}
