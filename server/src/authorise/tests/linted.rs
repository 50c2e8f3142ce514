//! What the look over the policies finds.
use jiff::civil::date;

use crate::authorise::{Authoriser, PolicyFile, built_in_policies, lint::lint};

#[test]
fn the_built_in_policies_leave_nothing_to_look_at() {
    let report = lint(&Authoriser::built_in().unwrap(), date(2026, 12, 1)).unwrap();
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    assert!(
        report.cells > 10_000 && report.allowed > 200,
        "{} cells, {} allowed",
        report.cells,
        report.allowed
    );
}

fn codes(text: &str) -> Vec<(String, &'static str)> {
    let mut files = built_in_policies();
    files.push(PolicyFile { name: "site.cedar".to_owned(), text: text.to_owned() });
    let report = lint(&Authoriser::of(&files).unwrap(), date(2026, 12, 1)).unwrap();
    report.findings.into_iter().map(|finding| (finding.policy.unwrap_or_default(), finding.code)).collect()
}

fn has(text: &str, code: &str) {
    let found = codes(text);
    assert!(found.iter().any(|(policy, found)| policy == "site" && *found == code), "{code}: {found:?}");
}

#[test]
fn each_kind_of_finding_is_found() {
    let policy = |annotations: &str, rest: &str| format!("@id(\"site\") {annotations} {rest}");
    let fine = r#"@basis("b") @review("2030-01-01")"#;
    let search = r#"permit (principal is Likeness::Person, action == Likeness::Action::"search", resource is Likeness::Pool)"#;
    let again = format!(
        r#"{search} when {{ principal in Likeness::Role::"searcher" }}
        when {{ resource.kind == "person" && context.purpose == "safeguarding" && context.origin == "scene" }};"#
    );
    has(&policy(fine, &again), "shadowed");
    let held_back = format!(
        r#"{search} when {{ context.origin == "custody" && resource.kind == "missing_person" && context.purpose == "safeguarding" }};"#
    );
    has(&policy(fine, &held_back), "shadowed");
    let never = format!(r#"{search} when {{ context.purpose == "safegarding" }};"#);
    has(&policy(fine, &never), "unused");
    has(&policy(fine, &never), "unknown_word");
    let leans = format!(
        r#"{search} when {{ context.origin == "custody" && resource.kind == "missing_person" && context.purpose == "criminal_investigation" }};"#
    );
    has(&policy(fine, &leans), "red_line_overlap");
    let unused =
        r#"forbid (principal, action, resource is Likeness::Pool) when { resource.kind == "cells" };"#;
    has(&policy(fine, unused), "unused");
    has(&policy(r#"@review("2030-01-01")"#, &again), "no_basis");
    has(&policy(r#"@basis("b")"#, &again), "no_review");
    has(&policy(r#"@basis("b") @review("soon")"#, &again), "review_date");
    has(&policy(r#"@basis("b") @review("2026-12-01")"#, &again), "review_overdue");
    let wider = format!(
        r#"{search} when {{ principal in Likeness::Role::"searcher" }}
        when {{ resource.kind == "person" && context.purpose == "identify_deceased" && context.origin == "scene" }};"#
    );
    assert!(codes(&policy(fine, &wider)).contains(&(String::new(), "differs")));
}
