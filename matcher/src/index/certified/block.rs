//! A fixed piece of the index: a few thousand rows, one lock.

use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use likeness_models::Metric;

use super::kernel::Bands;
use super::layout::{
    BAND_ROWS, Form, Step, Weight, Weights, erase_halves, erase_row, lower, write_halves, write_row,
};
use super::quantise::Quantised;
use crate::index::blocks::{self, Incoming};
use crate::index::geometry::Geometry;
use crate::index::oracle::same_bits;
use crate::index::tier::Tier;
use crate::index::{IndexFault, RowKey, SubjectKey};

/// Rows written or erased under one hold of the lock: what a search may have to wait for, some 0.1 ms.
const ROWS_PER_HOLD: usize = BAND_ROWS;

/// A block.
pub(super) struct Block {
    capacity: usize,
    rows: RwLock<Rows>,
}

/// What the lock guards.
///
/// INVARIANT: a slot whose bit in `live` is set has its template in `bands` and `precise`, and its keys
/// in `keys`. A slot whose bit is not set is overwritten, or staged by the one writer.
pub(super) struct Rows {
    metric: Metric,
    form: Form,
    bands: Bands,
    live: Vec<u64>,
    keys: Vec<(RowKey, SubjectKey)>,
    precise: Box<dyn Tier>,
}

/// 64 rows, as a search sees them.
pub(super) struct Band<'a> {
    /// Slot of the first row.
    pub(super) first: usize,
    pub(super) codes: &'a [Step],
    pub(super) weights: &'a Weights,
    /// The lower halves, where codes are halved.
    pub(super) aside: &'a [Step],
    /// A bit per row that is there.
    pub(super) live: u64,
}

impl Block {
    /// Room for 64 rows a band, all of it reserved: nothing in a block ever moves.
    pub(super) fn new(geometry: &Geometry, form: Form, bands: Bands, precise: Box<dyn Tier>) -> Self {
        let count = bands.len();
        let rows = Rows {
            metric: geometry.metric,
            form,
            bands,
            live: vec![0; count],
            keys: vec![(RowKey(0), SubjectKey(0)); count * BAND_ROWS],
            precise,
        };
        Self { capacity: count * BAND_ROWS, rows: RwLock::new(rows) }
    }

    pub(super) fn read(&self) -> Result<RwLockReadGuard<'_, Rows>, IndexFault> {
        // A poisoned lock: some thread panicked in the middle of a change. The rows may be anything.
        self.rows.read().map_err(|_| IndexFault::Inconsistent)
    }

    fn write(&self) -> Result<RwLockWriteGuard<'_, Rows>, IndexFault> {
        self.rows.write().map_err(|_| IndexFault::Inconsistent)
    }
}

impl blocks::Block for Block {
    fn capacity(&self) -> usize {
        self.capacity
    }

    fn vacancies(&self, wanted: usize) -> Result<Vec<usize>, IndexFault> {
        let rows = self.read()?;
        let free = |slot: &usize| rows.live[slot / BAND_ROWS] >> (slot % BAND_ROWS) & 1 == 0;
        Ok((0..self.capacity).filter(free).take(wanted).collect())
    }

    fn stage(&self, incoming: &[Incoming<'_>]) -> Result<(), IndexFault> {
        for incoming in incoming.chunks(ROWS_PER_HOLD) {
            let metric = self.read()?.metric;
            let quantised: Vec<Quantised> =
                incoming.iter().map(|row| Quantised::new(row.values, metric)).collect();
            let mut rows = self.write()?;
            for (row, quantised) in incoming.iter().zip(&quantised) {
                rows.fill(row, quantised)?;
            }
        }
        Ok(())
    }

    fn publish(&self, staged: &[Incoming<'_>]) -> Result<(), IndexFault> {
        let mut rows = self.write()?;
        for row in staged {
            rows.live[row.slot / BAND_ROWS] |= 1 << (row.slot % BAND_ROWS);
        }
        Ok(())
    }

    fn erase(&self, slots: &[usize]) -> Result<(), IndexFault> {
        for slots in slots.chunks(ROWS_PER_HOLD) {
            let mut rows = self.write()?;
            for &slot in slots {
                rows.erase(slot)?;
            }
        }
        Ok(())
    }

    fn holds(&self, slot: usize, keys: (RowKey, SubjectKey), template: &[f32]) -> Result<bool, IndexFault> {
        let mut scratch = vec![0.0; template.len()];
        match self.read()?.row(slot, &mut scratch)? {
            Some((held, stored)) => Ok(held == keys && same_bits(stored, template)),
            None => Ok(false),
        }
    }
}

impl Rows {
    /// The bands that hold anything.
    pub(super) fn bands(&self) -> impl Iterator<Item = Band<'_>> {
        self.live.iter().enumerate().filter(|(_, live)| **live != 0).map(|(band, &live)| Band {
            first: band * BAND_ROWS,
            codes: self.bands.codes(band),
            weights: self.bands.weights(band),
            aside: self.bands.aside(band),
            live,
        })
    }

    pub(super) fn keys(&self, slot: usize) -> (RowKey, SubjectKey) {
        self.keys[slot]
    }

    /// The lower halves of a slot, where codes are halved.
    pub(super) fn lower(&self, slot: usize) -> &[Step] {
        lower(self.bands.aside(slot / BAND_ROWS), slot % BAND_ROWS)
    }

    /// Whether a slot holds a row.
    pub(super) fn is_live(&self, slot: usize) -> bool {
        self.live[slot / BAND_ROWS] >> (slot % BAND_ROWS) & 1 == 1
    }

    /// The row in a slot, unless it was removed.
    #[expect(clippy::type_complexity, reason = "keys and template of a row; a name would say no more")]
    pub(super) fn row<'a>(
        &'a self,
        slot: usize,
        scratch: &'a mut [f32],
    ) -> Result<Option<((RowKey, SubjectKey), &'a [f32])>, IndexFault> {
        if !self.is_live(slot) {
            return Ok(None);
        }
        Ok(Some((self.keys[slot], self.precise.read(slot, scratch)?)))
    }

    /// Whether no slot holds any of a template.
    #[cfg(test)]
    pub(super) fn is_blank(&self, dimension: usize) -> bool {
        let blank = |slot: usize| {
            let mut scratch = vec![1.0; dimension];
            self.precise.read(slot, &mut scratch).is_ok_and(|values| values.iter().all(|value| *value == 0.0))
        };
        let codes =
            (0..self.live.len()).flat_map(|band| self.bands.codes(band).iter().chain(self.bands.aside(band)));
        codes.flat_map(|step| step.0).all(|code| code == 0) && (0..self.keys.len()).all(blank)
    }

    fn fill(&mut self, row: &Incoming<'_>, quantised: &Quantised) -> Result<(), IndexFault> {
        let (band, place) = (row.slot / BAND_ROWS, row.slot % BAND_ROWS);
        let weight = match self.form {
            Form::Whole => {
                write_row(self.bands.codes_mut(band), place, &quantised.codes);
                Weight::of(quantised)
            }
            Form::Halved => {
                let (upper, lower) = self.bands.halves_mut(band);
                write_halves(upper, lower, place, &quantised.codes);
                Weight::of_halves(quantised)
            }
        };
        self.bands.weights_mut(band).set(place, weight);
        self.keys[row.slot] = row.keys;
        self.precise.write(row.slot, row.values)
    }

    fn erase(&mut self, slot: usize) -> Result<(), IndexFault> {
        let (band, place) = (slot / BAND_ROWS, slot % BAND_ROWS);
        self.live[band] &= !(1 << place);
        match self.form {
            Form::Whole => erase_row(self.bands.codes_mut(band), place),
            Form::Halved => {
                let (upper, lower) = self.bands.halves_mut(band);
                erase_halves(upper, lower, place);
            }
        }
        let vacant = Weight::vacant(self.metric);
        self.bands.weights_mut(band).set(place, vacant);
        self.keys[slot] = (RowKey(0), SubjectKey(0));
        self.precise.erase(slot)
    }
}
