use likeness_proto::v1::{
    ApplicationAppeal, ApplicationDecision, DeletionApplication, DeletionPresumption, ForceApplications,
    StatedDecision,
};

use super::{list, words};

fn application(state: &str) -> DeletionApplication {
    DeletionApplication {
        id: "A".into(),
        pool: "cells".into(),
        subject_id: "S".into(),
        force: "kent".into(),
        received_on: "2026-01-02".into(),
        grounds: "I was never charged".into(),
        presumption: Some(DeletionPresumption {
            rule: "application.x".into(),
            test: "exceptional_reason".into(),
            refusal_needs: vec!["policing_purpose".into(), "exceptional_reason".into()],
            refused_by: "senior".into(),
            words: "Deletion is presumed.".into(),
        }),
        state: state.into(),
        decide_by: "2026-02-02".into(),
        overdue: true,
        ..DeletionApplication::default()
    }
}

#[test]
fn who_must_decide_is_told_the_presumption_and_the_time() {
    let said = words::to_text(&application("received"));
    for part in ["Deletion is presumed.", "To be decided by 2026-02-02, overdue", "I was never charged"] {
        assert!(said.contains(part), "{said}");
    }
    let json = words::to_json(&application("received"));
    assert_eq!(json["presumption"]["refusal_needs"][1], "exceptional_reason");
    assert!(json["decision"].is_null() && json["appeal"].is_null());
}

#[test]
fn a_decided_one_shows_its_reasons_and_no_terminal_codes() {
    let decision = ApplicationDecision {
        on: "2026-01-20".into(),
        by: "kent/p-1".into(),
        stated: Some(StatedDecision {
            verdict: "refused".into(),
            seniority: "chief_officer".into(),
            authority: "delegated".into(),
            reason: "a series\u{1b}[2J".into(),
            exceptional_reason: "said only here".into(),
            ..StatedDecision::default()
        }),
    };
    let mut decided = application("refused_on_appeal");
    decided.decide_by = String::new();
    decided.decision = Some(decision.clone());
    decided.appeal = Some(ApplicationAppeal {
        received_on: "2026-01-25".into(),
        grounds: "unfair".into(),
        decide_by: "2026-03-25".into(),
        decision: Some(decision),
    });
    let said = words::to_text(&decided);
    assert!(
        said.contains("refused on appeal")
            && said.contains("by kent/p-1 (chief officer; delegated): refused")
    );
    assert!(
        said.contains("Exceptional reason: said only here") && said.contains("Decided on appeal"),
        "{said}"
    );
    assert!(!said.contains('\u{1b}') && !said.contains("Before you decide"), "{said}");
}

#[test]
fn a_count_that_is_withheld_is_no_number() {
    let small = ForceApplications { force: "kent".into(), overdue: Some(0), ..ForceApplications::default() };
    let large = ForceApplications { force: "surrey".into(), received: Some(1200), ..small.clone() };
    let said = list::table(&[small, large]);
    let lines: Vec<Vec<&str>> = said.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[2], ["kent", "-", "-", "-", "-", "-", "-", "0"], "{said}");
    assert_eq!(lines[3][..2], ["surrey", "1,200"], "{said}");
}
