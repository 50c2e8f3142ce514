use super::*;

fn filled() -> (Fixture, SqliteRecords) {
    let (fixture, records) = Fixture::new();
    // Template of every image whose number is no multiple of three: 1 and 2 of subject 1, 4 of subject 2.
    let images = [new_image(1, 1), new_image(2, 1), new_image(3, 1), new_image(4, 2)];
    records.commit_enrolments(&[new_subject(1), new_subject(2)], &images).unwrap();
    (fixture, records)
}

#[test]
fn a_mark_is_put_changed_lifted_and_survives_a_reopening() {
    let (fixture, records) = filled();
    let (one, two) = (new_subject(1).id, new_subject(2).id);
    assert!(records.put_mark(one, b"first").unwrap());
    assert!(records.put_mark(one, b"second").unwrap());
    assert!(!records.put_mark(new_subject(9).id, b"nobody").unwrap());
    drop(records);
    let records = SqliteRecords::open(&fixture.file).unwrap();
    let marks = records.marks().unwrap();
    assert_eq!(marks.len(), 1);
    assert_eq!(
        (marks[0].subject, marks[0].row, marks[0].sealed.as_slice()),
        (one, SubjectRow(1), &b"second"[..])
    );
    assert!(!records.lift_mark(two).unwrap());
    assert!(records.lift_mark(one).unwrap() && !records.lift_mark(one).unwrap());
    assert!(records.marks().unwrap().is_empty());
}

#[test]
fn what_belongs_to_marked_subjects_is_counted_apart() {
    let (_fixture, records) = filled();
    assert_eq!(records.marked_counts().unwrap(), Counts::default());
    records.put_mark(new_subject(1).id, b"mark").unwrap();
    assert_eq!(records.marked_counts().unwrap(), Counts { subjects: 1, images: 3, enrolled: 2 });
    assert_eq!(records.counts().unwrap(), Counts { subjects: 2, images: 4, enrolled: 3 });
    // Where a pool stands on its way to another algorithm says nothing of them either.
    let to = AlgorithmName { pack: "new".into(), space: "cd".repeat(32) };
    records.begin_migration(&to, crate::ids::EventId::at(now()), now()).unwrap();
    let waiting = records.unencoded(10).unwrap();
    assert_eq!(waiting.len(), 3, "they are encoded all the same");
    records
        .put_encoded(&[(waiting[0].image, Err("no_face".into())), (waiting[2].image, Ok(vec![1]))])
        .unwrap();
    let status = records.completeness().unwrap();
    assert_eq!((status.images, status.encoded, status.waiting, status.refused.len()), (1, 1, 0, 0));
    assert!(records.refused(10).unwrap().is_empty());
}

#[test]
fn a_file_of_version_2_is_taken_over() {
    let (fixture, records) = filled();
    let before = records.enrolled_after(None, 100).unwrap();
    drop(records);
    let database = rusqlite::Connection::open(&fixture.file).unwrap();
    database.execute_batch(BACK_TO_VERSION_2).unwrap();
    drop(database);
    let records = SqliteRecords::open(&fixture.file).unwrap();
    assert_eq!(records.enrolled_after(None, 100).unwrap(), before);
    assert!(records.put_mark(new_subject(1).id, b"mark").unwrap());
}

#[test]
fn a_lifted_mark_is_gone_from_the_file() {
    let (fixture, records) = filled();
    records.put_mark(new_subject(1).id, &b"sealed-mark-bytes".repeat(40)).unwrap();
    records.lift_mark(new_subject(1).id).unwrap();
    drop(records);
    let bytes = std::fs::read(&fixture.file).unwrap();
    assert!(!bytes.windows(17).any(|window| window == b"sealed-mark-bytes"));
}
