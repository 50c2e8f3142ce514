//! Group commit: appends that wait together become durable together.

use super::faults::Faulty;
use super::*;
use std::time::Instant;

fn commits(log: &dyn AuditRead, size: u64) -> usize {
    (1..=size).filter(|size| log.checkpoint(*size).unwrap().is_some()).count()
}

fn until(holds: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(5) {
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

#[test]
fn appends_that_wait_share_one_commit() {
    const WAITING: u64 = 64;
    let fixture = Fixture::new();
    let keys = Faulty::new(fixture.keys());
    let (log, _) = fixture.open_with(keys.clone(), AuditOptions::default()).unwrap();
    keys.hang(true);
    std::thread::scope(|scope| {
        let append = |n: u64| log.append(submissions(start(), n..n + 1)).map(|receipts| receipts.len());
        let first = scope.spawn(move || append(0));
        // The writer hangs in the first commit. The others can only wait; how many do is seen in the queue.
        let in_time = until(|| keys.signing() == 1);
        let others: Vec<_> = (1..WAITING).map(|n| scope.spawn(move || append(n))).collect();
        let in_time = in_time && until(|| log.waiting() + 1 == WAITING as usize);
        // Before anything is asserted: a writer that hangs would keep the test from ending.
        keys.hang(false);
        assert!(in_time, "the appends did not come to wait");
        for appended in std::iter::once(first).chain(others) {
            assert_eq!(appended.join().unwrap().unwrap(), 1);
        }
    });
    assert_eq!(log.head().unwrap().size, WAITING);
    assert_eq!(commits(&log, WAITING), 2, "the first, and one for all the others");
    drop(log);
    fixture.sound();
}

#[test]
fn how_many_durable_appends_per_second() {
    for threads in [1_u64, 16, 64] {
        let fixture = Fixture::new();
        let log = fixture.open();
        let each = 640 / threads;
        let began = Instant::now();
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let log = &log;
                scope.spawn(move || {
                    for n in 0..each {
                        log.append(submissions(
                            start(),
                            4 * (thread * 1000 + n)..4 * (thread * 1000 + n) + 1,
                        ))
                        .unwrap();
                    }
                });
            }
        });
        let took = began.elapsed().as_secs_f64();
        let size = log.head().unwrap().size;
        assert_eq!(size, threads * each);
        println!(
            "report: audit, {threads} callers: {:.0} durable appends/s with content, {:.1} per commit",
            size as f64 / took,
            size as f64 / commits(&log, size) as f64
        );
    }
}
