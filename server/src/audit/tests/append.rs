//! Appending and reading back.

use super::*;
use std::collections::BTreeSet;
use std::sync::Mutex;

#[test]
fn receipts_say_where_the_entry_is_and_can_be_made_again() {
    let fixture = Fixture::new();
    let log = fixture.open();
    assert_eq!(log.append(Vec::new()).unwrap(), []);
    let first = log.append(submissions(start(), 0..3)).unwrap();
    let second = log.append(submissions(start(), 3..8)).unwrap();
    let indexes: Vec<_> = first.iter().chain(&second).map(Receipt::entry_index).collect();
    assert_eq!(indexes, [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!((first[2].tree_size(), second[0].tree_size()), (3, 8));
    assert_eq!(log.head().unwrap().checkpoint, second[0].checkpoint());
    let check = |log: &dyn AuditRead| {
        for receipt in first.iter().chain(&second) {
            assert_eq!(log.receipt(receipt.event_id()).unwrap().as_ref(), Some(receipt));
            let stored = log.entry(receipt.event_id()).unwrap().unwrap();
            assert_eq!((stored.index, &stored.hash), (receipt.entry_index(), receipt.entry_hash()));
            assert_eq!(stored.entry.occurred_at, receipt.occurred_at());
        }
        assert_eq!(
            log.entries(2, 3).unwrap().iter().map(|stored| stored.index).collect::<Vec<_>>(),
            [2, 3, 4]
        );
        assert!(log.entries(u64::MAX, 3).unwrap().is_empty());
        assert!(log.entry(EventId::at(start())).unwrap().is_none());
        assert!(log.receipt(EventId::at(start())).unwrap().is_none());
    };
    check(&log);
    let keys = fixture.keys();
    // Beside the writer, then alone.
    check(&AuditReader::open(&fixture.folder(), keys.audit_key(), None).unwrap());
    fixture.sound();
    drop(log);
    check(&AuditReader::open(&fixture.folder(), keys.audit_key(), Some(keys.clone())).unwrap());
    check(&fixture.open());
    let report = fixture.sound();
    assert_eq!((report.entries, report.checkpoints, report.contents_checked), (8, 4, 6));
}

#[test]
fn many_threads_share_commits_and_lose_nothing() {
    let fixture = Fixture::new();
    let log = fixture.open();
    let all = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let (log, all) = (&log, &all);
            scope.spawn(move || {
                for n in 0..20 {
                    let receipts =
                        log.append(submissions(start(), thread * 100 + n..thread * 100 + n + 2)).unwrap();
                    assert_eq!(receipts[0].entry_index() + 1, receipts[1].entry_index());
                    all.lock().unwrap().extend(receipts);
                }
            });
        }
    });
    let all = all.into_inner().unwrap();
    let indexes: BTreeSet<_> = all.iter().map(Receipt::entry_index).collect();
    assert_eq!(indexes, (0..640).collect());
    for receipt in &all {
        assert_eq!(log.receipt(receipt.event_id()).unwrap().as_ref(), Some(receipt));
    }
    drop(log);
    assert_eq!(fixture.sound().entries, 640);
}

#[test]
fn an_outcome_closes_its_intent_once() {
    let fixture = Fixture::new();
    let log = fixture.open();
    let mut intent = entry(start(), 1);
    (intent.phase, intent.outcome) = (Phase::Intent, None);
    let outcome = intent.to_outcome(start(), Outcome::Answered);
    let refused = |log: &FileAudit, entry: &Entry| {
        let error = log.append(vec![entry.clone().into()]).unwrap_err();
        assert!(matches!(error, AuditError::Invalid(_)), "{error}");
    };
    refused(&log, &outcome);
    log.append(vec![intent.clone().into()]).unwrap();
    refused(&log, &intent);
    assert_eq!(log.open_intents().unwrap().len(), 1);
    assert_eq!(fixture.sound().open_intents, 1);
    let twice = vec![outcome.clone().into(), intent.to_outcome(start(), Outcome::Failed).into()];
    assert!(matches!(log.append(twice), Err(AuditError::Invalid(_))));
    log.append(vec![outcome.clone().into()]).unwrap();
    refused(&log, &outcome);
    refused(&log, &intent.to_outcome(start(), Outcome::Failed));
    assert!(log.open_intents().unwrap().is_empty());
    // Both in one append.
    let mut intent = entry(start(), 2);
    (intent.phase, intent.outcome) = (Phase::Intent, None);
    let outcome = intent.to_outcome(start(), Outcome::Answered);
    assert_eq!(log.append(vec![intent.into(), outcome.into()]).unwrap().len(), 2);
    assert_eq!(fixture.sound().entries, 4);
}

#[test]
fn what_cannot_be_recorded_is_refused_and_leaves_no_trace() {
    let fixture = Fixture::new();
    let log = fixture.open();
    let mut without_outcome = entry(start(), 1);
    without_outcome.outcome = None;
    let mut early = entry(start(), 1);
    early.phase = Phase::Intent;
    let mut unrelated = entry(start(), 1);
    unrelated.phase = Phase::Outcome;
    for entry in [without_outcome, early, unrelated] {
        assert!(matches!(log.append(vec![entry.into()]), Err(AuditError::Invalid(_))));
    }
    let mut long = entry(start(), 1);
    long.justification = Some("x".repeat(2 << 20));
    assert!(matches!(log.append(vec![long.into()]), Err(AuditError::TooLarge { .. })));
    let same = entry(start(), 1);
    assert!(matches!(log.append(vec![same.clone().into(), same.into()]), Err(AuditError::Invalid(_))));
    for similarity in [f64::NAN, f64::INFINITY] {
        assert!(Candidate::new(1, ImageId::at(start()), SubjectId::at(start()), similarity).is_err());
    }
    assert!(matches!(log.append(submissions(start(), 0..513)), Err(AuditError::Invalid(_))));
    assert_eq!(log.head().unwrap().size, 0);
    log.append(submissions(start(), 0..1)).unwrap();
    assert_eq!(fixture.sound().entries, 1);
}

#[test]
fn the_database_itself_refuses_changes_by_mistake() {
    let fixture = Fixture::new();
    fixture.open().append(submissions(start(), 0..5)).unwrap();
    let connection = rusqlite::Connection::open(fixture.folder().join("audit.sqlite")).unwrap();
    for statement in [
        "UPDATE entry SET body = x'00'",
        "DELETE FROM entry",
        "UPDATE checkpoint SET note = ''",
        "DELETE FROM checkpoint",
    ] {
        let error = connection.execute(statement, []).unwrap_err().to_string();
        assert!(error.contains("never"), "{error}");
    }
    drop(connection);
    fixture.sound();
}
