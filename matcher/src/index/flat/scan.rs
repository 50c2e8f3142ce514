//! Searching one segment, exactly.
//!
//! FAISS ranks rows by an `f32` score and breaks ties as it likes. So it only *proposes*: it returns the best few
//! rows, each is scored again in `f64` from the stored template, and the segment is settled when no row that was
//! not proposed could still enter the list (`bound.rs`). While one could, because of ties, duplicates or subjects
//! with many rows, more are asked for, in the end all of them. Nothing is assumed about how often that happens;
//! on real templates the first question settles it nearly always.

use faiss::ConcurrentIndex;
use likeness_models::Metric;

use super::bound::Bound;
use super::segment::Rows;
use crate::embed::similarity;
use crate::index::best::Best;
use crate::index::geometry::{Geometry, Template};
use crate::index::{Hit, IndexFault};

/// Rows asked for beyond the number of subjects wanted, so that a few subjects with several rows, and rounding at
/// the edge, are settled by one question.
const SPARE_ROWS: usize = 32;

/// How many times more rows each further question asks for.
const WIDEN: usize = 16;

/// FAISS compares this many probes or more by a matrix product, and fewer one after the other.
const PRODUCT_PROBES: usize = 20;

/// From this many probes on, filling up to [`PRODUCT_PROBES`] with zeros is faster than going without the product.
const PADDED_PROBES: usize = 4;

/// Most rows that the first question of each probe asks for.
pub(super) fn rows_wanted(limit: usize) -> usize {
    limit.saturating_add(SPARE_ROWS)
}

/// Probes that share a pass over memory.
pub(super) struct Batch<'a> {
    geometry: &'a Geometry,
    probes: &'a [Template<'a>],
    /// The probes' values, one after the other, as the engine wants them.
    joined: Vec<f32>,
    limit: usize,
    /// Rows passed so far.
    passed: usize,
}

impl<'a> Batch<'a> {
    pub(super) fn new(geometry: &'a Geometry, probes: &'a [Template<'a>], limit: usize) -> Self {
        let mut joined: Vec<f32> = probes.iter().flat_map(|probe| probe.values.iter().copied()).collect();
        if (PADDED_PROBES..PRODUCT_PROBES).contains(&probes.len()) {
            joined.resize(PRODUCT_PROBES * geometry.dimension, 0.0);
        }
        Self { geometry, probes, joined, limit, passed: 0 }
    }

    /// Offers every row of the segment that could be in a list to that list: `best`, one per probe.
    pub(super) fn scan(&mut self, rows: &Rows, best: &mut [Best]) -> Result<(), IndexFault> {
        let held = rows.held();
        if held == 0 {
            return Ok(());
        }
        let asked = self.first_question(held);
        self.passed += held;
        let found = propose(rows, &self.joined, asked)?;
        let proposals = found.labels.chunks_exact(asked).zip(found.distances.chunks_exact(asked));
        for ((probe, best), (labels, scores)) in self.probes.iter().zip(best).zip(proposals) {
            if !self.settle(rows, probe, labels, scores, best) {
                self.widen(rows, probe, asked, best)?;
            }
        }
        Ok(())
    }

    /// How many rows to ask a segment for. Of a segment that is a tenth of what was passed before it, a tenth of
    /// the list is expected to be new; asking for twice that and some spare seldom needs a second question.
    fn first_question(&self, held: usize) -> usize {
        let wanted = rows_wanted(self.limit);
        let expected = (held as f64 * self.limit as f64 / self.passed.max(1) as f64).min(wanted as f64);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to `wanted`")]
        let fresh = (2.0 * expected) as usize;
        if self.passed == 0 {
            wanted.min(held)
        } else {
            fresh.saturating_add(SPARE_ROWS / 2).min(wanted).min(held)
        }
    }

    /// Asks for more and more rows until the segment is settled for this probe.
    fn widen(
        &self,
        rows: &Rows,
        probe: &Template<'_>,
        asked: usize,
        best: &mut Best,
    ) -> Result<(), IndexFault> {
        let mut asked = asked;
        loop {
            asked = asked.saturating_mul(WIDEN).min(rows.held());
            let found = propose(rows, &probe.values, asked)?;
            if self.settle(rows, probe, &found.labels, &found.distances, best) {
                return Ok(());
            }
        }
    }

    /// Scores the proposals, best first, and says whether no other row of the segment could enter the list.
    fn settle(
        &self,
        rows: &Rows,
        probe: &Template<'_>,
        labels: &[faiss::Idx],
        scores: &[f32],
        best: &mut Best,
    ) -> bool {
        let Geometry { dimension, metric, .. } = *self.geometry;
        let bound = Bound::new(metric, dimension, probe.length, rows.longest());
        let out_of_reach =
            |score: f32, best: &Best| best.floor().is_some_and(|floor| bound.ceiling(score) < floor);
        for (label, &score) in labels.iter().zip(scores) {
            if out_of_reach(score, best) {
                return true;
            }
            // A row that is staged but not published has no keys yet: not in the index, not in the list.
            if let Some((row, subject, stored)) = label.get().and_then(|position| rows.row(position)) {
                best.offer(Hit { row, subject, similarity: similarity(&probe.values, stored, metric) });
            }
        }
        labels.len() >= rows.held() || scores.last().is_some_and(|&last| out_of_reach(last, best))
    }
}

/// The engine's `asked` best rows for each probe, best first.
fn propose(rows: &Rows, probes: &[f32], asked: usize) -> Result<faiss::index::SearchResult, IndexFault> {
    ConcurrentIndex::search(rows.engine(), probes, asked).map_err(super::segment::engine_fault)
}

/// The engine's metric whose ranking is that of ours.
pub(super) fn engine_metric(metric: Metric) -> faiss::MetricType {
    match metric {
        Metric::Euclidean => faiss::MetricType::L2,
        Metric::Cosine => faiss::MetricType::InnerProduct,
    }
}
