//! Templates in memory: the fastest second tier, at four bytes per dimension.

use super::Tier;
use crate::index::IndexFault;

/// Templates in memory.
pub(in crate::index) struct MemoryTier {
    dimension: usize,
    values: Vec<f32>,
}

impl MemoryTier {
    /// Room for so many templates, which never moves.
    pub(in crate::index) fn new(slots: usize, dimension: usize) -> Self {
        Self { dimension, values: vec![0.0; slots * dimension] }
    }

    fn at(&self, slot: usize) -> std::ops::Range<usize> {
        slot * self.dimension..(slot + 1) * self.dimension
    }
}

impl Tier for MemoryTier {
    fn read<'a>(&'a self, slot: usize, _scratch: &'a mut [f32]) -> Result<&'a [f32], IndexFault> {
        Ok(&self.values[self.at(slot)])
    }

    fn write(&mut self, slot: usize, template: &[f32]) -> Result<(), IndexFault> {
        let at = self.at(slot);
        self.values[at].copy_from_slice(template);
        Ok(())
    }

    fn erase(&mut self, slot: usize) -> Result<(), IndexFault> {
        let at = self.at(slot);
        self.values[at].fill(0.0);
        Ok(())
    }
}

impl Drop for MemoryTier {
    /// Templates do not stay in freed memory. `black_box` keeps the compiler from leaving out stores that nobody
    /// reads.
    fn drop(&mut self) {
        self.values.fill(0.0);
        std::hint::black_box(&self.values);
    }
}
