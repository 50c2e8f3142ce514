//! What other rules would change.
use super::*;
use CustodyOutcome::{Acquitted, Convicted};

const TODAY: &str = "2025-06-01";

fn changed(from: &str, to: &str) -> RuleSet {
    assert!(SHIPPED.contains(from));
    RuleSet::parse(&SHIPPED.replacen(from, to, 1)).unwrap()
}

#[test]
fn the_same_rules_change_nothing() {
    let mut random = crate::seeded::Random::seeded();
    let (old, new) = (shipped(), changed("version = \"2026.1\"", "version = \"2026.2\""));
    for case in 0..200 {
        let kind = PoolKind::ALL[case % 5];
        let facts = changes::any(&mut random, kind, day(TODAY));
        assert_eq!(simulate(&old, &new, kind, &facts, day(TODAY)), None);
    }
}

#[test]
fn a_shorter_clear_period_changes_those_it_touches_and_says_why() {
    // Group 3: five years in place of six. The first such period in the file is that of group 3.
    let (old, new) = (shipped(), changed("clear_period = { years = 6 }", "clear_period = { years = 5 }"));
    let kind = PoolKind::Custody;
    let touched = custody(&[event("2020-01-15", Convicted, "2020-02-01", 3)]);
    let change = simulate(&old, &new, kind, &touched, day(TODAY)).unwrap();
    assert!(change.becomes_due() && !change.becomes_retained());
    assert!(
        change.why.contains(&"disposition: retained, then due since 2025-01-15".to_owned()),
        "{:?}",
        change.why
    );
    let back = simulate(&new, &old, kind, &touched, day(TODAY)).unwrap();
    assert!(back.becomes_retained() && !back.becomes_due());
    assert_eq!((back.before, back.after), (change.after, change.before));

    let heavier = custody(&[event("2020-01-15", Convicted, "2020-02-01", 2)]);
    assert_eq!(simulate(&old, &new, kind, &heavier, day(TODAY)), None);
    let acquitted = custody(&[event("2020-01-15", Acquitted, "2020-02-01", 3)]);
    assert_eq!(simulate(&old, &new, kind, &acquitted, day(TODAY)), None);

    let mut held = touched;
    held.holds = vec![hold("A", "2025-01-01", "2026-01-01")];
    assert!(simulate(&old, &new, kind, &held, day(TODAY)).unwrap().becomes_due());
}

#[test]
fn an_explanation_names_the_rule_the_version_and_each_ground() {
    let rules = shipped();
    let facts = custody(&[
        event("2015-01-01", Convicted, "2015-02-01", 3),
        event("2020-01-15", Convicted, "2020-02-01", 2),
    ]);
    let text = explain(&rules, PoolKind::Custody, &facts, day(TODAY));
    let first = "On 2025-06-01: retained (rule custody.group_2 of version 2026.1). Next review 2030-01-15; \
                 changes by itself 2026-01-15.";
    assert_eq!(text.lines().next().unwrap(), first);
    assert!(
        text.contains("- custody.group_2: Convicted or cautioned, group 2, convicted of 2020-01-15"),
        "{text}"
    );
    assert!(text.contains("- custody.group_3: "), "{text}");
    assert!(text.contains("- application.recordable.adult: "), "{text}");
}
