//! Two algorithms beside each other: nothing is mixed, and going back gives back exactly what was there.
use super::*;
use crate::ids::EventId;

fn name(pack: &str) -> AlgorithmName {
    AlgorithmName { pack: pack.to_owned(), space: format!("{pack}-space") }
}

fn event() -> EventId {
    EventId::from_bytes([9; 16])
}

/// Twelve images of three subjects; every third is held only, so eight are searchable.
fn filled() -> (Fixture, SqliteRecords) {
    let (fixture, records) = Fixture::new();
    let subjects: Vec<_> = (1..=3).map(new_subject).collect();
    let images: Vec<_> = (1..=12).map(|n| new_image(n, 1 + n % 3)).collect();
    records.commit_enrolments(&subjects, &images).unwrap();
    assert_eq!(records.counts().unwrap().enrolled, 8);
    (fixture, records)
}

fn id(n: u32) -> ImageId {
    new_image(n, 1).id
}

/// Encodes everything that waits; image 4 is refused.
fn encode(records: &SqliteRecords) {
    loop {
        let waiting = records.unencoded(3).unwrap();
        if waiting.is_empty() {
            return;
        }
        let made: Vec<_> = waiting
            .into_iter()
            .map(|at| {
                let refused = at.image == id(4);
                (
                    at.image,
                    if refused { Err("no_face".to_owned()) } else { Ok(at.image.as_bytes().repeat(3)) },
                )
            })
            .collect();
        records.put_encoded(&made).unwrap();
    }
}

#[test]
fn over_and_back_gives_the_same_templates() {
    let (fixture, records) = filled();
    let before = records.enrolled_after(None, 100).unwrap();
    assert_eq!(records.migration().unwrap(), None);
    records.begin_migration(&name("new"), event(), now()).unwrap();
    assert!(matches!(records.begin_migration(&name("third"), event(), now()), Err(RecordError::Migrating)));
    assert!(matches!(
        records.exchange(&name("old"), 9),
        Err(RecordError::Incomplete { waiting: 8, refused: 0 })
    ));
    encode(&records);
    let completeness = records.completeness().unwrap();
    assert_eq!((completeness.images, completeness.encoded, completeness.waiting), (8, 7, 0));
    assert_eq!(completeness.refused, [("no_face".to_owned(), 1)].into());
    assert_eq!(records.refused(10).unwrap(), [(id(4), "no_face".to_owned())]);
    assert!(matches!(records.exchange(&name("old"), 0), Err(RecordError::Incomplete { refused: 1, .. })));
    assert_eq!(records.enrolled_after(None, 100).unwrap(), before, "nothing changed so far");

    records.exchange(&name("old"), 1).unwrap();
    // As a crash would find it.
    drop(records);
    let records = SqliteRecords::open(&fixture.file).unwrap();
    assert_eq!(records.active_algorithm().unwrap(), Some(name("new")));
    let migration = records.migration().unwrap().unwrap();
    assert_eq!((migration.other, migration.switched), (name("old"), true));
    let over = records.enrolled_after(None, 100).unwrap();
    assert_eq!(over.len(), 7, "the refused image is not searchable");
    assert!(over.iter().all(|at| at.sealed_template == at.image.as_bytes().repeat(3)));
    assert_eq!(records.other_after(None, 100).unwrap(), before);

    records.exchange(&name("new"), 0).unwrap();
    assert_eq!(records.active_algorithm().unwrap(), Some(name("old")));
    assert_eq!(records.enrolled_after(None, 100).unwrap(), before);
    assert_eq!(records.completeness().unwrap(), completeness, "and forward again is possible");
}

#[test]
fn retiring_erases_the_inactive_templates_and_closes_the_way_back() {
    let (fixture, records) = filled();
    let before = records.enrolled_after(None, 100).unwrap();
    records.begin_migration(&name("new"), event(), now()).unwrap();
    encode(&records);
    records.exchange(&name("old"), 1).unwrap();
    assert!(!records.retire(3).unwrap(), "the first piece is not the last");
    assert!(records.migration().unwrap().unwrap().retiring);
    assert!(matches!(
        records.exchange(&name("new"), 9),
        Err(RecordError::NotMigrating | RecordError::Incomplete { .. })
    ));
    while !records.retire(3).unwrap() {}
    assert_eq!(records.migration().unwrap(), None);
    assert_eq!(records.active_algorithm().unwrap(), Some(name("new")));
    assert!(records.other_after(None, 100).unwrap().is_empty());
    drop(records);
    let bytes = std::fs::read(&fixture.file).unwrap();
    for old in before {
        let sealed = &old.sealed_template;
        assert!(
            !bytes.windows(sealed.len()).any(|window| window == sealed.as_slice()),
            "an old template is left"
        );
    }
}

#[test]
fn what_leaves_search_leaves_both_and_what_comes_goes_to_both() {
    let (_fixture, records) = filled();
    records.begin_migration(&name("new"), event(), now()).unwrap();
    encode(&records);
    records.set_enrolled(id(1), None).unwrap();
    assert!(records.other_after(None, 100).unwrap().iter().all(|at| at.image != id(1)));
    records.put_encoded(&[(id(1), Ok(vec![1]))]).unwrap();
    assert!(
        records.other_after(None, 100).unwrap().iter().all(|at| at.image != id(1)),
        "not wanted in search"
    );
    // Put back: the new algorithm must see it again.
    records.set_enrolled(id(1), Some(b"again")).unwrap();
    assert_eq!(records.unencoded(10).unwrap().iter().map(|at| at.image).collect::<Vec<_>>(), [id(1)]);
    let both = NewImage { other: Some(Ok(vec![5; 40])), ..new_image(13, 1) };
    records.commit_enrolments(&[], &[both]).unwrap();
    assert_eq!(records.unencoded(10).unwrap().len(), 1);
    records
        .add_agreement(Agreement { probes: 2, same_first: 1, places: 20, shared: 15, refused: 0, skipped: 1 })
        .unwrap();
    records.add_agreement(Agreement { probes: 1, same_first: 1, ..Agreement::default() }).unwrap();
    let sum = records.agreement().unwrap();
    assert_eq!((sum.probes, sum.same_first, sum.places, sum.shared, sum.skipped), (3, 2, 20, 15, 1));
}

#[test]
fn a_file_of_version_1_is_taken_over() {
    let (fixture, records) = filled();
    let before = records.enrolled_after(None, 100).unwrap();
    drop(records);
    let database = rusqlite::Connection::open(&fixture.file).unwrap();
    database.execute_batch(BACK_TO_VERSION_2).unwrap();
    database
        .execute_batch(
            "DROP TABLE migration; ALTER TABLE image DROP COLUMN other; ALTER TABLE image DROP COLUMN other_refused;
             ALTER TABLE pool DROP COLUMN active_pack; ALTER TABLE pool DROP COLUMN active_space; PRAGMA user_version = 1;",
        )
        .unwrap();
    drop(database);
    let records = SqliteRecords::open(&fixture.file).unwrap();
    assert_eq!(records.enrolled_after(None, 100).unwrap(), before);
    records.begin_migration(&name("new"), event(), now()).unwrap();
    encode(&records);
    records.exchange(&name("old"), 1).unwrap();
}
