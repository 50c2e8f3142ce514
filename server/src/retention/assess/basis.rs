//! What speaks for keeping a record: each ground with the day on which it ends.
use jiff::civil::Date;

use super::super::rules::raw::{AgeTest, AppliesTo, Every, For, From, RetainRule};
use super::super::{AgeBand, CustodyEvent, Decision, Facts, LegalHold, MopiGroup, Review, RuleSet, birthday};
use super::{RULE_CATEGORY, RULE_DISPOSED, RULE_REVIEW, day::Day};
use crate::pool::PoolKind;

/// One ground.
#[derive(Debug)]
pub(super) struct Basis<'a> {
    /// Id of its rule.
    pub rule: &'a str,
    /// The first day on which it no longer retains.
    pub until: Date,
    /// When somebody looks again; never after `until`.
    pub next_review: Date,
    /// When a missing outcome is asked for.
    pub chase_on: Option<Date>,
    /// The event it rests on.
    pub event: Option<&'a CustodyEvent>,
    /// Part of a sentence.
    pub why: String,
}

impl<'a> Basis<'a> {
    /// A ground that ends on a day and rests on no event.
    fn plain(rule: &'a str, until: Date, why: impl Into<String>) -> Self {
        Self { rule, until, next_review: until, chase_on: None, event: None, why: why.into() }
    }
}

/// All grounds, in the order of the rule file; at least one.
pub(super) fn all<'a>(rules: &'a RuleSet, kind: PoolKind, facts: &'a Facts) -> Vec<Basis<'a>> {
    let collected = facts.first_collected_on;
    if !facts.category.may_be_in(kind) {
        let why = "such a pool never holds this category of person";
        return vec![Basis::plain(RULE_CATEGORY, collected, why)];
    }
    let latest = facts.reviews.last();
    if let Some(closed) = &facts.closed {
        return after_closing(rules, kind, facts, closed);
    }
    let retained = latest.and_then(|review| Some((review, next_review(rules, review)?)));
    let retained = retained.filter(|(review, _)| stands(facts, review));
    let disposed = latest.filter(|review| review.decision == Decision::Dispose).map(|review| review.on);
    let mut bases = Vec::new();
    for rule in rules.raw.retain.iter().filter(|rule| rule.pools.contains(&kind)) {
        match rule.applies_to {
            AppliesTo::NoEvent if facts.events.is_empty() && disposed.is_none() => {
                bases.push(ground(rules, rule, facts, None, retained));
            }
            AppliesTo::OpenCase if disposed.is_none() => {
                bases.push(ground(rules, rule, facts, None, retained));
            }
            AppliesTo::Event => {
                // What a review decided to dispose of is not brought back by the events it knew.
                let live = facts
                    .events
                    .iter()
                    .filter(|event| disposed.is_none_or(|disposed| event.occurred_on > disposed));
                for event in live.filter(|event| admits(rules, rule, facts, event)) {
                    bases.push(ground(rules, rule, facts, Some(event), retained));
                }
            }
            AppliesTo::NoEvent | AppliesTo::OpenCase => {}
        }
    }
    if let Some((review, next)) = retained {
        bases.push(reviewed(rules, review, next));
    }
    if let Some(disposed) = disposed {
        bases.push(Basis::plain(RULE_DISPOSED, disposed, "a review decided to dispose of it"));
    }
    if bases.is_empty() {
        let why = "no rule gives a reason to retain";
        bases.push(Basis::plain(rules.raw.default.id.get_ref(), collected, why));
    }
    bases
}

/// Grounds of a closed case: its rule, and a review made since where the rule allows it.
fn after_closing<'a>(
    rules: &'a RuleSet,
    kind: PoolKind,
    facts: &'a Facts,
    closed: &super::super::Closure,
) -> Vec<Basis<'a>> {
    let rule = rules
        .raw
        .closed
        .iter()
        .find(|rule| rule.pools.contains(&kind) && rule.reasons.contains(&closed.reason));
    let Some(rule) = rule else {
        let why = "the case is closed, and no rule says how long a closed case is kept";
        return vec![Basis::plain(rules.raw.default.id.get_ref(), closed.on, why)];
    };
    let why = format!("{}, on {}; kept for {}", rule.title, closed.on, rule.length);
    let mut bases = vec![Basis::plain(rule.id.get_ref(), rule.length.after(closed.on), why)];
    if let Some(review) = facts.reviews.last().filter(|review| review.on >= closed.on) {
        if review.decision == Decision::Dispose {
            return vec![Basis::plain(RULE_DISPOSED, review.on, "a review decided to dispose of it")];
        }
        if let (true, Some(next)) = (rule.review_may_retain, next_review(rules, review)) {
            bases.push(reviewed(rules, review, next));
        }
    }
    bases
}

/// The ground that a decision to retain gives.
fn reviewed<'a>(rules: &RuleSet, review: &Review, next: Date) -> Basis<'a> {
    Basis {
        rule: RULE_REVIEW,
        until: rules.raw.counting.get_ref().unreviewed_due_after.after(next),
        next_review: next,
        chase_on: None,
        event: None,
        why: format!("a review decided on {} to retain it", review.on),
    }
}

/// When a review that retained set the next one, brought forward to the longest interval.
fn next_review(rules: &RuleSet, review: &Review) -> Option<Date> {
    let longest = rules.raw.counting.get_ref().longest_review_interval.after(review.on);
    let next = review.next_review_on.unwrap_or(review.on);
    (review.decision == Decision::Retain).then(|| next.min(longest))
}

/// Whether a decision to retain still holds. Where nobody was convicted or cautioned, one that was made before the last
/// outcome does not: it was made about a suspicion that has since ended.
fn stands(facts: &Facts, review: &Review) -> bool {
    facts.events.iter().any(|event| event.outcome.stands())
        || facts
            .events
            .iter()
            .filter(|event| event.outcome.is_not_convicted())
            .all(|event| event.outcome_on.is_none_or(|on| on <= review.on))
}

fn admits(rules: &RuleSet, rule: &RetainRule, facts: &Facts, event: &CustodyEvent) -> bool {
    let age = age(rules, facts, event);
    rule.event
        .as_ref()
        .is_some_and(|test| test.admits(event.outcome, event.group(), age, event.recordable(), event.grave()))
}

/// Whether the person was under 18 at the event; so is, for the rules, a person whose birth is not recorded.
pub(super) fn age(rules: &RuleSet, facts: &Facts, event: &CustodyEvent) -> AgeTest {
    let leap = rules.raw.counting.get_ref().leap_day_birthday;
    let band = AgeBand::on(facts.date_of_birth, event.occurred_on, leap);
    if band.is_under_18() { AgeTest::Under18 } else { AgeTest::Adult }
}

/// The last event that starts the clear period of the record.
pub(super) fn last_event(rules: &RuleSet, facts: &Facts, event: &CustodyEvent) -> Date {
    let restarts = &rules.raw.counting.get_ref().clear_period_restarted_by;
    let later =
        facts.events.iter().filter(|event| restarts.contains(&event.outcome)).map(|event| event.occurred_on);
    later.chain([event.occurred_on]).max().unwrap_or(event.occurred_on)
}

/// The ground that a rule gives, with or without an event.
fn ground<'a>(
    rules: &'a RuleSet,
    rule: &'a RetainRule,
    facts: &Facts,
    event: Option<&'a CustodyEvent>,
    retained: Option<(&Review, Date)>,
) -> Basis<'a> {
    let collected = facts.first_collected_on;
    let from = match (rule.from, event) {
        (From::FirstCollected, _) | (_, None) => collected,
        (From::Event, Some(event)) => event.occurred_on,
        (From::Outcome, Some(event)) => event.outcome_on.unwrap_or(event.occurred_on),
        (From::LastEvent, Some(event)) => last_event(rules, facts, event),
    };
    let clear =
        || event.and_then(CustodyEvent::group).map(|group| rules.clear_period(group)).unwrap_or_default();
    let leap = rules.raw.counting.get_ref().leap_day_birthday;
    let end = match (rule.length, facts.date_of_birth) {
        (For::Period(period), _) => period.after(from),
        (For::Named(_), _) => clear().after(from),
        (For::Age(age), Some(born)) => birthday(born, age.until_age, leap),
        (For::Age(age), None) => super::super::Period::years(age.birth_unknown_years).after(collected),
    };
    let regular = match rule.review_every {
        None => end,
        Some(Every::Period(every)) => every.after(from),
        Some(Every::Named(_)) => clear().after(from),
    };
    // A review that took place sets the next one, unless an event since has begun a new time to review.
    let next = match retained {
        Some((_, next)) if next >= from => next,
        _ => regular,
    };
    let next_review = next.min(end);
    let until = rule.unreviewed_due_after.map_or(end, |missed| missed.after(next_review).min(end));
    let since = match event {
        Some(event) => {
            format!("{}, {} of {}, counted from {from}", rule.title, event.outcome.code(), event.occurred_on)
        }
        None => format!("{}, counted from {from}", rule.title),
    };
    Basis {
        rule: rule.id.get_ref(),
        until,
        next_review,
        chase_on: rule.chase_after.map(|after| after.after(from)),
        event,
        why: since,
    }
}

/// The heaviest group among events that count.
pub(super) fn group(facts: &Facts) -> Option<MopiGroup> {
    let counts = facts.events.iter().filter(|event| !event.outcome.is_not_convicted());
    counts.filter_map(CustodyEvent::group).min()
}

/// The hold that lasts longest of those that hold.
pub(super) fn hold<'a>(facts: &'a Facts, day: &Day) -> Option<&'a LegalHold> {
    let holding =
        facts.holds.iter().filter(|hold| day.reached(hold.placed_on) && !day.reached(hold.ends_on()));
    holding.max_by(|one, two| one.ends_on().cmp(&two.ends_on()).then_with(|| two.id.cmp(&one.id)))
}
