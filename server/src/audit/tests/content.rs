//! The sealed content: readable for replay, unreadable without keys, gone after a purge.

use super::*;
use jiff::SignedDuration;

fn files_hold(folder: &Path, needle: &[u8]) -> bool {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .any(|entry| {
            // A file that is replaced meanwhile is read under its new name, or at the next look.
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            bytes.windows(needle.len()).any(|window| window == needle)
        })
}

#[test]
fn replay_gives_the_very_bytes_and_no_file_holds_them_open() {
    let fixture = Fixture::new();
    let log = fixture.open();
    let receipts = log.append(submissions(start(), 0..9)).unwrap();
    for (n, receipt) in (0..).zip(&receipts) {
        let expected = (n % 4 == 0).then(|| content(n));
        assert_eq!(log.content(receipt.event_id()).unwrap(), expected);
    }
    let keys = fixture.keys();
    let reader = AuditReader::open(&fixture.folder(), keys.audit_key(), Some(keys.clone())).unwrap();
    assert_eq!(reader.content(receipts[4].event_id()).unwrap(), Some(content(4)));
    let blind = AuditReader::open(&fixture.folder(), keys.audit_key(), None).unwrap();
    assert!(blind.content(receipts[4].event_id()).is_err());
    for secret in ["probe pixels", "request ", "response "] {
        assert!(!files_hold(fixture.folder.path(), secret.as_bytes()), "{secret}");
    }
    assert!(!format!("{:?}", content(1)).contains("pixels"));
}

#[test]
fn a_purge_forgets_old_content_and_says_so() {
    let fixture = Fixture::new();
    let log = fixture.open();
    let mut events = Vec::new();
    for day in 0..10 {
        events.push(log.append(vec![submission(fixture.clock.now(), day * 4)]).unwrap()[0].event_id());
        fixture.clock.advance(SignedDuration::from_hours(24));
    }
    let database = rusqlite::Connection::open(fixture.folder().join("content.sqlite")).unwrap();
    let read = "SELECT sealed FROM content WHERE event = ?1 AND part = 'probe'";
    let sealed = |event: &EventId| -> Vec<u8> {
        database.query_row(read, [event.as_bytes()], |row| row.get(0)).unwrap()
    };
    let (old, young) = (sealed(&events[5]), sealed(&events[6]));
    drop(database);

    let now = fixture.clock.now();
    let horizon = start() + SignedDuration::from_hours(24 * 6);
    assert!(
        log.purge_content(now + SignedDuration::from_secs(1), entry(now, 1)).is_err(),
        "not into the future"
    );
    let purged = log.purge_content(horizon, entry(now, 1)).unwrap();
    assert_eq!((purged.keys, purged.parts), (6, 18));
    assert!(!files_hold(fixture.folder.path(), &old), "sealed content is still in a file");
    assert!(files_hold(fixture.folder.path(), &young));
    for (day, event) in (0..).zip(&events) {
        assert_eq!(log.content(*event).unwrap(), (day >= 6).then(|| content(day * 4)));
        assert!(log.receipt(*event).unwrap().is_some());
    }
    let outcome = log.entry(purged.receipt.event_id()).unwrap().unwrap().entry;
    assert_eq!((outcome.operation, outcome.counts["content_keys_destroyed"]), (Operation::Erasure, 6));
    assert!(log.open_intents().unwrap().is_empty());
    let report = fixture.sound();
    assert_eq!((report.contents_purged, report.contents_checked), (6, 12));
    drop(log);
    let (_, recovery) = fixture.open_with(fixture.keys(), AuditOptions::default()).unwrap();
    assert!(recovery.content_not_stored.is_empty(), "what was purged is not lost");
}
