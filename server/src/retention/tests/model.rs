//! The engine against a second, simpler opinion: a day-by-day model with the numbers of the shipped file written out.
use super::*;
use crate::seeded::Random;

fn years(from: Date, years: i16) -> Date {
    from.checked_add(jiff::Span::new().years(years)).unwrap()
}

fn days(from: Date, days: i64) -> Date {
    from.checked_add(jiff::Span::new().days(days)).unwrap()
}

fn hundredth(facts: &Facts, unknown: i16) -> Date {
    match facts.date_of_birth {
        None => years(facts.first_collected_on, unknown),
        Some(born) if born == day("1988-02-29") => day("2088-02-29"),
        Some(born) => {
            let leap = born.month() == 2 && born.day() == 29;
            let plain = years(born, 100);
            if leap && plain.day() == 28 { plain.tomorrow().unwrap() } else { plain }
        }
    }
}

/// Whether the record is kept on `on`, holds left out.
fn kept(facts: &Facts, kind: PoolKind, on: Date) -> bool {
    let allowed = facts.category != SubjectCategory::Victim
        || !matches!(
            kind,
            PoolKind::Custody
                | PoolKind::MissingPerson
                | PoolKind::UnidentifiedPerson
                | PoolKind::UnidentifiedRemains
        );
    if !allowed {
        return false;
    }
    let review = facts.reviews.last();
    let promised = |review: &Review| review.next_review_on.map(|next| next.min(years(review.on, 10)));
    if let Some(closed) = &facts.closed {
        let time = match closed.reason {
            ClosureReason::Found => days(closed.on, 28),
            ClosureReason::Identified => days(closed.on, 90),
            ClosureReason::ConsentWithdrawn => closed.on,
            ClosureReason::DeathRegistered => closed.on.checked_add(jiff::Span::new().months(3)).unwrap(),
        };
        let since = review
            .filter(|review| review.on >= closed.on && closed.reason != ClosureReason::ConsentWithdrawn);
        return match since {
            Some(review) if review.decision == Decision::Dispose => false,
            Some(review) => on < time || on < days(promised(review).unwrap(), 90),
            None if closed.reason == ClosureReason::ConsentWithdrawn => on < time,
            None => on < time,
        };
    }
    let disposed = review.filter(|review| review.decision == Decision::Dispose).map(|review| review.on);
    let convicted = facts.events.iter().any(|event| event.outcome.stands());
    let ended = facts
        .events
        .iter()
        .filter(|event| event.outcome.is_not_convicted())
        .filter_map(|event| event.outcome_on)
        .max();
    let next =
        review.filter(|review| convicted || ended.is_none_or(|ended| ended <= review.on)).and_then(promised);
    if next.is_some_and(|next| on < days(next, 90)) {
        return true;
    }
    // Reviewed regularly: kept to the end, or until so long after a missed review.
    let regular = |from: Date, every: i16, end: Date, missed: &dyn Fn(Date) -> Date| {
        let look = next.filter(|next| *next >= from).unwrap_or_else(|| years(from, every));
        on < end && on < missed(look.min(end))
    };
    let collected = facts.first_collected_on;
    if kind != PoolKind::Custody {
        return disposed.is_none()
            && match kind {
                PoolKind::Person => on < years(collected, 1),
                PoolKind::MissingPerson => {
                    regular(collected, 1, hundredth(facts, 100), &|look| years(look, 2))
                }
                PoolKind::UnidentifiedPerson => {
                    regular(collected, 1, years(collected, 10), &|look| years(look, 1))
                }
                PoolKind::UnidentifiedRemains => {
                    regular(collected, 2, years(collected, 75), &|look| years(look, 3))
                }
                PoolKind::Custody => false,
            };
    }
    if facts.events.is_empty() {
        return disposed.is_none() && on < collected.checked_add(jiff::Span::new().months(6)).unwrap();
    }
    let last = facts
        .events
        .iter()
        .filter(|event| !event.outcome.is_not_convicted())
        .map(|event| event.occurred_on)
        .max();
    facts.events.iter().filter(|event| disposed.is_none_or(|disposed| event.occurred_on > disposed)).any(
        |event| match event.outcome {
            CustodyOutcome::Pending => on < years(event.occurred_on, 1),
            CustodyOutcome::NoFurtherAction | CustodyOutcome::Acquitted | CustodyOutcome::Quashed => {
                on < event.outcome_on.unwrap()
            }
            CustodyOutcome::Cautioned | CustodyOutcome::Convicted => {
                let last = last.unwrap();
                match event.offences[0].group {
                    MopiGroup::One => regular(last, 10, hundredth(facts, 82), &|look| years(look, 1)),
                    MopiGroup::Two => regular(last, 10, hundredth(facts, 82), &|look| {
                        look.checked_add(jiff::Span::new().months(6)).unwrap()
                    }),
                    MopiGroup::Three | MopiGroup::Four => on < years(last, 6),
                }
            }
        },
    )
}

#[test]
fn the_engine_and_a_simple_model_agree_on_every_day() {
    let rules = shipped();
    let mut random = Random::seeded();
    let today = day("2025-06-01");
    for case in 0..400 {
        let kind = PoolKind::ALL[case % 5];
        let mut facts = changes::any(&mut random, kind, today);
        facts.holds.clear();
        let mut on = today;
        // Each day that the engine names, its neighbours, and days between.
        for _ in 0..40 {
            let assessment = assess(&rules, kind, &facts, on);
            for near in [on, on.tomorrow().unwrap(), days(on, i64::try_from(random.below(2_000)).unwrap())] {
                let retained = !assess(&rules, kind, &facts, near).is_due();
                assert_eq!(retained, kept(&facts, kind, near), "case {case}, {kind} on {near}: {facts:#?}");
            }
            let Some(then) = assessment.changes_on else { break };
            let eve = then.yesterday().unwrap();
            assert_eq!(
                !assess(&rules, kind, &facts, eve).is_due(),
                kept(&facts, kind, eve),
                "case {case} on {eve}"
            );
            on = then;
        }
        // And every single day of four years, with no help from the engine.
        let mut near = today;
        for _ in 0..1_461 {
            near = near.tomorrow().unwrap();
            let retained = !assess(&rules, kind, &facts, near).is_due();
            assert_eq!(retained, kept(&facts, kind, near), "case {case}, {kind} on {near}: {facts:#?}");
        }
    }
}
