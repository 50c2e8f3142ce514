//! The right answers, found another way: FAISS finds far more rows than are asked for, and those are compared again in
//! `f64` with templates that are made anew from their numbers.
//!
//! The references pass by block after block and are not kept, so the pool may be larger than memory. FAISS computes in
//! `f32`; a list is accepted only when its last subject is above everything that FAISS put below the rows it gave, by
//! more than rounding can explain. A list that is not is reported as undecided, and counts as a difference.

use std::collections::HashSet;

use faiss::{ConcurrentIndex as _, FlatIndex, Index as _};
use likeness_matcher::embed::{Embedding, similarity};
use likeness_matcher::index::{Hit, RowKey, SubjectKey};
use likeness_models::Metric;
use rayon::prelude::*;

use super::rival::faiss_metric;
use crate::gallery::{Gallery, Reference, whose};

/// Rows kept for each probe: four times as many as a list of 50 subjects of up to three rows needs in the usual case.
const KEPT: usize = 200;

/// How far FAISS's `f32` sums can be off, generously: the error bound for 512 products of unit vectors is 6e-5.
const SLACK: f64 = 2e-4;

/// What a probe should be answered.
pub(crate) struct Right {
    /// The subjects most like it; `None` where rounding leaves it undecided.
    pub(crate) hits: Option<Vec<Hit>>,
    /// The rows most like it, several of a subject included.
    pub(crate) rows: Vec<u64>,
}

impl Right {
    /// Share of the first `length` rows that are among those found.
    pub(crate) fn recall(&self, found: &[u64], length: usize) -> f64 {
        let wanted = &self.rows[..length.min(self.rows.len())];
        let there = wanted.iter().filter(|row| found.iter().take(length).any(|found| found == *row)).count();
        there as f64 / wanted.len().max(1) as f64
    }
}

/// Probes, and the best rows for each so far.
pub(crate) struct Oracle<'a> {
    gallery: &'a Gallery,
    probes: &'a [Embedding],
    /// FAISS's score, the larger the better, and row.
    best: Vec<Vec<(f32, u64)>>,
    rows: u64,
}

impl<'a> Oracle<'a> {
    pub(crate) fn new(gallery: &'a Gallery, probes: &'a [Embedding]) -> Self {
        Self { gallery, probes, best: vec![Vec::new(); probes.len()], rows: 0 }
    }

    /// Looks at the next block of references.
    pub(crate) fn look_at(&mut self, first: u64, references: &[Reference]) -> anyhow::Result<()> {
        let (dimension, metric) = (self.gallery.dimension(), self.gallery.metric());
        let mut block = FlatIndex::new(u32::try_from(dimension)?, faiss_metric(metric))?;
        let values: Vec<f32> = references.iter().flat_map(|reference| &reference.values).copied().collect();
        block.add(&values)?;
        self.rows += references.len() as u64;
        let kept = KEPT.min(references.len());
        let share = self.probes.len().div_ceil(rayon::current_num_threads()).clamp(1, 256);
        self.best.par_chunks_mut(share).zip(self.probes.par_chunks(share)).try_for_each(|(best, probes)| {
            let values: Vec<f32> = probes.iter().flat_map(Embedding::values).copied().collect();
            let found = block.search(&values, kept)?;
            let each = found.labels.chunks(kept).zip(found.distances.chunks(kept));
            for (best, (labels, scores)) in best.iter_mut().zip(each) {
                let rows = labels.iter().zip(scores).filter_map(|(label, &score)| {
                    let score = if metric == Metric::Euclidean { -score } else { score };
                    Some((score, first + label.get()?))
                });
                best.extend(rows);
                best.sort_unstable_by(|left, right| right.0.total_cmp(&left.0));
                best.truncate(KEPT);
            }
            anyhow::Ok(())
        })
    }

    /// The lists of the `limit` subjects, and of as many rows, most like each probe.
    pub(crate) fn answers(&self, limit: usize) -> Vec<Right> {
        self.probes.par_iter().zip(&self.best).map(|(probe, best)| self.answer(probe, best, limit)).collect()
    }

    fn answer(&self, probe: &Embedding, best: &[(f32, u64)], limit: usize) -> Right {
        let metric = self.gallery.metric();
        let mut hits: Vec<Hit> = best
            .iter()
            .flat_map(|&(_, row)| {
                self.gallery.references(row..row + 1).into_iter().map(move |one| (row, one))
            })
            .map(|(row, reference)| Hit {
                row: RowKey(row),
                subject: SubjectKey(whose(row).0),
                similarity: similarity(probe.values(), &reference.values, metric),
            })
            .collect();
        hits.sort_by(|left, right| {
            right.similarity.total_cmp(&left.similarity).then(left.row.cmp(&right.row))
        });
        let rows = hits.iter().take(limit).map(|hit| hit.row.0).collect();
        let mut seen = HashSet::new();
        hits.retain(|hit| seen.insert(hit.subject));
        hits.truncate(limit);
        let all = (best.len() as u64) == self.rows;
        let beyond = best.last().map(|&(score, _)| match metric {
            Metric::Euclidean => 1.0 - (-f64::from(score) - SLACK).max(0.0).sqrt(),
            Metric::Cosine => f64::from(score) + SLACK,
        });
        let decided = all || hits.len() == limit && hits.last().map(|hit| hit.similarity) > beyond;
        Right { hits: decided.then_some(hits), rows }
    }
}

/// How many lists differ: in length, a subject, a row, an order or a bit of a similarity. Undecided ones differ.
pub(crate) fn differences<'a>(
    lists: impl IntoIterator<Item = &'a [Hit]>,
    right: impl IntoIterator<Item = &'a Right>,
) -> usize {
    lists.into_iter().zip(right).filter(|(list, right)| right.hits.as_deref() != Some(*list)).count()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use likeness_matcher::index::{IndexRead as _, IndexRow, IndexWrite as _, OracleIndex};

    use super::*;
    use crate::gallery::{embedding, space};

    #[test]
    fn lists_are_those_of_comparing_every_row() {
        for dimension in [32, 192] {
            let gallery = Gallery::new(11, dimension);
            let space = space().unwrap();
            let plain = OracleIndex::new(space, dimension, gallery.metric()).unwrap();
            let probes: Vec<Embedding> = gallery
                .probes(0..30, 3000)
                .into_iter()
                .map(|(values, _)| embedding(space, values).unwrap())
                .collect();
            let mut oracle = Oracle::new(&gallery, &probes);
            for first in [0, 1000, 2000] {
                let references = gallery.references(first..first + 1000);
                for (row, reference) in (first..).zip(&references) {
                    let embedding = embedding(space, reference.values.clone()).unwrap();
                    let (row, subject) = (RowKey(row), SubjectKey(reference.subject));
                    plain.insert(&[IndexRow { row, subject, embedding: &embedding }]).unwrap();
                }
                oracle.look_at(first, &references).unwrap();
            }
            let answers = oracle.answers(20);
            let expected: Vec<Vec<Hit>> =
                probes.iter().map(|probe| plain.search(probe, 20).unwrap()).collect();
            assert_eq!(differences(expected.iter().map(Vec::as_slice), &answers), 0);
            assert!(answers.iter().all(|right| right.recall(&right.rows, 10) == 1.0));
            assert!((answers[0].recall(&answers[0].rows[1..], 10) - 0.9).abs() < 1e-9);
            let mut spoilt = expected;
            spoilt[3].swap(0, 1);
            spoilt[7].pop();
            assert_eq!(differences(spoilt.iter().map(Vec::as_slice), &answers), 2);
        }
    }
}
