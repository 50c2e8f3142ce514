#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
use std::collections::BTreeSet;

use super::*;
use crate::identity::Role;

const OPERATIONAL: [&str; 6] = [
    "criminal_investigation",
    "identify_deceased",
    "identify_living",
    "locate_missing_person",
    "prevention_of_crime",
    "safeguarding",
];
const ADMINISTRATIVE: [&str; 5] =
    ["algorithm_testing", "custody_record", "record_management", "subject_access", "system_administration"];
/// DPA 2018 s.62(4).
const AUDIT: [&str; 4] =
    ["criminal_proceedings", "integrity_and_security", "self_monitoring", "verify_lawfulness"];

fn matrix() -> Matrix {
    Matrix::built_in().unwrap()
}

fn actor(roles: &[Role]) -> Actor {
    Actor {
        subject: "p".to_owned(),
        name: "P".to_owned(),
        organisation: "o".to_owned(),
        roles: roles.iter().copied().collect(),
    }
}

/// What the law and the design say, written a second time and differently from the data file.
fn expected(role: Role, action: Action, kind: PoolKind, purpose: &str) -> bool {
    let searchable: &[&str] = match kind {
        PoolKind::Custody => &["criminal_investigation", "prevention_of_crime", "identify_deceased"],
        PoolKind::Person => &["criminal_investigation", "safeguarding"],
        PoolKind::MissingPerson => &["locate_missing_person", "identify_deceased", "safeguarding"],
        PoolKind::UnidentifiedPerson => &["locate_missing_person", "safeguarding", "identify_living"],
        PoolKind::UnidentifiedRemains => &["identify_deceased", "locate_missing_person"],
    };
    match (role, action) {
        (Role::Searcher | Role::Reviewer, Action::Search | Action::ReadSubject | Action::ReadImage) => {
            searchable.contains(&purpose)
        }
        (Role::Enroller, Action::Enrol | Action::SetEnrolled) => {
            purpose == "record_management" || (purpose == "custody_record" && kind == PoolKind::Custody)
        }
        (Role::Enroller, Action::ReadSubject | Action::ReadImage | Action::ListPools) => {
            purpose == "record_management"
        }
        (Role::Enroller, Action::CollectSubject) => purpose == "subject_access",
        (Role::PoolAdmin, Action::CreatePool | Action::ListPools)
        | (Role::Auditor | Role::NationalAuditor, Action::ListPools) => purpose == "system_administration",
        _ => false,
    }
}

#[test]
fn every_role_action_kind_and_purpose_is_decided_as_designed() {
    let matrix = matrix();
    let purposes: BTreeSet<&str> = matrix.purposes().into_iter().map(Purpose::code).collect();
    assert_eq!(purposes, OPERATIONAL.into_iter().chain(ADMINISTRATIVE).chain(AUDIT).collect());
    let name: PoolName = "pool".parse().unwrap();
    let mut allowed = 0;
    for kind in PoolKind::ALL {
        let own = matrix.purposes_of(kind);
        for role in Role::ALL {
            for action in Action::ALL {
                for code in &purposes {
                    let purpose = matrix.purpose(code).unwrap();
                    let facts = PoolFacts { name: &name, kind, purposes: &own };
                    let permit = matrix.authorise(&actor(&[role]), action, facts, &purpose);
                    assert_eq!(
                        permit.is_ok(),
                        expected(role, action, kind, code),
                        "{role} {action} {kind} {code}"
                    );
                    if let Ok(permit) = permit {
                        allowed += 1;
                        assert_eq!(permit.pool(), Some(&name));
                        assert_eq!(permit.action(), action);
                        assert_eq!(permit.operation(), action.operation());
                        assert_eq!(permit.purpose(), Some(&purpose));
                    }
                }
            }
        }
    }
    assert!(allowed > 80, "only {allowed} combinations are allowed: the walk checks nothing");
}

/// Thresholds touch no pool: only a pool administrator approves them, and those who read results may see them.
#[test]
fn operating_points_are_approved_and_seen_as_designed() {
    let matrix = matrix();
    for role in Role::ALL {
        for purpose in matrix.purposes() {
            let may = |action| matrix.authorise_without_pool(&actor(&[role]), action, purpose).is_ok();
            let approves = role == Role::PoolAdmin && purpose.code() == "system_administration";
            let sees = matches!(role, Role::Searcher | Role::Reviewer | Role::PoolAdmin | Role::Auditor)
                && matches!(purpose.code(), "system_administration" | "algorithm_testing");
            assert_eq!(may(Action::ApproveOperatingPoint), approves, "{role} {purpose}");
            assert_eq!(may(Action::ListOperatingPoints), sees, "{role} {purpose}");
        }
    }
}

#[test]
fn nobody_without_roles_may_do_anything() {
    let matrix = matrix();
    let name: PoolName = "pool".parse().unwrap();
    for kind in PoolKind::ALL {
        let own = matrix.purposes_of(kind);
        for action in Action::ALL {
            for purpose in matrix.purposes() {
                let facts = PoolFacts { name: &name, kind, purposes: &own };
                assert_eq!(matrix.authorise(&actor(&[]), action, facts, purpose), Err(Denied::Role));
                assert_eq!(matrix.authorise_without_pool(&actor(&[]), action, purpose), Err(Denied::Role));
            }
        }
    }
}

#[test]
fn a_criminal_investigation_never_reaches_the_missing_or_the_dead() {
    let matrix = matrix();
    let purpose = matrix.purpose("criminal_investigation").unwrap();
    for kind in [PoolKind::MissingPerson, PoolKind::UnidentifiedPerson, PoolKind::UnidentifiedRemains] {
        assert!(!matrix.purposes_of(kind).contains(&purpose), "{kind} may permit it");
        for action in Action::ALL {
            assert!(matrix.may(&actor(&Role::ALL), action, kind, &purpose).is_err(), "{action} in {kind}");
        }
    }
}

#[test]
fn a_pool_that_permits_fewer_purposes_is_not_reached_for_the_others() {
    let matrix = matrix();
    let name: PoolName = "pool".parse().unwrap();
    let one = BTreeSet::from([matrix.purpose("prevention_of_crime").unwrap()]);
    let facts = PoolFacts { name: &name, kind: PoolKind::Custody, purposes: &one };
    let decide = |purpose: &str| {
        matrix.authorise(&actor(&[Role::Searcher]), Action::Search, facts, &matrix.purpose(purpose).unwrap())
    };
    assert!(decide("prevention_of_crime").is_ok());
    assert_eq!(decide("criminal_investigation"), Err(Denied::Purpose));
    assert_eq!(decide("record_management"), Err(Denied::Purpose));
}

#[test]
fn comparing_touches_no_pool_and_needs_a_searcher() {
    let matrix = matrix();
    for purpose in matrix.purposes() {
        let compared = matrix.authorise_without_pool(&actor(&[Role::Searcher]), Action::Compare, purpose);
        let operational = OPERATIONAL.contains(&purpose.code()) || purpose.code() == "algorithm_testing";
        assert_eq!(compared.is_ok(), operational, "{purpose}");
        assert!(matrix.authorise_without_pool(&actor(&[Role::Enroller]), Action::Compare, purpose).is_err());
        let poolless = [Action::Compare, Action::ReadProof, Action::ReadAudit, Action::ExportAudit];
        for action in Action::ALL.into_iter().filter(|action| !poolless.contains(action)) {
            assert!(matrix.authorise_without_pool(&actor(&Role::ALL), action, purpose).is_err(), "{action}");
        }
    }
}

#[test]
fn the_audit_log_is_read_for_its_four_purposes_by_its_readers_only() {
    let matrix = matrix();
    for role in Role::ALL {
        for purpose in matrix.purposes() {
            let may = |action| matrix.authorise_without_pool(&actor(&[role]), action, purpose).is_ok();
            let audit = AUDIT.contains(&purpose.code());
            let reader = matches!(role, Role::Auditor | Role::NationalAuditor);
            let outward = audit && purpose.code() != "self_monitoring";
            assert_eq!(may(Action::ReadProof), audit, "{role} {purpose}");
            assert_eq!(may(Action::ReadAudit), audit && reader, "{role} {purpose}");
            assert_eq!(
                may(Action::ExportAudit),
                outward && role == Role::NationalAuditor,
                "{role} {purpose}"
            );
        }
    }
}

#[test]
fn every_action_is_one_of_the_logged_operations() {
    let operations: BTreeSet<Operation> = Action::ALL.into_iter().map(Action::operation).collect();
    assert!(operations.contains(&Operation::Collection) && operations.contains(&Operation::Consultation));
    for action in Action::ALL {
        let changes =
            matches!(action.operation(), Operation::Collection | Operation::Alteration | Operation::Erasure);
        assert_eq!(action.writes(), changes, "{action}");
    }
}

#[test]
fn a_matrix_with_an_unknown_word_or_a_contradiction_is_refused() {
    let text = include_str!("../../config/matrix.toml");
    assert!(Matrix::parse(text).is_ok());
    for (from, to) in [
        ("version = 1", "version = 2"),
        ("version = 1", "version = 1\nextra = 1"),
        ("\"searcher\"", "\"seacher\""),
        ("\"search\"", "\"serch\""),
        ("kinds = [\"custody\"]", "kinds = [\"cells\"]"),
        ("[\"custody_record\", \"record_management\"]", "[\"custody_recrd\"]"),
        ("person = [\"criminal_investigation\", \"safeguarding\"]", "person = []"),
        ("person = [\"criminal_investigation\", \"safeguarding\"]", "person = [\"record_management\"]"),
        ("[\"create_pool\", \"list_pools\"]", "[\"search\"]"),
    ] {
        assert!(text.contains(from), "{from}");
        assert!(Matrix::parse(&text.replace(from, to)).is_err(), "`{to}` was accepted");
    }
}
