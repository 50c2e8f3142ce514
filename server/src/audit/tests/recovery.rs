//! What opening finds and sets right. Each case is a state that a crash or somebody's hand can leave.

use super::*;
use crate::audit::content::{self as store};
use crate::seal::SealKey;
use crate::sqlite::Database;
use std::fs;

fn sql(fixture: &Fixture, file: &str, statements: &str) {
    let connection = rusqlite::Connection::open(fixture.folder().join(file)).unwrap();
    connection.execute_batch(statements).unwrap();
}

fn refused(fixture: &Fixture) -> String {
    match fixture.open_with(fixture.keys(), AuditOptions::default()) {
        Err(error @ AuditError::Unsound(_)) => error.to_string(),
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("it opened"),
    }
}

#[test]
fn content_without_entry_is_removed() {
    let fixture = Fixture::new();
    fixture.open().append(submissions(start(), 0..9)).unwrap();
    let event = EventId::at(start());
    let key = SealKey::generate().unwrap();
    fixture.keys().put_content_keys(&[(event, key)]).unwrap();
    let database = Database::open(&fixture.folder().join("content.sqlite"), &store::FORMAT).unwrap();
    store::store(&database, [(event, Part::Probe, &b"sealed"[..])].into_iter()).unwrap();
    drop(database);
    let (log, recovery) = fixture.open_with(fixture.keys(), AuditOptions::default()).unwrap();
    assert_eq!((recovery.size, recovery.orphans_removed), (9, 2));
    assert!(fixture.keys().content_key(event).unwrap().is_none());
    drop(log);
    let (_, recovery) = fixture.open_with(fixture.keys(), AuditOptions::default()).unwrap();
    assert_eq!(recovery.orphans_removed, 0);
    fixture.sound();
}

#[test]
fn content_that_did_not_reach_the_disk_is_put_on_record_once() {
    let fixture = Fixture::new();
    let receipts = fixture.open().append(submissions(start(), 0..9)).unwrap();
    sql(&fixture, "content.sqlite", "DELETE FROM content WHERE seq = (SELECT max(seq) FROM content)");
    assert!(!fixture.verify().is_sound(), "before recovery it could as well have been removed by hand");
    let (log, recovery) = fixture.open_with(fixture.keys(), AuditOptions::default()).unwrap();
    assert_eq!(recovery.content_not_stored, [receipts[8].event_id()]);
    let told = log.entries(9, 10).unwrap();
    assert_eq!((told.len(), told[0].entry.related), (1, Some(receipts[8].event_id())));
    assert_eq!(recovery.size, 10);
    drop(log);
    fixture.sound();
    let (_, recovery) = fixture.open_with(fixture.keys(), AuditOptions::default()).unwrap();
    assert!(recovery.content_not_stored.is_empty());
}

#[test]
fn intents_without_outcome_are_listed() {
    let fixture = Fixture::new();
    let log = fixture.open();
    let mut intents = Vec::new();
    for n in 0..3 {
        let mut intent = entry(start(), n);
        (intent.phase, intent.outcome) = (Phase::Intent, None);
        log.append(vec![intent.clone().into()]).unwrap();
        intents.push(intent);
    }
    log.append(vec![intents[1].to_outcome(start(), Outcome::Answered).into()]).unwrap();
    drop(log);
    let (log, recovery) = fixture.open_with(fixture.keys(), AuditOptions::default()).unwrap();
    let open: Vec<_> = recovery.open_intents.iter().map(|stored| stored.entry.clone()).collect();
    assert_eq!(open, [intents[0].clone(), intents[2].clone()]);
    log.append(open.iter().map(|intent| intent.to_outcome(start(), Outcome::Failed).into()).collect())
        .unwrap();
    assert!(log.open_intents().unwrap().is_empty());
    fixture.sound();
}

#[test]
fn a_purge_cut_short_is_finished() {
    let fixture = Fixture::new();
    let log = fixture.open();
    let event = log.append(submissions(start(), 0..1)).unwrap()[0].event_id();
    let later = start() + jiff::SignedDuration::from_hours(1);
    let mut intent = entry(later, 1);
    (intent.phase, intent.outcome, intent.operation) = (Phase::Intent, None, Operation::Erasure);
    intent.content_purged_before = Some(later);
    log.append(vec![intent.into()]).unwrap();
    drop(log);
    let (log, recovery) = fixture.open_with(fixture.keys(), AuditOptions::default()).unwrap();
    assert!(recovery.content_not_stored.is_empty() && recovery.open_intents.len() == 1);
    assert!(log.content(event).unwrap().is_none() && fixture.keys().content_key(event).unwrap().is_none());
    assert_eq!(fixture.sound().contents_purged, 1);
}

#[test]
fn a_checkpoint_file_that_is_behind_catches_up() {
    let fixture = Fixture::new();
    let file = fixture.folder().join("checkpoint");
    let log = fixture.open();
    log.append(submissions(start(), 0..5)).unwrap();
    drop(log);
    let old = fs::read(&file).unwrap();
    let log = fixture.open();
    log.append(submissions(start(), 5..9)).unwrap();
    drop(log);
    let new = fs::read(&file).unwrap();
    assert_ne!(old, new);
    fs::write(&file, &old).unwrap();
    fixture.sound();
    drop(fixture.open());
    assert_eq!(fs::read(&file).unwrap(), new);
}

#[test]
fn a_log_that_contradicts_its_checkpoint_does_not_open() {
    let fixture = Fixture::new();
    fixture.open().append(submissions(start(), 0..5)).unwrap();
    let saved = tempfile::tempdir().unwrap();
    copy_folder(&fixture.folder(), saved.path());
    fixture.open().append(submissions(start(), 5..9)).unwrap();
    let newer = fs::read(fixture.folder().join("checkpoint")).unwrap();

    // The database put back to an older state, the checkpoint file forgotten.
    fs::copy(saved.path().join("audit.sqlite"), fixture.folder().join("audit.sqlite")).unwrap();
    assert!(refused(&fixture).contains("4 entries are missing"));
    // Nothing was swept while it is in doubt.
    fs::copy(saved.path().join("checkpoint"), fixture.folder().join("checkpoint")).unwrap();
    let keys = fixture.keys();
    assert_eq!(keys.newest_content_keys(100).unwrap().len(), 3);
    fs::write(fixture.folder().join("checkpoint"), newer).unwrap();

    let drop_triggers =
        "DROP TRIGGER entry_stays; DROP TRIGGER entry_remains; DROP TRIGGER checkpoint_remains;";
    copy_folder(saved.path(), &fixture.folder());
    sql(&fixture, "audit.sqlite", &format!("{drop_triggers} DELETE FROM entry WHERE idx = 4"));
    assert!(refused(&fixture).contains("missing or added"));
    copy_folder(saved.path(), &fixture.folder());
    sql(
        &fixture,
        "audit.sqlite",
        &format!(
            "{drop_triggers} UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), 'ref-', 'raf-') AS BLOB)"
        ),
    );
    assert!(refused(&fixture).contains("its last entry was changed"));
    copy_folder(saved.path(), &fixture.folder());
    sql(&fixture, "audit.sqlite", "UPDATE head SET size = 4");
    assert!(refused(&fixture).contains("head"));
    copy_folder(saved.path(), &fixture.folder());
    fs::write(fixture.folder().join("checkpoint"), "nonsense").unwrap();
    assert!(refused(&fixture).contains("checkpoint"));
    copy_folder(saved.path(), &fixture.folder());
    fs::remove_file(fixture.folder().join("checkpoint")).unwrap();
    assert!(fixture.open_with(fixture.keys(), AuditOptions::default()).is_err());
    copy_folder(saved.path(), &fixture.folder());
    drop(fixture.open());

    // A log of another installation.
    let other = Fixture::new();
    assert!(matches!(other.open_with(fixture.keys(), AuditOptions::default()), Err(AuditError::Unsound(_))));
}
