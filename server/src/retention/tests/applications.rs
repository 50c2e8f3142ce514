//! Applications for deletion: what a refusal must show, who may refuse, and by when.
use super::application::*;
use super::*;
use CustodyOutcome::{Acquitted, Convicted};

const TODAY: &str = "2025-12-31";

fn limits() -> ApplicationLimits {
    shipped().application_limits()
}

/// An application received on 31 January 2025 under this test.
fn received(test: ApplicationTest) -> DeletionApplication {
    let presumption =
        Presumption { rule: "application.x".to_owned(), test, open_from: day("2020-01-01"), open: true };
    DeletionApplication::receive(
        "A-1",
        "Test Force",
        "",
        day("2025-01-31"),
        &presumption,
        limits(),
        day(TODAY),
    )
    .unwrap()
}

fn decision(on: &str, verdict: Verdict, seniority: Seniority) -> ApplicationDecision {
    ApplicationDecision {
        on: day(on),
        by: "officer-1".to_owned(),
        seniority,
        authority: "delegated by the chief officer".to_owned(),
        verdict,
        reason: "on the papers".to_owned(),
        policing_purpose: None,
        exceptional_reason: None,
        why_highly_exceptional: None,
    }
}

/// A refusal that shows all there is to show.
fn full(on: &str, seniority: Seniority) -> ApplicationDecision {
    ApplicationDecision {
        policing_purpose: Some("prevention of serious crime".to_owned()),
        exceptional_reason: Some("part of a series under investigation".to_owned()),
        why_highly_exceptional: Some("the risk outweighs the youth of the person".to_owned()),
        ..decision(on, Verdict::Refused, seniority)
    }
}

type Strip = fn(&mut ApplicationDecision);

#[test]
fn a_refusal_shows_what_the_presumption_asks_for() {
    use ApplicationTest::{ExceptionalReason, HighlyExceptionalReason, None as NoTest};
    use Seniority::{ChiefOfficer, Handler, Senior};
    let purpose: Strip = |d| d.policing_purpose = None;
    let reason: Strip = |d| d.exceptional_reason = None;
    let highly: Strip = |d| d.why_highly_exceptional = None;
    let all: Strip = |d| {
        d.policing_purpose = None;
        d.exceptional_reason = None;
        d.why_highly_exceptional = None;
    };
    let not_met = |field| Err(ApplicationError::TestNotMet { field });
    type Row = (ApplicationTest, Seniority, Option<Strip>, Result<(), ApplicationError>);
    let table: [Row; 13] = [
        (NoTest, Handler, Some(all), Ok(())),
        (NoTest, Handler, None, Ok(())),
        (ExceptionalReason, Senior, Some(highly), Ok(())),
        (ExceptionalReason, ChiefOfficer, None, Ok(())),
        (ExceptionalReason, Handler, None, Err(ApplicationError::NotSeniorEnough { least: Senior })),
        (ExceptionalReason, Senior, Some(purpose), not_met("decision.policing_purpose")),
        (ExceptionalReason, Senior, Some(reason), not_met("decision.exceptional_reason")),
        (HighlyExceptionalReason, ChiefOfficer, None, Ok(())),
        (
            HighlyExceptionalReason,
            Senior,
            None,
            Err(ApplicationError::NotSeniorEnough { least: ChiefOfficer }),
        ),
        (HighlyExceptionalReason, ChiefOfficer, Some(purpose), not_met("decision.policing_purpose")),
        (HighlyExceptionalReason, ChiefOfficer, Some(reason), not_met("decision.exceptional_reason")),
        (HighlyExceptionalReason, ChiefOfficer, Some(highly), not_met("decision.why_highly_exceptional")),
        (HighlyExceptionalReason, ChiefOfficer, Some(all), not_met("decision.policing_purpose")),
    ];
    for (test, seniority, strip, expected) in table {
        let mut refusal = full("2025-02-10", seniority);
        strip.into_iter().for_each(|strip| strip(&mut refusal));
        let mut application = received(test);
        let before = application.clone();
        let result = application.decide(refusal, limits(), day(TODAY));
        assert_eq!(result, expected, "{test:?} {seniority:?}");
        if result.is_err() {
            assert_eq!(application, before);
        }
        // Agreeing needs none of it.
        before
            .clone()
            .decide(decision("2025-02-10", Verdict::Agreed, Handler), limits(), day(TODAY))
            .unwrap();
    }
    let mut copied = full("2025-02-10", ChiefOfficer);
    copied.exceptional_reason = Some(" on the papers ".to_owned());
    let repeated = received(HighlyExceptionalReason).decide(copied, limits(), day(TODAY));
    assert_eq!(repeated, Err(ApplicationError::Repeated { field: "decision.exceptional_reason" }));
}

#[test]
fn the_test_follows_from_age_at_capture_and_outcome() {
    let rules = shipped();
    let ask = |born: &str, outcome| {
        let mut facts = custody(&[event("2018-03-01", outcome, "2018-06-01", 3)]);
        facts.date_of_birth = Some(day(born));
        let presumption = assess(&rules, PoolKind::Custody, &facts, day("2018-07-01")).presumption;
        let on = day("2018-07-01");
        DeletionApplication::receive("A", "F", "", on, &presumption, limits(), on).unwrap().test
    };
    assert_eq!(ask("2000-02-29", Acquitted), ApplicationTest::ExceptionalReason);
    assert_eq!(ask("2000-03-02", Acquitted), ApplicationTest::HighlyExceptionalReason);
    // Not before the clear period is over.
    assert_eq!(ask("2000-03-02", Convicted), ApplicationTest::None);
}

#[test]
fn time_limits_hold_to_the_day() {
    let mut application = received(ApplicationTest::None);
    assert_eq!(application.decide_by, day("2025-02-28"));
    assert!(!application.is_overdue(day("2025-02-28")) && application.is_overdue(day("2025-03-01")));
    let mut refused = |on: &str| {
        application.decide(decision(on, Verdict::Refused, Seniority::Handler), limits(), day(TODAY))
    };
    let before = ApplicationError::BeforeItsCause { field: "decision.on" };
    assert_eq!(refused("2025-01-30"), Err(before));
    assert_eq!(refused("2026-01-01"), Err(FactError::Future { field: "decision.on" }.into()));
    refused("2025-03-01").unwrap();
    assert_eq!(refused("2025-03-01"), Err(ApplicationError::Decided));
    assert!(!application.is_overdue(day(TODAY)));
    assert_eq!(application.appeal_by, Some(day("2025-04-30")));

    let late = application.clone().appeal(day("2025-05-01"), "unfair", limits(), day(TODAY));
    assert_eq!(late, Err(ApplicationError::AppealTooLate { by: day("2025-04-30") }));
    let early = application.clone().appeal(day("2025-02-28"), "unfair", limits(), day(TODAY));
    assert_eq!(early, Err(ApplicationError::BeforeItsCause { field: "appeal.received_on" }));
    application.appeal(day("2025-04-30"), "unfair", limits(), day(TODAY)).unwrap();
    assert_eq!(application.decide_by(), Some(day("2025-05-30")));
    assert!(!application.is_overdue(day("2025-05-30")) && application.is_overdue(day("2025-05-31")));
}

#[test]
fn an_appeal_is_decided_once_and_by_somebody_else() {
    use ApplicationState::{Agreed, AgreedOnAppeal, Appealed, Received, Refused, RefusedOnAppeal};
    let mut application = received(ApplicationTest::ExceptionalReason);
    let appeal = |application: &mut DeletionApplication| {
        application.appeal(day("2025-03-01"), "unfair", limits(), day(TODAY))
    };
    assert_eq!(application.state(), Received);
    assert_eq!(appeal(&mut application), Err(ApplicationError::NothingRefused));
    let same = full("2025-03-02", Seniority::Senior);
    let nothing = application.decide_appeal(same.clone(), day(TODAY));
    assert_eq!(nothing, Err(ApplicationError::NothingAppealed));

    let mut agreed = application.clone();
    agreed.decide(decision("2025-02-01", Verdict::Agreed, Seniority::Handler), limits(), day(TODAY)).unwrap();
    assert_eq!((agreed.state(), agreed.is_agreed()), (Agreed, true));
    assert_eq!(appeal(&mut agreed), Err(ApplicationError::NothingRefused));

    application.decide(full("2025-02-01", Seniority::Senior), limits(), day(TODAY)).unwrap();
    assert_eq!(application.state(), Refused);
    appeal(&mut application).unwrap();
    assert_eq!((application.state(), application.is_agreed()), (Appealed, false));
    assert_eq!(appeal(&mut application), Err(ApplicationError::NothingRefused));
    assert_eq!(application.decide_appeal(same.clone(), day(TODAY)), Err(ApplicationError::SamePerson));
    let other = ApplicationDecision { by: "officer-2".to_owned(), ..same };
    // The test is that of the application, also on appeal.
    let bare = ApplicationDecision { exceptional_reason: None, ..other.clone() };
    let not_met = ApplicationError::TestNotMet { field: "decision.exceptional_reason" };
    assert_eq!(application.decide_appeal(bare, day(TODAY)), Err(not_met));
    let mut won = application.clone();
    won.decide_appeal(ApplicationDecision { verdict: Verdict::Agreed, ..other.clone() }, day(TODAY)).unwrap();
    assert_eq!((won.state(), won.is_agreed()), (AgreedOnAppeal, true));
    application.decide_appeal(other.clone(), day(TODAY)).unwrap();
    assert_eq!((application.state(), application.is_agreed()), (RefusedOnAppeal, false));
    assert_eq!(application.decide_appeal(other, day(TODAY)), Err(ApplicationError::NothingAppealed));

    let text = serde_json::to_string(&application).unwrap();
    assert_eq!(serde_json::from_str::<DeletionApplication>(&text).unwrap(), application);
}

#[test]
fn statistics_add_up_and_small_counts_are_withheld() {
    let mut statistics = ApplicationStatistics::default();
    let add =
        |statistics: &mut ApplicationStatistics, force: &str, verdict: Option<Verdict>, count: usize| {
            for _ in 0..count {
                let mut application = received(ApplicationTest::None);
                application.force = force.to_owned();
                if let Some(verdict) = verdict {
                    application
                        .decide(decision("2025-02-01", verdict, Seniority::Handler), limits(), day(TODAY))
                        .unwrap();
                }
                statistics.add(&application, day("2025-02-10"));
            }
        };
    add(&mut statistics, "Large", Some(Verdict::Agreed), 30);
    add(&mut statistics, "Large", Some(Verdict::Refused), 20);
    add(&mut statistics, "Large", None, 6);
    add(&mut statistics, "Small", Some(Verdict::Agreed), 30);
    add(&mut statistics, "Small", Some(Verdict::Refused), 3);
    let exact = statistics.forces()["Small"];
    let counts = ApplicationCounts { received: 33, agreed: 30, refused: 3, ..ApplicationCounts::default() };
    assert_eq!(exact, counts);
    let shown = statistics.publishable();
    assert_eq!(shown["Large"]["received"], Some(56));
    assert_eq!((shown["Large"]["agreed"], shown["Large"]["undecided"]), (Some(30), Some(6)));
    for withheld in ["received", "agreed", "refused", "not_appealed", "in_time"] {
        assert_eq!(shown["Small"][withheld], None, "{withheld}");
    }
    assert_eq!(shown["Small"]["overdue"], Some(0));
}

#[test]
fn what_was_erased_stays_counted() {
    use ApplicationState::{Agreed, AgreedOnAppeal, Appealed, Received};
    let mut statistics = ApplicationStatistics::default();
    for (state, appealed, erased, number, overdue) in [
        (Received, false, false, 7, 2),
        (Received, false, true, 6, 0),
        (Agreed, false, true, 20, 0),
        (AgreedOnAppeal, true, true, 5, 0),
        (Appealed, true, true, 8, 0),
    ] {
        let force = "kent".to_owned();
        statistics.add_tally(&ApplicationTally { force, state, appealed, erased, number, overdue });
    }
    let counts = statistics.forces()["kent"];
    let (received, agreed, refused, undecided) = (46, 25, 8, 7);
    let expected =
        ApplicationCounts { received, agreed, refused, undecided, overtaken: 6, appealed: 13, overdue: 2 };
    assert_eq!(counts, expected);
    assert_eq!(counts.agreed + counts.refused + counts.undecided + counts.overtaken, counts.received);
    // Two are overdue: no total, and nothing from which it could be worked out.
    let shown = &statistics.publishable()["kent"];
    assert_eq!((shown["received"], shown["overdue"], shown["in_time"]), (None, None, None));
    assert_eq!((shown["agreed"], shown["undecided"], shown["overtaken"]), (Some(25), None, None));
}

#[test]
fn a_presumption_that_grew_stronger_binds_what_is_still_to_be_decided() {
    use ApplicationTest::{ExceptionalReason, HighlyExceptionalReason, None as NoTest};
    let presumption = |test, open| Presumption {
        rule: "application.later".to_owned(),
        test,
        open_from: day("2025-02-01"),
        open,
    };
    let mut application = received(NoTest);
    application.strengthen(&presumption(ExceptionalReason, false));
    assert_eq!((application.test, application.rule.as_str()), (NoTest, "application.x"));
    application.strengthen(&presumption(ExceptionalReason, true));
    assert_eq!((application.test, application.rule.as_str()), (ExceptionalReason, "application.later"));
    application.strengthen(&presumption(NoTest, true));
    assert_eq!(application.test, ExceptionalReason, "it never grows weaker");
    application.decide(full("2025-02-02", Seniority::Senior), limits(), day(TODAY)).unwrap();
    application.strengthen(&presumption(HighlyExceptionalReason, true));
    assert_eq!(application.test, ExceptionalReason, "what is decided was decided under its test");
    application.appeal(day("2025-02-03"), "unfair", limits(), day(TODAY)).unwrap();
    application.strengthen(&presumption(HighlyExceptionalReason, true));
    assert_eq!(application.test, HighlyExceptionalReason);
}

#[test]
fn what_a_refusal_needs_is_said_before_and_is_what_is_demanded() {
    for test in
        [ApplicationTest::None, ApplicationTest::ExceptionalReason, ApplicationTest::HighlyExceptionalReason]
    {
        let needs = test.refusal();
        let field = |name: &str| {
            needs.fields.contains(&name).then(|| format!("said about {name} by the one who decides"))
        };
        let just_enough = ApplicationDecision {
            policing_purpose: field("policing_purpose"),
            exceptional_reason: field("exceptional_reason"),
            why_highly_exceptional: field("why_highly_exceptional"),
            ..decision("2025-02-01", Verdict::Refused, needs.least)
        };
        received(test).decide(just_enough.clone(), limits(), day(TODAY)).unwrap();
        for without in needs.fields {
            let mut less = just_enough.clone();
            match *without {
                "policing_purpose" => less.policing_purpose = None,
                "exceptional_reason" => less.exceptional_reason = None,
                _ => less.why_highly_exceptional = None,
            }
            let refused = received(test).decide(less, limits(), day(TODAY)).unwrap_err().to_string();
            assert!(refused.contains(without), "{refused}");
        }
    }
    let ordered = [ApplicationState::Received, ApplicationState::Appealed];
    assert!(ApplicationState::ALL.into_iter().all(|state| state.is_open() == ordered.contains(&state)));
    assert!(ApplicationState::ALL.into_iter().all(|state| ApplicationState::of(state.code()) == Some(state)));
}
