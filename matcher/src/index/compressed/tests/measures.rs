//! The measured recall, against recall counted by hand.

use std::collections::HashSet;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::super::recall::SEED;
use super::super::rotate::mixed;
use super::super::{Recall, Share};
use super::*;
use crate::index::Exactness;

fn measured(index: &CompressedIndex) -> Option<Recall> {
    match index.exactness() {
        Exactness::Approximate { recall } => recall,
        other => panic!("{other:?}"),
    }
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// Counts with a second index from which the probe's own rows were taken, and an oracle of the same rows.
fn by_hand(
    rows: &[(u64, u64, Embedding)],
    without: impl Fn(&(u64, u64, Embedding), &(u64, u64, Embedding)) -> bool,
    make: impl Fn() -> CompressedIndex,
    probes: &[usize],
) -> [Share; 2] {
    let mut shares = [10, 50].map(|list_length| Share { list_length, found: 0, of: 0 });
    for &probe in probes {
        let kept: Vec<IndexRow<'_>> =
            rows.iter().filter(|row| !without(row, &rows[probe])).map(|(k, s, e)| row(*k, *s, e)).collect();
        let index = make();
        let oracle = OracleIndex::new(home(), index.dimension(), index.metric()).unwrap();
        index.insert(&kept).unwrap();
        oracle.insert(&kept).unwrap();
        let listed = index.search(&rows[probe].2, 50).unwrap();
        let right = oracle.search(&rows[probe].2, 50).unwrap();
        for share in &mut shares {
            let listed: HashSet<RowKey> = listed.iter().take(share.list_length).map(|hit| hit.row).collect();
            let right: Vec<RowKey> = right.iter().take(share.list_length).map(|hit| hit.row).collect();
            share.of += right.len() as u64;
            share.found += right.iter().filter(|row| listed.contains(row)).count() as u64;
        }
    }
    shares
}

#[test]
fn the_measured_recall_is_the_one_counted_by_hand() {
    let mut persons = Persons::new(32);
    // The last one has no other image.
    let rows: Vec<_> = persons.rows(3001).into_iter().take(3001).collect();
    let make = || {
        // Few rows are compared, so that some are missed; a block on disk among them.
        comparing(CompressedIndex::in_small_blocks(home(), 32, Metric::Cosine).unwrap(), 1)
    };
    let index = make();
    index.insert(&keyed(&rows)).unwrap();
    assert_eq!(measured(&index), None);
    index.measure(now(), &AtomicBool::new(false)).unwrap();
    let recall = measured(&index).unwrap();

    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|at| mixed(rows[*at].0 ^ SEED));
    let drawn = &order[..64];
    let with_mates: Vec<usize> = drawn
        .iter()
        .copied()
        .filter(|at| rows.iter().filter(|row| row.1 == rows[*at].1).count() > 1)
        .collect();
    let mated = by_hand(&rows, |row, probe| row.0 == probe.0, make, &with_mates);
    let others = by_hand(&rows, |row, probe| row.1 == probe.1, make, drawn);
    assert_eq!((recall.at, recall.rows), (now(), rows.len()));
    assert_eq!((recall.mated_probes, recall.other_probes), (with_mates.len(), 64));
    assert_eq!((recall.mated, recall.others), (mated, others));
    let mut mates = Share { list_length: 50, found: 0, of: 0 };
    for &at in &with_mates {
        let kept: Vec<IndexRow<'_>> =
            keyed(&rows).into_iter().filter(|row| row.row.0 != rows[at].0).collect();
        let (index, oracle) = (make(), OracleIndex::new(home(), 32, Metric::Cosine).unwrap());
        index.insert(&kept).unwrap();
        oracle.insert(&kept).unwrap();
        let is_there = |list: Vec<Hit>| u64::from(list.iter().any(|hit| hit.subject.0 == rows[at].1));
        let right = is_there(oracle.search(&rows[at].2, 50).unwrap());
        mates.of += right;
        mates.found += right * is_there(index.search(&rows[at].2, 50).unwrap());
    }
    assert_eq!(recall.mates, mates);
    assert!(mates.of > 50, "the two images of a person are alike: {mates:?}");
    assert!(others[1].found < others[1].of, "nothing was missed: the measurement shows nothing");
    assert!(others[0].value().unwrap() > 0.5, "{others:?}");
    println!("report: recall of {others:?}, mated {mated:?}");
}

#[test]
fn a_measurement_is_not_told_once_too_much_changed() {
    let mut persons = Persons::new(16);
    let rows = persons.rows(1000);
    let index = CompressedIndex::new(home(), 16, Metric::Euclidean, Bits::Two).unwrap();
    assert!(!index.measure_due(), "there is nothing to measure");
    index.insert(&keyed(&rows[..900])).unwrap();
    assert!(index.measure_due());
    index.measure(now(), &AtomicBool::new(false)).unwrap();
    let recall = measured(&index).unwrap();
    // All rows are compared.
    assert!(recall.mated.iter().chain(&recall.others).all(|share| share.value() == Some(1.0)));
    index.insert(&keyed(&rows[900..990])).unwrap();
    assert_eq!(measured(&index).map(|recall| recall.rows), Some(900), "90 changes are not too much");
    assert_eq!(index.remove(&[RowKey(1)]), Ok(1));
    assert_eq!(measured(&index), None);
    assert!(index.measure_due());
}

#[test]
fn of_subjects_with_one_image_each_no_mated_probe_is_told() {
    let mut persons = Persons::new(16);
    let rows: Vec<_> = persons.rows(200).into_iter().map(|(row, _, template)| (row, row, template)).collect();
    let index = CompressedIndex::new(home(), 16, Metric::Cosine, Bits::One).unwrap();
    index.insert(&keyed(&rows)).unwrap();
    index.measure(now(), &AtomicBool::new(false)).unwrap();
    let recall = measured(&index).unwrap();
    assert_eq!((recall.mated_probes, recall.mated[0].value()), (0, None));
    assert_eq!((recall.other_probes, recall.others[0].value()), (64, Some(1.0)));
}
