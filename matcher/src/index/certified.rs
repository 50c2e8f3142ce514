//! An index that is as fast as int8 and as right as brute force.
//!
//! Templates are kept twice: as int8 codes with a scale, which every search reads from end to end, or the upper halves of
//! them, at the speed of memory, and in full precision, which is read for the few rows that the codes cannot rule out. What
//! the codes say of a row is not an estimate but an *interval* that provably holds its similarity; a row is left out only when the
//! upper end is below what is already certain. So every answer is identical to the oracle's, ties included, and
//! where codes tell little (many near duplicates, rows of very different lengths) a search reads more rows in full,
//! in the worst case all: it gets slower, never wrong.
//!
//! # The bound
//!
//! A row `x` is stored as `x = s q + e`: codes `q` (integers of -127 to 127), scale `s`, and a residual `e` of which
//! only an upper bound `r >= |e|` is kept. The probe is `p = t u + f`, `|f| <= v`, likewise. For the cosine metric `x`
//! and `p` stand for the vectors divided by their lengths. The kernel computes `q.u` exactly, as an integer.
//!
//! *Cosine.* `x.p = (s q + e).p = s q.(t u + f) + e.p = s t (q.u) + (s q).f + e.p`. By Cauchy and Schwarz
//! `|(s q).f| <= |s q| v <= (|x| + |e|) v <= (1 + r) v`, and `|e.p| <= r |p| = r`. Hence
//!
//! > `|x.p - s t (q.u)| <= r + v + r v`
//!
//! *Euclidean.* `x - p = (s q - t u) + (e - f)`, so by the triangle inequality
//!
//! > `||x - p| - |s q - t u|| <= r + v`, where `|s q - t u|^2 = |s q|^2 + |t u|^2 - 2 s t (q.u)`
//!
//! with both norms kept beside the codes. This is tighter than bounding `x.p`, since it knows no absolute lengths:
//! faces lie close together, far from the origin.
//!
//! *Rounding.* The similarity that must be bounded is the one that [`crate::embed::similarity`] computes in `f64`,
//! off the true one by at most `n + c` roundings per sum (Higham, *Accuracy and Stability of Numerical Algorithms*,
//! section 3.1): see `ProbeBound::new`. Residuals and norms are computed in `f64`, widened by their own rounding
//! error, and rounded to `f32` away from zero (residual) or towards it (norm). The test that every row meets
//! (`gate.rs`) runs in `f32`; with `u = 2^-24` and whatever the compiler makes of it:
//!
//! - Cosine: product and sum are off by at most `3.1 u |s q| |t u| + 2 u r (1 + v) + u |sum|`. All lengths are 2 at
//!   most, since no residual is longer than its vector: under `32 u`. The line is lowered by `256 u`, 1.5e-5, a
//!   thousandth of what similarities differ by between faces.
//! - Euclidean: with `N = |s q|^2 + |t u|^2`, `|2 s t (q.u)| <= N`, so the left side is off by less than `8 u N + w`,
//!   `w` for what underflow takes: at most `2^31 * 2^-126`, and a few times `2^-126`. Both norms are stored `16 u`
//!   too small, and `w` is taken off. The right side, a sum and a square, is off by `3.1 u` of itself: reach and
//!   residual are stored `8 u` too large.
//!
//! The interval of a row that passes (`bound.rs`) is computed again in `f64`.
//!
//! # Halves
//!
//! A search is as slow as memory, so the best code is one that is not read. Of long templates compared by cosine the upper
//! four bits of each code lie where a search reads, the lower four elsewhere (`layout.rs`, `Form::Halved`). With
//! `c = 2 upper - 15` and `f = lower - 8`, a code is `8 c + f`, so the upper halves are codes themselves, of the scale `8 s` and a
//! residual `r' >= |x - 8 s c|` of their own, and the bound above holds for them word by word. It is about
//! sixteen times wider, for want of four bits. A row that it does not rule out is a *nominee*. Its lower halves are read, which gives the
//! whole dot product, `8 (c.u) + f.u`, exactly, and what follows is as it was.
//!
//! When they are read makes the difference. The line rises while a search goes on, so most nominees of its beginning are
//! none at its end: only those whose upper halves promise to raise the line (the middle of the interval reaches it) are looked at
//! at once; the others wait until the pass is over. Where the
//! upper halves tell nothing, as of vectors with one large value (`r'` is more than their length), every row is: such a search
//! reads what it would have read without halves, out of order.
//!
//! Many probes at once are slowed down by multiplying, not by memory. For them the halves of each band are put together once,
//! and whole codes are multiplied.
//!
//! # From intervals to an answer
//!
//! While scanning, the k-th largest lower bound of *distinct subjects* is a line that the k best subjects certainly
//! reach; rows whose upper bound is below it are out, the others are noted. Then the noted rows are scored exactly,
//! largest upper bound first, until the next upper bound is below the k-th exact similarity. Finally the answer is
//! checked: the k-th exact similarity must not be below the highest line that was used to leave rows out. It never
//! is, unless a row that raised the line was removed before it was scored; then the search makes another pass in
//! which only exact similarities raise the line. So lower bounds only make a search fast: nothing is left out on
//! their word alone.
//!
//! # Beside writes
//!
//! Rows lie in blocks of at most 2 MiB of codes and weights (at least 64 rows), each with a lock of its own. A write holds one
//! lock at a time, for 64 rows at a time. Rows never move; the slot of a removed row is overwritten, in both
//! precisions, before `remove` returns, and given to a later row.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use likeness_models::{Metric, SpaceId};

use super::blocks::{Block as _, Blocks, Growth};
use super::geometry::Geometry;
use super::tier::Precise;
use super::{Exactness, Hit, IndexFault, IndexRead, IndexRow, IndexWrite, RowKey};
use crate::embed::Embedding;

mod ask;
mod block;
mod bound;
mod collect;
mod filter;
mod gate;
mod kernel;
mod layout;
mod quantise;
mod scan;

#[cfg(test)]
mod tests;

pub use ask::{Answer, AskFault, Question, Wanted};
use block::Block;
pub use filter::Filter;
use kernel::{Ground, Kernel, PAGE, Shape};
use layout::{BAND_ROWS, Form, Weights};

/// Most bands of a block, whatever the dimension.
const MOST_BANDS: usize = 256;

/// Certified-exact index of one pool. See the module documentation for what it certifies, and how.
///
/// Memory: 1 byte per dimension and about 60 per row for what is scanned and named, and 4 bytes per dimension for the
/// full-precision templates, which [`CertifiedIndex::with_sealed_tier`] keeps on disk.
pub struct CertifiedIndex {
    geometry: Geometry,
    kernel: Kernel,
    form: Form,
    threads: NonZeroUsize,
    growth: Growth,
    /// Where further blocks lie. Held for moments, by a writer.
    ground: Mutex<Ground>,
    precise: Precise,
    blocks: Blocks<Block>,
}

impl CertifiedIndex {
    /// An empty index, searched on the calling thread alone by the fastest kernel of this machine.
    ///
    /// # Errors
    /// [`IndexFault::UnusableDimension`].
    pub fn new(space: SpaceId, dimension: usize, metric: Metric) -> Result<Self, IndexFault> {
        let geometry = Geometry::new(space, dimension, metric)?;
        let kernel = Kernel::best();
        let form = if kernel.likes_halves() { Form::of(dimension, metric) } else { Form::Whole };
        let most_bands = (PAGE / shape(&geometry, form).run_bytes()).clamp(1, MOST_BANDS);
        Ok(Self::made_of(geometry, Growth { most_bands }, kernel, form))
    }

    /// The same with its second tier on disk, all but the first rows.
    #[cfg(test)]
    pub(super) fn on_disk(space: SpaceId, dimension: usize, metric: Metric) -> Result<Self, IndexFault> {
        Self::in_small_blocks(space, dimension, metric)?.with_sealed_tier(&std::env::temp_dir(), 64)
    }

    /// In blocks of one band, and in halves where the metric allows it, however short the templates.
    #[cfg(test)]
    pub(super) fn in_halves(space: SpaceId, dimension: usize, metric: Metric) -> Result<Self, IndexFault> {
        let form = if metric == Metric::Cosine { Form::Halved } else { Form::Whole };
        let geometry = Geometry::new(space, dimension, metric)?;
        Ok(Self::made_of(geometry, Growth { most_bands: 1 }, Kernel::best(), form))
    }

    /// Blocks of one band, so that tests meet their edges.
    #[cfg(test)]
    pub(super) fn in_small_blocks(
        space: SpaceId,
        dimension: usize,
        metric: Metric,
    ) -> Result<Self, IndexFault> {
        let geometry = Geometry::new(space, dimension, metric)?;
        Ok(Self::made_of(geometry, Growth { most_bands: 1 }, Kernel::best(), Form::Whole))
    }

    fn made_of(geometry: Geometry, growth: Growth, kernel: Kernel, form: Form) -> Self {
        let ground = Mutex::new(Ground::new(growth.most_bands, shape(&geometry, form)));
        Self {
            geometry,
            kernel,
            form,
            threads: NonZeroUsize::MIN,
            growth,
            ground,
            precise: Precise::Memory,
            blocks: Blocks::new(),
        }
    }

    /// Lets each search use up to so many threads, the calling one included.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }

    /// Keeps full-precision templates in memory for about the first `memory_rows` rows only, and those of all further
    /// rows on disk: sealed, under a key that lies in memory, in a file without a name in this folder. Nothing of
    /// the file outlives the process. Answers are the same; searches read a few templates from the file.
    ///
    /// # Errors
    /// [`IndexFault::Engine`] when the folder takes no file.
    pub fn with_sealed_tier(mut self, folder: &Path, memory_rows: usize) -> Result<Self, IndexFault> {
        self.precise = Precise::sealed(folder, self.geometry.dimension, memory_rows)?;
        Ok(self)
    }

    /// Name of the instructions in use, for reports: `avx512-vnni`, `avx2`, `neon` or `portable`.
    #[must_use]
    pub fn kernel(&self) -> String {
        self.kernel.to_string()
    }

    /// The block that follows `last`, and `before` slots in all.
    fn new_block(&self, last: Option<&Block>, before: usize) -> Block {
        let bands = self.growth.bands_after(last.map(|last| last.capacity()));
        let precise = self.precise.tier(bands * BAND_ROWS, before, self.geometry.dimension);
        let mut ground = self.ground.lock().unwrap_or_else(PoisonError::into_inner);
        let bands = ground.cut(bands, Weights::vacant(self.geometry.metric));
        Block::new(&self.geometry, self.form, bands, precise)
    }

    fn blocks(&self) -> Arc<[Arc<Block>]> {
        self.blocks.all()
    }
}

fn shape(geometry: &Geometry, form: Form) -> Shape {
    Shape { steps: form.steps(geometry.dimension), aside: form.aside(geometry.dimension) }
}

impl IndexRead for CertifiedIndex {
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
        Exactness::Certified
    }

    fn search_batch(
        &self,
        probes: &[&Embedding],
        limit: usize,
        deadline: Option<Instant>,
    ) -> Result<Vec<Vec<Hit>>, IndexFault> {
        let question = Question { deadline, ..Question::new(Wanted::Best(limit)) };
        match self.ask(probes, &question) {
            Ok(answers) => Ok(answers.into_iter().map(|answer| answer.hits).collect()),
            Err(AskFault::Index(fault)) => Err(fault),
            // Neither was given: there is nothing to cancel, and no threshold.
            Err(AskFault::Cancelled | AskFault::Threshold) => Err(IndexFault::Inconsistent),
        }
    }
}

impl IndexWrite for CertifiedIndex {
    fn insert(&self, rows: &[IndexRow<'_>]) -> Result<(), IndexFault> {
        self.blocks.insert(&self.geometry, rows, |last, before| self.new_block(last, before))
    }

    fn remove(&self, rows: &[RowKey]) -> Result<usize, IndexFault> {
        self.blocks.remove(rows)
    }
}
