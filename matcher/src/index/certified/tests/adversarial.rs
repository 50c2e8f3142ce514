//! Vectors made to break bounds, through random histories, for every kernel.

use std::num::NonZeroUsize;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand::SeedableRng as _;

use super::*;
use crate::index::conformance::row;
use crate::index::{IndexRead as _, IndexRow, IndexWrite as _, OracleIndex};

fn runner(cases: u32) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed().to_le_bytes());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

#[derive(Clone, Debug)]
struct Case {
    metric: Metric,
    kind: Kind,
    dimension: usize,
    rows: usize,
    rows_per_subject: u64,
    probes: usize,
    limit: usize,
    threads: usize,
    seed: u64,
}

fn case() -> impl Strategy<Value = Case> {
    let dimension = prop_oneof![1..9_usize, 9..70_usize, Just(128_usize), Just(192_usize), Just(512_usize)];
    let dimension = unless_miri(dimension.boxed(), (1..9_usize).boxed());
    let limit = prop_oneof![1..5_usize, 5..60_usize, Just(usize::MAX)];
    (
        prop_oneof![Just(Metric::Euclidean), Just(Metric::Cosine)],
        proptest::sample::select(&KINDS[..]),
        dimension,
        1..unless_miri(700_usize, 80),
        1..9_u64,
        1..20_usize,
        limit,
        1..4_usize,
        any::<u64>(),
    )
        .prop_map(|(metric, kind, dimension, rows, rows_per_subject, probes, limit, threads, seed)| {
            Case { metric, kind, dimension, rows, rows_per_subject, probes, limit, threads, seed }
        })
}

/// Fills an index, takes a third away, puts some back in their slots, and compares every answer.
fn identical_to_the_oracle(case: &Case) {
    let mut random = ChaCha8Rng::seed_from_u64(case.seed);
    let oracle = OracleIndex::new(home(), case.dimension, case.metric).unwrap();
    let draw = |random: &mut ChaCha8Rng| {
        let kind = if random.random_range(0..10) == 0 {
            KINDS[random.random_range(0..KINDS.len())]
        } else {
            case.kind
        };
        vector(random, kind, case.dimension, case.metric)
    };
    let templates: Vec<Embedding> = (0..case.rows).map(|_| draw(&mut random)).collect();
    let keyed: Vec<IndexRow> =
        (0..).zip(&templates).map(|(i, e)| row(i * 37 % 7001, i / case.rows_per_subject, e)).collect();
    let gone: Vec<RowKey> = keyed.iter().map(|row| row.row).filter(|row| row.0 % 3 == 0).collect();
    let back: Vec<IndexRow> = keyed.iter().filter(|row| row.row.0 % 6 == 0).copied().collect();
    let mut probes: Vec<Embedding> = (0..case.probes).map(|_| draw(&mut random)).collect();
    probes.push(templates[0].clone());
    let probes: Vec<&Embedding> = probes.iter().collect();

    oracle.insert(&keyed).unwrap();
    oracle.remove(&gone).unwrap();
    oracle.insert(&back).unwrap();
    let right = oracle.search_batch(&probes, case.limit, None).unwrap();
    for index in for_each_kernel(case.dimension, case.metric) {
        let index = index.with_threads(NonZeroUsize::new(case.threads).unwrap());
        index.insert(&keyed).unwrap();
        assert_eq!(index.remove(&gone), Ok(gone.len()));
        index.insert(&back).unwrap();
        same(&index.search_batch(&probes, case.limit, None).unwrap(), &right);
        // A few probes are asked another way than many.
        same(&[index.search(probes[0], case.limit).unwrap()], &right[..1]);
        same(&index.search_batch(&probes[..2], case.limit, None).unwrap(), &right[..2]);
        assert_eq!(index.rows(), oracle.rows());
        for row in &back {
            assert_eq!(index.agrees(row), Ok(true));
        }
    }
}

#[test]
fn answers_are_the_oracles_whatever_the_vectors() {
    let outcome = runner(unless_miri(250, 2)).run(&case(), |case| {
        identical_to_the_oracle(&case);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// Enough near duplicates that candidates are settled in the middle of a pass.
#[test]
#[cfg_attr(miri, ignore = "thousands of rows")]
fn crowds_of_candidates_are_settled_on_the_way() {
    for (metric, form) in FORMS {
        let mut random = ChaCha8Rng::seed_from_u64(seed());
        let index = in_form(3, metric, form);
        let oracle = OracleIndex::new(home(), 3, metric).unwrap();
        let templates: Vec<Embedding> =
            (0..30_000).map(|_| at(&[1.0, random.random_range(-1e-4..1e-4), 0.5])).collect();
        let rows: Vec<IndexRow> = (0..).zip(&templates).map(|(i, e)| row(i * 7 % 30_011, i / 3, e)).collect();
        index.insert(&rows).unwrap();
        oracle.insert(&rows).unwrap();
        let probes = [&at(&[1.0, 0.0, 0.5]), &at(&[-1.0, 0.0, 0.2])];
        for limit in [1, 50, 100_000] {
            let right = oracle.search_batch(&probes, limit, None).unwrap();
            same(&index.search_batch(&probes, limit, None).unwrap(), &right);
        }
    }
}
