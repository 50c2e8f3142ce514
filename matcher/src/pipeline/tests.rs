#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::channel,
    },
    thread,
    time::{Duration, Instant},
};

use super::gate::Gate;
use crate::fault::Fault;

#[test]
fn no_more_than_the_places_are_inside() {
    let gate = Gate::new(3, 100, Duration::from_secs(30)).unwrap();
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                let _turn = gate.enter().expect("the queue is long enough");
                most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(2));
                inside.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[test]
fn a_full_queue_refuses_at_once() {
    let gate = Gate::new(1, 0, Duration::from_secs(30)).unwrap();
    let turn = gate.enter().unwrap();
    let before = Instant::now();
    assert_eq!(gate.enter().err(), Some(Fault::Busy { waiting: 0 }));
    assert!(before.elapsed() < Duration::from_secs(5));
    drop(turn);
    assert!(gate.enter().is_ok());
}

#[test]
fn waiting_ends_with_the_deadline() {
    let wait = Duration::from_millis(50);
    let gate = Gate::new(1, 5, wait).unwrap();
    let turn = gate.enter().unwrap();
    let before = Instant::now();
    assert_eq!(gate.enter().err(), Some(Fault::Deadline { waited: wait }));
    assert!(before.elapsed() >= wait);
    drop(turn);
    assert!(gate.enter().is_ok(), "the one that gave up left no trace");
}

#[test]
fn a_place_goes_to_one_who_waits() {
    let gate = Gate::new(1, 5, Duration::from_secs(30)).unwrap();
    let turn = gate.enter().unwrap();
    thread::scope(|scope| {
        let (entered, entry) = channel();
        let gate = &gate;
        scope.spawn(move || {
            let turn = gate.enter();
            entered.send(turn.is_ok()).unwrap();
        });
        thread::sleep(Duration::from_millis(20));
        drop(turn);
        assert!(entry.recv_timeout(Duration::from_secs(10)).unwrap());
    });
}

#[test]
fn a_panic_inside_frees_the_place() {
    let gate = Gate::new(1, 0, Duration::from_secs(1)).unwrap();
    let ended = thread::scope(|scope| {
        scope
            .spawn(|| {
                let _turn = gate.enter();
                panic!("on purpose");
            })
            .join()
    });
    assert!(ended.is_err());
    assert!(gate.enter().is_ok());
}

#[test]
fn sizes_that_cannot_work_are_refused() {
    for (places, queue, wait) in [
        (0, 1, Duration::ZERO),
        (usize::MAX, 1, Duration::ZERO),
        (1, usize::MAX, Duration::ZERO),
        (1, 1, Duration::MAX),
    ] {
        assert!(matches!(Gate::new(places, queue, wait), Err(Fault::Options(_))));
    }
}
