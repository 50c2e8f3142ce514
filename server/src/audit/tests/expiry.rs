//! Entries past their retention: forgotten in order, accounted for, and nothing else can be passed off as forgotten.

use super::*;
use crate::audit::bundle::{BundleWriter, verify_bundle, verify_bundle_under};
use crate::audit::expiry;
use crate::audit::verify::FindingKind;
use jiff::SignedDuration;

/// Days between two entries.
const APART: i64 = 30;
const DAYS: u32 = 400;

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// A log of forty entries, thirty days apart.
fn aged() -> (Fixture, FileAudit, Vec<Receipt>) {
    let fixture = Fixture::new();
    let log = fixture.open();
    let mut receipts = Vec::new();
    for n in 0..40 {
        let mut new = submission(fixture.clock.now(), n);
        new.entry.reference_id = Some(format!("SECRET-{n}-REFERENCE"));
        receipts.extend(log.append(vec![new]).unwrap());
        fixture.clock.advance(days(APART));
    }
    (fixture, log, receipts)
}

fn by(now: Timestamp) -> Entry {
    Entry::new(now, "likeness/retention", Operation::Erasure, Phase::Intent)
}

/// Forgets what is older than [`DAYS`]: 27 of the entries of [`aged`].
fn forget(fixture: &Fixture, log: &FileAudit) -> Option<MetadataPurged> {
    let now = fixture.clock.now();
    log.purge_content(now - days(i64::from(DAYS)), by(now)).unwrap();
    log.purge_metadata(now - days(i64::from(DAYS)), DAYS, by(now)).unwrap()
}

fn holds(fixture: &Fixture, needle: &str) -> bool {
    std::fs::read_dir(fixture.folder()).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
    })
}

#[test]
fn old_entries_are_forgotten_and_everything_signed_still_holds() {
    let (fixture, log, receipts) = aged();
    assert!(holds(&fixture, "SECRET-0-REFERENCE"));
    let purged = forget(&fixture, &log).unwrap();
    assert_eq!((purged.bodies, purged.log_emptied), (27, true));
    for n in 0..40 {
        assert_eq!(holds(&fixture, &format!("SECRET-{n}-REFERENCE")), n >= 27, "entry {n}");
    }
    // Gone to whoever reads, and still provable for whoever kept a receipt.
    let event = receipts[3].event_id();
    assert!(log.entry(event).unwrap().is_none() && log.receipt(event).unwrap().is_none());
    assert_eq!(log.position(event).unwrap(), Some(3));
    assert_eq!(log.entries(0, 5).unwrap()[0].index, 27);
    let size = log.head().unwrap().size;
    let proof = log.inclusion(3, size).unwrap();
    assert_eq!(proof.leaf, *receipts[3].entry_hash());
    log.consistency(receipts[3].tree_size(), size).unwrap();
    let stubs = log.stubs(0, 100).unwrap();
    assert_eq!((stubs.len(), stubs[3].event, stubs[3].hash), (27, event, *receipts[3].entry_hash()));

    let report = fixture.sound();
    assert_eq!((report.expired, report.open_intents), (27, 0));
    // A receipt kept from a forgotten entry still holds the log to what it signed.
    let kept = receipts[3].checkpoint().to_owned();
    let options = VerifyOptions { expected: vec![kept], ..VerifyOptions::default() };
    let key = fixture.keys().audit_key();
    assert!(verify(&fixture.folder(), &key, &options).unwrap().is_sound());
    // Held to a longer retention, the same purge is a finding.
    let longer = VerifyOptions { metadata_days: Some(DAYS + 1), ..VerifyOptions::default() };
    assert!(!verify(&fixture.folder(), &key, &longer).unwrap().is_sound());

    // Nothing more to forget today; a year later there is, and the newest purge accounts for all.
    assert!(
        log.purge_metadata(fixture.clock.now() - days(400), DAYS, by(fixture.clock.now())).unwrap().is_none()
    );
    drop(log);
    let log = fixture.open();
    fixture.clock.advance(days(300));
    assert_eq!(forget(&fixture, &log).unwrap().bodies, 10);
    assert_eq!(fixture.sound().expired, 37);
}

#[test]
fn nothing_is_forgotten_before_its_time_or_while_it_is_open() {
    let (fixture, log, _) = aged();
    let now = fixture.clock.now();
    assert!(log.purge_metadata(now - days(365), 365, by(now)).is_err(), "a year at least");
    assert!(log.purge_metadata(now - days(399), DAYS, by(now)).is_err(), "not before the period is over");
    // An operation that is open keeps its entry, and everything after it.
    let intent = Entry::new(now, "Open", Operation::Alteration, Phase::Intent);
    log.append(vec![intent.into()]).unwrap();
    fixture.clock.advance(days(2000));
    let now = fixture.clock.now();
    assert_eq!(log.purge_metadata(now - days(i64::from(DAYS)), DAYS, by(now)).unwrap().unwrap().bodies, 40);
    assert_eq!(fixture.sound().open_intents, 1);
}

#[test]
fn a_purge_that_a_crash_cut_short_is_finished_at_the_next_start() {
    let (fixture, log, _) = aged();
    let now = fixture.clock.now();
    log.purge_content(now - days(i64::from(DAYS)), by(now)).unwrap();
    let database =
        crate::sqlite::open_read_only(&fixture.folder().join("audit.sqlite"), &read::FORMAT).unwrap();
    let mut intent = by(now);
    intent.metadata_purged = Some(MetadataPurge {
        before: now - days(i64::from(DAYS)),
        days: DAYS,
        entries: 27,
        stubs: expiry::digest_of(&database, 27).unwrap(),
    });
    drop(database);
    log.append(vec![intent.into()]).unwrap();
    drop(log);
    assert!(holds(&fixture, "SECRET-26-REFERENCE"));
    assert_eq!(fixture.sound().expired, 0, "announced and not begun");
    let (_log, recovery) = fixture.open_with(fixture.keys(), AuditOptions::default()).unwrap();
    assert_eq!(recovery.open_intents.len(), 1, "left to whoever closes it");
    assert!(!holds(&fixture, "SECRET-26-REFERENCE"));
    assert_eq!(fixture.sound().expired, 27);
}

/// Runs statements on a copy of the log, past the triggers that stop mistakes, and verifies it.
fn attacked(fixture: &Fixture, statements: &str) -> VerifyReport {
    let copy = tempfile::tempdir().unwrap();
    let folder = copy.path().join("audit");
    copy_folder(&fixture.folder(), &folder);
    let database = rusqlite::Connection::open(folder.join("audit.sqlite")).unwrap();
    let triggers: Vec<(String, String)> = database
        .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'entry'")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    triggers.iter().for_each(|(name, _)| database.execute_batch(&format!("DROP TRIGGER {name}")).unwrap());
    database.execute_batch(statements).unwrap();
    triggers.iter().for_each(|(_, sql)| database.execute_batch(sql).unwrap());
    drop(database);
    let keys = fixture.keys();
    verify(&folder, &keys.audit_key(), &VerifyOptions::default()).unwrap()
}

#[test]
fn nothing_young_can_be_passed_off_as_forgotten() {
    let (fixture, log, _) = aged();
    forget(&fixture, &log).unwrap();
    let size = log.head().unwrap().size;
    drop(log);
    assert!(attacked(&fixture, "").is_sound(), "the copy itself is sound");
    // The purge of content is entries 40 and 41, that of entries is announced in 42.
    let announced = size - 2;
    let mut tried = 0;
    let mut first_bad = |statements: &str| {
        tried += 1;
        let report = attacked(&fixture, statements);
        assert!(!report.is_sound(), "{statements}");
        (report.findings[0].entry, report.findings[0].kind)
    };
    // One body more, right behind those that are gone: the first young one is named.
    assert_eq!(first_bad("UPDATE entry SET body = x'' WHERE idx = 27"), (Some(27), FindingKind::Removed));
    assert_eq!(first_bad("UPDATE entry SET body = x'' WHERE idx <= 35"), (Some(27), FindingKind::Removed));
    // One in the middle, the newest one, and the record of the purge itself.
    for at in [28, 33, announced, size - 1] {
        let (entry, _) = first_bad(&format!("UPDATE entry SET body = x'' WHERE idx = {at}"));
        assert!(entry == Some(at) || at == announced, "{at}: {entry:?}");
    }
    // What is left of a forgotten entry is held to the record, too.
    for at in [0, 13, 26] {
        for change in [
            format!("UPDATE entry SET event = randomblob(16) WHERE idx = {at}"),
            format!("UPDATE entry SET hash = randomblob(32) WHERE idx = {at}"),
            format!("UPDATE entry SET body = CAST('{{}}' AS BLOB) WHERE idx = {at}"),
            format!("DELETE FROM entry WHERE idx = {at}"),
        ] {
            first_bad(&change);
        }
    }
    // Two stubs in each other's place.
    first_bad(
        "UPDATE entry SET idx = 1000 WHERE idx = 3; UPDATE entry SET idx = 3 WHERE idx = 4;
         UPDATE entry SET idx = 4 WHERE idx = 1000",
    );
    println!("report: {tried} attacks on a log with forgotten entries, all found offline");
}

#[test]
fn without_a_recorded_purge_no_body_may_be_missing() {
    let (fixture, log, _) = aged();
    drop(log);
    for statements in
        ["UPDATE entry SET body = x'' WHERE idx = 0", "UPDATE entry SET body = x'' WHERE idx < 20"]
    {
        let report = attacked(&fixture, statements);
        assert_eq!((report.findings[0].entry, report.findings[0].kind), (Some(0), FindingKind::Removed));
    }
}

#[test]
fn a_bundle_says_the_same_and_every_change_of_a_stub_is_found() {
    let (fixture, log, _) = aged();
    forget(&fixture, &log).unwrap();
    let key = fixture.keys().audit_key();
    let folder = fixture.folder.path().join("bundle");
    let mut bundle = BundleWriter::create(&folder).unwrap();
    for stub in log.stubs(0, 1000).unwrap() {
        bundle.push_stub(&stub.event.to_string(), &stub.hash).unwrap();
    }
    for stored in log.entries(27, 1000).unwrap() {
        bundle.push(&stored.body, &stored.hash).unwrap();
    }
    bundle.finish(&log.head().unwrap().checkpoint).unwrap();
    let report = verify_bundle(&folder, &key, &[]);
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.expired, 27);
    assert!(!verify_bundle_under(&folder, &key, &[], Some(DAYS + 1)).is_sound());
    let path = folder.join("entries.jsonl");
    let original = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = original.lines().collect();
    let young = EventId::at(fixture.clock.now());
    let stub = |event: EventId| format!("{{\"expired\":\"{event}\"}}");
    let mut tried = 0;
    for at in 0..lines.len() {
        let mut changes = vec![stub(young), stub(EventId::at(start())), "{}".to_owned(), String::new()];
        if at >= 27 {
            // A young entry with its own event, as a purge would leave it.
            let entry: serde_json::Value = serde_json::from_str(lines[at]).unwrap();
            changes.push(stub(entry["event_id"].as_str().unwrap().parse().unwrap()));
        }
        for change in changes {
            let mut changed = lines.clone();
            changed[at] = &change;
            std::fs::write(&path, changed.join("\n") + "\n").unwrap();
            assert!(!verify_bundle(&folder, &key, &[]).is_sound(), "line {at}: {change}");
            tried += 1;
        }
    }
    println!("report: {tried} changes to the lines of a bundle with forgotten entries, all found");
}

#[test]
fn a_log_of_version_1_is_taken_over() {
    let (fixture, log, _) = aged();
    drop(log);
    let database = rusqlite::Connection::open(fixture.folder().join("audit.sqlite")).unwrap();
    database
        .execute_batch(
            "DROP TRIGGER entry_stays;
             CREATE TRIGGER entry_stays BEFORE UPDATE ON entry
                 BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END;
             PRAGMA user_version = 1;",
        )
        .unwrap();
    drop(database);
    let log = fixture.open();
    assert_eq!(forget(&fixture, &log).unwrap().bodies, 27);
    assert_eq!(fixture.sound().expired, 27);
}
