//! What holds when the person asks for deletion.
use super::super::rules::raw::{AppliesTo, Every};
use super::super::{ApplicationTest, CustodyEvent, Facts, RuleSet};
use super::{Presumption, basis, day::Day};
use crate::pool::PoolKind;

/// The presumption that goes with the deciding event, or with the event that weighs most when none decides.
///
/// Where no rule of the file says anything, deletion is presumed at once: the default is to delete.
pub(super) fn of(
    rules: &RuleSet,
    kind: PoolKind,
    facts: &Facts,
    decides: Option<&CustodyEvent>,
    day: &Day,
) -> Presumption {
    let event = decides.or_else(|| heaviest(facts));
    let rule = rules.raw.application.iter().filter(|rule| rule.pools.contains(&kind)).find(|rule| {
        match (rule.applies_to, event) {
            (AppliesTo::NoEvent, None) | (AppliesTo::OpenCase, _) => true,
            (AppliesTo::Event, Some(event)) => rule.event.as_ref().is_some_and(|test| {
                let age = basis::age(rules, facts, event);
                test.admits(event.outcome, event.group(), age, event.recordable(), event.grave())
            }),
            (AppliesTo::NoEvent, Some(_)) | (AppliesTo::Event, None) => false,
        }
    });
    let collected = facts.first_collected_on;
    let Some(rule) = rule else {
        return Presumption {
            rule: rules.raw.default.id.get_ref().clone(),
            test: ApplicationTest::ExceptionalReason,
            open_from: collected,
            open: day.reached(collected),
        };
    };
    let open_from = match (rule.opens_after, event) {
        (None, _) | (_, None) => collected,
        (Some(Every::Period(after)), Some(event)) => {
            after.after(event.outcome_on.unwrap_or(event.occurred_on))
        }
        (Some(Every::Named(_)), Some(event)) => {
            let clear = event.group().map(|group| rules.clear_period(group)).unwrap_or_default();
            clear.after(basis::last_event(rules, facts, event))
        }
    };
    Presumption { rule: rule.id.get_ref().clone(), test: rule.test, open_from, open: day.reached(open_from) }
}

/// The event that weighs most: a conviction or caution before others, then the heaviest group, then the latest.
fn heaviest(facts: &Facts) -> Option<&CustodyEvent> {
    facts.events.iter().max_by_key(|event| {
        let stands = event.outcome.stands();
        let group = event.group().map_or(0, |group| 5 - group.number());
        (stands, group, event.occurred_on)
    })
}
