//! Counts that may be published: none so small that it points at somebody, and no total to subtract from.
use std::collections::{BTreeMap, BTreeSet};

/// Smallest count that is shown.
pub const LEAST: u64 = 5;

/// Partitions of the same whole: for each, its cells by name, each with `N` counts.
pub type Partitions<const N: usize> = BTreeMap<String, BTreeMap<String, [u64; N]>>;

/// Which cells are withheld, by partition.
///
/// A cell is withheld as a whole when any of its counts is 1 to 4. Partitions of one whole tell about each other: a complete
/// one gives away the total, and the total gives away the one cell that is missing elsewhere. So once any cell is
/// withheld, the two smallest cells that are not empty are withheld in every partition, and no total may be shown. Bounds
/// can still be worked out.
pub fn withheld<const N: usize>(partitions: &Partitions<N>) -> BTreeMap<String, BTreeSet<String>> {
    let small = |counts: &[u64; N]| counts.iter().any(|count| (1..LEAST).contains(count));
    let mut hidden: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, cells) in partitions {
        let cells = cells.iter().filter(|(_, counts)| small(counts)).map(|(cell, _)| cell.clone());
        hidden.insert(name.clone(), cells.collect());
    }
    if hidden.values().all(BTreeSet::is_empty) {
        return hidden;
    }
    for (name, cells) in partitions {
        let occupied = cells.iter().filter(|(_, counts)| counts.iter().any(|count| *count > 0));
        let mut occupied: Vec<_> = occupied.collect();
        occupied.sort_by_key(|(_, counts)| **counts);
        let two = occupied.into_iter().take(2).map(|(cell, _)| cell.clone());
        hidden.entry(name.clone()).or_default().extend(two);
    }
    hidden
}
