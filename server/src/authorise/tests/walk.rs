//! The whole matrix against the real policies.
use std::{collections::BTreeSet, ops::ControlFlow};

use cedar_policy::{Entities, Request};

use crate::authorise::{
    Action, Authoriser, Origin, Place, PoolFacts, Question, explain,
    matrix::{Breach, Cell, Matrix, Stage, Where, Who},
};
use crate::{identity::Role, pool::PoolKind};

/// Allowed cells of the built-in policies.
fn allowed(authoriser: &Authoriser, matrix: &Matrix) -> Vec<Cell> {
    let mut cells = Vec::new();
    matrix
        .walk(authoriser, |cell, decision, _| {
            if decision.allowed {
                cells.push(cell.clone());
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    cells
}

#[test]
fn the_policies_come_to_exactly_the_reviewed_matrix() {
    let authoriser = Authoriser::built_in().unwrap();
    let matrix = Matrix::built_in(authoriser.purposes()).unwrap();
    let (mut cells, mut allowed) = (0, 0);
    let mut differing = Vec::new();
    matrix
        .walk(&authoriser, |cell, decision, expected| {
            cells += 1;
            allowed += usize::from(decision.allowed);
            // What is allowed says why; what is denied by a prohibition, too.
            assert!(!decision.allowed || !decision.policies.is_empty(), "{cell} rests on nothing");
            if decision.allowed != expected {
                differing.push(format!("{cell}: allowed {}, reviewed {expected}", decision.allowed));
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(differing.is_empty(), "{} cells differ: {differing:#?}", differing.len());
    assert!(allowed > 200, "only {allowed} cells are allowed: the walk checks nothing");
    println!(
        "report: authorisation matrix: {cells} cells walked, {allowed} allowed, {} denied",
        cells - allowed
    );
}

#[test]
fn each_condition_takes_every_right_away_and_says_so() {
    let authoriser = Authoriser::built_in().unwrap();
    let matrix = Matrix::built_in(authoriser.purposes()).unwrap();
    let stage = Stage::new(authoriser.purposes()).unwrap();
    let (mut asked, mut seen) = (0, BTreeSet::new());
    for cell in allowed(&authoriser, &matrix) {
        let operational = authoriser.purposes().is_operational(&cell.purpose);
        for breach in Breach::ALL.into_iter().filter(|breach| breach.concerns(&cell, operational)) {
            let decision = stage.ask(&cell, Some(breach), |question| authoriser.decide(question));
            asked += 1;
            seen.insert(breach);
            assert!(!decision.allowed, "{cell} is allowed although {breach:?}");
            assert!(
                decision.policies.iter().any(|id| id == breach.policy()),
                "{cell} with {breach:?} rests on {:?}",
                decision.policies
            );
        }
    }
    assert_eq!(seen, Breach::ALL.into_iter().collect(), "a condition was never tried");
    println!("report: authorisation conditions: {asked} allowed cells with one thing wrong, all denied");
}

#[test]
fn every_direction_is_decided_as_reviewed() {
    // R49, spelt out once more by hand: from where to where, for which purposes.
    let authoriser = Authoriser::built_in().unwrap();
    let stage = Stage::new(authoriser.purposes()).unwrap();
    let allows = |from: Origin, to: PoolKind, purpose: &str| {
        let cell = Cell {
            who: Who::Role(Role::Searcher),
            action: Action::Search,
            place: Where::Pool(to),
            purpose: authoriser.purposes().purpose(purpose).unwrap(),
            origin: from,
        };
        stage.ask(&cell, None, |question| authoriser.decide(question)).allowed
    };
    use PoolKind::{Custody, MissingPerson, Person, UnidentifiedPerson, UnidentifiedRemains};
    let mut pairs = 0;
    for from in Origin::ALL {
        for to in PoolKind::ALL {
            pairs += 1;
            for purpose in authoriser.purposes().all() {
                let code = purpose.code();
                let yes = allows(from, to, code);
                let Origin::Recorded(kind) = from else { continue };
                let missing = [MissingPerson, UnidentifiedPerson, UnidentifiedRemains];
                // A suspect is never looked for among the missing; among the dead only to name them.
                if matches!(kind, Custody | Person) && missing.contains(&to) {
                    let naming = kind == Custody && to == UnidentifiedRemains && code == "identify_deceased";
                    assert_eq!(yes, naming, "{from} to {to} for {code}");
                }
                // The missing and the dead are never looked for as suspects.
                if missing.contains(&kind)
                    && ["criminal_investigation", "prevention_of_crime"].contains(&code)
                {
                    assert!(!yes, "{from} to {to} for {code}");
                }
                if to == Custody && yes {
                    let right = match kind {
                        MissingPerson => code == "safeguarding",
                        UnidentifiedRemains => code == "identify_deceased",
                        UnidentifiedPerson => false,
                        Custody | Person => code.contains("crim"),
                    };
                    assert!(right, "{from} to {to} for {code}");
                }
            }
        }
    }
    assert!(allows(Origin::Recorded(MissingPerson), UnidentifiedRemains, "identify_deceased"));
    assert!(allows(Origin::Recorded(UnidentifiedRemains), MissingPerson, "identify_deceased"));
    assert!(allows(Origin::Recorded(MissingPerson), UnidentifiedPerson, "locate_missing_person"));
    assert!(allows(Origin::Recorded(UnidentifiedPerson), MissingPerson, "locate_missing_person"));
    assert!(!allows(Origin::Scene, Custody, "safeguarding"), "only for a missing person");
    println!("report: directions: {pairs} pairs of kinds, every purpose");
}

#[test]
fn whatever_no_policy_knows_is_denied() {
    let authoriser = Authoriser::built_in().unwrap();
    let stage = Stage::new(authoriser.purposes()).unwrap();
    // All roles at once open nothing that no single role opens, and a purpose outside the list opens nothing.
    let caller = explain::imagined(authoriser.purposes(), None, &Role::ALL, None).unwrap();
    let matrix = Matrix::built_in(authoriser.purposes()).unwrap();
    let name = "pool".parse().unwrap();
    for cell in Matrix::cells(authoriser.purposes()) {
        let Where::Pool(kind) = cell.place else { continue };
        if cell.who != Who::Unroled {
            continue;
        }
        let purposes = BTreeSet::from([cell.purpose.clone()]);
        let place = Place::Pool(PoolFacts { name: &name, kind, purposes: &purposes });
        let now = jiff::Timestamp::UNIX_EPOCH;
        let question = Question {
            caller: &caller,
            action: cell.action,
            place,
            purpose: &cell.purpose,
            origin: cell.origin,
            now,
        };
        let single =
            Who::all().filter(|who| who.is_person()).any(|who| matrix.allows(&Cell { who, ..cell.clone() }));
        assert_eq!(authoriser.decide(&question).allowed, single, "{cell} with every role");
        assert!(!stage.ask(&cell, None, |question| authoriser.decide(question)).allowed, "{cell}");
    }
}

#[test]
fn every_question_is_one_that_the_schema_knows() {
    // Questions are put without the schema, for speed. Here each one is put with it, breaches and all.
    let authoriser = Authoriser::built_in().unwrap();
    let stage = Stage::new(authoriser.purposes()).unwrap();
    let (mut valid, mut refused) = (0, 0);
    for cell in Matrix::cells(authoriser.purposes()) {
        for breach in [None, Some(Breach::Machine), Some(Breach::PoolListsOther), Some(Breach::OwnTrail)] {
            let put = stage.ask(&cell, breach, |question| authoriser.put(question));
            // Which principals and resources an action takes is the schema's own table: what it refuses is not put.
            let Ok((request, entities)) = put else {
                refused += 1;
                continue;
            };
            let named = |uid: Option<&cedar_policy::EntityUid>| uid.expect("a concrete question").clone();
            Request::new(
                named(request.principal()),
                named(request.action()),
                named(request.resource()),
                request.context().expect("a concrete question").clone(),
                Some(authoriser.schema()),
            )
            .unwrap_or_else(|error| panic!("{cell}: {error}"));
            Entities::from_entities(entities.iter().cloned(), Some(authoriser.schema()))
                .unwrap_or_else(|error| panic!("{cell}: {error}"));
            valid += 1;
        }
    }
    assert!(valid > 10_000, "only {valid} questions were put");
    println!("report: questions held to the Cedar schema: {valid} valid, {refused} that nobody can ask");
}
