//! Which rows a search may return, besides being in the index.

use roaring::RoaringTreemap;

use crate::index::{RowKey, SubjectKey};

/// Rows to consider: a metadata filter, or a held-out set. Answers are as if the other rows were not in the index.
///
/// Row keys as compressed bitmaps: a set of a million keys takes a few hundred kilobytes, and is asked of the few
/// rows only that come near a list.
#[derive(Clone, Copy, Default)]
pub enum Filter<'a> {
    /// Every row.
    #[default]
    All,
    /// These rows only.
    Only(&'a RoaringTreemap),
    /// All but these rows: a held-out set.
    Except(&'a RoaringTreemap),
    /// Rows for which this holds. It may be asked more than once of a row; it must not change its mind, take long, or
    /// touch the index.
    Where(&'a (dyn Fn(RowKey, SubjectKey) -> bool + Sync)),
}

impl Filter<'_> {
    /// Whether the row is to be considered.
    #[must_use]
    pub fn admits(&self, row: RowKey, subject: SubjectKey) -> bool {
        match self {
            Self::All => true,
            Self::Only(rows) => rows.contains(row.0),
            Self::Except(rows) => !rows.contains(row.0),
            Self::Where(admits) => admits(row, subject),
        }
    }
}
