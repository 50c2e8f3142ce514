//! The compressed index: right in what it shows, honest about what it misses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::num::NonZeroUsize;

use likeness_models::Metric;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::{Bits, CompressedIndex};
use crate::embed::Embedding;
use crate::index::conformance::{at, home, row};
use crate::index::{Hit, IndexRead as _, IndexRow, IndexWrite as _, OracleIndex, RowKey, SubjectKey};

mod answers;
mod estimates;
mod measures;

/// Repeats a failure: `LIKENESS_TEST_SEED=<seed>`. Printed by every run.
fn seed() -> u64 {
    let seed =
        std::env::var("LIKENESS_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_260_101);
    eprintln!("seed: LIKENESS_TEST_SEED={seed}");
    seed
}

/// Persons as models see them: all somewhat alike (a common direction), the images of one much alike.
struct Persons {
    random: ChaCha8Rng,
    dimension: usize,
    common: Vec<f32>,
}

impl Persons {
    fn new(dimension: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed());
        let common = normal(&mut random, dimension);
        Self { random, dimension, common }
    }

    fn person(&mut self) -> Vec<f32> {
        let own = normal(&mut self.random, self.dimension);
        own.iter().zip(&self.common).map(|(own, common)| own + 0.4 * common).collect()
    }

    fn image(&mut self, person: &[f32]) -> Embedding {
        let noise = normal(&mut self.random, self.dimension);
        let values: Vec<f32> = person.iter().zip(noise).map(|(value, noise)| value + 0.7 * noise).collect();
        let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        at(&values.iter().map(|value| value / length).collect::<Vec<_>>())
    }

    /// So many rows of two images per person, with keys from `0`.
    fn rows(&mut self, rows: u64) -> Vec<(u64, u64, Embedding)> {
        let mut made = Vec::new();
        for subject in 0..rows.div_ceil(2) {
            let person = self.person();
            for row in [2 * subject, 2 * subject + 1] {
                made.push((row, subject, self.image(&person)));
            }
        }
        made
    }
}

/// Irwin-Hall: close to normal, of variance 1.
fn normal(random: &mut ChaCha8Rng, dimension: usize) -> Vec<f32> {
    (0..dimension).map(|_| (0..12).map(|_| random.random_range(-0.5..0.5_f32)).sum()).collect()
}

fn keyed(rows: &[(u64, u64, Embedding)]) -> Vec<IndexRow<'_>> {
    rows.iter().map(|(key, subject, embedding)| row(*key, *subject, embedding)).collect()
}

/// With bit patterns, so that equal means equal bit for bit.
fn bits(lists: &[Vec<Hit>]) -> Vec<Vec<(RowKey, SubjectKey, u64)>> {
    let hit = |hit: &Hit| (hit.row, hit.subject, hit.similarity.to_bits());
    lists.iter().map(|list| list.iter().map(hit).collect()).collect()
}

fn comparing(index: CompressedIndex, rows: usize) -> CompressedIndex {
    index.with_rescored(NonZeroUsize::new(rows).unwrap())
}
