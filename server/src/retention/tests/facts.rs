//! Facts are taken only when they are complete, agree with each other and lie in the past.
use super::*;
use CustodyOutcome::{Acquitted, Convicted, NoFurtherAction, Pending, Quashed};

fn today() -> Date {
    day("2025-06-01")
}

#[test]
fn an_event_is_refused_with_its_field_and_remedy() {
    let good = event("2025-01-10", Convicted, "2025-03-01", 2);
    type Spoil = fn(&mut CustodyEvent);
    let spoiled: [(Spoil, FactError); 13] = [
        (|e| e.reference.clear(), FactError::Missing { field: "event.reference" }),
        (
            |e| e.reference = "x".repeat(257),
            FactError::Length { field: "event.reference", length: 257, least: 1, most: 256 },
        ),
        (|e| e.force = "a\u{202E}b".to_owned(), FactError::Hidden { field: "event.force" }),
        (|e| e.occurred_on = day("2025-06-02"), FactError::Future { field: "event.occurred_on" }),
        (|e| e.occurred_on = day("1799-12-31"), FactError::TooEarly { field: "event.occurred_on" }),
        (|e| e.outcome_on = Some(day("2025-06-02")), FactError::Future { field: "event.outcome_on" }),
        (
            |e| e.outcome_on = Some(day("2025-01-09")),
            FactError::Order { field: "event.outcome_on", earlier: "event.occurred_on" },
        ),
        (|e| e.outcome_on = None, FactError::OutcomeWithoutDate),
        (|e| e.outcome = Pending, FactError::PendingWithDate),
        (|e| e.offences.clear(), FactError::NoOffence),
        (
            |e| {
                e.offences.clear();
                e.outcome = Quashed;
            },
            FactError::NoOffence,
        ),
        (|e| e.offences = vec![offence(3); 65], FactError::TooMany { field: "event.offences", most: 64 }),
        (|e| e.offences[0].code = " ".to_owned(), FactError::Missing { field: "event.offences.code" }),
    ];
    let mut facts = custody(&[]);
    for (spoil, error) in spoiled {
        let mut bad = good.clone();
        spoil(&mut bad);
        assert_eq!(facts.record_event(bad, today()), Err(error));
        assert!(facts.events.is_empty());
    }
    facts.record_event(good, today()).unwrap();
    let bare = CustodyEvent { offences: Vec::new(), ..event("2025-01-11", NoFurtherAction, "2025-01-12", 2) };
    facts.record_event(bare, today()).unwrap();
    assert_eq!(facts.events.len(), 2);
}

#[test]
fn an_event_with_a_known_reference_takes_its_place() {
    let mut facts = custody(&[]);
    for _ in 0..3 {
        facts.record_event(event("2025-01-10", Pending, "", 2), today()).unwrap();
    }
    facts.record_event(event("2025-01-10", Acquitted, "2025-03-01", 2), today()).unwrap();
    assert_eq!(facts.events, [event("2025-01-10", Acquitted, "2025-03-01", 2)]);
    let numbered =
        |n: usize| CustodyEvent { reference: n.to_string(), ..event("2025-01-10", Pending, "", 2) };
    for n in 1..256 {
        facts.record_event(numbered(n), today()).unwrap();
    }
    let full = FactError::TooMany { field: "events", most: 256 };
    assert_eq!(facts.record_event(numbered(256), today()), Err(full));
    facts.record_event(numbered(255), today()).unwrap();
}

#[test]
fn retaining_needs_answers_an_author_and_a_next_review() {
    let on = day("2025-03-01");
    let review = |author: &str, answers, decision, next: Option<&str>| {
        Review::new(on, author, answers, decision, next.map(day)).map(|_| ())
    };
    let keep = Decision::Retain;
    assert_eq!(review("a", answers(), keep, Some("2026-03-01")), Ok(()));
    assert_eq!(review("a", answers(), keep, Some("2035-03-01")), Ok(()));
    let far = FactError::NextReviewTooFar { years: 10 };
    assert_eq!(review("a", answers(), keep, Some("2035-03-02")), Err(far));
    assert_eq!(review("a", answers(), keep, Some("2025-03-01")), Err(FactError::NextReviewNotAhead));
    assert_eq!(review("a", answers(), keep, None), Err(FactError::NoNextReview));
    let author = FactError::Missing { field: "review.author" };
    assert_eq!(review(" ", answers(), keep, Some("2026-03-01")), Err(author));
    let necessity = FactError::Missing { field: "answers.necessity" };
    assert_eq!(review("a", NracAnswers::default(), keep, Some("2026-03-01")), Err(necessity));
    let bare = NracAnswers { breach_of_trust: Answer { yes: true, text: String::new() }, ..answers() };
    let grounds = FactError::Missing { field: "answers.breach_of_trust" };
    assert_eq!(review("a", bare, keep, Some("2026-03-01")), Err(grounds));
    assert_eq!(review("a", answers(), Decision::Dispose, None), Ok(()));
    let given = review("a", answers(), Decision::Dispose, Some("2026-03-01"));
    assert_eq!(given, Err(FactError::DisposeWithNextReview));
}

#[test]
fn reviews_are_added_in_their_order_and_not_ahead_of_time() {
    let mut facts = custody(&[]);
    facts.add_review(retain("2025-03-01", "2026-03-01"), today()).unwrap();
    let early = facts.add_review(retain("2025-02-28", "2026-03-01"), today());
    assert_eq!(early, Err(FactError::ReviewOutOfOrder));
    let ahead = facts.add_review(retain("2025-06-02", "2026-03-01"), today());
    assert_eq!(ahead, Err(FactError::Future { field: "review.on" }));
    facts.add_review(dispose("2025-03-01"), today()).unwrap();
    assert_eq!(facts.reviews.len(), 2);
}

#[test]
fn there_is_no_hold_without_an_end() {
    let mut facts = custody(&[]);
    let place = |facts: &mut Facts, hold: LegalHold| facts.place_hold(hold, today());
    assert_eq!(place(&mut facts, hold("A", "2025-01-01", "2025-01-01")), Err(FactError::HoldExpiry));
    let long = FactError::HoldTooLong { years: 5 };
    assert_eq!(place(&mut facts, hold("A", "2025-01-01", "2030-01-02")), Err(long));
    let nameless = LegalHold { authority: String::new(), ..hold("A", "2025-01-01", "2026-01-01") };
    assert_eq!(place(&mut facts, nameless), Err(FactError::Missing { field: "hold.authority" }));
    assert_eq!(place(&mut facts, hold("A", "2025-01-01", "2030-01-01")), Ok(()));
    assert_eq!(place(&mut facts, hold("A", "2025-01-01", "2026-01-01")), Err(FactError::HoldExists));

    let lifted = |on: &str| Lifted { on: day(on), by: "b".to_owned(), reason: "it is over".to_owned() };
    assert_eq!(facts.lift_hold("B", lifted("2025-02-01"), today()), Err(FactError::HoldUnknown));
    let before = FactError::Order { field: "lifted.on", earlier: "hold.placed_on" };
    assert_eq!(facts.lift_hold("A", lifted("2024-12-31"), today()), Err(before));
    facts.lift_hold("A", lifted("2025-02-01"), today()).unwrap();
    assert_eq!(facts.lift_hold("A", lifted("2025-02-01"), today()), Err(FactError::HoldLifted));
}

#[test]
fn a_case_is_closed_once_for_a_reason_of_its_kind() {
    let kind = PoolKind::MissingPerson;
    let mut facts = record(kind, "2025-01-01");
    assert_eq!(facts.reopen(), Err(FactError::NotClosed));
    let identified = facts.close(closure(ClosureReason::Identified, "2025-02-01"), kind, today());
    assert_eq!(identified, Err(FactError::ReasonNotForKind));
    facts.close(closure(ClosureReason::Found, "2025-02-01"), kind, today()).unwrap();
    let again = facts.close(closure(ClosureReason::Found, "2025-02-01"), kind, today());
    assert_eq!(again, Err(FactError::AlreadyClosed));
    facts.reopen().unwrap();
    assert_eq!(facts.closed, None);
}

#[test]
fn categories_births_and_captures() {
    let mut facts = record(PoolKind::Custody, "2025-01-01");
    for category in [SubjectCategory::Victim, SubjectCategory::Witness] {
        assert_eq!(facts.recategorise(category, PoolKind::Custody), Err(FactError::CategoryNotInPool));
    }
    facts.recategorise(SubjectCategory::Convicted, PoolKind::Custody).unwrap();
    facts.add_capture(day("2025-02-01"), today()).unwrap();
    facts.add_capture(day("2025-01-01"), today()).unwrap();
    facts.add_capture(day("2025-02-01"), today()).unwrap();
    assert_eq!(facts.captures, [day("2025-01-01"), day("2025-02-01")]);
    let future = facts.add_capture(day("2025-06-02"), today());
    assert_eq!(future, Err(FactError::Future { field: "captures" }));
    let unborn = facts.set_date_of_birth(Some(day("2025-01-02")), today());
    assert_eq!(unborn, Err(FactError::Order { field: "captures", earlier: "date_of_birth" }));
    facts.set_date_of_birth(None, today()).unwrap();
    assert_eq!(facts.date_of_birth, None);
}

#[test]
fn facts_survive_storage_and_unknown_keys_do_not() {
    let mut facts = custody(&[event("2025-01-10", Convicted, "2025-03-01", 2)]);
    facts.reviews = vec![retain("2025-03-02", "2026-03-01")];
    facts.holds = vec![hold("A", "2025-01-01", "2026-01-01")];
    facts.closed = Some(closure(ClosureReason::DeathRegistered, "2025-05-01"));
    assert_eq!(facts.check(PoolKind::Custody, today()), Ok(()));
    let future = FactError::Future { field: "event.outcome_on" };
    assert_eq!(facts.check(PoolKind::Custody, day("2025-02-01")), Err(future));
    let text = serde_json::to_string(&facts).unwrap();
    assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts);
    let extra = text.replacen('{', "{\"kept_for_ever\":true,", 1);
    assert!(serde_json::from_str::<Facts>(&extra).unwrap_err().to_string().contains("unknown field"));
    assert!(serde_json::from_str::<Facts>(&text.replace("\"group\":2", "\"group\":5")).is_err());

    let assessment = assess(&shipped(), PoolKind::Custody, &facts, today());
    let text = serde_json::to_string(&assessment).unwrap();
    assert_eq!(serde_json::from_str::<Assessment>(&text).unwrap(), assessment);
}
