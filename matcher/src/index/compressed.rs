//! An index for pools that are larger than memory even at a byte per dimension: *approximate*, and it says so.
//!
//! A search reads a code of one, two or four bits per dimension of every row, and compares the rows that look most
//! promising by their codes, a thousand of them, in full precision. So each similarity that it shows is exact, and the
//! list is in the right order; but a row whose code misleads is not looked at, and is missing from the list. How often
//! that happens is *measured* on the index's own rows ([`IndexRead::measure`]) and told with every answer. Use
//! [`super::CertifiedIndex`] where memory allows: it misses nothing.
//!
//! # The estimate
//!
//! After RaBitQ (Gao and Long, *RaBitQ: quantizing high-dimensional vectors with a theoretical error bound for
//! approximate nearest neighbor search*, SIGMOD 2024, arXiv 2405.12497; for more than one bit, Gao et al., arXiv
//! 2409.09913). A template is rotated (`rotate.rs`; lengths and inner products stay what they are), and each coordinate
//! of the rotated `x` is replaced by the nearest of `2^bits` levels, the odd numbers `-(2^bits - 1)` to `2^bits - 1` in
//! units of a step that is chosen per row: together, `v`. With one bit, `v` holds the signs. For a rotated probe `p`
//!
//! > `<x, p> ~ <v, p> |x|^2 / <v, x>`
//!
//! Splitting `v` into its part along `x` and its part across it shows what this is worth: the part along `x` gives
//! `<x, p>` exactly, and the part across it meets `p` in a direction that the rotation made as good as random. So the
//! estimate is unbiased over rotations, and off by about
//!
//! > `|x| |p'| tan(a) / sqrt(n)`
//!
//! where `a` is the angle between `x` and `v` (`tan(a)` is about 0.75, 0.37 and 0.10 for 1, 2 and 4 bits), `p'` the
//! part of `p` across `x`, and `n` the number of coordinates. The factor `|x|^2 / <v, x>` is kept per row, and `|x|^2`
//! too for the Euclidean metric, whose squared distance is `|x|^2 + |p|^2 - 2 <x, p>`; for cosine, `x` stands for the
//! template divided by its length. The probe is rounded to whole numbers of four to six bits, so that `<v, p>` is a sum
//! of `and` and counts of bits, 64 coordinates at a time (`kernel.rs`).
//!
//! Codes are not centred on a mean of the templates, as RaBitQ suggests: a mean is a copy of what must be erasable.
//! Templates that lie far from the origin pay for it with a larger `|p'|`; more bits make up for that.
//!
//! # What it does not promise
//!
//! - That a list is complete. Rows are missing most where many are about equally alike, which is the list of a person
//!   who is *not* enrolled. That is why recall is measured for such probes apart.
//! - That the measured recall holds for a probe unlike the enrolled images, or for rows that somebody made so that their
//!   codes mislead: the rotation is no secret.
//! - Speed. What it saves is memory. Rows that are compared are read for each probe apart, and unsealed where they lie on
//!   disk, so that batches gain little; `likeness-bench approximate` tells where the certified index is faster.
//!
//! When no more than the number of rows that are compared ([`CompressedIndex::with_rescored`]) are in the index, all
//! are, and nothing is missing. A list is shorter than asked for only when there are no more subjects.
//!
//! # Beside writes
//!
//! As the certified index: rows lie in blocks of at most 2 MiB of codes with a lock each, a write holds one lock at a
//! time, for 64 rows at a time, and what is removed is overwritten in both tiers before `remove` returns.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Instant, SystemTime};

use likeness_models::{Metric, SpaceId};

use super::blocks::{BAND_ROWS, Block as _, Blocks, Growth};
use super::geometry::{Geometry, Template};
use super::tier::Precise;
use super::{Exactness, Hit, IndexFault, IndexRead, IndexRow, IndexWrite, RowKey};
use crate::embed::Embedding;

mod ask;
mod block;
mod code;
mod kernel;
mod nominees;
mod recall;
mod rotate;

#[cfg(test)]
mod tests;

use block::{Block, Coding};
pub use code::Bits;
use nominees::Without;
use recall::Measured;
pub use recall::{Recall, Share};
use rotate::Rotation;

/// Rows compared in full precision for each place of a list, at least.
const PER_PLACE: usize = 5;

/// Rows compared in full precision per probe, unless [`CompressedIndex::with_rescored`] says otherwise.
const RESCORED: NonZeroUsize = NonZeroUsize::new(1000).unwrap();

/// Most memory of the codes of a block, unless 64 rows take more.
const BLOCK_BYTES: usize = 2 << 20;

/// Most bands of a block, whatever the dimension.
const MOST_BANDS: usize = 256;

/// Approximate index of one pool. See the module documentation for what it estimates, and what it does not promise.
///
/// Memory per row: the code, which is the dimension, rounded up to a power of two, times the bits, and about 60 bytes;
/// and 4 bytes per dimension for the full-precision templates, which [`CompressedIndex::with_sealed_tier`] keeps on
/// disk.
pub struct CompressedIndex {
    geometry: Geometry,
    coding: Arc<Coding>,
    threads: NonZeroUsize,
    rescored: NonZeroUsize,
    growth: Growth,
    precise: Precise,
    blocks: Blocks<Block>,
    measured: Measured,
}

impl CompressedIndex {
    /// An empty index with so many bits per dimension, searched on the calling thread alone.
    ///
    /// # Errors
    /// [`IndexFault::UnusableDimension`].
    pub fn new(space: SpaceId, dimension: usize, metric: Metric, bits: Bits) -> Result<Self, IndexFault> {
        let geometry = Geometry::new(space, dimension, metric)?;
        let coding = Coding { rotation: Rotation::new(dimension), metric, bits };
        let growth = Growth { most_bands: (BLOCK_BYTES / coding.band_bytes()).clamp(1, MOST_BANDS) };
        Ok(Self::made_of(geometry, coding, growth))
    }

    /// Blocks of one band, so that tests meet their edges, and all but the first rows on disk.
    #[cfg(test)]
    pub(super) fn in_small_blocks(
        space: SpaceId,
        dimension: usize,
        metric: Metric,
    ) -> Result<Self, IndexFault> {
        let geometry = Geometry::new(space, dimension, metric)?;
        let coding = Coding { rotation: Rotation::new(dimension), metric, bits: Bits::One };
        Self::made_of(geometry, coding, Growth { most_bands: 1 }).with_sealed_tier(&std::env::temp_dir(), 64)
    }

    fn made_of(geometry: Geometry, coding: Coding, growth: Growth) -> Self {
        Self {
            geometry,
            coding: Arc::new(coding),
            threads: NonZeroUsize::MIN,
            rescored: RESCORED,
            growth,
            precise: Precise::Memory,
            blocks: Blocks::new(),
            measured: Measured::default(),
        }
    }

    /// Lets each search use up to so many threads, the calling one included.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }

    /// Compares at least so many rows per probe in full precision; 5 per place of the list if that is more.
    #[must_use]
    pub fn with_rescored(mut self, rows: NonZeroUsize) -> Self {
        self.rescored = rows;
        self
    }

    /// Keeps full-precision templates on disk, sealed: see [`super::CertifiedIndex::with_sealed_tier`].
    ///
    /// # Errors
    /// [`IndexFault::Engine`] when the folder takes no file.
    pub fn with_sealed_tier(mut self, folder: &Path, memory_rows: usize) -> Result<Self, IndexFault> {
        self.precise = Precise::sealed(folder, self.geometry.dimension, memory_rows)?;
        Ok(self)
    }

    /// The block that follows `last`, and `before` slots in all.
    fn new_block(&self, last: Option<&Block>, before: usize) -> Block {
        let bands = self.growth.bands_after(last.map(|last| last.capacity()));
        let precise = self.precise.tier(bands * BAND_ROWS, before, self.geometry.dimension);
        Block::new(self.coding.clone(), bands, precise)
    }
}

impl IndexRead for CompressedIndex {
    fn space(&self) -> SpaceId {
        self.geometry.space
    }

    fn dimension(&self) -> usize {
        self.geometry.dimension
    }

    fn metric(&self) -> Metric {
        self.geometry.metric
    }

    fn len(&self) -> usize {
        self.blocks.len()
    }

    fn contains(&self, row: RowKey) -> bool {
        self.blocks.contains(row)
    }

    fn rows(&self) -> Vec<RowKey> {
        self.blocks.rows()
    }

    fn agrees(&self, expected: &IndexRow<'_>) -> Result<bool, IndexFault> {
        self.blocks.agrees(&self.geometry, expected)
    }

    fn exactness(&self) -> Exactness {
        Exactness::Approximate { recall: self.measured.recall() }
    }

    fn measure_due(&self) -> bool {
        !self.is_empty() && self.measured.recall().is_none()
    }

    fn measure(&self, at: SystemTime, cancelled: &AtomicBool) -> Result<(), IndexFault> {
        self.measure_recall(at, cancelled)
    }

    fn search_batch(
        &self,
        probes: &[&Embedding],
        limit: usize,
        deadline: Option<Instant>,
    ) -> Result<Vec<Vec<Hit>>, IndexFault> {
        let templates: Vec<Template<'_>> =
            probes.iter().map(|probe| self.geometry.template(probe)).collect::<Result<_, _>>()?;
        let asked: Vec<_> = templates.iter().map(|template| self.asked(template, Without::Nothing)).collect();
        self.ask(&asked, limit, deadline)
    }
}

impl IndexWrite for CompressedIndex {
    fn insert(&self, rows: &[IndexRow<'_>]) -> Result<(), IndexFault> {
        self.blocks.insert(&self.geometry, rows, |last, before| self.new_block(last, before))?;
        self.measured.changed(rows.len());
        Ok(())
    }

    fn remove(&self, rows: &[RowKey]) -> Result<usize, IndexFault> {
        let removed = self.blocks.remove(rows)?;
        self.measured.changed(removed);
        Ok(removed)
    }
}
