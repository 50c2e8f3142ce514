#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;
use crate::audit::{Actor, Candidate};
use crate::ids::ImageId;
use jiff::SignedDuration;

/// A Wednesday, ten in the morning in London.
fn start() -> Timestamp {
    "2026-06-10T09:00:00Z".parse().unwrap()
}

fn entry(person: &str, at: Timestamp) -> Entry {
    let mut entry =
        Entry::new(at, "likeness.v1.SearchService/Search", Operation::Consultation, Phase::Single);
    entry.outcome = Some(Outcome::Answered);
    entry.actor =
        Some(Actor { subject: person.into(), organisation: Some("force-1".into()), roles: Vec::new() });
    entry
}

fn shown(person: &str, at: Timestamp, subject: SubjectId) -> Entry {
    let mut entry = entry(person, at);
    entry.candidates.push(Candidate::new(1, ImageId::at(at), subject, 0.5).unwrap());
    entry
}

fn refused(person: &str, at: Timestamp, code: &str) -> Entry {
    let mut entry = entry(person, at);
    entry.outcome = Some(Outcome::Denied);
    entry.refusal = Some(code.into());
    entry
}

/// Rules raised by a series, in order.
fn raised(watch: &mut Watch, entries: &[Entry]) -> Vec<String> {
    entries.iter().flat_map(|entry| watch.observe(entry)).map(|flag| flag.rule).collect()
}

fn watch() -> Watch {
    AnomalyRules::parse(super::super::rules::DEFAULT).unwrap().watch()
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

#[test]
fn an_ordinary_day_raises_nothing() {
    let mut watch = watch();
    let entries: Vec<Entry> = (0..40)
        .map(|n| shown(&format!("p-{}", n % 4), start() + minutes(n * 5), SubjectId::at(start())))
        .collect();
    assert_eq!(raised(&mut watch, &entries), Vec::<String>::new());
}

#[test]
fn hours_are_those_of_the_zone_and_days_off_count() {
    for (time, outside) in [
        ("2026-06-10T04:59:00Z", true),  // 05:59 in London's summer
        ("2026-06-10T05:00:00Z", false), // 06:00
        ("2026-06-10T20:59:00Z", false), // 21:59
        ("2026-06-10T21:00:00Z", true),  // 22:00
        ("2026-01-14T05:59:00Z", true),  // 05:59 in winter
        ("2026-01-14T06:00:00Z", false),
        ("2026-06-13T11:00:00Z", true), // a Saturday
    ] {
        let flags = raised(&mut watch(), &[entry("p", time.parse().unwrap())]);
        assert_eq!(flags.contains(&"out_of_hours".to_owned()), outside, "{time}");
    }
}

#[test]
fn the_same_subject_again_and_again_by_one_person() {
    let subject = SubjectId::at(start());
    let again: Vec<Entry> = (0..5).map(|n| shown("p", start() + minutes(n * 60), subject)).collect();
    assert_eq!(raised(&mut watch(), &again), ["repeated_subject"]);
    // By different persons, or of different subjects, or over a long time: not the same.
    let persons: Vec<Entry> =
        (0..9).map(|n| shown(&format!("p{n}"), start() + minutes(n), subject)).collect();
    assert!(raised(&mut watch(), &persons).is_empty());
    let subjects: Vec<Entry> =
        (0..9).map(|n| shown("p", start() + minutes(n), SubjectId::at(start()))).collect();
    assert!(raised(&mut watch(), &subjects).is_empty());
    let weeks: Vec<Entry> = (0..9).map(|n| shown("p", start() + minutes(n * 7 * 24 * 60), subject)).collect();
    assert!(raised(&mut watch(), &weeks).is_empty());
}

#[test]
fn ones_own_declared_subjects() {
    let subject = SubjectId::at(start());
    let text = super::super::rules::DEFAULT
        .replace("\n[declared]\n", &format!("\n[declared]\n\"p-17\" = [\"{subject}\"]\n"));
    let rules = AnomalyRules::parse(&text).unwrap();
    assert_eq!(raised(&mut rules.watch(), &[shown("p-17", start(), subject)]), ["self_search"]);
    assert!(raised(&mut rules.watch(), &[shown("p-18", start(), subject)]).is_empty());
    assert!(raised(&mut rules.watch(), &[shown("p-17", start(), SubjectId::at(start()))]).is_empty());
}

#[test]
fn bursts_refusals_and_missing_purposes() {
    let quick: Vec<Entry> = (0..60).map(|n| entry("p", start() + SignedDuration::from_secs(n))).collect();
    assert_eq!(raised(&mut watch(), &quick), ["burst"]);
    assert!(raised(&mut watch(), &quick[..59]).is_empty());
    let denied: Vec<Entry> = (0..10).map(|n| refused("p", start() + minutes(n), "unknown_pool")).collect();
    assert_eq!(raised(&mut watch(), &denied), ["many_refusals"]);
    let aimless: Vec<Entry> = (0..3).map(|n| refused("p", start() + minutes(n), "unknown_purpose")).collect();
    assert_eq!(raised(&mut watch(), &aimless), ["no_purpose"]);
    // Nobody authenticated: counted together, and named as nobody.
    let mut nobody = refused("", start(), "missing_field");
    nobody.actor = None;
    let nobody: Vec<Entry> = (0..3).map(|_| nobody.clone()).collect();
    assert_eq!(raised(&mut watch(), &nobody), ["no_purpose"]);
}

#[test]
fn denied_auditors_and_disclosures() {
    let mut denied = refused("a", start(), "forbidden_by_policy");
    denied.rpc = "likeness.v1.AuditService/QueryEntries".into();
    assert_eq!(raised(&mut watch(), &[denied]), ["auditor_denied"]);
    let mut disclosed = entry("a", start());
    disclosed.operation = Operation::Disclosure;
    let flags: Vec<Flag> = watch().observe(&disclosed);
    assert_eq!(flags[0].rule, "disclosure");
    assert_eq!(flags[0].document()["person"], "a");
}

#[test]
fn rules_with_a_mistake_are_refused() {
    for (from, to) in [
        ("version = 1", "version = 2"),
        ("Europe/London", "Europe/Atlantis"),
        ("kind = \"burst\"", "kind = \"bursts\""),
        ("count = 60", "count = 0"),
        ("from_hour = 6", "from_hour = 23"),
        ("\"saturday\"", "\"caturday\""),
        ("from_hour = 6", "from_hour = 6\nfrom_minute = 3"),
    ] {
        assert!(super::super::rules::DEFAULT.contains(from), "{from}");
        assert!(AnomalyRules::parse(&super::super::rules::DEFAULT.replace(from, to)).is_err(), "{to}");
    }
}

#[test]
fn memory_is_bounded_whoever_comes() {
    let mut watch = watch();
    for n in 0..(MOST_KEPT as i64 + 5000) {
        watch.observe(&entry(&format!("p{n}"), start() + SignedDuration::from_millis(n)));
    }
    assert!(watch.seen.len() <= MOST_KEPT);
}
