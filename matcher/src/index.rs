//! Index: an embedding becomes a ranked list of subjects.
//!
//! An index is a *cache* of the enrolled templates of one pool: it can be rebuilt from the record store at any
//! time, and [`IndexRead::rows`] and [`IndexRead::agrees`] are how the owner of the truth checks that it still
//! tells the same story.
//!
//! | implementation | for |
//! |---|---|
//! | [`CertifiedIndex`] | the default: int8 codes are scanned, what they cannot rule out is compared in full precision; certified exact |
//! | [`CompressedIndex`] | pools larger than memory, named one by one: a few bits per dimension are scanned, the most promising rows are compared in full precision; *approximate*, with its measured recall |
//! | [`FlatIndex`] | FAISS, in memory, exact: the baseline to measure against, and an independent second opinion |
//! | [`OracleIndex`] | the definition of the right answer, row by row; for tests and for checking other kinds |
//!
//! Every implementation passes the same suite (`index/conformance.rs`), and every answer is *identical* to the
//! oracle's: same subjects, same rows, same order, same bits of similarity. The one exception says so itself:
//! [`IndexRead::exactness`] of the compressed index is [`Exactness::Approximate`].

use std::sync::atomic::AtomicBool;
use std::time::{Instant, SystemTime};

use likeness_models::{Metric, SpaceId};
use thiserror::Error;

use crate::embed::Embedding;

mod best;
mod blocks;
pub mod certified;
pub mod compressed;
mod flat;
mod geometry;
mod oracle;
mod score;
mod tier;

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod tests;

pub use certified::CertifiedIndex;
pub use compressed::{CompressedIndex, Recall, Share};
pub use flat::FlatIndex;
pub use oracle::OracleIndex;

/// A row of the record store: one enrolled image. Ties in similarity are broken by it, smaller first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey(pub u64);

/// A subject of the pool, as a number of the record store. It means nothing outside the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectKey(pub u64);

/// One template to index: the row that holds it, whose it is, and the template.
#[derive(Clone, Copy, Debug)]
pub struct IndexRow<'a> {
    /// Where the record store keeps it.
    pub row: RowKey,
    /// Whose face it is said to be. A subject may have any number of rows.
    pub subject: SubjectKey,
    /// The template, of the index's space.
    pub embedding: &'a Embedding,
}

/// A subject in a ranked list, with the row that put it there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// The subject's row that is most alike; of several equally alike, the smallest key.
    pub row: RowKey,
    /// The subject.
    pub subject: SubjectKey,
    /// 1 is identical, larger is more alike; not a probability. Computed in `f64` from the stored template by
    /// [`crate::embed::similarity`], so that search and 1:1 comparison give the same number.
    pub similarity: f64,
}

/// What an index promises of its lists.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Exactness {
    /// Every row was compared in full precision.
    Exact,
    /// As if every row had been: rows were left out only where a bound proves that they are not in the list.
    Certified,
    /// Rows were left out on an estimate: a list may miss some that belong in it. What it shows is right: each
    /// similarity is exact, and the order is that of the similarities.
    Approximate {
        /// What was measured on this index; `None` when nothing was yet, or too much changed since.
        recall: Option<Recall>,
    },
}

/// Why the index did not do what was asked. Nothing was changed unless a variant says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IndexFault {
    /// The time allowed for a search was used up. Searching again, with more time, is safe.
    #[error("the search did not finish in the time allowed; allow more time, or search fewer pools at once")]
    DeadlineExceeded,
    /// The embedding has another length than the index. A fault of the caller's wiring.
    #[error(
        "an embedding has {found} values where the index holds {expected}; use the model pack of the pool"
    )]
    Dimension {
        /// What the index holds.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// A row key is in the index already, or twice in one call. A fault of the caller: remove it first.
    #[error("row `{}` is already in the index; remove it before inserting it again", row.0)]
    Duplicate {
        /// The first such row.
        row: RowKey,
    },
    /// The engine under the index failed, most likely for want of memory.
    #[error("the index engine failed: {message}; free memory or rebuild the index")]
    Engine {
        /// The engine's own words. Never contains a template.
        message: String,
    },
    /// The embedding belongs to another model pack.
    #[error(
        "an embedding of space `{found}` was given to an index of space `{expected}`; embed with the model pack of the pool"
    )]
    ForeignSpace {
        /// The index's space.
        expected: SpaceId,
        /// The embedding's space.
        found: SpaceId,
    },
    /// An earlier failure left the index in an unknown state: it answers nothing any more. Rebuild it from the
    /// record store.
    #[error("the index is inconsistent after an earlier failure; rebuild it from the record store")]
    Inconsistent,
    /// The embedding cannot be compared: a value that is not finite, a zero vector under the cosine metric, or
    /// a length above [`LONGEST`], which no model makes.
    #[error("an embedding cannot be compared: its length is {}; embed the image again", length.shown())]
    Unusable {
        /// What is the matter with it.
        length: UnusableLength,
    },
    /// An index of this dimension cannot be made.
    #[error("an index cannot have dimension {dimension}; dimensions are 1 to {MOST_DIMENSIONS}")]
    UnusableDimension {
        /// What was asked for.
        dimension: usize,
    },
}

/// What is the matter with the Euclidean length of an [`IndexFault::Unusable`] embedding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnusableLength {
    /// Some value is infinite or not a number.
    NotFinite,
    /// Longer than [`LONGEST`].
    TooLong,
    /// Zero, and the metric is cosine.
    Zero,
}

impl UnusableLength {
    const fn shown(self) -> &'static str {
        match self {
            Self::NotFinite => "not finite",
            Self::TooLong => "too large to compare",
            Self::Zero => "zero, which has no direction",
        }
    }
}

/// Longest embedding (Euclidean length) that is indexed: beyond it, squared distances leave `f32`.
pub const LONGEST: f64 = 1e15;

/// Largest dimension of an index. No face model comes near.
pub const MOST_DIMENSIONS: usize = 65_536;

/// Reading an index. All methods may be called from any number of threads; reads do not block each other.
///
/// **Reads beside writes.** A search that starts after a write has returned sees all of it. A search that
/// overlaps a write is exact for some set of rows between before and after: rows present throughout are all
/// considered, rows absent throughout (those of a failed insert included) are never returned, and of the rows
/// being written each is either considered or not.
pub trait IndexRead: Send + Sync {
    /// The one space whose embeddings this index takes.
    fn space(&self) -> SpaceId;

    /// Values per embedding.
    fn dimension(&self) -> usize;

    /// How similarity is computed.
    fn metric(&self) -> Metric;

    /// Number of rows.
    fn len(&self) -> usize;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the row is in the index.
    fn contains(&self, row: RowKey) -> bool;

    /// Every row key, ascending. For the check against the record store; not for searching.
    fn rows(&self) -> Vec<RowKey>;

    /// Whether the index holds exactly this row: same key, same subject, and bit for bit the template that
    /// inserting it would have stored. `false` when the row is absent. May wait for a running write.
    ///
    /// # Errors
    /// [`IndexFault::ForeignSpace`], [`IndexFault::Dimension`] or [`IndexFault::Unusable`] when the given
    /// embedding could not have been inserted, [`IndexFault::Inconsistent`].
    fn agrees(&self, expected: &IndexRow<'_>) -> Result<bool, IndexFault>;

    /// What lists of this index promise, now.
    fn exactness(&self) -> Exactness;

    /// Whether [`Self::measure`] should be called: never, unless answers are approximate.
    fn measure_due(&self) -> bool {
        false
    }

    /// Measures what [`Exactness::Approximate`] tells of later answers, as of the time `at`; nothing where answers
    /// are exact. Takes long: see the implementation. Holds up no search. Ends early, having measured nothing, soon
    /// after `cancelled` is set.
    ///
    /// # Errors
    /// [`IndexFault::Engine`], [`IndexFault::Inconsistent`]. What was measured before is forgotten then.
    fn measure(&self, at: SystemTime, cancelled: &AtomicBool) -> Result<(), IndexFault> {
        let _ = (at, cancelled);
        Ok(())
    }

    /// For each probe, the `limit` subjects most like it, each with its best row; all of them when there are
    /// fewer. One list per probe, in the order of the probes.
    ///
    /// No row outside a list is more alike than the list's last, unless [`Self::exactness`] says otherwise. Ordered by similarity, larger first;
    /// equal similarities by row key, smaller first. The same rows give the same answer bit for bit, whatever
    /// the order of insertion, the number of probes in the call or the load on the machine.
    ///
    /// Several probes in one call share the pass over memory. Runs on the calling thread (an engine may use
    /// more for large batches: see the implementation) and blocks it: do not call it on an async worker.
    /// `deadline` is looked at before the first and between blocks of work, whose size the implementation states.
    ///
    /// # Errors
    /// [`IndexFault::ForeignSpace`], [`IndexFault::Dimension`] or [`IndexFault::Unusable`] for the first probe
    /// that cannot be compared, [`IndexFault::DeadlineExceeded`], [`IndexFault::Engine`],
    /// [`IndexFault::Inconsistent`]. There is never a partial list.
    fn search_batch(
        &self,
        probes: &[&Embedding],
        limit: usize,
        deadline: Option<Instant>,
    ) -> Result<Vec<Vec<Hit>>, IndexFault>;

    /// [`Self::search_batch`] with one probe and no deadline.
    ///
    /// # Errors
    /// As [`Self::search_batch`].
    fn search(&self, probe: &Embedding, limit: usize) -> Result<Vec<Hit>, IndexFault> {
        Ok(self.search_batch(&[probe], limit, None)?.pop().unwrap_or_default())
    }
}

/// Changing an index. Writers take turns; each call holds up searches only for a short, bounded time (stated by
/// the implementation), however large the call is.
///
/// Nothing is durable: the record store is the truth, and what a dropped index knew is gone.
pub trait IndexWrite: IndexRead {
    /// Adds the rows: all of them, or on any error none. Once it returns, every later search considers them.
    ///
    /// # Errors
    /// [`IndexFault::ForeignSpace`], [`IndexFault::Dimension`], [`IndexFault::Unusable`] or
    /// [`IndexFault::Duplicate`] for the first offending row, [`IndexFault::Engine`],
    /// [`IndexFault::Inconsistent`].
    fn insert(&self, rows: &[IndexRow<'_>]) -> Result<(), IndexFault>;

    /// Removes the rows and says how many of them were there; keys that are not there, or named twice, are no
    /// error. Once it returns, no later search returns them, and the memory that held their templates has been
    /// overwritten.
    ///
    /// # Errors
    /// [`IndexFault::Inconsistent`] or [`IndexFault::Engine`]; the index may then have lost rows, answers no
    /// more searches, and must be rebuilt.
    fn remove(&self, rows: &[RowKey]) -> Result<usize, IndexFault>;
}
