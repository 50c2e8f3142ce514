//! What does not load.
use crate::authorise::{
    Authoriser, Denied, PolicyError, PolicyFile, Purposes, RedLines, built_in_policies,
    matrix::{Matrix, Where, Who},
};
use crate::{identity::Role, pool::PoolKind};

fn with(text: &str) -> Result<Authoriser, PolicyError> {
    let mut files = built_in_policies();
    files.push(PolicyFile { name: "site.cedar".to_owned(), text: text.to_owned() });
    Authoriser::of(&files)
}

#[test]
fn policies_that_contradict_a_red_line_do_not_load() {
    let opens = |condition: &str| {
        format!(
            r#"@id("site") @basis("none") @review("2030-01-01")
            permit (principal is Likeness::Person, action == Likeness::Action::"search", resource in Likeness::Kind::"missing_person")
            when {{ {condition} }};"#
        )
    };
    for condition in [
        "true",
        r#"context.purpose == "criminal_investigation""#,
        r#"principal in Likeness::Role::"reviewer" && context.purpose == "prevention_of_crime""#,
        r#"context.purpose == "immigration_enforcement""#,
        // Hidden behind a name that only this policy knows.
        r#"principal.organisation == "one-force" && context.purpose == "criminal_investigation""#,
        r#"resource == Likeness::Pool::"one-pool" && context.purpose == "criminal_investigation""#,
        r#"principal == Likeness::Person::"one-person" && context.purpose == "criminal_investigation""#,
        r#"context.origin == "scene" && context.purpose == "criminal_investigation""#,
    ] {
        let error = with(&opens(condition)).err().unwrap_or_else(|| panic!("`{condition}` was loaded"));
        let PolicyError::CrossesRedLine { policies, kind, .. } = &error else {
            panic!("{condition}: {error}")
        };
        assert!(policies.contains("site"), "{error}");
        assert_eq!(*kind, PoolKind::MissingPerson);
    }
    // What crosses none loads, and is visible to the check as a difference.
    let harmless = r#"context.purpose == "identify_living""#;
    with(&opens(harmless)).unwrap();
}

#[test]
fn a_red_line_holds_even_when_the_policies_permit() {
    // Unchecked on purpose: as if the check at load had missed it.
    let authoriser = Authoriser::built_in().unwrap();
    let text = r#"@id("hole") permit (principal, action, resource);"#;
    let hole = authoriser.with_set(text.parse().unwrap()).unwrap();
    let (mut crossed, mut open) = (0, 0);
    let stage = crate::authorise::matrix::Stage::new(hole.purposes()).unwrap();
    for cell in
        Matrix::cells(hole.purposes()).into_iter().filter(|cell| cell.who == Who::Role(Role::Searcher))
    {
        let Where::Pool(kind) = cell.place else { continue };
        let decision = stage.ask(&cell, None, |question| hole.decide(question));
        match hole.red_lines().crossed(&cell.purpose, kind) {
            Some(_) if decision.policies.is_empty() => {
                assert!(!decision.allowed, "{cell}: nobody can ask for it")
            }
            Some(line) => {
                crossed += 1;
                assert!(!decision.allowed, "{cell}");
                assert_eq!(decision.red_line.as_deref(), Some(line.reason.as_str()));
                assert_eq!(Denied::by(decision).code(), "red_line");
            }
            None => open += usize::from(decision.allowed),
        }
    }
    assert!(crossed > 50 && open > 50, "{crossed} crossed, {open} open");
}

#[test]
fn what_does_not_fit_the_schema_or_has_no_name_does_not_load() {
    for (text, needle) in [
        ("permit (principal, action, resource);", "@id"),
        (r#"@id("Search Custody") permit (principal, action, resource);"#, "@id"),
        (r#"@id("search-custody") forbid (principal, action, resource);"#, "another has"),
        (r#"@id("x") forbid (principal, action, resource) when { context.purpse == "a" };"#, "purpse"),
        (r#"@id("x") forbid (principal, action == Likeness::Action::"serch", resource);"#, "serch"),
        (r#"@id("x") forbid (principal, action, resource) when { context.now < "noon" };"#, "type"),
        (r#"@id("x") forbid (principal == ?principal, action, resource);"#, "template"),
        ("forbid (principal, action", "site.cedar"),
    ] {
        let error = with(text).err().unwrap_or_else(|| panic!("`{text}` was loaded")).to_string();
        assert!(error.contains(needle), "`{text}`: {error}");
    }
}

#[test]
fn a_policy_that_cannot_be_evaluated_denies() {
    // An overflow is the one error that the schema check cannot rule out. In a prohibition it would be skipped.
    let authoriser = with(
        r#"@id("overflowing") @basis("b") @review("2030-01-01")
        forbid (principal, action, resource) when { context.now * 9223372036854775807 > 0 };"#,
    );
    // Already the walk over the red lines asks at time 0, where nothing overflows.
    let authoriser = authoriser.unwrap();
    let stage = crate::authorise::matrix::Stage::new(authoriser.purposes()).unwrap();
    let matrix = Matrix::built_in(authoriser.purposes()).unwrap();
    let cell = Matrix::cells(authoriser.purposes()).into_iter().find(|cell| matrix.allows(cell)).unwrap();
    let decision = stage.ask(&cell, None, |question| authoriser.decide(question));
    assert!(!decision.allowed && decision.errors.len() == 1, "{decision:?}");
    assert_eq!(Denied::by(decision).code(), "policy_error");
}

#[test]
fn lists_with_unknown_words_or_contradictions_are_refused() {
    let purposes = include_str!("../../../policies/purposes.toml");
    for (from, to) in [
        ("version = 1", "version = 2"),
        ("version = 1", "version = 1\nextra = 1"),
        ("person = [\"criminal_investigation\", \"safeguarding\"]", "person = []"),
        ("person = [\"criminal_investigation\", \"safeguarding\"]", "person = [\"record_management\"]"),
        ("person = [\"criminal_investigation\", \"safeguarding\"]", "cells = [\"safeguarding\"]"),
        ("\"algorithm_testing\"", "\"self_monitoring\""),
    ] {
        assert!(purposes.contains(from), "{from}");
        assert!(Purposes::parse(&purposes.replacen(from, to, 1)).is_err(), "`{to}` was accepted");
    }
    let lines = include_str!("../../../policies/red_lines.toml");
    for (from, to) in [
        ("version = 1", "version = 2"),
        ("\"unidentified_remains\"", "\"cellar\""),
        ("purposes = [\"immigration_enforcement\"]", "purposes = []"),
    ] {
        assert!(lines.contains(from), "{from}");
        assert!(RedLines::parse(&lines.replacen(from, to, 1)).is_err(), "`{to}` was accepted");
    }
    let matrix = include_str!("../../../policies/matrix.toml");
    let purposes = Purposes::built_in().unwrap();
    for (from, to) in [
        ("version = 1", "version = 2"),
        ("\"searcher\"", "\"seacher\""),
        ("\"search\"", "\"serch\""),
        ("places = [\"custody\"]", "places = [\"cells\"]"),
        ("\"identify_living\"", "\"identify_livng\""),
        ("to = \"person\"", "to = \"persons\""),
    ] {
        assert!(matrix.contains(from), "{from}");
        assert!(Matrix::parse(&matrix.replacen(from, to, 1), &purposes).is_err(), "`{to}` was accepted");
    }
}
