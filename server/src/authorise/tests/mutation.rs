//! Loosen any one policy, and the matrix says so.
use std::collections::BTreeMap;

use cedar_policy::{Entities, Policy, PolicySet, Request};

use super::loosen;
use crate::authorise::{
    Authoriser,
    matrix::{Breach, Cell, Matrix, Stage},
};

/// One prepared question and its right answer.
struct Case {
    request: Request,
    entities: Entities,
    allowed: bool,
}

/// Every cell of the matrix, and every allowed cell with one thing wrong.
fn cases(authoriser: &Authoriser, matrix: &Matrix) -> Vec<Case> {
    let stage = Stage::new(authoriser.purposes()).unwrap();
    let mut cases = Vec::new();
    let mut add = |cell: &Cell, breach: Option<Breach>, allowed: bool| {
        // What the schema does not let anyone ask is denied before any policy is looked at.
        if let Ok((request, entities)) = stage.ask(cell, breach, |question| authoriser.put(question)) {
            cases.push(Case { request, entities, allowed });
        }
    };
    for cell in Matrix::cells(authoriser.purposes()) {
        let allowed = matrix.allows(&cell);
        add(&cell, None, allowed);
        if allowed {
            let operational = authoriser.purposes().is_operational(&cell.purpose);
            for breach in Breach::ALL.into_iter().filter(|breach| breach.concerns(&cell, operational)) {
                add(&cell, Some(breach), false);
            }
        }
    }
    cases
}

#[test]
fn loosening_any_one_policy_is_noticed() {
    let authoriser = Authoriser::built_in().unwrap();
    let matrix = Matrix::built_in(authoriser.purposes()).unwrap();
    let cases = cases(&authoriser, &matrix);
    assert!(
        cases.iter().all(|case| authoriser.judge(&case.request, &case.entities).allowed == case.allowed),
        "the matrix does not hold to begin with"
    );
    let mut mutants: BTreeMap<String, usize> = BTreeMap::new();
    let mut survivors = Vec::new();
    for policy in authoriser.set().policies() {
        let id = AsRef::<str>::as_ref(policy.id()).to_owned();
        // A policy can change an answer only where it applies itself: that is looked at first, because it is quick.
        let applies = |policy: Option<Policy>| -> Vec<bool> {
            let alone = authoriser.with_set(PolicySet::from_policies(policy).unwrap()).unwrap();
            cases.iter().map(|case| !alone.judge(&case.request, &case.entities).policies.is_empty()).collect()
        };
        let before = applies(Some(policy.clone()));
        for loosened in loosen::all(&authoriser, policy) {
            *mutants.entry(id.clone()).or_insert(0) += 1;
            let after = applies(loosened.policy.clone());
            let others = authoriser.set().policies().filter(|other| other.id() != policy.id()).cloned();
            let set = PolicySet::from_policies(others.chain(loosened.policy)).unwrap();
            let mutant = authoriser.with_set(set).unwrap();
            let noticed = cases.iter().zip(before.iter().zip(&after)).find(|(case, (before, after))| {
                before != after && mutant.judge(&case.request, &case.entities).allowed != case.allowed
            });
            if noticed.is_none() && mutant.check_red_lines().is_ok() {
                survivors.push(format!("{id}: {}", loosened.how));
            }
        }
    }
    let total: usize = mutants.values().sum();
    assert_eq!(mutants.len(), authoriser.described().len(), "a policy was never loosened: {mutants:?}");
    assert!(survivors.is_empty(), "{} of {total} mutants survive: {survivors:#?}", survivors.len());
    println!(
        "report: policy mutants: {total} of {total} killed, {} policies, {} questions",
        mutants.len(),
        cases.len()
    );
}
