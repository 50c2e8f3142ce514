//! The best rows seen so far, one per subject.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use super::{Hit, SubjectKey};

/// Lists up to this long are kept in a plain vector: moving a few of its entries takes less time than finding a
/// place in a tree.
const SHORT: usize = 256;

/// Collects rows in any order and any number of times, and keeps the `limit` best subjects.
///
/// INVARIANT: a subject that was pushed out had a best row below the floor, and the floor only rises, so forgetting
/// it loses nothing.
pub(super) struct Best {
    limit: usize,
    kept: Kept,
}

/// INVARIANT: at most `limit` rows, no two of a subject.
enum Kept {
    /// Best first.
    Short(Vec<Ranked>),
    /// Both hold the same subjects.
    Long { ranked: BTreeSet<Ranked>, by_subject: HashMap<SubjectKey, Ranked> },
}

impl Best {
    pub(super) fn new(limit: usize) -> Self {
        let kept = if limit <= SHORT {
            Kept::Short(Vec::with_capacity(limit + 1))
        } else {
            Kept::Long { ranked: BTreeSet::new(), by_subject: HashMap::new() }
        };
        Self { limit, kept }
    }

    /// The similarity below which a row cannot enter any more; `None` while there is room for every subject.
    pub(super) fn floor(&self) -> Option<f64> {
        let (kept, last) = match &self.kept {
            Kept::Short(ranked) => (ranked.len(), ranked.last()),
            Kept::Long { ranked, .. } => (ranked.len(), ranked.last()),
        };
        if kept < self.limit { None } else { last.map(|last| last.0.similarity) }
    }

    pub(super) fn offer(&mut self, hit: Hit) {
        let offered = Ranked(hit);
        match &mut self.kept {
            Kept::Short(ranked) => offer_short(ranked, self.limit, offered),
            Kept::Long { ranked, by_subject } => offer_long(ranked, by_subject, self.limit, offered),
        }
    }

    /// Best first.
    pub(super) fn into_hits(self) -> Vec<Hit> {
        match self.kept {
            Kept::Short(ranked) => ranked.into_iter().map(|ranked| ranked.0).collect(),
            Kept::Long { ranked, .. } => ranked.into_iter().map(|ranked| ranked.0).collect(),
        }
    }
}

fn offer_short(ranked: &mut Vec<Ranked>, limit: usize, offered: Ranked) {
    // A list that is full, and ends with something better: nothing to do, whether the subject is in it or not.
    if ranked.len() >= limit && ranked.last().is_none_or(|last| *last <= offered) {
        return;
    }
    if let Some(known) = ranked.iter().position(|known| known.0.subject == offered.0.subject) {
        if ranked[known] <= offered {
            return;
        }
        ranked.remove(known);
    }
    let place = ranked.partition_point(|better| *better < offered);
    ranked.insert(place, offered);
    ranked.truncate(limit);
}

fn offer_long(
    ranked: &mut BTreeSet<Ranked>,
    by_subject: &mut HashMap<SubjectKey, Ranked>,
    limit: usize,
    offered: Ranked,
) {
    match by_subject.get(&offered.0.subject) {
        Some(known) if *known <= offered => return,
        Some(known) => {
            ranked.remove(known);
        }
        None => {}
    }
    ranked.insert(offered);
    by_subject.insert(offered.0.subject, offered);
    if ranked.len() > limit
        && let Some(Ranked(last)) = ranked.pop_last()
    {
        by_subject.remove(&last.subject);
    }
}

/// Orders hits as they are listed: larger similarity first, then smaller row key. Row keys are unique, so the
/// order is total and equality means the same row with the same similarity.
#[derive(Clone, Copy)]
pub(super) struct Ranked(pub(super) Hit);

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        // Adding zero makes -0 and 0 one number, as they are for every reader of the list.
        (other.0.similarity + 0.0).total_cmp(&(self.0.similarity + 0.0)).then(self.0.row.cmp(&other.0.row))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::index::RowKey;

    /// The definition: all rows sorted, the best of each subject, the first so many.
    fn by_definition(offered: &[Hit], limit: usize) -> Vec<Hit> {
        let mut sorted: Vec<Ranked> = offered.iter().copied().map(Ranked).collect();
        sorted.sort_unstable();
        let mut seen = std::collections::HashSet::new();
        sorted.retain(|ranked| seen.insert(ranked.0.subject));
        sorted.truncate(limit);
        sorted.into_iter().map(|ranked| ranked.0).collect()
    }

    #[test]
    fn lists_of_every_length_are_those_of_the_definition() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        for limit in [0, 1, 2, 7, SHORT, SHORT + 1, usize::MAX] {
            for subjects in [1, 3, 50, 600] {
                let offered: Vec<Hit> = (0..900)
                    .map(|_| {
                        let row = random.random_range(0..700);
                        // Few values, so that there are ties; a row is offered again as itself.
                        let similarity = f64::from(row as u32 * 7 % 40) / 8.0 - 2.0;
                        Hit { row: RowKey(row), subject: SubjectKey(row % subjects), similarity }
                    })
                    .collect();
                let mut best = Best::new(limit);
                for (count, hit) in offered.iter().enumerate() {
                    best.offer(*hit);
                    if count % 97 == 0 {
                        let list = by_definition(&offered[..=count], limit);
                        let floor = list.last().filter(|_| list.len() == limit).map(|last| last.similarity);
                        assert_eq!(best.floor(), floor, "limit {limit}, {subjects} subjects");
                    }
                }
                assert_eq!(best.into_hits(), by_definition(&offered, limit));
            }
        }
    }
}
