//! Loosen any one policy, and the matrix says so.
//!
//! Rights are held by two layers: what is permitted, and what is taken away from that. Where both hold the same line, loosening one
//! changes no answer, so each policy is also held to its own layer: permissions with no prohibition beside them, prohibitions
//! with everything permitted.
use std::collections::BTreeMap;

use cedar_policy::{Effect, Entities, Policy, PolicyId, PolicySet, Request};

use super::loosen;
use crate::authorise::{
    Action, Authoriser, Origin,
    matrix::{Breach, Cell, Matrix, Stage, Where},
};

/// One prepared question and its right answers.
struct Case {
    request: Request,
    entities: Entities,
    /// By all policies.
    allowed: bool,
    /// By permissions alone.
    permitted: bool,
    /// By prohibitions alone.
    forbidden: bool,
}

/// Every cell of the matrix, and every allowed cell with one thing wrong.
fn cases(authoriser: &Authoriser, matrix: &Matrix) -> Vec<Case> {
    let stage = Stage::new(authoriser.purposes()).unwrap();
    let mut cases = Vec::new();
    let mut add = |cell: &Cell, breach: Option<Breach>| {
        // What the schema does not let anyone ask is denied before any policy is looked at.
        let Ok((request, entities)) = stage.ask(cell, breach, |question| authoriser.put(question)) else {
            return;
        };
        let anywhere = matrix.allows(&Cell { origin: Origin::Scene, ..cell.clone() });
        let directed = matrix.allows(cell);
        let wrong_way = match (cell.action, cell.origin, cell.place) {
            (Action::Search, Origin::Recorded(from), Where::Pool(to)) => {
                !matrix.directed(from, to, &cell.purpose)
            }
            _ => false,
        };
        cases.push(Case {
            request,
            entities,
            allowed: directed && breach.is_none(),
            permitted: anywhere || directed,
            forbidden: wrong_way || breach.is_some(),
        });
    };
    for cell in Matrix::cells(authoriser.purposes()) {
        add(&cell, None);
        if matrix.allows(&cell) {
            let operational = authoriser.purposes().is_operational(&cell.purpose);
            for breach in Breach::ALL.into_iter().filter(|breach| breach.concerns(&cell, operational)) {
                add(&cell, Some(breach));
            }
        }
    }
    cases
}

/// Policies of one layer, with nothing of the other in the way.
fn layer(authoriser: &Authoriser, effect: Effect, policies: impl IntoIterator<Item = Policy>) -> Authoriser {
    let own = policies.into_iter().filter(|policy| policy.effect() == effect);
    let open = match effect {
        Effect::Permit => None,
        Effect::Forbid => {
            Some(Policy::parse(Some(PolicyId::new("open")), "permit (principal, action, resource);").unwrap())
        }
    };
    authoriser.with_set(PolicySet::from_policies(own.chain(open)).unwrap()).unwrap()
}

fn right(case: &Case, effect: Effect) -> bool {
    match effect {
        Effect::Permit => case.permitted,
        Effect::Forbid => !case.forbidden,
    }
}

#[test]
fn loosening_any_one_policy_is_noticed() {
    let authoriser = Authoriser::built_in().unwrap();
    let matrix = Matrix::built_in(authoriser.purposes()).unwrap();
    let cases = cases(&authoriser, &matrix);
    let ask = |by: &Authoriser, case: &Case| by.judge(&case.request, &case.entities).allowed;
    assert!(cases.iter().all(|case| ask(&authoriser, case) == case.allowed), "the matrix does not hold");
    for effect in [Effect::Permit, Effect::Forbid] {
        let own = layer(&authoriser, effect, authoriser.set().policies().cloned());
        let wrong = cases.iter().filter(|case| ask(&own, case) != right(case, effect)).count();
        assert_eq!(wrong, 0, "the {effect:?} policies alone do not come to their part of the matrix");
    }
    let mut killed: BTreeMap<String, usize> = BTreeMap::new();
    let (mut total, mut in_layer, mut unchanged) = (0, 0, 0);
    let mut survivors = Vec::new();
    for policy in authoriser.set().policies() {
        let id = AsRef::<str>::as_ref(policy.id()).to_owned();
        let effect = policy.effect();
        let applies = |policy: Option<Policy>| -> Vec<bool> {
            let alone = authoriser.with_set(PolicySet::from_policies(policy).unwrap()).unwrap();
            cases.iter().map(|case| !alone.judge(&case.request, &case.entities).policies.is_empty()).collect()
        };
        let before = applies(Some(policy.clone()));
        for loosened in loosen::all(&authoriser, policy) {
            total += 1;
            let after = applies(loosened.policy.clone());
            // The policy can change an answer only where it applies now and did not, or the other way round.
            let touched: Vec<&Case> = cases
                .iter()
                .zip(before.iter().zip(&after))
                .filter(|(_, (before, after))| before != after)
                .map(|(case, _)| case)
                .collect();
            let others = authoriser.set().policies().filter(|other| other.id() != policy.id()).cloned();
            let policies: Vec<Policy> = others.chain(loosened.policy).collect();
            let mutant = authoriser.with_set(PolicySet::from_policies(policies.clone()).unwrap()).unwrap();
            if touched.iter().any(|case| ask(&mutant, case) != case.allowed) {
                *killed.entry(id.clone()).or_insert(0) += 1;
                continue;
            }
            let alone = layer(&authoriser, effect, policies.iter().cloned());
            if touched.iter().any(|case| ask(&alone, case) != right(case, effect)) {
                *killed.entry(id.clone()).or_insert(0) += 1;
                in_layer += 1;
                continue;
            }
            // Nothing new: other policies of the same kind say the same wherever it applies now.
            let said_by_others = touched.iter().all(|case| match effect {
                Effect::Permit => case.permitted,
                Effect::Forbid => case.forbidden,
            });
            if said_by_others {
                unchanged += 1;
            } else {
                survivors.push(format!("{id}: {}", loosened.how));
            }
        }
    }
    assert!(survivors.is_empty(), "{} of {total} mutants survive: {survivors:#?}", survivors.len());
    assert_eq!(killed.len(), authoriser.described().len(), "a policy was never noticed: {killed:?}");
    let dead: usize = killed.values().sum();
    println!(
        "report: policy mutants: {total} made from {} policies, {dead} killed ({in_layer} of them by their layer alone), \
         {unchanged} say nothing new, 0 survive; {} questions",
        killed.len(),
        cases.len()
    );
}
