//! What an answer shows is right; with enough rows compared, it is all there is.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::super::PER_PLACE;
use super::*;
use crate::embed::similarity;
use crate::index::{Exactness, IndexFault};

#[derive(Clone, Debug)]
struct Case {
    metric: Metric,
    bits: Bits,
    dimension: usize,
    rows: u64,
    rows_per_subject: u64,
    rescored: usize,
    limit: usize,
    threads: usize,
    seed: u64,
}

fn case() -> impl Strategy<Value = Case> {
    (
        prop_oneof![Just(Metric::Euclidean), Just(Metric::Cosine)],
        prop_oneof![Just(Bits::One), Just(Bits::Two), Just(Bits::Four)],
        prop_oneof![1..9_usize, 9..130_usize, Just(192_usize)],
        1..900_u64,
        1..9_u64,
        prop_oneof![1..40_usize, Just(900_usize)],
        prop_oneof![1..3_usize, 3..40_usize, Just(usize::MAX)],
        1..4_usize,
        any::<u64>(),
    )
        .prop_map(|(metric, bits, dimension, rows, rows_per_subject, rescored, limit, threads, seed)| {
            Case { metric, bits, dimension, rows, rows_per_subject, rescored, limit, threads, seed }
        })
}

/// Values of every kind: coarse, so that there are ties; of many lengths; a few near copies.
fn vector(random: &mut ChaCha8Rng, dimension: usize) -> Embedding {
    let scale = [1.0, 1.0, 1e-3, 1e6, 1e-30][random.random_range(0..5)];
    let coarse = random.random_range(0..2) == 0;
    let mut values: Vec<f32> = (0..dimension)
        .map(|_| if coarse { random.random_range(-1..=1) as f32 } else { random.random_range(-1.0..1.0) })
        .map(|value| value * scale)
        .collect();
    if values.iter().all(|value| *value == 0.0) {
        values[0] = scale;
    }
    at(&values)
}

fn shows_what_is_right(case: &Case) {
    let mut random = ChaCha8Rng::seed_from_u64(case.seed);
    let index = CompressedIndex::new(home(), case.dimension, case.metric, case.bits).unwrap();
    let index = comparing(index, case.rescored).with_threads(NonZeroUsize::new(case.threads).unwrap());
    let oracle = OracleIndex::new(home(), case.dimension, case.metric).unwrap();
    let rows: Vec<(u64, u64, Embedding)> = (0..case.rows)
        .map(|key| (key, key / case.rows_per_subject, vector(&mut random, case.dimension)))
        .collect();
    index.insert(&keyed(&rows)).unwrap();
    oracle.insert(&keyed(&rows)).unwrap();
    let gone: Vec<RowKey> = (0..case.rows).filter(|key| key % 3 == 1).map(RowKey).collect();
    assert_eq!(index.remove(&gone), oracle.remove(&gone));

    let probes: Vec<Embedding> = (0..5).map(|_| vector(&mut random, case.dimension)).collect();
    let probes: Vec<&Embedding> = probes.iter().collect();
    let lists = index.search_batch(&probes, case.limit, None).unwrap();
    let right = oracle.search_batch(&probes, case.limit, None).unwrap();
    let all = oracle.search_batch(&probes, usize::MAX, None).unwrap();
    let covered = case.rescored.max(case.limit.saturating_mul(PER_PLACE)) as u64 >= case.rows;
    if covered {
        assert_eq!(bits(&lists), bits(&right));
    }
    for ((probe, list), all) in probes.iter().zip(&lists).zip(&all) {
        assert_eq!(list.len(), all.len().min(case.limit), "a list is short though there are more subjects");
        let mut subjects = std::collections::HashSet::new();
        for hit in list {
            assert!(!gone.contains(&hit.row) && subjects.insert(hit.subject));
            let (_, subject, stored) = &rows[hit.row.0 as usize];
            assert_eq!(hit.subject.0, *subject);
            // The oracle's number for this row: the index stores templates of the cosine metric at unit length.
            let alone = OracleIndex::new(home(), case.dimension, case.metric).unwrap();
            alone.insert(&[row(0, 0, stored)]).unwrap();
            let own = alone.search(probe, 1).unwrap()[0].similarity;
            assert_eq!(hit.similarity.to_bits(), own.to_bits());
        }
        for pair in list.windows(2) {
            let (one, next) = (&pair[0], &pair[1]);
            assert!(
                one.similarity > next.similarity || one.similarity == next.similarity && one.row < next.row,
                "not in order"
            );
        }
    }
    // One by one, and on one thread, the same.
    let alone: Vec<Vec<Hit>> = probes.iter().map(|probe| index.search(probe, case.limit).unwrap()).collect();
    assert_eq!(bits(&alone), bits(&lists));
}

#[test]
fn similarities_are_exact_and_lists_in_order_whatever_is_missing() {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed().to_le_bytes());
    let config = Config { cases: 150, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let outcome = runner.run(&case(), |case| {
        shows_what_is_right(&case);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// Where a row lies, and in what order it came, does not decide whether it is looked at.
#[test]
fn answers_do_not_depend_on_the_order_of_insertion_or_the_number_of_threads() {
    let mut persons = Persons::new(64);
    let rows = persons.rows(4000);
    let probes: Vec<Embedding> = (0..10)
        .map(|_| {
            let person = persons.person();
            persons.image(&person)
        })
        .collect();
    let probes: Vec<&Embedding> = probes.iter().collect();
    let mut lists = Vec::new();
    for (reversed, threads) in [(false, 1), (true, 1), (true, 3)] {
        let index = CompressedIndex::in_small_blocks(home(), 64, Metric::Cosine).unwrap();
        let index = comparing(index, 50).with_threads(NonZeroUsize::new(threads).unwrap());
        let mut keyed = keyed(&rows);
        if reversed {
            keyed.reverse();
        }
        for some in keyed.chunks(333) {
            index.insert(some).unwrap();
        }
        lists.push(bits(&index.search_batch(&probes, 2, None).unwrap()));
    }
    assert_eq!(lists[0], lists[1]);
    assert_eq!(lists[0], lists[2]);
}

/// A subject whose many rows fill all that is compared does not push the others out.
#[test]
fn a_subject_of_very_many_rows_takes_one_place() {
    let index = CompressedIndex::new(home(), 8, Metric::Euclidean, Bits::One).unwrap();
    let index = comparing(index, 10);
    let crowd = at(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let other = at(&[-1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let crowd_rows: Vec<IndexRow<'_>> = (0..3000).map(|key| row(key, 1, &crowd)).collect();
    index.insert(&crowd_rows).unwrap();
    index.insert(&[row(9000, 2, &other), row(9001, 3, &other)]).unwrap();
    let listed: Vec<u64> = index.search(&crowd, 3).unwrap().iter().map(|hit| hit.row.0).collect();
    assert_eq!(listed, [0, 9000, 9001]);
}

#[test]
fn removed_templates_are_overwritten_in_both_tiers() {
    let mut persons = Persons::new(48);
    let rows = persons.rows(300);
    let index = CompressedIndex::new(home(), 48, Metric::Euclidean, Bits::Four).unwrap();
    index.insert(&keyed(&rows)).unwrap();
    assert!(!index.blocks.all().iter().any(|block| block.read().unwrap().is_blank(48)));
    let keys: Vec<RowKey> = (0..300).map(RowKey).collect();
    assert_eq!(index.remove(&keys), Ok(300));
    for block in index.blocks.all().iter() {
        assert!(block.read().unwrap().is_blank(48));
    }
}

#[test]
fn a_failed_insert_leaves_nothing_behind() {
    let index = CompressedIndex::new(home(), 16, Metric::Cosine, Bits::Two).unwrap();
    let mut persons = Persons::new(16);
    let rows = persons.rows(40);
    index.insert(&keyed(&rows[..20])).unwrap();
    let again = index.insert(&keyed(&rows[19..]));
    assert_eq!(again, Err(IndexFault::Duplicate { row: RowKey(19) }));
    assert_eq!(index.len(), 20);
    index.remove(&index.rows()).unwrap();
    for block in index.blocks.all().iter() {
        assert!(block.read().unwrap().is_blank(16));
    }
}

#[test]
fn a_deadline_is_met_in_the_middle_and_cancelled_measurements_measure_nothing() {
    let mut persons = Persons::new(32);
    let rows = persons.rows(500);
    let index = CompressedIndex::new(home(), 32, Metric::Cosine, Bits::One).unwrap();
    index.insert(&keyed(&rows)).unwrap();
    let late = Some(Instant::now() - Duration::from_millis(1));
    assert_eq!(index.search_batch(&[&rows[0].2], 5, late), Err(IndexFault::DeadlineExceeded));
    index.measure(std::time::UNIX_EPOCH, &AtomicBool::new(true)).unwrap();
    assert_eq!(index.exactness(), Exactness::Approximate { recall: None });
    assert!(index.measure_due());
}

/// [`similarity`] itself, so that a change of what the oracle does cannot hide a change of what is shown.
#[test]
fn a_similarity_is_that_of_one_to_one() {
    let mut persons = Persons::new(128);
    let rows = persons.rows(64);
    for metric in [Metric::Euclidean, Metric::Cosine] {
        let index = CompressedIndex::new(home(), 128, metric, Bits::One).unwrap();
        index.insert(&keyed(&rows)).unwrap();
        for hit in index.search(&rows[3].2, 5).unwrap() {
            let stored = rows[hit.row.0 as usize].2.values();
            assert_eq!(hit.similarity.to_bits(), similarity(rows[3].2.values(), stored, metric).to_bits());
        }
    }
}
