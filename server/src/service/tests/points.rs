//! Operating points over time and over rights: who may approve, and what an expired one is worth.
use sha2::{Digest as _, Sha256};

use super::*;
use crate::{
    clock::FixedClock,
    keys::TesterKey,
    points::{self, CurveRow, Evidence, Measured, MeasuredSize, OperatingPoint, Rate, Use, WorstGroups},
    service::{ModeAsked, PointAnswer, SearchMode},
};

fn record(space: &str, approver: &str, now: jiff::Timestamp) -> OperatingPoint {
    let digest = |what: &str| hex::encode(Sha256::digest(what));
    OperatingPoint {
        format: 1,
        algorithm: Measured {
            pack: "p".into(),
            version: "1".into(),
            space_id: space.into(),
            digest: digest("pack"),
        },
        applies_to: Use {
            pool_kinds: [PoolKind::Custody].into(),
            use_cases: ["criminal_investigation".to_owned()].into(),
            gallery_from: 1,
            gallery_to: 100,
        },
        threshold: 0.5,
        target_fpir: 0.1,
        fpir: Rate::counted(10, 100, 0.95).unwrap(),
        fnir: Rate::counted(5, 100, 0.95).unwrap(),
        worst: WorstGroups { fpir: None, fnir: None, left_out: 0, not_measured: Some("a test".into()) },
        confidence: 0.95,
        list_length: 20,
        curve: vec![MeasuredSize {
            references: 100,
            subjects: 100,
            mated_searches: 100,
            non_mated_searches: 100,
            rows: vec![CurveRow { threshold: 0.5, false_positives: 10, missed: 5 }],
        }],
        evidence: Evidence {
            data_set: "d".into(),
            data_set_digest: digest("d"),
            synthetic: false,
            report_id: digest("r"),
            run_digest: digest("u"),
            tool: "t 1".into(),
        },
        demonstration_only: false,
        approver: approver.into(),
        made_at: now,
        expires_on: "2027-01-31".parse().unwrap(),
    }
}

struct Points {
    place: Place,
    clock: Arc<FixedClock>,
    key: TesterKey,
}

impl Points {
    fn new() -> Points {
        let Place { _folder: folder, data, service } = Place::new();
        drop(service);
        let clock = Arc::new(FixedClock::at(jiff::Timestamp::now()));
        let service = Service::open(&data, clock.clone(), Opening::Administer).unwrap();
        let key = TesterKey::create(&folder.path().join("tester.key")).unwrap();
        Points { place: Place { _folder: folder, data, service: Arc::new(service) }, clock, key }
    }

    fn record(&self, approver: &str) -> OperatingPoint {
        let now = crate::clock::Clock::now(&*self.clock);
        let expires_on =
            now.to_zoned(jiff::tz::TimeZone::UTC).date().saturating_add(jiff::Span::new().days(30));
        OperatingPoint { expires_on, ..record(&self.place.service.engine.space().to_string(), approver, now) }
    }

    fn approve(
        &self,
        roles: &[Role],
        purpose: &str,
        point: &OperatingPoint,
    ) -> Result<Answer<PointAnswer>, Unanswered> {
        let note = points::sign(point, &self.key).unwrap();
        self.place.service.approve_point(
            self.place.asked(roles, purpose),
            &note,
            &self.key.verifier().to_string(),
            |answer| Rendered { message: answer.clone(), bytes: b"answer".to_vec() },
        )
    }

    fn identify(&self) -> Refusal {
        let mode = ModeAsked { mode: Some(SearchMode::Identification), ..ModeAsked::default() };
        let asked = self.place.asked(&[Role::Searcher], "criminal_investigation");
        refusal(self.place.search(asked, SearchRequest { mode, ..request(&["cells"]) }))
    }
}

#[test]
fn only_the_named_administrator_approves_and_it_is_announced_and_recorded() {
    let points = Points::new();
    let mine = points.record("p-1");
    for (roles, purpose) in [
        (&[Role::Searcher, Role::Enroller, Role::Reviewer, Role::Auditor][..], "system_administration"),
        (&[Role::PoolAdmin][..], "criminal_investigation"),
    ] {
        assert_eq!(refusal(points.approve(roles, purpose, &mine).unwrap_err()).kind, RefusalKind::Denied);
    }
    let admin = [Role::PoolAdmin];
    let theirs = points.approve(&admin, "system_administration", &points.record("p-2")).unwrap_err();
    assert_eq!(refusal(theirs).code, "not_the_approver");
    let mut nowhere = points.record("p-1");
    nowhere.applies_to.use_cases = ["identify_living".to_owned()].into();
    let refused = refusal(points.approve(&admin, "system_administration", &nowhere).unwrap_err());
    assert_eq!(refused.code, "operating_point_use", "custody pools never permit it");

    let before = points.place.entries().len();
    let answer = points.approve(&admin, "system_administration", &mine).unwrap();
    let entries = points.place.entries();
    let [intent, outcome] = &entries[before..] else { panic!("{} entries", entries.len() - before) };
    assert_eq!((intent.phase, intent.operation), (Phase::Intent, Operation::Alteration));
    assert_eq!((outcome.phase, outcome.related), (Phase::Outcome, Some(intent.event_id)));
    let (answer, ..) = answer.into_parts();
    assert_eq!(intent.notes["operating_point"], answer.kept.id.to_string());
    assert_eq!(intent.notes["record_digest"], answer.kept.digest());
    assert_eq!(intent.notes["threshold"], "0.500000");
}

#[test]
fn an_expired_operating_point_is_worth_nothing() {
    let points = Points::new();
    points.place.create("cells", PoolKind::Custody).unwrap();
    assert!(points.identify().message.contains("none is approved"));
    let point = points.record("p-1");
    points.approve(&[Role::PoolAdmin], "system_administration", &point).unwrap();
    // In force, so what is missing now is that an empty pool is no gallery that was measured.
    let said = points.identify();
    assert_eq!(said.code, "no_operating_point");
    assert!(
        said.message.contains("it holds for 1 to 100 searchable images, the pool has 0"),
        "{}",
        said.message
    );
    points.clock.advance(jiff::SignedDuration::from_hours(24 * 31));
    let said = points.identify();
    assert!(said.message.contains(&format!("its last day was {}", point.expires_on)), "{}", said.message);
    let entry = points.place.entries().pop().unwrap();
    assert_eq!(entry.refusal.as_deref(), Some("no_operating_point"));
    assert_eq!(entry.notes["mode"], "identification");
    // And it cannot be approved late.
    let late = points.approve(
        &[Role::PoolAdmin],
        "system_administration",
        &OperatingPoint { list_length: 21, ..point.clone() },
    );
    assert_eq!(refusal(late.unwrap_err()).code, "operating_point_expired");
}
