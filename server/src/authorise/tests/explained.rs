//! The answers to "what may they do, and which policy says so".
use std::collections::BTreeSet;

use crate::authorise::{
    Action, Authoriser, Origin, PoolFacts,
    explain::{explain, imagined},
};
use crate::{identity::Role, pool::PoolKind};

#[test]
fn an_answer_names_the_policies_behind_it() {
    let authoriser = Authoriser::built_in().unwrap();
    let purposes = authoriser.purposes();
    let caller = imagined(purposes, None, &[Role::Searcher], Some("one-force")).unwrap();
    let purpose = purposes.purpose("criminal_investigation").unwrap();
    let (cells, missing) = ("cells".parse().unwrap(), "missing".parse().unwrap());
    let lists: BTreeSet<_> = [purpose.clone()].into();
    let pools = [
        PoolFacts { name: &cells, kind: PoolKind::Custody, purposes: &lists },
        PoolFacts { name: &missing, kind: PoolKind::MissingPerson, purposes: &lists },
    ];
    let now = jiff::Timestamp::UNIX_EPOCH;
    let rows = explain(&authoriser, &caller, &purpose, &pools, Some(Origin::Scene), now);
    let row = |action: Action, place: &str| {
        rows.iter().find(|row| row.action == action && row.place == place).expect("a row").decision.clone()
    };
    let search = row(Action::Search, "cells");
    assert!(search.allowed);
    assert_eq!(search.policies, ["search-custody"]);
    let elsewhere = row(Action::Search, "missing");
    assert!(!elsewhere.allowed && elsewhere.policies.is_empty(), "{elsewhere:?}");
    assert!(row(Action::Compare, "no pool").allowed);
    assert!(!row(Action::ReadAudit, "own organisation").allowed);
    assert!(!row(Action::CreatePool, "cells").allowed);
    let auditor = imagined(purposes, None, &[Role::Auditor], Some("one-force")).unwrap();
    let purpose = purposes.purpose("self_monitoring").unwrap();
    let rows = explain(&authoriser, &auditor, &purpose, &[], None, now);
    let answer = |place: &str| {
        rows.iter()
            .find(|row| row.action == Action::ReadAudit && row.place == place)
            .unwrap()
            .decision
            .clone()
    };
    assert_eq!(answer("own organisation").policies, ["audit-own-organisation"]);
    assert_eq!(answer("own activity").policies, ["nobody-audits-themselves"]);
    assert!(!answer("another organisation").allowed);
}
