#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
use std::sync::atomic::{AtomicUsize, Ordering};

use likeness_matcher::index::{Exactness, IndexRow, IndexWrite as _, OracleIndex, RowKey, SubjectKey};
use likeness_models::{Metric, SpaceId};

use super::*;

fn space() -> SpaceId {
    "5a".repeat(32).parse().unwrap()
}

fn at(x: f32) -> Embedding {
    Embedding::from_stored(space(), vec![1.0, x], 2).unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// Counts passes, and holds each until it is told to go on.
struct Slow {
    index: OracleIndex,
    passes: AtomicUsize,
    most: AtomicUsize,
    hold: Mutex<()>,
    panics: bool,
}

impl Slow {
    fn new() -> Self {
        let index = OracleIndex::new(space(), 2, Metric::Euclidean).unwrap();
        for key in 0..50_u64 {
            let embedding = at(key as f32);
            index
                .insert(&[IndexRow { row: RowKey(key), subject: SubjectKey(key), embedding: &embedding }])
                .unwrap();
        }
        Slow {
            index,
            passes: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            hold: Mutex::new(()),
            panics: false,
        }
    }
}

impl IndexRead for Slow {
    fn space(&self) -> SpaceId {
        self.index.space()
    }
    fn dimension(&self) -> usize {
        self.index.dimension()
    }
    fn metric(&self) -> Metric {
        self.index.metric()
    }
    fn len(&self) -> usize {
        self.index.len()
    }
    fn contains(&self, row: RowKey) -> bool {
        self.index.contains(row)
    }
    fn rows(&self) -> Vec<RowKey> {
        self.index.rows()
    }
    fn agrees(&self, expected: &IndexRow<'_>) -> Result<bool, IndexFault> {
        self.index.agrees(expected)
    }
    fn exactness(&self) -> Exactness {
        self.index.exactness()
    }
    fn search_batch(
        &self,
        probes: &[&Embedding],
        limit: usize,
        deadline: Option<Instant>,
    ) -> Result<Vec<Vec<Hit>>, IndexFault> {
        self.passes.fetch_add(1, Ordering::SeqCst);
        self.most.fetch_max(probes.len(), Ordering::SeqCst);
        assert!(!self.panics, "told to");
        let _held = self.hold.lock().unwrap_or_else(PoisonError::into_inner);
        self.index.search_batch(probes, limit, deadline)
    }
}

/// Waits until so many searches queue behind the pass that runs.
fn queued(gather: &Gather, count: usize) {
    while gather.queue().waiting.len() < count {
        std::thread::yield_now();
    }
}

fn gather() -> Gather {
    Gather::new(Gathering { probes: 16, wait: Duration::ZERO })
}

#[test]
fn searches_that_queue_share_a_pass_and_get_their_own_lists() {
    let (index, gather) = (Slow::new(), gather());
    let (first, all) = std::thread::scope(|scope| {
        let held = index.hold.lock().unwrap();
        let first = scope.spawn(|| gather.search(&index, &at(0.0), 3, soon()));
        while index.passes.load(Ordering::SeqCst) < 1 {
            std::thread::yield_now();
        }
        let searches: Vec<_> = (1..=40)
            .map(|n| {
                let (index, gather) = (&index, &gather);
                scope.spawn(move || gather.search(index, &at(n as f32), n % 5, soon()))
            })
            .collect();
        queued(&gather, 40);
        drop(held);
        let all: Vec<_> = searches.into_iter().map(|search| search.join().unwrap()).collect();
        (first.join().unwrap(), all)
    });
    assert_eq!(first, index.index.search(&at(0.0), 3));
    for (n, list) in (1..=40).zip(all) {
        assert_eq!(list, index.index.search(&at(n as f32), n % 5), "probe {n}");
    }
    // One, then 16, 16 and 8.
    assert_eq!(index.passes.load(Ordering::SeqCst), 4);
    assert_eq!(index.most.load(Ordering::SeqCst), 16);
    assert!(!gather.queue().passing);
}

#[test]
fn who_has_no_time_left_leaves_and_the_others_go_on() {
    let (index, gather) = (Slow::new(), gather());
    std::thread::scope(|scope| {
        let held = index.hold.lock().unwrap();
        let first = scope.spawn(|| gather.search(&index, &at(0.0), 3, soon()));
        while index.passes.load(Ordering::SeqCst) < 1 {
            std::thread::yield_now();
        }
        let late = gather.search(&index, &at(1.0), 3, Instant::now());
        assert_eq!(late, Err(IndexFault::DeadlineExceeded));
        let patient = scope.spawn(|| gather.search(&index, &at(2.0), 3, soon()));
        queued(&gather, 1);
        drop(held);
        assert_eq!(first.join().unwrap(), index.index.search(&at(0.0), 3));
        assert_eq!(patient.join().unwrap(), index.index.search(&at(2.0), 3));
    });
    assert!(!gather.queue().passing);
}

#[test]
fn one_bad_probe_spoils_nobody_elses_search() {
    let (index, gather) = (Slow::new(), gather());
    let foreign = Embedding::from_stored("6b".repeat(32).parse().unwrap(), vec![1.0, 0.0], 2).unwrap();
    std::thread::scope(|scope| {
        let held = index.hold.lock().unwrap();
        let first = scope.spawn(|| gather.search(&index, &at(0.0), 3, soon()));
        while index.passes.load(Ordering::SeqCst) < 1 {
            std::thread::yield_now();
        }
        let bad = scope.spawn(|| gather.search(&index, &foreign, 3, soon()));
        let good = scope.spawn(|| gather.search(&index, &at(5.0), 3, soon()));
        queued(&gather, 2);
        drop(held);
        assert!(first.join().unwrap().is_ok());
        assert!(matches!(bad.join().unwrap(), Err(IndexFault::ForeignSpace { .. })));
        assert_eq!(good.join().unwrap(), index.index.search(&at(5.0), 3));
    });
}

#[test]
fn a_search_that_panics_does_not_block_the_pool() {
    let mut index = Slow::new();
    index.panics = true;
    let gather = gather();
    let panicked = std::thread::scope(|scope| {
        scope.spawn(|| gather.search(&index, &at(0.0), 3, soon())).join().is_err()
    });
    assert!(panicked);
    index.panics = false;
    assert_eq!(gather.search(&index, &at(0.0), 3, soon()), index.index.search(&at(0.0), 3));
}

#[test]
fn company_is_waited_for_only_where_there_was_some() {
    let index = Slow::new();
    let gather = Gather::new(Gathering { probes: 16, wait: Duration::from_secs(3600) });
    // Would wait for an hour if it waited at all.
    assert!(gather.search(&index, &at(0.0), 3, soon()).is_ok());
    assert!(gather.search(&index, &at(1.0), 3, soon()).is_ok());
    gather.queue().expected = 2;
    std::thread::scope(|scope| {
        let first = scope.spawn(|| gather.search(&index, &at(2.0), 3, soon()));
        let second = scope.spawn(|| gather.search(&index, &at(3.0), 3, soon()));
        assert!(first.join().unwrap().is_ok() && second.join().unwrap().is_ok());
    });
    assert_eq!(index.most.load(Ordering::SeqCst), 2);
}
