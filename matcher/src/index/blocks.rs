//! Rows in blocks, each with a lock of its own: what the indexes of two tiers have in common.
//!
//! Rows never move. A write holds the lock of one block at a time, and only for a few rows; what is inserted is first
//! written where no search can see it, so that an insert happens as a whole or not at all. The slot of a removed row
//! is overwritten before `remove` returns, and given to a later row.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::geometry::Geometry;
use super::{IndexFault, IndexRow, RowKey, SubjectKey};

mod write;

/// Rows of a band, the unit in which blocks grow and are locked: one bit each in a `u64`.
pub(super) const BAND_ROWS: usize = 64;

/// A fixed piece of an index. Its methods that change it are called by one writer at a time.
pub(super) trait Block: Send + Sync {
    /// Slots, taken and free.
    fn capacity(&self) -> usize;

    /// The first `wanted` free slots, or as many as there are.
    fn vacancies(&self, wanted: usize) -> Result<Vec<usize>, IndexFault>;

    /// Puts templates into free slots without letting any search see them.
    fn stage(&self, incoming: &[Incoming<'_>]) -> Result<(), IndexFault>;

    /// Lets searches see what was staged: one moment for all of it.
    fn publish(&self, staged: &[Incoming<'_>]) -> Result<(), IndexFault>;

    /// Takes rows out, staged or published, and overwrites them.
    fn erase(&self, slots: &[usize]) -> Result<(), IndexFault>;

    /// Whether this row lies in this slot with this template, bit for bit.
    fn holds(&self, slot: usize, keys: (RowKey, SubjectKey), template: &[f32]) -> Result<bool, IndexFault>;
}

/// A row on its way in.
pub(super) struct Incoming<'a> {
    pub(super) slot: usize,
    pub(super) keys: (RowKey, SubjectKey),
    pub(super) values: &'a [f32],
}

/// How large blocks are made: the first of one band of 64 rows, each further one twice as large, so that a small pool
/// takes little memory.
#[derive(Clone, Copy)]
pub(super) struct Growth {
    pub(super) most_bands: usize,
}

impl Growth {
    /// Bands of the next block, after one of this capacity in rows.
    pub(super) fn bands_after(self, last: Option<usize>) -> usize {
        last.map_or(1, |rows| rows / BAND_ROWS * 2).min(self.most_bands)
    }
}

/// All blocks of an index, and which row lies where.
pub(super) struct Blocks<B> {
    /// Free slots of each block. Held for the whole of a write, and by `agrees`. INVARIANT: `blocks` and `places`
    /// are only changed by who holds it, and are held for moments.
    writer: Mutex<Vec<usize>>,
    blocks: RwLock<Arc<[Arc<B>]>>,
    places: RwLock<HashMap<RowKey, Place>>,
    /// An earlier failure left a template where none should be.
    broken: AtomicBool,
}

/// Where a row lies: small, since there is one per row.
#[derive(Clone, Copy)]
struct Place {
    block: u32,
    slot: u32,
}

impl Place {
    fn block(self) -> usize {
        self.block as usize
    }

    fn slot(self) -> usize {
        self.slot as usize
    }
}

impl<B: Block> Blocks<B> {
    pub(super) fn new() -> Self {
        Self {
            writer: Mutex::default(),
            blocks: RwLock::new(Arc::new([])),
            places: RwLock::default(),
            broken: AtomicBool::new(false),
        }
    }

    /// The blocks as they are now. A later write may add some; none is ever taken away.
    pub(super) fn all(&self) -> Arc<[Arc<B>]> {
        self.blocks.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn len(&self) -> usize {
        self.places().len()
    }

    pub(super) fn contains(&self, row: RowKey) -> bool {
        self.places().contains_key(&row)
    }

    /// Ascending.
    pub(super) fn rows(&self) -> Vec<RowKey> {
        let mut rows: Vec<RowKey> = self.places().keys().copied().collect();
        rows.sort_unstable();
        rows
    }

    /// See [`super::IndexRead::agrees`].
    pub(super) fn agrees(&self, geometry: &Geometry, expected: &IndexRow<'_>) -> Result<bool, IndexFault> {
        let template = geometry.template(expected.embedding)?;
        // A slot keeps its row only while nobody writes.
        let _writing = self.writing();
        self.refuse_if_broken()?;
        let Some(place) = self.places().get(&expected.row).copied() else { return Ok(false) };
        self.all()[place.block()].holds(place.slot(), (expected.row, expected.subject), &template.values)
    }

    pub(super) fn refuse_if_broken(&self) -> Result<(), IndexFault> {
        if self.broken.load(Ordering::Acquire) { Err(IndexFault::Inconsistent) } else { Ok(()) }
    }

    // None of these three locks is held across a call that can panic halfway through a change; a block, where a
    // panic could leave something half done, refuses instead.
    fn writing(&self) -> MutexGuard<'_, Vec<usize>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn places(&self) -> RwLockReadGuard<'_, HashMap<RowKey, Place>> {
        self.places.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn places_mut(&self) -> RwLockWriteGuard<'_, HashMap<RowKey, Place>> {
        self.places.write().unwrap_or_else(PoisonError::into_inner)
    }
}
