//! Applications for deletion over a real pool and a clock that is moved: deadlines, presumptions, holds, erasure, restarts, counts.
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};

use super::*;
use crate::{
    authorise::{Action, Permit},
    clock::FixedClock,
    erasure::ErasureReason,
    ids::{ApplicationId, SubjectId},
    records::State,
    retention::{
        ApplicationTest, Decision, NracAnswers,
        application::{ApplicationState, Seniority, Verdict},
    },
};

mod carried_out;
mod counted;

const POOL: &str = "cells";

/// A pool with persons, and people who handle applications.
struct Office {
    _folder: TempDir,
    data: DataDir,
    clock: Arc<FixedClock>,
    service: Option<Service>,
}

fn permit(action: Action) -> Permit {
    Permit::for_upkeep(&POOL.parse().unwrap(), action, "a test")
}

fn agreed() -> StatedDecision {
    StatedDecision {
        verdict: Verdict::Agreed,
        seniority: Seniority::Handler,
        authority: "delegated by the chief officer".to_owned(),
        reason: "nothing speaks for keeping it".to_owned(),
        policing_purpose: None,
        exceptional_reason: None,
        why_highly_exceptional: None,
    }
}

/// A refusal that meets the presumption for an adult.
fn refused() -> StatedDecision {
    StatedDecision {
        verdict: Verdict::Refused,
        seniority: Seniority::Senior,
        reason: "the investigation is open".to_owned(),
        policing_purpose: Some("detection of a series of burglaries".to_owned()),
        exceptional_reason: Some("seen at four of the scenes".to_owned()),
        ..agreed()
    }
}

impl Office {
    fn new() -> Office {
        let folder = TempDir::new().unwrap();
        let report = init(&folder.path().join("data"), &InitOptions::default()).unwrap();
        let data = DataDir::at(report.data_dir);
        let clock = Arc::new(FixedClock::at(Timestamp::now()));
        let mut office = Office { _folder: folder, data, clock, service: None };
        office.open();
        let service = office.service();
        let folder = office.data.pools();
        let checked =
            crate::pool::CheckedPool::check(new_pool(POOL, PoolKind::Custody), service.authoriser.purposes())
                .unwrap();
        let pool = Pool::create(&service.parts(&folder), checked, office.clock.now()).unwrap();
        service.pools.write().unwrap().insert(POOL.parse().unwrap(), Arc::new(pool));
        office
    }

    /// Opens the service, again after a stop.
    fn open(&mut self) {
        self.service = None;
        let service = Service::open(&self.data, self.clock.clone(), Opening::Administer).unwrap();
        for pool in service.pools() {
            pool.load(&permit(Action::Search)).unwrap();
        }
        self.service = Some(service);
    }

    fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    fn today(&self) -> Date {
        self.service().today()
    }

    fn days(&self, days: i64) {
        self.clock.advance(SignedDuration::from_hours(24 * days));
    }

    fn turn(&self) {
        while self.service().retention_turn().unwrap() {}
    }

    fn enrol(&self, reference: &str) -> SubjectId {
        let at = self.clock.now();
        let (person, images) = filled::person(self.service(), reference, reference.len(), at);
        let subject = person.id;
        let pool = self.service().pool(POOL).unwrap();
        pool.writer(&permit(Action::Enrol)).unwrap().store(&[person], &images, at).unwrap();
        subject
    }

    fn asked(&self, person: &str) -> Asked {
        self.asked_as(person, Role::RecordsManager, "record_management")
    }

    fn asked_as(&self, person: &str, role: Role, purpose: &str) -> Asked {
        let request = TokenRequest {
            subject: person.to_owned(),
            name: "P".to_owned(),
            organisation: "local".to_owned(),
            roles: vec![role],
            days: 90,
        };
        Asked {
            peer: Peer::Local,
            rpc: "likeness.v1.DeletionApplicationService/Test",
            token: Some(Issuer::open(&self.data).unwrap().mint(&request, self.clock.now()).unwrap()),
            context: ContextFields {
                system_name: "likeness-cli".to_owned(),
                reference_id: "ref-1".to_owned(),
                purpose_code: purpose.to_owned(),
                justification: "asked by a test".to_owned(),
            },
            deadline: Instant::now() + Duration::from_secs(60),
            request: b"request".to_vec(),
        }
    }

    fn receive(&self, subject: SubjectId, force: &str) -> Result<ApplicationAnswer, Refusal> {
        self.receive_on(subject, force, Ok(None))
    }

    fn receive_on(
        &self,
        subject: SubjectId,
        force: &str,
        received_on: Result<Option<Date>, String>,
    ) -> Result<ApplicationAnswer, Refusal> {
        let request = ReceiveRequest {
            pool: POOL.to_owned(),
            subject: SubjectChoice::Id(subject.to_string()),
            force: force.to_owned(),
            received_on,
            grounds: "I was never charged".to_owned(),
        };
        let shown =
            |answer: &ApplicationAnswer| Rendered { message: answer.clone(), bytes: b"answer".to_vec() };
        answered(self.service().receive_application(self.asked("p-1"), &request, shown))
    }

    fn step(
        &self,
        person: &str,
        id: ApplicationId,
        step: ApplicationStep,
    ) -> Result<ApplicationAnswer, Refusal> {
        let request = StepRequest { pool: POOL.to_owned(), application: id.to_string(), step };
        let shown =
            |answer: &ApplicationAnswer| Rendered { message: answer.clone(), bytes: b"answer".to_vec() };
        answered(self.service().step_application(self.asked(person), &request, shown))
    }

    fn decide(&self, id: ApplicationId, stated: StatedDecision) -> Result<ApplicationAnswer, Refusal> {
        self.step("p-1", id, ApplicationStep::Decide(Ok(stated)))
    }

    fn appeal(&self, id: ApplicationId) -> Result<ApplicationAnswer, Refusal> {
        let grounds = "the reason given is wrong".to_owned();
        self.step("p-1", id, ApplicationStep::Appeal { received_on: Ok(None), grounds })
    }

    fn show(&self, subject: SubjectId) -> Result<ApplicationsAnswer, Refusal> {
        let choice = SubjectChoice::Id(subject.to_string());
        let shown =
            |answer: &ApplicationsAnswer| Rendered { message: answer.clone(), bytes: b"answer".to_vec() };
        answered(self.service().read_applications(self.asked("p-1"), POOL, &choice, shown))
    }

    fn list(&self, list: &str) -> Vec<ApplicationId> {
        let request =
            ApplicationsRequest { pool: POOL.to_owned(), list: list.to_owned(), after: 0, limit: 0 };
        let shown = |page: &ApplicationPage| Rendered { message: page.clone(), bytes: b"answer".to_vec() };
        let page = answered(self.service().list_applications(self.asked("p-1"), &request, shown)).unwrap();
        page.lines.iter().map(|line| line.id).collect()
    }

    fn alter(&self, subject: SubjectId, alteration: Alteration) -> Result<RetentionAnswer, Refusal> {
        let request = AlterRequest {
            pool: POOL.to_owned(),
            subject: SubjectChoice::Id(subject.to_string()),
            alteration: Ok(alteration),
        };
        let shown =
            |answer: &RetentionAnswer| Rendered { message: answer.clone(), bytes: b"answer".to_vec() };
        answered(self.service().alter_retention(self.asked("p-1"), &request, shown))
    }

    fn last_entry(&self) -> Entry {
        self.service().audit().entries(0, 100_000).unwrap().pop().unwrap().entry
    }
}

fn answered<M>(result: Result<Answer<M>, Unanswered>) -> Result<M, Refusal> {
    result.map(|answer| answer.into_parts().0).map_err(refusal)
}

#[test]
fn the_presumption_is_told_at_receipt_and_binds_the_decision() {
    let office = Office::new();
    let subject = office.enrol("p1");
    let received = office.receive(subject, "kent").unwrap();
    let application = &received.applied.application;
    assert_eq!(
        (application.state(), application.test),
        (ApplicationState::Received, ApplicationTest::ExceptionalReason)
    );
    assert_eq!(application.rule, "application.no_event");
    assert_eq!(application.decide_by, office.today() + 1.month());
    assert_eq!(received.consequence, Consequence::Retained);
    let entry = office.last_entry();
    assert_eq!(entry.subjects, [subject]);
    assert_eq!(entry.changes["application"].after.as_deref(), Some("received"));
    assert_eq!(entry.notes["presumption"], "exceptional_reason");
    assert!(!serde_json::to_string(&entry).unwrap().contains("never charged"), "no grounds in an entry");

    let id = received.applied.id;
    let review = received.next_review_on;
    let without = StatedDecision { exceptional_reason: None, ..refused() };
    let told = office.decide(id, without).unwrap_err();
    assert_eq!((told.kind, told.code), (RefusalKind::Invalid, "presumption_of_deletion"));
    assert!(told.message.contains("`decision.exceptional_reason` is missing"), "{}", told.message);
    // What was asked in vain is recorded with the subject, and so is erased with them.
    let entry = office.last_entry();
    assert_eq!((entry.subjects, entry.outcome), (vec![subject], Some(Outcome::Rejected)));
    let junior = StatedDecision { seniority: Seniority::Handler, ..refused() };
    assert_eq!(office.decide(id, junior).unwrap_err().code, "not_senior_enough");
    assert_eq!(office.show(subject).unwrap().applications[0].application.state(), ApplicationState::Received);

    let kept = office.decide(id, refused()).unwrap();
    let decision = kept.applied.application.decision.clone().unwrap();
    assert_eq!((decision.by.as_str(), decision.on), ("local/p-1", office.today()));
    assert_eq!(
        (kept.consequence, kept.next_review_on),
        (Consequence::Retained, review),
        "a refusal moves no review"
    );
    assert_eq!(office.last_entry().notes["seniority_stated"], "senior");
    assert_eq!(office.decide(id, agreed()).unwrap_err().code, "application_step");
    office.turn();
    assert_eq!(office.show(subject).unwrap().state, State::Active);
    assert!(office.service().audit().open_intents().unwrap().is_empty());
}

#[test]
fn time_limits_hold_over_a_restart() {
    let mut office = Office::new();
    let (one, two) = (office.enrol("p1"), office.enrol("p22"));
    let began = office.today();
    let first = office.receive(one, "kent").unwrap().applied;
    let weeks_ago = began - 20.days();
    let second = office.receive_on(two, "surrey", Ok(Some(weeks_ago))).unwrap().applied;
    assert_eq!(second.application.decide_by, weeks_ago + 1.month());
    assert_eq!(office.list("open"), [first.id, second.id]);
    assert!(office.list("overdue").is_empty());
    office.open();
    let until = |date: Date| i64::from((date - office.today()).get_days());
    office.days(until(weeks_ago + 1.month()));
    assert!(office.list("overdue").is_empty(), "the last day is in time");
    office.days(1);
    assert_eq!(office.list("overdue"), [second.id]);
    let shown = office.show(two).unwrap();
    assert!(shown.applications[0].application.is_overdue(shown.today));
    assert_eq!(office.show(one).unwrap().applications, std::slice::from_ref(&first));

    let kept = office.decide(first.id, refused()).unwrap().applied.application;
    let last = kept.appeal_by.unwrap();
    assert_eq!(last, office.today() + 60.days());
    assert_eq!(office.list("open"), [second.id]);
    office.open();
    office.days(60);
    let appealed = office.appeal(first.id).unwrap().applied.application;
    assert_eq!(appealed.appeal.unwrap().decide_by, office.today() + 1.month());
    assert_eq!(office.list("open"), [first.id, second.id]);
    assert_eq!(office.appeal(first.id).unwrap_err().code, "application_step", "one appeal");
    let same = office.step("p-1", first.id, ApplicationStep::DecideAppeal(Ok(refused()))).unwrap_err();
    assert_eq!((same.kind, same.code), (RefusalKind::Denied, "same_person"));
    let other = office.step("p-2", first.id, ApplicationStep::DecideAppeal(Ok(refused()))).unwrap();
    assert_eq!(other.applied.application.state(), ApplicationState::RefusedOnAppeal);
    // That was the end of this one; a new one can come.
    office.receive(one, "kent").unwrap();
    assert_eq!(office.show(one).unwrap().applications.len(), 2);
}

#[test]
fn an_appeal_after_its_time_is_not_taken() {
    let office = Office::new();
    let id = office.receive(office.enrol("p1"), "kent").unwrap().applied.id;
    assert_eq!(office.appeal(id).unwrap_err().code, "application_step", "nothing was refused");
    office.decide(id, refused()).unwrap();
    office.days(61);
    let late = office.appeal(id).unwrap_err();
    assert!(late.message.starts_with("the time for an appeal ended on"), "{}", late.message);
}

#[test]
fn what_is_received_is_checked() {
    let office = Office::new();
    let subject = office.enrol("p1");
    for force in ["Jane Doe", "West Mercia", "kent\u{202E}", &"k".repeat(65)] {
        let told = office.receive(subject, force).unwrap_err();
        assert_eq!(told.code, "invalid_field");
        assert!(!told.message.contains("Jane"), "{}", told.message);
    }
    assert_eq!(office.receive(subject, "").unwrap_err().code, "missing_field");
    let tomorrow = office.today() + 1.day();
    assert_eq!(office.receive_on(subject, "kent", Ok(Some(tomorrow))).unwrap_err().code, "invalid_field");
    let wrong = office.receive_on(subject, "kent", Err("`received_on` is a date".to_owned())).unwrap_err();
    assert_eq!(wrong.code, "invalid_field");
    let nobody = SubjectId::at(office.clock.now());
    assert_eq!(office.receive(nobody, "kent").unwrap_err().code, "no_such_subject");
    let id = office.receive(subject, "kent").unwrap().applied.id;
    let again = office.receive(subject, "kent").unwrap_err();
    assert_eq!((again.kind, again.code), (RefusalKind::AlreadyExists, "application_exists"));
    assert!(again.message.contains(&id.to_string()), "{}", again.message);
    office.receive(subject, "surrey").unwrap();
    let unknown = ApplicationId::at(office.clock.now());
    assert_eq!(office.decide(unknown, agreed()).unwrap_err().code, "no_such_application");
    let wrong = office.step("p-1", id, ApplicationStep::Decide(Err("what is wrong".to_owned()))).unwrap_err();
    assert_eq!((wrong.code, wrong.message.as_str()), ("invalid_field", "what is wrong"));
}
