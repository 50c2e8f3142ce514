mod model;

use super::*;
use crate::{
    ids::ApplicationId,
    retention::application::{ApplicationState, ApplicationTally},
};
use jiff::civil::Date;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn application(n: u8, subject: u32, force: &str, state: ApplicationState) -> StoredApplication {
    StoredApplication {
        id: ApplicationId::from_bytes([0xa0 + n; 16]),
        number: 0,
        subject: new_subject(subject).id,
        force: force.to_owned(),
        state,
        appealed: matches!(
            state,
            ApplicationState::Appealed | ApplicationState::AgreedOnAppeal | ApplicationState::RefusedOnAppeal
        ),
        received_on: day("2026-03-01"),
        decide_by: state.is_open().then(|| day("2026-04-01")),
        sealed: b"sealed-grounds".repeat(30),
    }
}

fn filled() -> (Fixture, SqliteRecords) {
    let (fixture, records) = Fixture::new();
    let subjects = [new_subject(1), new_subject(2), new_subject(3)];
    records.commit_enrolments(&subjects, &[new_image(1, 1), new_image(2, 2)]).unwrap();
    for (n, subject, force, state) in [
        (1, 1, "kent", ApplicationState::Refused),
        (2, 1, "kent", ApplicationState::AgreedOnAppeal),
        (3, 2, "kent", ApplicationState::Received),
        (4, 3, "surrey", ApplicationState::Appealed),
    ] {
        assert!(records.put_application(&application(n, subject, force, state), None).unwrap());
    }
    (fixture, records)
}

fn numbers(records: &SqliteRecords, list: ApplicationList, today: &str, after: u64) -> Vec<u64> {
    let found = records.applications(list, day(today), after, 2).unwrap();
    found.iter().map(|one| one.number).collect()
}

fn tally(
    force: &str,
    state: ApplicationState,
    appealed: bool,
    erased: bool,
    overdue: u64,
) -> ApplicationTally {
    ApplicationTally { force: force.to_owned(), state, appealed, erased, number: 1, overdue }
}

#[test]
fn an_application_is_put_changed_found_and_survives_a_reopening() {
    let (fixture, records) = filled();
    let nobody = application(9, 9, "kent", ApplicationState::Received);
    assert!(!records.put_application(&nobody, None).unwrap(), "about nobody");
    let agreed = application(3, 2, "kent", ApplicationState::Agreed);
    assert!(!records.has_agreed_application(agreed.subject).unwrap());
    assert!(records.put_application(&agreed, None).unwrap());
    drop(records);
    let records = SqliteRecords::open(&fixture.file).unwrap();
    let found = records.application(agreed.id).unwrap().unwrap();
    assert_eq!(found, StoredApplication { number: 3, ..agreed.clone() });
    assert!(records.has_agreed_application(agreed.subject).unwrap());
    let of_one = records.applications_of(new_subject(1).id).unwrap();
    assert_eq!(of_one.iter().map(|one| one.number).collect::<Vec<_>>(), [1, 2]);
    assert!(records.application(ApplicationId::from_bytes([0xa8; 16])).unwrap().is_none());
}

#[test]
fn lists_are_paged_and_a_day_late_is_overdue() {
    let (_fixture, records) = filled();
    assert_eq!(numbers(&records, ApplicationList::All, "2026-03-02", 0), [1, 2]);
    assert_eq!(numbers(&records, ApplicationList::All, "2026-03-02", 2), [3, 4]);
    assert_eq!(numbers(&records, ApplicationList::Open, "2026-03-02", 0), [3, 4]);
    assert_eq!(numbers(&records, ApplicationList::Agreed, "2026-03-02", 0), [2]);
    assert!(numbers(&records, ApplicationList::Overdue, "2026-04-01", 0).is_empty());
    assert_eq!(numbers(&records, ApplicationList::Overdue, "2026-04-02", 3), [4]);
    // Who is being erased waits for nobody.
    records.set_state(&[new_subject(3).id], State::Erasing, now(), None).unwrap();
    assert_eq!(numbers(&records, ApplicationList::Overdue, "2026-04-02", 0), [3]);
    let late = application(5, 3, "kent", ApplicationState::Received);
    assert!(!records.put_application(&late, None).unwrap());
}

#[test]
fn a_decision_and_what_it_changes_are_kept_together_or_not_at_all() {
    let (_fixture, records) = filled();
    let marks = Marks {
        rules: "digest".to_owned(),
        look_on: None,
        due_on: Some(day("2026-03-05")),
        review_on: day("2026-03-05"),
        chase_on: None,
    };
    let agreed = application(3, 2, "kent", ApplicationState::Agreed);
    assert!(records.put_application(&agreed, Some((b"facts", &marks))).unwrap());
    let kept = records.kept(agreed.subject).unwrap().unwrap();
    assert_eq!((kept.sealed_facts.as_deref(), kept.marks), (Some(&b"facts"[..]), Some(marks)));
}

#[test]
fn with_the_subject_everything_goes_but_a_number() {
    use ApplicationState::{AgreedOnAppeal, Appealed, Received, Refused};
    let (fixture, records) = filled();
    let one = new_subject(1).id;
    records.remove_subjects(&[one]).unwrap();
    // Again, as after a stop: nothing is counted twice.
    records.remove_subjects(&[one]).unwrap();
    records.forget_removed().unwrap();
    assert!(records.applications_of(one).unwrap().is_empty());
    let mut tallies = records.application_tallies(day("2026-04-02")).unwrap();
    tallies.sort_by_key(|tally| (tally.force.clone(), tally.state));
    let expected = [
        tally("kent", Received, false, false, 1),
        tally("kent", Refused, false, true, 0),
        tally("kent", AgreedOnAppeal, true, true, 0),
        tally("surrey", Appealed, true, false, 1),
    ];
    assert_eq!(tallies, expected);
    records.remove_subjects(&[new_subject(2).id, new_subject(3).id]).unwrap();
    records.forget_removed().unwrap();
    drop(records);
    let bytes = std::fs::read(&fixture.file).unwrap();
    assert!(!bytes.windows(14).any(|window| window == b"sealed-grounds"));
    for n in 1u8..=4 {
        assert!(!bytes.windows(16).any(|window| window == [0xa0 + n; 16]), "the id of application {n}");
    }
}

#[test]
fn a_file_of_version_3_is_taken_over() {
    let (fixture, records) = Fixture::new();
    records.commit_enrolments(&[new_subject(1)], &[new_image(1, 1)]).unwrap();
    drop(records);
    let database = rusqlite::Connection::open(&fixture.file).unwrap();
    database.execute_batch(BACK_TO_VERSION_3).unwrap();
    drop(database);
    let records = SqliteRecords::open(&fixture.file).unwrap();
    assert_eq!(records.counts().unwrap().images, 1);
    assert!(records.put_application(&application(1, 1, "kent", ApplicationState::Received), None).unwrap());
}
