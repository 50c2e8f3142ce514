//! Rules that are each in order and together not.
use std::collections::BTreeMap;

use super::super::super::{CustodyOutcome, MopiGroup, Period};
use super::super::raw::{AgeTest, EventTest, For, RawRules, RetainRule};
use super::{Fault, RuleError};
use crate::pool::PoolKind;

/// A rule that keeps this long, in days, keeps for a lifetime.
const LIFETIME: u32 = 50 * 365;

/// Every kind of event, for telling whether two rules can meet.
fn cells() -> impl Iterator<Item = (CustodyOutcome, Option<MopiGroup>, AgeTest, bool, bool)> {
    let groups = || [None].into_iter().chain(MopiGroup::ALL.into_iter().map(Some));
    let flags = || [false, true].into_iter();
    CustodyOutcome::ALL.into_iter().flat_map(move |outcome| {
        groups().flat_map(move |group| {
            [AgeTest::Under18, AgeTest::Adult].into_iter().flat_map(move |age| {
                flags().flat_map(move |recordable| {
                    flags().map(move |grave| (outcome, group, age, recordable, grave))
                })
            })
        })
    })
}

/// Refuses two rules for one case.
pub(super) fn one_rule_each(text: &str, raw: &RawRules) -> Result<(), RuleError> {
    let retain: Vec<_> =
        raw.retain.iter().map(|rule| (&rule.id, &rule.pools, rule.applies_to, rule.event.as_ref())).collect();
    let application: Vec<_> = raw
        .application
        .iter()
        .map(|rule| (&rule.id, &rule.pools, rule.applies_to, rule.event.as_ref()))
        .collect();
    for rules in [retain, application] {
        for (at, (id, pools, applies_to, event)) in rules.iter().enumerate() {
            for (other, others, applies, tests) in &rules[..at] {
                let meet = !pools.is_disjoint(others)
                    && applies_to == applies
                    && match (event, tests) {
                        (Some(one), Some(two)) => cells().any(|(outcome, group, age, recordable, grave)| {
                            let both = |test: &EventTest| test.admits(outcome, group, age, recordable, grave);
                            both(one) && both(two)
                        }),
                        _ => true,
                    };
                if meet {
                    let why = format!(
                        "this rule and `{}` apply to the same case; make them apart",
                        other.get_ref()
                    );
                    return Err(Fault::of(text, id).wrong("applies_to", why));
                }
            }
        }
    }
    Ok(())
}

/// Refuses rules that retain nobody, or everybody for a lifetime.
pub(super) fn as_a_whole(raw: &RawRules, clear: &BTreeMap<MopiGroup, Period>) -> Result<(), RuleError> {
    let keeps = |rule: &RetainRule| match rule.length {
        For::Period(period) => period.rough_days(),
        For::Named(_) => clear.values().map(|period| period.rough_days()).max().unwrap_or_default(),
        For::Age(_) => LIFETIME,
    };
    for kind in PoolKind::ALL {
        if !raw.retain.iter().any(|rule| rule.pools.contains(&kind) && keeps(rule) > 0) {
            let why = format!(
                "nobody would be retained in pools of kind `{kind}`; every kind needs a [[retain]] rule"
            );
            return Err(RuleError::Whole(why));
        }
    }
    if raw.retain.iter().all(|rule| keeps(rule) >= LIFETIME) {
        return Err(RuleError::Whole(
            "everybody would be retained for a lifetime; shorten some `for`".to_owned(),
        ));
    }
    let acquitted = raw.retain.iter().filter(|rule| {
        rule.event
            .as_ref()
            .is_some_and(|event| event.outcomes.iter().any(|outcome| outcome.is_not_convicted()))
    });
    match acquitted.into_iter().find(|rule| keeps(rule) >= LIFETIME) {
        Some(rule) => Err(RuleError::Whole(format!(
            "`{}` would retain persons who were not convicted for a lifetime; shorten its `for`",
            rule.id.get_ref()
        ))),
        None => Ok(()),
    }
}
