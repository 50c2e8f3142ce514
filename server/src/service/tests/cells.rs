//! Every cell of the matrix through the service: whoever is denied is on record.
use std::collections::BTreeMap;

use super::*;
use crate::{
    authorise::{
        Action,
        matrix::{Cell, Matrix, Where, Who},
    },
    identity::{Registry, Standing, System},
};

/// Requests under way at once; the log commits them in groups.
const AT_ONCE: usize = 48;

/// The name of the pool of each kind.
fn pool_of(kind: PoolKind) -> String {
    kind.code().replace('_', "-")
}

/// The token and system name each caller comes with.
fn credentials(place: &Place) -> BTreeMap<Who, (Option<String>, &'static str)> {
    Who::all()
        .map(|who| {
            let caller = match who {
                Who::Role(role) => (Some(trained(place, role)), "likeness-cli"),
                // A token has at least one role: the nearest to none is one that gives nothing by itself.
                Who::Unroled => (Some(place.token(&[Role::ProtectedViewer])), "likeness-cli"),
                Who::Feed => (None, "feed"),
                Who::System => (None, "likeness-cli"),
            };
            (who, caller)
        })
        .collect()
}

/// The token of a person whose training is current.
fn trained(place: &Place, role: Role) -> String {
    let request = TokenRequest {
        subject: "p-1".to_owned(),
        name: "P".to_owned(),
        organisation: "local".to_owned(),
        roles: vec![role],
        days: 1,
    };
    let standing = Standing { service_account: false, trained_until: Some(jiff::Timestamp::MAX) };
    Issuer::open(&place.data).unwrap().mint_with(&request, standing, jiff::Timestamp::now()).unwrap()
}

fn register_feed(place: &Place) {
    let first = place.service.systems().unwrap().get("likeness-cli").unwrap().clone();
    let feed =
        System { name: "feed".to_owned(), feed: true, certificates: [].into(), ..System::clone(&first) };
    let both = Registry::of([System::clone(&first), feed], |_| true).unwrap();
    both.write(&place.data.systems()).unwrap();
    assert!(
        place.service.systems().unwrap().get("feed").is_some(),
        "a running server takes the change up by itself"
    );
}

/// Puts one cell to the service and gives what came of it: the event of the denial, or nothing when it is allowed.
fn put(place: &Place, cell: &Cell, token: Option<&str>, system: &str) -> Option<crate::ids::EventId> {
    let mut asked = place.asked(&[Role::Searcher], cell.purpose.code());
    asked.context.system_name = system.to_owned();
    asked.context.reference_id = cell.to_string();
    let mut case = case::Case::begin(&place.service, cell.action, asked);
    let decided = case.introduce(token).and_then(|(caller, context)| match cell.place {
        Where::Pool(kind) => {
            let name = pool_of(kind);
            match place.service.admit(&caller, cell.action, &name, cell.origin, &context) {
                Ok(_) => Ok(()),
                Err(denied) => Err(case.denied(&denied, "the pool")),
            }
        }
        Where::Service => case.admit_elsewhere(&caller, crate::authorise::Place::Service, &context).map(drop),
        Where::Colleague | Where::Elsewhere => {
            let organisation = if cell.place == Where::Colleague { "local" } else { "another" };
            let trail = crate::authorise::Place::Trail { organisation, person: "a-colleague" };
            case.admit_elsewhere(&caller, trail, &context).map(drop)
        }
    });
    match decided {
        Ok(()) => None,
        Err(refusal) => match case.refuse(None, refusal) {
            Unanswered::Refused { receipt, .. } => Some(receipt.event_id()),
            Unanswered::Unrecorded(error) => panic!("{cell}: {error}"),
        },
    }
}

#[test]
fn every_denied_cell_leaves_an_audit_entry() {
    let place = Place::new();
    for kind in PoolKind::ALL {
        place.create(&pool_of(kind), kind).unwrap();
    }
    register_feed(&place);
    let purposes = place.service.authoriser().purposes();
    let matrix = Matrix::built_in(purposes).unwrap();
    let credentials = credentials(&place);
    let cells = Matrix::cells(purposes);
    let before = place.entries_after(0).len();
    let denied: Vec<(&Cell, crate::ids::EventId)> = std::thread::scope(|scope| {
        let workers: Vec<_> = cells
            .chunks(cells.len().div_ceil(AT_ONCE))
            .map(|part| {
                let (place, matrix, credentials) = (&place, &matrix, &credentials);
                scope.spawn(move || {
                    let mut denied = Vec::new();
                    for cell in part {
                        let (token, system) = &credentials[&cell.who];
                        let event = put(place, cell, token.as_deref(), system);
                        let own = matches!(cell.action, Action::SeeProtected | Action::Protect);
                        let unroled = cell.who == Who::Unroled && own;
                        assert_eq!(
                            event.is_none(),
                            matrix.allows(cell) || (unroled && event.is_none()),
                            "{cell}"
                        );
                        denied.extend(event.map(|event| (cell, event)));
                    }
                    denied
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let entries: BTreeMap<_, _> =
        place.entries_after(before).into_iter().map(|entry| (entry.event_id, entry)).collect();
    assert_eq!(entries.len(), denied.len(), "one entry per denial");
    let mut decided = 0;
    for (cell, event) in &denied {
        let entry = &entries[event];
        assert_eq!(entry.outcome, Some(Outcome::Denied), "{cell}");
        assert_eq!(entry.reference_id.as_deref(), Some(cell.to_string().as_str()));
        assert_eq!(entry.purpose_code.as_deref(), Some(cell.purpose.code()));
        assert!(entry.refusal.is_some(), "{cell}");
        match &entry.decision {
            Some(decision) => {
                decided += 1;
                assert!(!decision.allowed && !decision.policy_set.is_empty(), "{cell}");
            }
            // Nobody at all: refused before there is anyone to decide about.
            None => assert!(!cell.who.is_person() && entry.actor.is_none(), "{cell}: {:?}", entry.refusal),
        }
    }
    assert!(decided > 10_000, "only {decided} came to a decision");
    println!(
        "report: authorisation through the service: {} cells, {} denied, each with its audit entry ({decided} with the policies behind it)",
        cells.len(),
        denied.len()
    );
}
