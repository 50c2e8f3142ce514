//! The default index: FAISS flat, in memory, exact.
//!
//! Rows lie in *segments*, each a FAISS flat index of a fixed capacity (at most [`SEGMENT_BYTES`]) whose memory is
//! reserved when it is made. That is what bounds everything else:
//!
//! - a write locks one segment at a time, so a search waits for at most one segment's change (some milliseconds),
//!   and nothing is ever copied because the pool grew;
//! - erasing a row closes the gap within its segment and overwrites what is left at the end;
//! - a search checks its deadline between segments: every 3 ms or so for one probe, every 100 ms or so for 256;
//! - rows never move from one segment to another, so a search that overlaps a write cannot miss a row that was
//!   there all along.
//!
//! A search runs on the thread that calls it (see `flat/threads.rs`). Only in batches of 20 or more probes does
//! FAISS use a matrix product, whose BLAS library may use threads of its own (`OPENBLAS_NUM_THREADS` bounds them).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use likeness_models::{Metric, SpaceId};

use super::best::Best;
use super::geometry::{Geometry, Template};
use super::{Exactness, Hit, IndexFault, IndexRead, IndexRow, IndexWrite, RowKey};
use crate::embed::Embedding;

mod bound;
mod scan;
mod segment;
mod threads;

use segment::Segment;

/// Largest memory of one segment's templates. Smaller: shorter waits beside writes. Larger: fewer calls into
/// the engine per search; at this size their cost does not show.
const SEGMENT_BYTES: usize = 32 << 20;

/// Rows of the first segment; each further one doubles, so that a small pool takes little memory.
const FIRST_SEGMENT_ROWS: usize = 256;

/// Most results (probes times rows asked for) of one call into the engine: 12 MiB of them.
const MOST_CELLS: usize = 1 << 20;

/// FAISS flat index of one pool. See the module documentation for what a write costs a search.
pub struct FlatIndex {
    geometry: Geometry,
    growth: Growth,
    /// Held for the whole of a write, and by `agrees`. INVARIANT: the two locks below are only changed by who
    /// holds it, and are held for moments, never while the engine works.
    writer: Mutex<()>,
    segments: RwLock<Vec<Arc<Segment>>>,
    places: RwLock<HashMap<RowKey, Place>>,
}

/// Where a row lies: `segments[segment]`, at `position`.
#[derive(Clone, Copy)]
struct Place {
    segment: usize,
    position: usize,
}

/// How large segments are made, in rows.
#[derive(Clone, Copy)]
struct Growth {
    first: usize,
    most: usize,
}

impl FlatIndex {
    /// An empty index.
    ///
    /// # Errors
    /// [`IndexFault::UnusableDimension`].
    pub fn new(space: SpaceId, dimension: usize, metric: Metric) -> Result<Self, IndexFault> {
        let geometry = Geometry::new(space, dimension, metric)?;
        let most = (SEGMENT_BYTES / (dimension * size_of::<f32>())).max(FIRST_SEGMENT_ROWS);
        Ok(Self::with_growth(geometry, Growth { first: FIRST_SEGMENT_ROWS, most }))
    }

    /// Segments of a few rows, so that tests meet their edges.
    #[cfg(test)]
    pub(super) fn in_small_segments(
        space: SpaceId,
        dimension: usize,
        metric: Metric,
    ) -> Result<Self, IndexFault> {
        Ok(Self::with_growth(Geometry::new(space, dimension, metric)?, Growth { first: 2, most: 8 }))
    }

    fn with_growth(geometry: Geometry, growth: Growth) -> Self {
        Self {
            geometry,
            growth,
            writer: Mutex::default(),
            segments: RwLock::default(),
            places: RwLock::default(),
        }
    }

    // None of these three locks is held across a call that can panic, and what they guard is changed by single
    // calls on a collection; a segment, where a panic could leave something half done, refuses instead.
    fn writing(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn places(&self) -> RwLockReadGuard<'_, HashMap<RowKey, Place>> {
        self.places.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn places_mut(&self) -> RwLockWriteGuard<'_, HashMap<RowKey, Place>> {
        self.places.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn segments(&self) -> Vec<Arc<Segment>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn refuse_duplicates(&self, rows: &[IndexRow<'_>]) -> Result<(), IndexFault> {
        let places = self.places();
        let mut named = HashSet::with_capacity(rows.len());
        match rows.iter().find(|row| places.contains_key(&row.row) || !named.insert(row.row)) {
            Some(twice) => Err(IndexFault::Duplicate { row: twice.row }),
            None => Ok(()),
        }
    }

    /// Hands out room for `wanted` rows: `(segment, how many)`, in old segments first, then in new ones, which
    /// are appended to `segments` but which no search knows yet.
    fn room(
        &self,
        segments: &mut Vec<Arc<Segment>>,
        wanted: usize,
    ) -> Result<Vec<(usize, usize)>, IndexFault> {
        let mut shares = Vec::new();
        let mut left = wanted;
        let mut at = 0;
        while left > 0 {
            if at == segments.len() {
                let capacity = segments.last().map_or(self.growth.first, |last| {
                    last.capacity().saturating_mul(2).min(self.growth.most)
                });
                segments.push(Arc::new(Segment::new(&self.geometry, capacity)?));
            }
            let share = segments[at].room()?.min(left);
            if share > 0 {
                shares.push((at, share));
            }
            left -= share;
            at += 1;
        }
        Ok(shares)
    }
}

impl IndexRead for FlatIndex {
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
        self.places().len()
    }

    fn contains(&self, row: RowKey) -> bool {
        self.places().contains_key(&row)
    }

    fn rows(&self) -> Vec<RowKey> {
        let mut rows: Vec<RowKey> = self.places().keys().copied().collect();
        rows.sort_unstable();
        rows
    }

    fn exactness(&self) -> Exactness {
        Exactness::Exact
    }

    fn agrees(&self, expected: &IndexRow<'_>) -> Result<bool, IndexFault> {
        let template = self.geometry.template(expected.embedding)?;
        // Positions hold still only while nobody writes.
        let _writing = self.writing();
        let Some(place) = self.places().get(&expected.row).copied() else { return Ok(false) };
        self.segments()[place.segment].holds(
            place.position,
            (expected.row, expected.subject),
            &template.values,
        )
    }

    fn search_batch(
        &self,
        probes: &[&Embedding],
        limit: usize,
        deadline: Option<Instant>,
    ) -> Result<Vec<Vec<Hit>>, IndexFault> {
        threads::search_on_this_thread_only();
        let probes: Vec<Template<'_>> =
            probes.iter().map(|probe| self.geometry.template(probe)).collect::<Result<_, _>>()?;
        if limit == 0 {
            return Ok(vec![Vec::new(); probes.len()]);
        }
        let segments = self.segments();
        let mut best: Vec<Best> = probes.iter().map(|_| Best::new(limit)).collect();
        let together = (MOST_CELLS / scan::rows_wanted(limit)).max(1);
        for (probes, best) in probes.chunks(together).zip(best.chunks_mut(together)) {
            let mut batch = scan::Batch::new(&self.geometry, probes, limit);
            // The last segments are the large ones: they raise the floor that spares work in the others.
            for segment in segments.iter().rev() {
                if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                    return Err(IndexFault::DeadlineExceeded);
                }
                segment.scan(&mut batch, best)?;
            }
        }
        Ok(best.into_iter().map(Best::into_hits).collect())
    }
}

impl IndexWrite for FlatIndex {
    fn insert(&self, rows: &[IndexRow<'_>]) -> Result<(), IndexFault> {
        let templates: Vec<Template<'_>> =
            rows.iter().map(|row| self.geometry.template(row.embedding)).collect::<Result<_, _>>()?;
        let _writing = self.writing();
        self.refuse_duplicates(rows)?;

        // First everything that can fail, where no search can see it; then what cannot fail.
        let mut segments = self.segments();
        let shares = self.room(&mut segments, rows.len())?;
        let mut staged = 0;
        for (done, &(segment, share)) in shares.iter().enumerate() {
            if let Err(fault) = segments[segment].stage(&templates[staged..staged + share]) {
                for &(segment, _) in &shares[..=done] {
                    // A segment that cannot be put back refuses from now on, which is all there is to do here.
                    let _ = segments[segment].unstage();
                }
                return Err(fault);
            }
            staged += share;
        }

        let mut published = 0;
        let mut places = Vec::with_capacity(rows.len());
        for (segment, share) in shares {
            let share = &rows[published..published + share];
            let first = segments[segment].publish(share)?;
            places.extend(
                share.iter().zip(first..).map(|(row, position)| (row.row, Place { segment, position })),
            );
            published += share.len();
        }
        *self.segments.write().unwrap_or_else(PoisonError::into_inner) = segments;
        self.places_mut().extend(places);
        Ok(())
    }

    fn remove(&self, rows: &[RowKey]) -> Result<usize, IndexFault> {
        let _writing = self.writing();
        let mut doomed: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut removed = 0;
        {
            let mut places = self.places_mut();
            for row in rows {
                if let Some(place) = places.remove(row) {
                    doomed.entry(place.segment).or_default().push(place.position);
                    removed += 1;
                }
            }
        }
        let segments = self.segments();
        for (segment, positions) in doomed {
            let moved = segments[segment].remove(positions)?;
            self.places_mut()
                .extend(moved.into_iter().map(|(row, position)| (row, Place { segment, position })));
        }
        Ok(removed)
    }
}
