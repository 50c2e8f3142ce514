//! Random histories and near ties: every index against a model that shares nothing with it but the definition of
//! similarity.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;

use likeness_models::Metric;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::conformance::{at, home, row};
use super::{
    CompressedIndex, FlatIndex, Hit, IndexFault, IndexRead as _, IndexRow, IndexWrite, OracleIndex, RowKey,
    SubjectKey,
};
use crate::embed::{Embedding, similarity};

/// Repeats a failure: `LIKENESS_TEST_SEED=<seed>`. Printed by every run.
fn seed() -> u64 {
    let seed =
        std::env::var("LIKENESS_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_260_101);
    eprintln!("seed: LIKENESS_TEST_SEED={seed}");
    seed
}

#[derive(Clone, Debug)]
enum Step {
    Insert(Vec<(u64, u64, Vec<f32>)>),
    Remove(Vec<u64>),
    Search(Vec<Vec<f32>>, usize),
}

/// Points of a coarse grid, so that most histories hold duplicates and ties. Never the origin.
fn point() -> impl Strategy<Value = Vec<f32>> {
    vec((-2_i8..=2).prop_map(|step| f32::from(step) * 0.5), 3)
        .prop_map(|p| if p.iter().all(|x| *x == 0.0) { vec![1.0, 0.0, 0.0] } else { p })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => vec((0..60_u64, 0..12_u64, point()), 0..12).prop_map(Step::Insert),
        2 => vec(0..60_u64, 0..10).prop_map(Step::Remove),
        4 => (vec(point(), 1..25), 0..16_usize).prop_map(|(probes, limit)| Step::Search(probes, limit)),
    ]
}

/// What was inserted: raw points, compared by the definition.
type Model = BTreeMap<u64, (u64, Vec<f32>)>;

fn listed(model: &Model, probe: &[f32], limit: usize, metric: Metric) -> Vec<(u64, u64, f64)> {
    let mut best: BTreeMap<u64, (u64, f64)> = BTreeMap::new();
    for (&row, (subject, point)) in model {
        let similarity = similarity(probe, point, metric);
        let entry = best.entry(*subject).or_insert((row, similarity));
        // Rows come in ascending order: an equal one does not displace.
        if similarity > entry.1 {
            *entry = (row, similarity);
        }
    }
    let mut all: Vec<_> =
        best.into_iter().map(|(subject, (row, similarity))| (row, subject, similarity)).collect();
    all.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.cmp(&b.0)));
    all.truncate(limit);
    all
}

fn play(index: &dyn IndexWrite, steps: &[Step], metric: Metric) {
    let mut model = Model::new();
    for step in steps {
        match step {
            Step::Insert(rows) => insert(index, &mut model, rows, metric),
            Step::Remove(rows) => {
                let keys: Vec<RowKey> = rows.iter().copied().map(RowKey).collect();
                let before = model.len();
                model.retain(|row, _| !rows.contains(row));
                assert_eq!(index.remove(&keys), Ok(before - model.len()));
            }
            Step::Search(probes, limit) => {
                let probes: Vec<Vec<f32>> = probes.iter().map(|probe| stored(probe, metric)).collect();
                let embeddings: Vec<Embedding> = probes.iter().map(|probe| at(probe)).collect();
                let answers =
                    index.search_batch(&embeddings.iter().collect::<Vec<_>>(), *limit, None).unwrap();
                for (probe, hits) in probes.iter().zip(answers) {
                    let hits: Vec<_> =
                        hits.iter().map(|hit| (hit.row.0, hit.subject.0, hit.similarity)).collect();
                    assert_eq!(hits, listed(&model, probe, *limit, metric));
                }
            }
        }
        assert_eq!(index.rows(), model.keys().copied().map(RowKey).collect::<Vec<_>>());
        assert_eq!(index.len(), model.len());
    }
    for (&key, (subject, point)) in &model {
        assert_eq!(index.agrees(&row(key, *subject, &at(point))), Ok(true));
    }
}

/// The embed stage hands out unit vectors when the metric is cosine.
fn stored(point: &[f32], metric: Metric) -> Vec<f32> {
    match metric {
        Metric::Euclidean => point.to_vec(),
        Metric::Cosine => {
            let length = point.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
            point.iter().map(|&x| (f64::from(x) / length) as f32).collect()
        }
    }
}

fn insert(index: &dyn IndexWrite, model: &mut Model, rows: &[(u64, u64, Vec<f32>)], metric: Metric) {
    let embeddings: Vec<Embedding> = rows.iter().map(|(_, _, point)| at(&stored(point, metric))).collect();
    let given: Vec<IndexRow> = rows.iter().zip(&embeddings).map(|(r, e)| row(r.0, r.1, e)).collect();
    let mut after = model.clone();
    let mut duplicate = None;
    for (key, subject, point) in rows {
        if after.insert(*key, (*subject, stored(point, metric))).is_some() {
            duplicate = duplicate.or(Some(*key));
        }
    }
    match (index.insert(&given), duplicate) {
        (Ok(()), None) => *model = after,
        (Err(IndexFault::Duplicate { row }), Some(key)) => assert_eq!(row, RowKey(key)),
        (answer, duplicate) => panic!("insert said {answer:?}, the model expected duplicate {duplicate:?}"),
    }
}

fn histories(make: impl Fn(Metric) -> Box<dyn IndexWrite>) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed().to_le_bytes());
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let metric = prop_oneof![Just(Metric::Euclidean), Just(Metric::Cosine)];
    let outcome = runner.run(&(metric, vec(step(), 1..24)), |(metric, steps)| {
        play(make(metric).as_ref(), &steps, metric);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

#[test]
fn flat_follows_the_model_through_random_histories() {
    histories(|metric| Box::new(FlatIndex::in_small_segments(home(), 3, metric).unwrap()));
}

/// So few rows that all of them are compared in full precision.
#[test]
fn compressed_follows_the_model_through_random_histories() {
    histories(|metric| Box::new(CompressedIndex::in_small_blocks(home(), 3, metric).unwrap()));
}

#[test]
fn oracle_follows_the_model_through_random_histories() {
    histories(|metric| Box::new(OracleIndex::new(home(), 3, metric).unwrap()));
}

/// Clusters whose members differ by less than `f32` scores can tell, exact copies among them, at sizes where the
/// engine's first question does not settle the answer; single probes and matrix-product batches.
#[test]
fn flat_answers_as_the_oracle_where_f32_cannot_tell() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    for (metric, dimension) in [(Metric::Euclidean, 128), (Metric::Cosine, 512), (Metric::Euclidean, 7)] {
        let flat = FlatIndex::new(home(), dimension, metric).unwrap();
        let oracle = OracleIndex::new(home(), dimension, metric).unwrap();
        let centres: Vec<Vec<f32>> =
            (0..6).map(|_| (0..dimension).map(|_| random.random_range(-0.2..0.2)).collect()).collect();
        let near = |random: &mut ChaCha8Rng, spread: f32| -> Embedding {
            let centre = &centres[random.random_range(0..centres.len())];
            at(&centre.iter().map(|x| x + random.random_range(-1.0..=1.0) * spread).collect::<Vec<_>>())
        };
        let mut templates: Vec<Embedding> = Vec::new();
        for i in 0..3000 {
            let spread = [0.0, 1e-8, 1e-6, 1e-3][i % 4];
            templates.push(near(&mut random, spread));
        }
        let rows: Vec<IndexRow> =
            (0..).zip(&templates).map(|(i, e)| row(i * 7 % 3001, i % 1700, e)).collect();
        flat.insert(&rows).unwrap();
        oracle.insert(&rows).unwrap();
        let gone: Vec<RowKey> = (0..3001).filter(|key| key % 11 == 0).map(RowKey).collect();
        assert_eq!(flat.remove(&gone), oracle.remove(&gone));

        let probes: Vec<Embedding> = (0..24).map(|i| near(&mut random, [0.0, 1e-7, 1e-2][i % 3])).collect();
        let probes: Vec<&Embedding> = probes.iter().collect();
        for limit in [1, 10, 100] {
            let right = oracle.search_batch(&probes, limit, None).unwrap();
            same(&flat.search_batch(&probes, limit, None).unwrap(), &right);
            for (probe, right) in probes.iter().zip(&right) {
                same(&[flat.search(probe, limit).unwrap()], std::slice::from_ref(right));
            }
        }
    }
}

/// Equal bit for bit, similarity included.
fn same(left: &[Vec<Hit>], right: &[Vec<Hit>]) {
    let bits = |lists: &[Vec<Hit>]| -> Vec<Vec<(RowKey, SubjectKey, u64)>> {
        let hit = |hit: &Hit| (hit.row, hit.subject, hit.similarity.to_bits());
        lists.iter().map(|list| list.iter().map(hit).collect()).collect()
    };
    assert_eq!(bits(left), bits(right));
}

/// Large and tiny numbers side by side: scores near the ends of what `f32` holds.
#[test]
fn flat_answers_as_the_oracle_at_extreme_lengths() {
    let flat = FlatIndex::new(home(), 4, Metric::Euclidean).unwrap();
    let oracle = OracleIndex::new(home(), 4, Metric::Euclidean).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    let any = |random: &mut ChaCha8Rng| -> Embedding {
        let scale = 10_f32.powi(random.random_range(-40..15));
        at(&(0..4).map(|_| random.random_range(-0.4..0.4) * scale).collect::<Vec<_>>())
    };
    let templates: Vec<Embedding> = (0..700).map(|_| any(&mut random)).collect();
    let rows: Vec<IndexRow> = (0..).zip(&templates).map(|(i, e)| row(i, i / 2, e)).collect();
    flat.insert(&rows).unwrap();
    oracle.insert(&rows).unwrap();
    let probes: Vec<Embedding> = (0..60).map(|_| any(&mut random)).collect();
    let probes: Vec<&Embedding> = probes.iter().collect();
    same(&flat.search_batch(&probes, 9, None).unwrap(), &oracle.search_batch(&probes, 9, None).unwrap());
    for probe in probes {
        same(&[flat.search(probe, 9).unwrap()], &[oracle.search(probe, 9).unwrap()]);
    }
}
