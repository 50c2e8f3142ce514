//! The second tier: templates in full precision, read for the few rows that the first tier cannot rule out.

use crate::index::IndexFault;

mod memory;
mod sealed;

pub(super) use memory::MemoryTier;
pub(super) use sealed::{SealedFile, SealedTier};

/// Full-precision templates of one block, by slot. Writes to a block are serialised and exclude its reads.
pub(super) trait Tier: Send + Sync {
    /// The template that was last written to the slot, bit for bit: either in place or in `scratch`, which has
    /// room for exactly one.
    ///
    /// # Errors
    /// [`IndexFault::Engine`]; `scratch` then holds nothing of a template.
    fn read<'a>(&'a self, slot: usize, scratch: &'a mut [f32]) -> Result<&'a [f32], IndexFault>;

    /// Keeps the template. After an error the slot holds anything.
    ///
    /// # Errors
    /// [`IndexFault::Engine`].
    fn write(&mut self, slot: usize, template: &[f32]) -> Result<(), IndexFault>;

    /// Overwrites the template. Erasing an empty slot is no error.
    ///
    /// # Errors
    /// [`IndexFault::Engine`]; the template may then still be there.
    fn erase(&mut self, slot: usize) -> Result<(), IndexFault>;
}
