//! The second tier: templates in full precision, read for the few rows that the first tier cannot rule out.

use std::path::Path;
use std::sync::Arc;

use super::IndexFault;

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

/// Where the full-precision templates of an index lie.
pub(super) enum Precise {
    Memory,
    /// Those of the first so many rows in memory, the others in the file.
    Sealed {
        memory_rows: usize,
        file: Arc<SealedFile>,
    },
}

impl Precise {
    /// In a sealed file of this folder, all but those of about the first `memory_rows` rows.
    ///
    /// # Errors
    /// [`IndexFault::Engine`] when the folder takes no file.
    pub(super) fn sealed(folder: &Path, dimension: usize, memory_rows: usize) -> Result<Self, IndexFault> {
        Ok(Self::Sealed { memory_rows, file: Arc::new(SealedFile::create(folder, dimension)?) })
    }

    /// Room for a block of so many rows, which follows `before` others.
    pub(super) fn tier(&self, rows: usize, before: usize, dimension: usize) -> Box<dyn Tier> {
        match self {
            Self::Sealed { memory_rows, file } if before + rows > *memory_rows => {
                Box::new(SealedTier::new(file.clone(), rows))
            }
            Self::Memory | Self::Sealed { .. } => Box::new(MemoryTier::new(rows, dimension)),
        }
    }
}
