//! A fixed piece of the index: up to some sixteen thousand rows, one lock.

use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use likeness_models::Metric;

use super::code::{Bits, Code};
use super::kernel::{Factors, Lanes};
use super::rotate::Rotation;
use crate::index::blocks::{self, BAND_ROWS, Incoming};
use crate::index::oracle::same_bits;
use crate::index::tier::Tier;
use crate::index::{IndexFault, RowKey, SubjectKey};

/// How templates of an index become codes.
pub(super) struct Coding {
    pub(super) rotation: Rotation,
    pub(super) metric: Metric,
    pub(super) bits: Bits,
}

impl Coding {
    /// Words of 64 bits of a plane.
    pub(super) fn words(&self) -> usize {
        self.rotation.padded() / 64
    }

    /// Memory of a band of codes.
    pub(super) fn band_bytes(&self) -> usize {
        BAND_ROWS * self.bits.count() * self.words() * size_of::<u64>() + size_of::<Factors>()
    }

    fn code(&self, values: &[f32]) -> Code {
        Code::new(&self.rotation.apply(values), self.metric, self.bits)
    }
}

/// A block.
pub(super) struct Block {
    coding: Arc<Coding>,
    capacity: usize,
    rows: RwLock<Rows>,
}

/// What the lock guards.
///
/// INVARIANT: a slot whose bit in `live` is set has its code in `codes` and `factors`, its template in `precise`, and
/// its keys in `keys`. A slot whose bit is not set is overwritten, or staged by the one writer.
pub(super) struct Rows {
    /// Words of a code.
    words: usize,
    codes: Vec<Lanes>,
    factors: Vec<Factors>,
    live: Vec<u64>,
    keys: Vec<(RowKey, SubjectKey)>,
    precise: Box<dyn Tier>,
}

/// 64 rows, as a search sees them.
pub(super) struct Band<'a> {
    /// Slot of the first row.
    pub(super) first: usize,
    pub(super) codes: &'a [Lanes],
    pub(super) factors: &'a Factors,
    /// A bit per row that is there.
    pub(super) live: u64,
}

impl Block {
    /// Room for `bands` times 64 rows, all of it reserved: nothing in a block ever moves.
    pub(super) fn new(coding: Arc<Coding>, bands: usize, precise: Box<dyn Tier>) -> Self {
        let words = coding.bits.count() * coding.words();
        let rows = Rows {
            words,
            codes: vec![Lanes::ZERO; bands * words],
            factors: vec![Factors::ZERO; bands],
            live: vec![0; bands],
            keys: vec![(RowKey(0), SubjectKey(0)); bands * BAND_ROWS],
            precise,
        };
        Self { coding, capacity: bands * BAND_ROWS, rows: RwLock::new(rows) }
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
        Ok((0..self.capacity).filter(|&slot| !rows.is_live(slot)).take(wanted).collect())
    }

    fn stage(&self, incoming: &[Incoming<'_>]) -> Result<(), IndexFault> {
        for incoming in incoming.chunks(BAND_ROWS) {
            let codes: Vec<Code> = incoming.iter().map(|row| self.coding.code(row.values)).collect();
            let mut rows = self.write()?;
            for (row, code) in incoming.iter().zip(&codes) {
                rows.fill(row, code)?;
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
        for slots in slots.chunks(BAND_ROWS) {
            let mut rows = self.write()?;
            for &slot in slots {
                rows.erase(slot)?;
            }
        }
        Ok(())
    }

    fn holds(&self, slot: usize, keys: (RowKey, SubjectKey), template: &[f32]) -> Result<bool, IndexFault> {
        let mut scratch = vec![0.0; template.len()];
        let rows = self.read()?;
        Ok(rows.is_live(slot)
            && rows.keys[slot] == keys
            && same_bits(rows.precise.read(slot, &mut scratch)?, template))
    }
}

impl Rows {
    /// The bands that hold anything.
    pub(super) fn bands(&self) -> impl Iterator<Item = Band<'_>> {
        let codes = self.codes.chunks_exact(self.words);
        let bands = codes.zip(&self.factors).zip(&self.live).enumerate();
        bands.filter(|(_, (_, live))| **live != 0).map(|(band, ((codes, factors), &live))| Band {
            first: band * BAND_ROWS,
            codes,
            factors,
            live,
        })
    }

    /// All slots, taken and free.
    pub(super) fn slots(&self) -> std::ops::Range<usize> {
        0..self.keys.len()
    }

    /// Whose row lies in a slot; `None` where none does, or none any more.
    pub(super) fn keys(&self, slot: usize) -> Option<(RowKey, SubjectKey)> {
        self.is_live(slot).then(|| self.keys[slot])
    }

    /// The template in a slot that holds one, in place or in `scratch`.
    pub(super) fn template<'a>(
        &'a self,
        slot: usize,
        scratch: &'a mut [f32],
    ) -> Result<&'a [f32], IndexFault> {
        self.precise.read(slot, scratch)
    }

    fn is_live(&self, slot: usize) -> bool {
        self.live[slot / BAND_ROWS] >> (slot % BAND_ROWS) & 1 == 1
    }

    /// Whether no slot holds any of a template.
    #[cfg(test)]
    pub(super) fn is_blank(&self, dimension: usize) -> bool {
        let blank = |slot: usize| {
            let mut scratch = vec![1.0; dimension];
            self.precise.read(slot, &mut scratch).is_ok_and(|values| values.iter().all(|value| *value == 0.0))
        };
        let factors = self.factors.iter().flat_map(|factors| factors.scale.iter().chain(&factors.norm));
        self.codes.iter().flat_map(|lanes| lanes.0).all(|word| word == 0)
            && factors.into_iter().all(|factor| factor.to_bits() == 0)
            && self.keys.iter().all(|keys| *keys == (RowKey(0), SubjectKey(0)))
            && (0..self.keys.len()).all(blank)
    }

    fn fill(&mut self, row: &Incoming<'_>, code: &Code) -> Result<(), IndexFault> {
        self.write_code(row.slot, &code.planes);
        self.factors[row.slot / BAND_ROWS].set(row.slot % BAND_ROWS, code.factor);
        self.keys[row.slot] = row.keys;
        self.precise.write(row.slot, row.values)
    }

    fn erase(&mut self, slot: usize) -> Result<(), IndexFault> {
        self.live[slot / BAND_ROWS] &= !(1 << (slot % BAND_ROWS));
        self.write_code(slot, &vec![0; self.words]);
        self.factors[slot / BAND_ROWS].set(slot % BAND_ROWS, super::code::Factor::default());
        self.keys[slot] = (RowKey(0), SubjectKey(0));
        self.precise.erase(slot)
    }

    fn write_code(&mut self, slot: usize, planes: &[u64]) {
        let band = &mut self.codes[slot / BAND_ROWS * self.words..][..self.words];
        for (lanes, word) in band.iter_mut().zip(planes) {
            lanes.0[slot % BAND_ROWS] = *word;
        }
    }
}

impl Drop for Rows {
    /// Codes do not stay in freed memory. `black_box` keeps the compiler from leaving out stores that nobody reads.
    fn drop(&mut self) {
        self.codes.fill(Lanes::ZERO);
        self.factors.fill(Factors::ZERO);
        std::hint::black_box((&self.codes, &self.factors));
    }
}
