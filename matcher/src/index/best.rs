//! The best rows seen so far, one per subject.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use super::{Hit, SubjectKey};

/// Collects rows in any order and any number of times, and keeps the `limit` best subjects.
///
/// INVARIANT: `ranked` and `by_subject` hold the same subjects, at most `limit` of them. A subject that was
/// pushed out had a best row below the floor, and the floor only rises, so forgetting it loses nothing.
pub(super) struct Best {
    limit: usize,
    ranked: BTreeSet<Ranked>,
    by_subject: HashMap<SubjectKey, Ranked>,
}

impl Best {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, ranked: BTreeSet::new(), by_subject: HashMap::new() }
    }

    /// The similarity below which a row cannot enter any more; `None` while there is room for every subject.
    pub(super) fn floor(&self) -> Option<f64> {
        if self.ranked.len() < self.limit { None } else { self.ranked.last().map(|last| last.0.similarity) }
    }

    pub(super) fn offer(&mut self, hit: Hit) {
        let offered = Ranked(hit);
        match self.by_subject.get(&hit.subject) {
            Some(known) if *known <= offered => return,
            Some(known) => {
                self.ranked.remove(known);
            }
            None => {}
        }
        self.ranked.insert(offered);
        self.by_subject.insert(hit.subject, offered);
        if self.ranked.len() > self.limit
            && let Some(Ranked(last)) = self.ranked.pop_last()
        {
            self.by_subject.remove(&last.subject);
        }
    }

    /// Best first.
    pub(super) fn into_hits(self) -> Vec<Hit> {
        self.ranked.into_iter().map(|ranked| ranked.0).collect()
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
