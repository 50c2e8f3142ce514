//! The rows that look most like one probe, by their codes.

use std::cmp::Ordering;

use crate::index::{RowKey, SubjectKey};

/// Rows that a search leaves out, whoever's face they hold.
#[derive(Clone, Copy)]
pub(super) enum Without {
    Nothing,
    Row(RowKey),
    Subject(SubjectKey),
}

impl Without {
    pub(super) fn admits(self, row: RowKey, subject: SubjectKey) -> bool {
        match self {
            Self::Nothing => true,
            Self::Row(left_out) => row != left_out,
            Self::Subject(left_out) => subject != left_out,
        }
    }
}

/// A row that is to be compared in full precision.
#[derive(Clone, Copy)]
pub(super) struct Nominee {
    nearness: f32,
    row: RowKey,
    pub(super) block: u32,
    pub(super) slot: u32,
}

impl Nominee {
    /// The nearer first, of equally near ones the smaller key: which rows are kept does not depend on where they lie.
    fn order(&self, other: &Self) -> Ordering {
        (other.nearness + 0.0).total_cmp(&(self.nearness + 0.0)).then(self.row.cmp(&other.row))
    }
}

/// The `most` nearest rows of those noted, and now and then some more.
pub(super) struct Nominees {
    most: usize,
    without: Without,
    gate: f32,
    noted: Vec<Nominee>,
    dropped: bool,
}

impl Nominees {
    /// `most` is at least 1.
    pub(super) fn new(most: usize, without: Without) -> Self {
        Self { most, without, gate: f32::NEG_INFINITY, noted: Vec::new(), dropped: false }
    }

    /// What a row must be estimated at, or above, to be noted.
    pub(super) fn gate(&self) -> f32 {
        self.gate
    }

    pub(super) fn note(
        &mut self,
        nearness: f32,
        (row, subject): (RowKey, SubjectKey),
        block: u32,
        slot: u32,
    ) {
        if self.without.admits(row, subject) {
            self.noted.push(Nominee { nearness, row, block, slot });
            if self.noted.len() >= self.most.saturating_mul(2) {
                self.drop_the_rest();
            }
        }
    }

    fn drop_the_rest(&mut self) {
        if self.noted.len() > self.most {
            let (_, worst, _) = self.noted.select_nth_unstable_by(self.most - 1, Nominee::order);
            self.gate = worst.nearness;
            self.noted.truncate(self.most);
            self.dropped = true;
        }
    }

    /// Joins what was noted for the same probe in other blocks.
    pub(super) fn absorb(&mut self, other: Self) {
        self.dropped |= other.dropped;
        self.noted.extend(other.noted);
        self.drop_the_rest();
    }

    /// The nearest, in the order in which they lie in memory; and whether there were others.
    pub(super) fn into_nearest(mut self) -> (Vec<Nominee>, bool) {
        self.drop_the_rest();
        self.noted.sort_unstable_by_key(|nominee| (nominee.block, nominee.slot));
        (self.noted, self.dropped)
    }
}
