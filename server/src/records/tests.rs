#![allow(clippy::unwrap_used, reason = "tests")]

mod application;
mod migration;
mod model;
mod protection;

use super::*;
use crate::seal::SealKey;
use std::path::PathBuf;

pub(super) fn now() -> Timestamp {
    "2026-01-02T03:04:05.678Z".parse().unwrap()
}

pub(super) fn digest(what: &str, n: u32) -> LookupDigest {
    SealKey::from_bytes([1; 32]).digest(&[what.as_bytes(), &n.to_be_bytes()])
}

pub(super) fn new_subject(n: u32) -> NewSubject {
    let id = SubjectId::from_bytes(u128::from(n).to_be_bytes());
    NewSubject {
        id,
        reference_digest: digest("reference", n),
        sealed_details: vec![7; n as usize % 50],
        created_at: now(),
    }
}

pub(super) fn new_image(n: u32, subject: u32) -> NewImage {
    NewImage {
        id: ImageId::from_bytes((1000 + u128::from(n)).to_be_bytes()),
        subject: new_subject(subject).id,
        source_digest: digest("source", n),
        content_digest: digest("content", n),
        sealed_record: vec![8; n as usize % 70],
        sealed_template: (!n.is_multiple_of(3)).then(|| n.to_be_bytes().repeat(9)),
        other: None,
        collected_at: now(),
    }
}

pub(super) struct Fixture {
    _folder: tempfile::TempDir,
    pub file: PathBuf,
    pub meta: PoolMeta,
}

impl Fixture {
    pub fn new() -> (Self, SqliteRecords) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("records.sqlite");
        let meta = PoolMeta {
            pool: "custody".parse().unwrap(),
            kind: "custody".into(),
            space: "ab".repeat(32),
            key_check: KeyCheck::from_bytes([3; 32]),
            created_at: now(),
        };
        let records = SqliteRecords::create(&file, &meta).unwrap();
        (Self { _folder: folder, file, meta }, records)
    }
}

/// Takes from a record file what version 4 brought.
pub(super) const BACK_TO_VERSION_3: &str =
    "DROP TABLE application; DROP TABLE application_tally; PRAGMA user_version = 3;";

/// The same, and what version 3 brought.
pub(super) const BACK_TO_VERSION_2: &str = "DROP TABLE application; DROP TABLE application_tally; DROP TABLE protected;
    DROP INDEX subject_out_of_use; DROP INDEX subject_rules; DROP INDEX subject_look; DROP INDEX subject_due;
    DROP INDEX subject_review; DROP INDEX subject_chase;
    ALTER TABLE subject DROP COLUMN state; ALTER TABLE subject DROP COLUMN state_ms;
    ALTER TABLE subject DROP COLUMN erase_ms; ALTER TABLE subject DROP COLUMN why; ALTER TABLE subject DROP COLUMN facts;
    ALTER TABLE subject DROP COLUMN rules; ALTER TABLE subject DROP COLUMN look_on; ALTER TABLE subject DROP COLUMN due_on;
    ALTER TABLE subject DROP COLUMN review_on; ALTER TABLE subject DROP COLUMN chase_on;
    PRAGMA user_version = 2;";

#[test]
fn the_store_describes_its_pool() {
    let (fixture, records) = Fixture::new();
    assert_eq!(records.meta(), &fixture.meta);
    drop(records);
    assert_eq!(SqliteRecords::open(&fixture.file).unwrap().meta(), &fixture.meta);
    assert!(SqliteRecords::create(&fixture.file, &fixture.meta).is_err());
}

#[test]
fn a_batch_is_all_or_nothing_and_names_the_offender() {
    let (_fixture, records) = Fixture::new();
    records.commit_enrolments(&[new_subject(1)], &[new_image(1, 1), new_image(2, 1)]).unwrap();
    let before = records.counts().unwrap();
    let cases = [
        (records.commit_enrolments(&[new_subject(2), new_subject(1)], &[]), "subject 1"),
        (records.commit_enrolments(&[new_subject(2), new_subject(2)], &[]), "subject 1"),
        (records.commit_enrolments(&[new_subject(2)], &[new_image(3, 2), new_image(1, 2)]), "image 1"),
        (records.commit_enrolments(&[new_subject(2)], &[new_image(3, 2), new_image(3, 2)]), "image 1"),
        (records.commit_enrolments(&[], &[new_image(3, 1), new_image(4, 9)]), "image 1"),
    ];
    for (result, offender) in cases {
        let error = result.unwrap_err().to_string();
        assert!(error.starts_with(offender), "{error}");
    }
    assert_eq!(records.counts().unwrap(), before);
    assert_eq!(records.subject(new_subject(2).id).unwrap(), None);
}

#[test]
fn rows_are_never_given_twice() {
    let (fixture, records) = Fixture::new();
    let first = records.commit_enrolments(&[new_subject(1)], &[new_image(1, 1), new_image(2, 1)]).unwrap();
    assert_eq!(first.images, [ImageRow(1), ImageRow(2)]);
    drop(records);
    let connection = rusqlite::Connection::open(&fixture.file).unwrap();
    connection.execute("DELETE FROM image", []).unwrap();
    drop(connection);
    let records = SqliteRecords::open(&fixture.file).unwrap();
    let next = records.commit_enrolments(&[], &[new_image(3, 1)]).unwrap();
    assert_eq!(next.images, [ImageRow(3)]);
}

#[test]
fn repeating_an_enrolment_is_told_from_a_conflict() {
    // What the service does: look the source up, then compare content digests under the subject's key.
    let (_fixture, records) = Fixture::new();
    let (pool, subject) = (SealKey::from_bytes([1; 32]), SealKey::from_bytes([2; 32]));
    let source =
        |system: &str, reference: &str| pool.digest(&[b"source", system.as_bytes(), reference.as_bytes()]);
    let mut image = new_image(1, 1);
    image.source_digest = source("force-a", "custody/1.jpg");
    image.content_digest = subject.digest(&[b"pixels"]);
    records.commit_enrolments(&[new_subject(1)], &[image]).unwrap();
    let found = records
        .images_by_source(&[
            source("force-a", "custody/1.jpg"),
            source("force-b", "custody/1.jpg"),
            source("force-ac", "ustody/1.jpg"),
        ])
        .unwrap();
    assert!(found[1].is_none() && found[2].is_none());
    let found = found[0].as_ref().unwrap();
    assert_eq!(found.content_digest, subject.digest(&[b"pixels"]));
    assert_ne!(found.content_digest, subject.digest(&[b"other pixels"]));
    let other_subject = SealKey::from_bytes([3; 32]);
    assert_ne!(
        found.content_digest,
        other_subject.digest(&[b"pixels"]),
        "equal images of two subjects do not meet"
    );
}

#[test]
fn a_template_withdrawn_is_gone_from_the_file() {
    let (fixture, records) = Fixture::new();
    let image = NewImage { sealed_template: Some(b"sealed-template-bytes".repeat(40)), ..new_image(1, 1) };
    records.commit_enrolments(&[new_subject(1)], &[image.clone(), new_image(4, 1)]).unwrap();
    assert!(records.set_enrolled(image.id, None).unwrap());
    assert!(!records.set_enrolled(ImageId::at(now()), None).unwrap());
    let held = records.image(image.id).unwrap().unwrap();
    assert!(!held.enrolled && records.template(image.id).unwrap().is_none());
    assert_eq!(records.counts().unwrap(), Counts { subjects: 1, images: 2, enrolled: 1 });
    drop(records);
    let bytes = std::fs::read(&fixture.file).unwrap();
    assert!(!bytes.windows(21).any(|window| window == b"sealed-template-bytes"));
}

#[test]
fn a_file_of_another_kind_or_version_is_refused_before_use() {
    let (fixture, records) = Fixture::new();
    drop(records);
    let change = |pragma: &str, value: i32| {
        let connection = rusqlite::Connection::open(&fixture.file).unwrap();
        connection.pragma_update(None, pragma, value).unwrap();
    };
    change("user_version", 5);
    let error = SqliteRecords::open(&fixture.file).unwrap_err();
    assert!(
        matches!(error, RecordError::Database(DatabaseError::Version { found: 5, known: 4, .. })),
        "{error}"
    );
    change("user_version", 4);
    change("application_id", 5);
    let error = SqliteRecords::open(&fixture.file).unwrap_err();
    assert!(matches!(error, RecordError::Database(DatabaseError::Foreign { .. })), "{error}");
    std::fs::write(&fixture.file, b"this is no database, and long enough to be read as one".repeat(100))
        .unwrap();
    assert!(SqliteRecords::open(&fixture.file).is_err());
    std::fs::remove_file(&fixture.file).unwrap();
    assert!(SqliteRecords::open(&fixture.file).is_err());
    assert!(!fixture.file.exists(), "opening never makes an empty store");
}

#[test]
fn templates_as_bytes() {
    let values = [0.0, -1.5, f32::MIN_POSITIVE, 1e30];
    assert_eq!(template_values(&template_bytes(&values)).unwrap(), values);
    assert_eq!(template_bytes(&[1.0])[..], [0, 0, 128, 63]);
    assert!(template_values(&[1, 2, 3]).is_err());
}
