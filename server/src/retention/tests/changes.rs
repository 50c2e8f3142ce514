//! An assessment is the same until the day it names, and another one on it.
use super::*;
use crate::seeded::Random;

/// A record that could be: dates within thirty years before `today`.
pub(super) fn any(random: &mut Random, kind: PoolKind, today: Date) -> Facts {
    let back = |random: &mut Random, most: u64| {
        let days = i64::try_from(random.below(most)).unwrap();
        today.checked_sub(jiff::Span::new().days(days)).unwrap()
    };
    let mut facts = record(kind, "2000-01-01");
    facts.first_collected_on = back(random, 11_000);
    facts.date_of_birth = match random.below(5) {
        0 => None,
        1 => Some(day("1988-02-29")),
        _ => Some(back(random, 30_000)),
    };
    if random.below(12) == 0 {
        facts.category = SubjectCategory::Victim;
    }
    let mut events = match random.below(4) {
        0 => 0,
        _ => random.below(4),
    };
    while events > 0 {
        events -= 1;
        let occurred = back(random, 9_000);
        let days = (today - occurred).get_days();
        let outcome = CustodyOutcome::ALL[usize::try_from(random.below(6)).unwrap()];
        let later = i64::try_from(random.below(u64::from(days.unsigned_abs()) + 1)).unwrap();
        let outcome_on = occurred.checked_add(jiff::Span::new().days(later)).unwrap();
        let mut event =
            event(&occurred.to_string(), outcome, &outcome_on.to_string(), 1 + (random.below(4) as u8));
        event.reference = format!("{events}");
        event.offences[0].recordable = random.below(3) > 0;
        event.serious = random.below(4) == 0;
        if outcome == CustodyOutcome::Pending {
            event.outcome_on = None;
        }
        facts.events.push(event);
    }
    let mut reviews: Vec<Date> = (0..random.below(3)).map(|_| back(random, 5_000)).collect();
    reviews.sort_unstable();
    for on in reviews {
        let next =
            on.checked_add(jiff::Span::new().days(1 + i64::try_from(random.below(3_650)).unwrap())).unwrap();
        let keep = random.below(5) > 0;
        let review = if keep { retain(&on.to_string(), &next.to_string()) } else { dispose(&on.to_string()) };
        facts.reviews.push(review);
    }
    for id in 0..random.below(3) {
        let placed = back(random, 900);
        let expires =
            placed.checked_add(jiff::Span::new().days(1 + i64::try_from(random.below(1_800)).unwrap()));
        let mut hold = hold(&id.to_string(), &placed.to_string(), &expires.unwrap().to_string());
        if random.below(4) == 0 {
            hold.lifted = Some(Lifted { on: today, by: "b".to_owned(), reason: "it is over".to_owned() });
        }
        facts.holds.push(hold);
    }
    if random.below(5) == 0 {
        let reasons =
            ClosureReason::ALL.into_iter().filter(|reason| reason.applies_to(kind)).collect::<Vec<_>>();
        let reason = reasons[usize::try_from(random.below(reasons.len() as u64)).unwrap()];
        facts.closed = Some(closure(reason, &back(random, 400).to_string()));
    }
    facts
}

/// The assessment without what the clock will change.
fn still(rules: &RuleSet, kind: PoolKind, facts: &Facts, on: Date) -> Assessment {
    Assessment { changes_on: None, ..assess(rules, kind, facts, on) }
}

#[test]
fn nothing_changes_before_the_day_that_is_named() {
    let rules = shipped();
    let mut random = Random::seeded();
    let today = day("2025-06-01");
    for case in 0..300 {
        let kind = PoolKind::ALL[case % 5];
        let facts = any(&mut random, kind, today);
        let mut on = today;
        let mut changes = 0;
        loop {
            let assessment = assess(&rules, kind, &facts, on);
            let quiet = Assessment { changes_on: None, ..assessment.clone() };
            // Day by day at first, then by leaps of no particular length.
            let end = assessment.changes_on.unwrap_or_else(|| day("2190-01-01"));
            let mut next = on.tomorrow().unwrap();
            let mut step = 1;
            while next < end {
                assert_eq!(still(&rules, kind, &facts, next), quiet, "case {case}, {on} to {next}");
                step = if step < 60 { step + 1 } else { 1 + i64::try_from(random.below(500)).unwrap() };
                let leap = if step < 60 { 1 } else { step };
                next = next.checked_add(jiff::Span::new().days(leap)).unwrap();
            }
            let Some(then) = assessment.changes_on else { break };
            assert!(then > on, "case {case}");
            assert_eq!(
                still(&rules, kind, &facts, then.yesterday().unwrap()),
                quiet,
                "case {case}, eve of {then}"
            );
            assert_ne!(still(&rules, kind, &facts, then), quiet, "case {case}, {then}");
            on = then;
            changes += 1;
            assert!(changes < 64, "case {case}: it never comes to rest");
        }
        // In the end every record is due: nothing is kept for ever.
        assert!(assess(&rules, kind, &facts, on).is_due(), "case {case}: {facts:?}");
    }
}

#[test]
fn what_is_retained_has_a_review_ahead_or_overdue_and_is_due_in_bounded_time() {
    let rules = shipped();
    let mut random = Random::seeded();
    let today = day("2025-06-01");
    for case in 0..2_000 {
        let kind = PoolKind::ALL[case % 5];
        let facts = any(&mut random, kind, today);
        let assessment = assess(&rules, kind, &facts, today);
        assert_eq!(assess(&rules, kind, &facts, today), assessment, "the same question, the same answer");
        let reached = assessment.next_review_on <= today;
        assert_eq!(assessment.overdue_review, reached && !assessment.is_due(), "case {case}");
        // Ten years to the review, three until it is missed: nothing stays longer without anybody looking.
        let latest = Period::years(13).after(today);
        assert!(assessment.is_due() || assessment.next_review_on <= latest, "case {case}");
        if let Disposition::Due { since } = assessment.disposition {
            assert!(since <= today, "case {case}");
        }
        assert!(!assessment.explanation.is_empty());
    }
}
