//! The rule table: what the shipped rules say the day before, of and after every boundary.
use std::collections::BTreeSet;

use super::*;

mod asking;
mod cases;
mod closed;
mod histories;
mod outcomes;

/// One line of the table: a record, a day, and what follows.
pub(super) struct Row {
    pub name: &'static str,
    pub kind: PoolKind,
    pub facts: Facts,
    pub on: Date,
    pub says: String,
    /// What is compared with `says`.
    pub of: fn(&Assessment) -> String,
}

/// Lines about one record on several days.
pub(super) fn rows(name: &'static str, kind: PoolKind, facts: &Facts, lines: &[(&str, &str)]) -> Vec<Row> {
    let line = |(on, says): &(&str, &str)| Row {
        name,
        kind,
        facts: facts.clone(),
        on: day(on),
        says: (*says).to_owned(),
        of: kept,
    };
    lines.iter().map(line).collect()
}

/// Disposition, rule, dates.
pub(super) fn kept(assessment: &Assessment) -> String {
    let disposition = match &assessment.disposition {
        Disposition::Retain => "retain".to_owned(),
        Disposition::Due { since } => format!("due {since}"),
        Disposition::Held { by, would_be: WouldBe::Retain } => format!("held {by} (retain)"),
        Disposition::Held { by, would_be: WouldBe::Due { since } } => format!("held {by} (due {since})"),
    };
    let overdue = if assessment.overdue_review { " overdue" } else { "" };
    let changes = assessment.changes_on.map_or_else(|| "never".to_owned(), |on| on.to_string());
    let chase = assessment.chase_on.map_or_else(String::new, |on| format!("; chase {on}"));
    let (rule, review) = (&assessment.rule, assessment.next_review_on);
    format!("{disposition}; {rule}; review {review}{overdue}; changes {changes}{chase}")
}

/// What holds on an application, and what the numbers count the record as.
pub(super) fn asked(assessment: &Assessment) -> String {
    let asks = &assessment.presumption;
    let open = if asks.open { " open" } else { "" };
    let group = assessment.group.map_or(0, MopiGroup::number);
    let (status, age) = (assessment.outcome_status.code(), assessment.age_band.code());
    format!("{}; {:?} from {}{open}; group {group}; {status}; {age}", asks.rule, asks.test, asks.open_from)
}

pub(super) fn all() -> Vec<Row> {
    [outcomes::all(), histories::all(), cases::all(), closed::all(), asking::all()]
        .into_iter()
        .flatten()
        .collect()
}

/// The first line that these rules contradict.
pub(super) fn contradicted(rules: &RuleSet, rows: &[Row]) -> Option<String> {
    rows.iter().find_map(|row| {
        let says = (row.of)(&assess(rules, row.kind, &row.facts, row.on));
        (says != row.says).then(|| format!("{} on {}:\n  is   {says}\n  want {}", row.name, row.on, row.says))
    })
}

#[test]
fn the_shipped_rules_say_what_the_table_says() {
    let rules = shipped();
    let rows = all();
    let wrong: Vec<_> =
        rows.iter().filter_map(|row| contradicted(&rules, std::slice::from_ref(row))).collect();
    assert!(wrong.is_empty(), "{} of {} lines:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn every_rule_of_the_shipped_file_decides_somewhere_in_the_table() {
    let rules = shipped();
    let mut decided = BTreeSet::new();
    for row in all() {
        let assessment = assess(&rules, row.kind, &row.facts, row.on);
        decided.insert(assessment.rule);
        decided.insert(assessment.presumption.rule);
    }
    let not_rules = ["counting", "limits", "group.1", "group.2", "group.3", "group.4"];
    let never: Vec<_> = rules
        .sources()
        .into_iter()
        .map(|source| source.rule)
        .filter(|rule| !not_rules.contains(&rule.as_str()) && !decided.contains(rule))
        .collect();
    assert!(never.is_empty(), "never decisive: {never:?}");
    for own in [RULE_CATEGORY, RULE_DISPOSED, "review.retain"] {
        assert!(decided.contains(own), "{own}");
    }
}

#[test]
fn each_line_stands_at_a_boundary() {
    // The table is about days that matter: each record has lines on both sides of a change, or is there for its end state.
    let rules = shipped();
    for row in all() {
        let assessment = assess(&rules, row.kind, &row.facts, row.on);
        if let Some(changes) = assessment.changes_on {
            assert!(changes > row.on, "{}", row.name);
            let then = assess(&rules, row.kind, &row.facts, changes);
            let eve = assess(&rules, row.kind, &row.facts, changes.yesterday().unwrap());
            assert_eq!(
                Assessment { changes_on: None, ..eve },
                Assessment { changes_on: None, ..assessment.clone() }
            );
            assert_ne!(
                Assessment { changes_on: None, ..then },
                Assessment { changes_on: None, ..assessment }
            );
        }
    }
}
