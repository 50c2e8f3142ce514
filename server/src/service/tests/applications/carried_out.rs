//! What an agreed application brings about, and what binds it.
use super::*;
use crate::{
    audit::Operation,
    retention::{CustodyEvent, CustodyOutcome, MopiGroup, Offence},
};

fn event(on: Date, outcome: CustodyOutcome) -> Alteration {
    Alteration::CustodyEvent(CustodyEvent {
        reference: "CR-1".to_owned(),
        force: "kent".to_owned(),
        occurred_on: on,
        offences: vec![Offence { code: "TH68".to_owned(), group: MopiGroup::Three, recordable: true }],
        outcome,
        outcome_on: (outcome != CustodyOutcome::Pending).then_some(on),
        serious: false,
        prison: false,
    })
}

#[test]
fn agreed_it_is_erased_by_the_run_with_a_certificate_that_says_why() {
    let mut office = Office::new();
    let (subject, other) = (office.enrol("p1"), office.enrol("p22"));
    let id = office.receive(subject, "kent").unwrap().applied.id;
    office.decide(id, refused()).unwrap();
    office.appeal(id).unwrap();
    let won = office.step("p-2", id, ApplicationStep::DecideAppeal(Ok(agreed()))).unwrap();
    let erased_on = office.today() + 28.days();
    assert_eq!(won.consequence, Consequence::LeavesUse { erased_on });
    let entry = office.last_entry();
    assert_eq!(entry.operation, Operation::Alteration);
    assert_eq!(entry.changes["retention"].after.as_deref(), Some("due by review.dispose"));
    assert_eq!(office.list("agreed"), [id]);

    // Decided and not carried out yet: a stop loses nothing.
    office.open();
    office.turn();
    let shown = office.show(subject).unwrap();
    assert_eq!(shown.state, State::BeyondUse);
    assert_eq!(shown.consequence, Consequence::BeyondUse { erased_on: Some(erased_on) });
    assert_eq!(office.receive(subject, "surrey").unwrap_err().code, "beyond_use");
    office.days(27);
    office.turn();
    assert_eq!(office.show(subject).unwrap().state, State::BeyondUse);
    office.days(1);
    office.turn();
    assert_eq!(office.show(subject).unwrap_err().code, "no_such_subject");
    assert_eq!(office.decide(id, agreed()).unwrap_err().code, "no_such_application");
    assert!(office.list("all").is_empty());
    let erasure = office.service().ledger.of_subject(POOL, subject).unwrap().unwrap();
    assert_eq!(erasure.reason, ErasureReason::ApplicationGranted);
    assert_eq!(erasure.rule.as_deref(), Some("review.dispose"));
    let note = erasure.certificate.unwrap();
    let stated = crate::keys::verify_statement(&note, &office.service().keys.audit_key()).unwrap();
    assert!(stated.contains("application_granted"), "{stated}");
    assert_eq!(office.show(other).unwrap().state, State::Active);
}

#[test]
fn a_hold_binds_an_agreed_application_and_no_review_undoes_it() {
    let mut office = Office::new();
    let subject = office.enrol("p1");
    let until = office.today() + 40.days();
    let hold = Alteration::PlaceHold {
        id: "H-1".to_owned(),
        authority: "HM Coroner".to_owned(),
        scope: "the whole record".to_owned(),
        reason: "inquest into a death".to_owned(),
        expires_on: until,
    };
    office.alter(subject, hold).unwrap();
    let received = office.receive(subject, "kent").unwrap();
    assert!(matches!(received.consequence, Consequence::Held { erased_on: None, .. }));
    let id = received.applied.id;
    let held = office.decide(id, agreed()).unwrap();
    let expected = Consequence::Held { by: "H-1".to_owned(), until, erased_on: Some(until + 28.days()) };
    assert_eq!(held.consequence, expected);
    assert!(held.consequence.words().contains("`H-1` keeps it until"), "{}", held.consequence.words());
    office.turn();
    assert_eq!(office.show(subject).unwrap().state, State::Active);
    assert_eq!(office.list("agreed"), [id], "agreed, and still there");
    let review = Alteration::Review {
        answers: Box::new(NracAnswers { necessity: "it may be useful".to_owned(), ..NracAnswers::default() }),
        decision: Decision::Retain,
        next_review_on: Some(office.today() + 100.days()),
    };
    assert_eq!(office.alter(subject, review).unwrap_err().code, "application_agreed");
    assert_eq!(office.receive(subject, "kent").unwrap_err().code, "application_exists");

    office.open();
    office.days(40);
    office.turn();
    let shown = office.show(subject).unwrap();
    assert_eq!(shown.state, State::BeyondUse, "the hold has ended");
    office.days(28);
    office.turn();
    let erasure = office.service().ledger.of_subject(POOL, subject).unwrap().unwrap();
    assert_eq!(erasure.reason, ErasureReason::ApplicationGranted);
}

#[test]
fn an_outcome_since_receipt_counts_for_the_person() {
    let office = Office::new();
    let subject = office.enrol("p1");
    office.alter(subject, Alteration::DateOfBirth(Some(office.today() - 15.years()))).unwrap();
    office.alter(subject, event(office.today(), CustodyOutcome::Pending)).unwrap();
    let received = office.receive(subject, "kent").unwrap().applied;
    assert_eq!(received.application.test, ApplicationTest::None, "the outcome is pending");
    office.alter(subject, event(office.today(), CustodyOutcome::NoFurtherAction)).unwrap();
    let shown = office.show(subject).unwrap();
    assert_eq!(shown.applications[0].application.test, ApplicationTest::HighlyExceptionalReason);
    assert_eq!(shown.presumption.rule, "application.not_convicted.under_18");
    let told = office.decide(received.id, refused()).unwrap_err();
    assert!(told.message.contains("why_highly_exceptional"), "{}", told.message);
    // Out of use by the rules meanwhile: there is nothing left to refuse, and agreeing says so.
    office.turn();
    assert_eq!(office.show(subject).unwrap().state, State::BeyondUse);
    assert_eq!(office.decide(received.id, refused()).unwrap_err().code, "beyond_use");
    let done = office.decide(received.id, agreed()).unwrap();
    assert!(matches!(done.consequence, Consequence::BeyondUse { erased_on: Some(_) }));
}

#[test]
fn a_step_that_a_stop_cut_short_is_closed_with_what_is_there() {
    let mut office = Office::new();
    let subject = office.enrol("p1");
    let id = office.receive(subject, "kent").unwrap().applied.id;
    // The intent is durable, and the program ends before anything is kept.
    let mut intent = Entry::new(
        office.clock.now(),
        "likeness.v1.DeletionApplicationService/DecideApplication",
        Operation::Alteration,
        Phase::Intent,
    );
    let pool = office.service().pool(POOL).unwrap();
    intent.pool = Some(crate::service::case::touched(&pool, None));
    intent.subjects.push(subject);
    intent.notes.insert("application_id".to_owned(), id.to_string());
    office.service().record_one(crate::audit::Submission::from(intent)).unwrap();
    drop(pool);
    office.open();
    let entry = office.last_entry();
    assert_eq!(entry.refusal.as_deref(), Some("interrupted"));
    assert_eq!(entry.notes["found_at_start"], "the application: received");
    assert_eq!(office.list("open"), [id]);
}

#[test]
fn the_person_is_given_what_they_asked_and_what_was_answered() {
    let office = Office::new();
    let subject = office.enrol("p1");
    let id = office.receive(subject, "kent").unwrap().applied.id;
    office.decide(id, refused()).unwrap();
    let request = CollectRequest {
        pool: POOL.to_owned(),
        subject: subject.to_string(),
        recipient: "the person".to_owned(),
    };
    let asked = office.asked_as("p-9", Role::Enroller, "subject_access");
    let shown = |text: &str| Rendered { message: text.to_owned(), bytes: b"answer".to_vec() };
    let given = answered(office.service().collect_subject(asked, &request, shown)).unwrap();
    let given: serde_json::Value = serde_json::from_str(&given).unwrap();
    let application = &given["applications_for_deletion"][0];
    assert_eq!(application["application_id"], id.to_string(), "{given}");
    assert_eq!(
        (&application["grounds"], &application["state"]),
        (&"I was never charged".into(), &"refused".into())
    );
    assert_eq!(application["reason"], "the investigation is open");
    assert!(!given.to_string().contains("p-1"), "nobody who decided is named");
}
