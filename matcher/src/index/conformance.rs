//! What every index must do: free functions over `&dyn IndexWrite`, run for every implementation.
//!
//! Each takes a fresh, empty index of two dimensions in [`home`]. To add an implementation, add a line at the end.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use likeness_models::{Metric, SpaceId};

use super::compressed::Bits;
use super::{
    CertifiedIndex, CompressedIndex, FlatIndex, Hit, IndexFault, IndexRow, IndexWrite, OracleIndex, RowKey,
    SubjectKey, UnusableLength,
};
use crate::embed::Embedding;

pub(super) fn home() -> SpaceId {
    "5a".repeat(32).parse().unwrap()
}

pub(super) fn at(values: &[f32]) -> Embedding {
    Embedding::from_stored(home(), values.to_vec(), values.len()).unwrap()
}

pub(super) fn row(row: u64, subject: u64, embedding: &Embedding) -> IndexRow<'_> {
    IndexRow { row: RowKey(row), subject: SubjectKey(subject), embedding }
}

fn put(index: &dyn IndexWrite, key: u64, subject: u64, values: &[f32]) {
    index.insert(&[row(key, subject, &at(values))]).unwrap();
}

fn keys(hits: &[Hit]) -> Vec<(u64, u64)> {
    hits.iter().map(|hit| (hit.row.0, hit.subject.0)).collect()
}

fn search(index: &dyn IndexWrite, values: &[f32], limit: usize) -> Vec<(u64, u64)> {
    keys(&index.search(&at(values), limit).unwrap())
}

fn an_empty_index_answers_with_an_empty_list(index: &dyn IndexWrite) {
    assert!(index.is_empty());
    assert_eq!((index.len(), index.rows(), index.contains(RowKey(1))), (0, vec![], false));
    assert_eq!(search(index, &[1.0, 0.0], 5), []);
    assert_eq!(index.remove(&[RowKey(1)]), Ok(0));
    assert_eq!(index.search_batch(&[], 5, None), Ok(vec![]));
}

fn best_row_of_each_subject_in_order(index: &dyn IndexWrite) {
    for (key, subject, x, y) in
        [(1, 10, 1.0, 0.1), (2, 10, 1.0, 0.0), (3, 20, 1.0, 0.2), (4, 20, 0.0, 1.0), (5, 30, 0.0, 1.0)]
    {
        put(index, key, subject, &[x, y]);
    }
    assert_eq!(search(index, &[1.0, 0.0], 10), [(2, 10), (3, 20), (5, 30)]);
    assert_eq!(search(index, &[1.0, 0.0], 2), [(2, 10), (3, 20)]);
    assert_eq!(search(index, &[1.0, 0.0], 0), []);
    assert_eq!(search(index, &[1.0, 0.0], usize::MAX).len(), 3);
    let hits = index.search(&at(&[1.0, 0.0]), 1).unwrap();
    assert!((hits[0].similarity - 1.0).abs() < 1e-12, "identical is 1, got {}", hits[0].similarity);
}

fn ties_go_to_the_smaller_row_whatever_the_order_of_insertion(index: &dyn IndexWrite) {
    for key in [7, 3, 9, 1, 8, 2, 6, 4, 5] {
        put(index, key, 100 + key / 2, &[0.6, 0.8]);
    }
    assert_eq!(search(index, &[1.0, 0.0], 3), [(1, 100), (2, 101), (4, 102)]);
    index.remove(&[RowKey(2)]).unwrap();
    assert_eq!(search(index, &[1.0, 0.0], 3), [(1, 100), (3, 101), (4, 102)]);
}

fn a_subject_with_many_rows_takes_one_place(index: &dyn IndexWrite) {
    for key in 0..200 {
        put(index, key, 1, &[1.0, key as f32 * 1e-3]);
    }
    put(index, 1000, 2, &[-1.0, 0.0]);
    put(index, 1001, 3, &[-0.9, 0.1]);
    assert_eq!(search(index, &[1.0, 0.0], 3), [(0, 1), (1001, 3), (1000, 2)]);
}

fn a_batch_answers_as_its_probes_do_alone(index: &dyn IndexWrite) {
    for key in 0..50 {
        put(index, key, key / 3, &[(key as f32).cos(), (key as f32).sin()]);
    }
    let probes: Vec<Embedding> =
        (0..40).map(|i| at(&[(i as f32 * 0.7).cos(), (i as f32 * 0.7).sin()])).collect();
    let together = index.search_batch(&probes.iter().collect::<Vec<_>>(), 4, None).unwrap();
    let alone: Vec<Vec<Hit>> = probes.iter().map(|probe| index.search(probe, 4).unwrap()).collect();
    assert_eq!(together, alone);
}

fn insert_is_all_or_nothing(index: &dyn IndexWrite) {
    put(index, 1, 1, &[1.0, 0.0]);
    let (good, long, foreign) = (at(&[0.0, 1.0]), at(&[0.0, 1.0, 0.0]), foreign());
    let twice = [row(2, 2, &good), row(3, 3, &good), row(2, 4, &good)];
    assert_eq!(index.insert(&twice), Err(IndexFault::Duplicate { row: RowKey(2) }));
    let known = [row(2, 2, &good), row(1, 3, &good)];
    assert_eq!(index.insert(&known), Err(IndexFault::Duplicate { row: RowKey(1) }));
    let misshapen = [row(2, 2, &good), row(3, 3, &long)];
    assert_eq!(index.insert(&misshapen), Err(IndexFault::Dimension { expected: 2, found: 3 }));
    let elsewhere = [row(2, 2, &good), row(3, 3, &foreign)];
    assert_eq!(
        index.insert(&elsewhere),
        Err(IndexFault::ForeignSpace { expected: home(), found: foreign.space() })
    );
    assert_eq!((index.rows(), index.contains(RowKey(2))), (vec![RowKey(1)], false));
    assert_eq!(search(index, &[0.0, 1.0], 9), [(1, 1)]);
    assert_eq!(index.insert(&[]), Ok(()));
}

fn foreign() -> Embedding {
    Embedding::from_stored("a5".repeat(32).parse().unwrap(), vec![0.0, 1.0], 2).unwrap()
}

fn probes_that_do_not_compare_are_refused(index: &dyn IndexWrite) {
    put(index, 1, 1, &[1.0, 0.0]);
    let foreign = foreign();
    assert_eq!(
        index.search(&foreign, 1),
        Err(IndexFault::ForeignSpace { expected: home(), found: foreign.space() })
    );
    assert_eq!(index.search(&at(&[1.0]), 1), Err(IndexFault::Dimension { expected: 2, found: 1 }));
    let too_long = at(&[3e38, 0.0]);
    assert_eq!(index.search(&too_long, 1), Err(IndexFault::Unusable { length: UnusableLength::TooLong }));
    assert_eq!(
        index.insert(&[row(2, 2, &too_long)]),
        Err(IndexFault::Unusable { length: UnusableLength::TooLong })
    );
    let zero = at(&[0.0, 0.0]);
    match index.metric() {
        Metric::Cosine => {
            let refused = IndexFault::Unusable { length: UnusableLength::Zero };
            assert_eq!(index.search(&zero, 1), Err(refused.clone()));
            assert_eq!(index.insert(&[row(2, 2, &zero)]), Err(refused));
        }
        Metric::Euclidean => {
            index.insert(&[row(2, 2, &zero)]).unwrap();
            assert_eq!(search(index, &[0.0, 0.0], 1), [(2, 2)]);
        }
    }
}

fn what_was_removed_is_never_returned_and_may_come_back(index: &dyn IndexWrite) {
    for key in 0..60 {
        put(index, key, key, &[(key as f32).cos(), (key as f32).sin()]);
    }
    let doomed: Vec<RowKey> = (0..60).filter(|key| key % 3 != 1).map(RowKey).collect();
    let again = [doomed.clone(), doomed[..5].to_vec(), vec![RowKey(999)]].concat();
    assert_eq!(index.remove(&again), Ok(doomed.len()));
    assert_eq!(index.len(), 20);
    assert_eq!(index.rows(), (0..60).filter(|key| key % 3 == 1).map(RowKey).collect::<Vec<_>>());
    let listed = search(index, &[1.0, 0.0], 100);
    assert_eq!(listed.len(), 20);
    assert!(listed.iter().all(|(key, _)| key % 3 == 1));
    put(index, 0, 77, &[1.0, 0.0]);
    assert_eq!(search(index, &[1.0, 0.0], 1), [(0, 77)]);
}

fn agreement_is_about_key_subject_and_template(index: &dyn IndexWrite) {
    for key in 0..40 {
        put(index, key, key, &[1.0, key as f32]);
    }
    index.remove(&[RowKey(3), RowKey(17)]).unwrap();
    for key in 0..40 {
        let there = key != 3 && key != 17;
        let template = at(&[1.0, key as f32]);
        assert_eq!(index.agrees(&row(key, key, &template)), Ok(there), "row {key}");
        assert_eq!(index.agrees(&row(key, key + 1, &template)), Ok(false));
        assert_eq!(index.agrees(&row(key, key, &at(&[1.0, key as f32 + 0.5]))), Ok(false));
    }
    assert!(index.agrees(&row(1, 1, &foreign())).is_err());
}

fn a_deadline_that_has_passed_gives_no_list(index: &dyn IndexWrite) {
    put(index, 1, 1, &[1.0, 0.0]);
    let probe = at(&[1.0, 0.0]);
    let passed = Instant::now();
    assert_eq!(index.search_batch(&[&probe], 1, Some(passed)), Err(IndexFault::DeadlineExceeded));
    let ample = Instant::now() + Duration::from_secs(600);
    assert_eq!(index.search_batch(&[&probe], 1, Some(ample)).unwrap().len(), 1);
}

/// Subjects 0 to 19 stay; others come and go meanwhile. Each search must list every one that stays, in order,
/// and none that was never there.
fn searches_beside_writes_miss_nothing_that_stays(index: &dyn IndexWrite) {
    let place = |key: u64| at(&[1.0, key as f32 * 0.01]);
    for key in 0..20 {
        index.insert(&[row(key, key, &place(key))]).unwrap();
        index.insert(&[row(1000 + key, 1000 + key, &place(500 + key))]).unwrap();
    }
    let written = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !written.load(Ordering::Relaxed) {
                    let listed = search(index, &[1.0, 0.0], 1000);
                    assert_eq!(listed[..20], (0..20).map(|key| (key, key)).collect::<Vec<_>>()[..]);
                    assert!(
                        listed.iter().all(|(_, subject)| matches!(subject, 0..20 | 1000..1020 | 2000..2010))
                    );
                }
            });
        }
        // Set even when the writer panics: otherwise the readers would never end.
        let _done = WhenDropped(&written);
        // Miri is some thousand times slower.
        for round in 0..if cfg!(miri) { 3 } else { 60_u64 } {
            let coming: Vec<Embedding> = (0..10).map(|i| place(100 + i)).collect();
            let rows: Vec<IndexRow> =
                (0..10).zip(&coming).map(|(i, e)| row(2000 + round * 10 + i, 2000 + i, e)).collect();
            index.insert(&rows).unwrap();
            index.insert(&[rows[0]]).unwrap_err();
            let away = RowKey(1000 + round % 20);
            let going: Vec<RowKey> = rows.iter().map(|row| row.row).chain([away]).collect();
            index.remove(&going).unwrap();
            index.insert(&[row(away.0, away.0, &place(500 + round % 20))]).unwrap();
        }
    });
    assert_eq!(index.len(), 40);
}

struct WhenDropped<'a>(&'a AtomicBool);

impl Drop for WhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

macro_rules! conforms {
    ($implementation:ident, $make:expr, $($promise:ident)+) => {
        mod $implementation {
            use super::*;
            $(#[test]
            fn $promise() {
                for metric in [Metric::Euclidean, Metric::Cosine] {
                    super::$promise(&($make)(home(), 2, metric).unwrap());
                }
            })+
        }
    };
    ($($implementation:ident: $make:expr;)+) => {
        $(conforms! { $implementation, $make,
            an_empty_index_answers_with_an_empty_list
            best_row_of_each_subject_in_order
            ties_go_to_the_smaller_row_whatever_the_order_of_insertion
            a_subject_with_many_rows_takes_one_place
            a_batch_answers_as_its_probes_do_alone
            insert_is_all_or_nothing
            probes_that_do_not_compare_are_refused
            what_was_removed_is_never_returned_and_may_come_back
            agreement_is_about_key_subject_and_template
            a_deadline_that_has_passed_gives_no_list
            searches_beside_writes_miss_nothing_that_stays
        })+
    };
}

conforms! {
    flat: FlatIndex::new;
    flat_in_small_segments: FlatIndex::in_small_segments;
    certified: CertifiedIndex::new;
    certified_in_small_blocks: CertifiedIndex::in_small_blocks;
    certified_in_halves: CertifiedIndex::in_halves;
    certified_on_disk: CertifiedIndex::on_disk;
    compressed: |space, dimension, metric| CompressedIndex::new(space, dimension, metric, Bits::Two);
    compressed_in_small_blocks: CompressedIndex::in_small_blocks;
    oracle: OracleIndex::new;
}
