//! A fixed piece of the index: so many rows, one FAISS flat index, one lock.

use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use faiss::Index as _;
use faiss::selector::IdSelector;

use super::scan::{Batch, engine_metric};
use crate::index::best::Best;
use crate::index::geometry::{Geometry, Template};
use crate::index::oracle::same_bits;
use crate::index::{IndexFault, IndexRow, RowKey, SubjectKey};

/// A segment. Its methods that change it are called by one writer at a time.
pub(super) struct Segment {
    capacity: usize,
    dimension: usize,
    rows: RwLock<Rows>,
}

/// What the lock guards.
///
/// INVARIANT: unless `broken`, the engine holds the templates of `keys`, in order, and after them those that are
/// staged. `longest` is at least the length of each.
pub(super) struct Rows {
    engine: faiss::FlatIndex,
    keys: Vec<(RowKey, SubjectKey)>,
    dimension: usize,
    longest: f64,
    broken: bool,
}

impl Segment {
    /// Reserves the memory for `capacity` rows, so that the engine never moves templates to a larger place and
    /// leaves copies of them behind.
    pub(super) fn new(geometry: &Geometry, capacity: usize) -> Result<Self, IndexFault> {
        let dimension = geometry.dimension;
        // INVARIANT: at most MOST_DIMENSIONS, which Geometry checked.
        let engine_dimension =
            u32::try_from(dimension).map_err(|_| IndexFault::UnusableDimension { dimension })?;
        let mut engine =
            faiss::FlatIndex::new(engine_dimension, engine_metric(geometry.metric)).map_err(engine_fault)?;
        engine.add(&vec![0.0; capacity * dimension]).map_err(engine_fault)?;
        engine.reset().map_err(engine_fault)?;
        let keys = Vec::with_capacity(capacity);
        let rows = RwLock::new(Rows { engine, keys, dimension, longest: 0.0, broken: false });
        Ok(Self { capacity, dimension, rows })
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Rows that still fit.
    pub(super) fn room(&self) -> Result<usize, IndexFault> {
        Ok(self.capacity - self.read()?.keys.len())
    }

    /// Puts templates into the engine without letting any search see them.
    pub(super) fn stage(&self, templates: &[Template<'_>]) -> Result<(), IndexFault> {
        let mut values = Vec::with_capacity(templates.len() * self.dimension);
        for template in templates {
            values.extend_from_slice(&template.values);
        }
        let longest = templates.iter().map(|template| template.length).fold(0.0, f64::max);
        let mut rows = self.write()?;
        rows.longest = rows.longest.max(longest);
        rows.engine.add(&values).map_err(engine_fault)
    }

    /// Lets searches see what was staged, under these keys. Returns the position of the first.
    pub(super) fn publish(&self, staged: &[IndexRow<'_>]) -> Result<usize, IndexFault> {
        let mut rows = self.write()?;
        let first = rows.keys.len();
        rows.keys.extend(staged.iter().map(|row| (row.row, row.subject)));
        Ok(first)
    }

    /// Takes back what was staged.
    pub(super) fn unstage(&self) -> Result<(), IndexFault> {
        let mut rows = self.write()?;
        let published = rows.keys.len();
        rows.change(|rows| rows.drop_after(published))
    }

    /// Removes the rows at these positions, overwrites their memory, and returns the new positions of the rows
    /// that moved to close the gaps.
    pub(super) fn remove(&self, positions: Vec<usize>) -> Result<Vec<(RowKey, usize)>, IndexFault> {
        let mut rows = self.write()?;
        let first = positions.iter().copied().min().unwrap_or(usize::MAX);
        rows.change(|rows| rows.close_gaps(&positions))?;
        Ok(rows.keys.iter().enumerate().skip(first).map(|(position, key)| (key.0, position)).collect())
    }

    /// Whether this row lies at this position with this template.
    pub(super) fn holds(
        &self,
        position: usize,
        key: (RowKey, SubjectKey),
        template: &[f32],
    ) -> Result<bool, IndexFault> {
        let rows = self.read()?;
        let held = rows.row(position as u64);
        Ok(held.is_some_and(|(row, subject, stored)| (row, subject) == key && same_bits(stored, template)))
    }

    pub(super) fn scan(&self, batch: &mut Batch<'_>, best: &mut [Best]) -> Result<(), IndexFault> {
        batch.scan(&*self.read()?, best)
    }

    fn read(&self) -> Result<RwLockReadGuard<'_, Rows>, IndexFault> {
        // A poisoned lock: some thread panicked in the middle of a change. The rows may be anything.
        let rows = self.rows.read().map_err(|_| IndexFault::Inconsistent)?;
        if rows.broken { Err(IndexFault::Inconsistent) } else { Ok(rows) }
    }

    fn write(&self) -> Result<RwLockWriteGuard<'_, Rows>, IndexFault> {
        let rows = self.rows.write().map_err(|_| IndexFault::Inconsistent)?;
        if rows.broken { Err(IndexFault::Inconsistent) } else { Ok(rows) }
    }
}

impl Rows {
    pub(super) fn engine(&self) -> &faiss::FlatIndex {
        &self.engine
    }

    /// Rows in the engine, staged ones included.
    pub(super) fn held(&self) -> usize {
        usize::try_from(self.engine.ntotal()).unwrap_or(usize::MAX)
    }

    pub(super) fn longest(&self) -> f64 {
        self.longest
    }

    /// The published row at a position of the engine.
    pub(super) fn row(&self, position: u64) -> Option<(RowKey, SubjectKey, &[f32])> {
        let position = usize::try_from(position).ok()?;
        let &(row, subject) = self.keys.get(position)?;
        // There is a key, so the engine is not empty: its memory may be borrowed (an empty one has none).
        let stored = self.engine.xb().get(position * self.dimension..(position + 1) * self.dimension)?;
        Some((row, subject, stored))
    }

    /// Runs a change that must be finished once begun: while it runs, and if it fails, the segment is broken.
    fn change(&mut self, change: impl FnOnce(&mut Self) -> Result<(), IndexFault>) -> Result<(), IndexFault> {
        self.broken = true;
        change(self)?;
        self.broken = false;
        Ok(())
    }

    fn close_gaps(&mut self, positions: &[usize]) -> Result<(), IndexFault> {
        let held = self.held();
        let mut keep = vec![true; self.keys.len()];
        for &position in positions {
            keep[position] = false;
        }
        let doomed: Vec<faiss::Idx> =
            positions.iter().map(|&position| faiss::Idx::new(position as u64)).collect();
        let selector = IdSelector::batch(&doomed).map_err(engine_fault)?;
        // INVARIANT: both `remove_ids` of a flat index and `retain` keep the order of what stays.
        let removed = self.engine.remove_ids(&selector).map_err(engine_fault)?;
        let mut position = 0;
        self.keys.retain(|_| {
            position += 1;
            keep[position - 1]
        });
        if removed != doomed.len() || self.held() != self.keys.len() {
            return Err(IndexFault::Inconsistent);
        }
        self.overwrite_after(self.keys.len(), held)
    }

    fn drop_after(&mut self, keep: usize) -> Result<(), IndexFault> {
        let held = self.held();
        if held > keep {
            let range = IdSelector::range(faiss::Idx::new(keep as u64), faiss::Idx::new(held as u64));
            self.engine.remove_ids(&range.map_err(engine_fault)?).map_err(engine_fault)?;
        }
        self.overwrite_after(keep, held)
    }

    /// The engine shortens its array without clearing the end. Adding zeros there and shortening it again does.
    fn overwrite_after(&mut self, keep: usize, held: usize) -> Result<(), IndexFault> {
        if held > keep {
            self.engine.add(&vec![0.0; (held - keep) * self.dimension]).map_err(engine_fault)?;
            let range = IdSelector::range(faiss::Idx::new(keep as u64), faiss::Idx::new(held as u64));
            self.engine.remove_ids(&range.map_err(engine_fault)?).map_err(engine_fault)?;
        }
        if self.held() == keep { Ok(()) } else { Err(IndexFault::Inconsistent) }
    }
}

impl Drop for Rows {
    /// Templates do not stay in freed memory. An engine that fails here has nothing left to tell anyone.
    fn drop(&mut self) {
        let _ = self.drop_after(0);
    }
}

pub(super) fn engine_fault(error: faiss::error::Error) -> IndexFault {
    IndexFault::Engine { message: error.to_string() }
}
