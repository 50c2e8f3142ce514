//! What a caller may do, and which policy says so: the authoriser's own answers, one row per action and place.
use std::sync::Arc;

use jiff::Timestamp;

use super::{
    Action, Authoriser, Decision, Origin, Place, PolicyError, PoolFacts, Purpose, Purposes, Question, probes,
};
use crate::identity::{Caller, Role, System};

/// One answer.
#[derive(Debug, Clone)]
pub struct Row {
    /// To do what.
    pub action: Action,
    /// Where: a pool's name, `no pool`, or whose trail.
    pub place: String,
    /// With whose picture; only a search knows the difference.
    pub origin: Origin,
    /// The answer and the policies behind it.
    pub decision: Decision,
}

/// Asks about every action in these pools and outside them.
///
/// `origin` narrows the searches to one; without it every origin is asked about.
pub fn explain(
    authoriser: &Authoriser,
    caller: &Caller,
    purpose: &Purpose,
    pools: &[PoolFacts<'_>],
    origin: Option<Origin>,
    now: Timestamp,
) -> Vec<Row> {
    let organisation = caller.person.as_ref().map_or("", |person| person.organisation.as_str());
    let subject = caller.person.as_ref().map_or("", |person| person.subject.as_str());
    let mut rows = Vec::new();
    let mut ask = |action: Action, place: Place<'_>, name: &str, origin: Origin| {
        let decision = authoriser.decide(&Question { caller, action, place, purpose, origin, now });
        rows.push(Row { action, place: name.to_owned(), origin, decision });
    };
    for facts in pools {
        for action in Action::ALL {
            if !takes_pool(action) {
                continue;
            }
            for from in probes::origins(action) {
                if origin.is_none_or(|wanted| action != Action::Search || wanted == *from) {
                    ask(action, Place::Pool(*facts), facts.name.as_str(), *from);
                }
            }
        }
    }
    for action in [
        Action::Compare,
        Action::ReadProof,
        Action::ApproveOperatingPoint,
        Action::ListOperatingPoints,
        Action::ReadRetentionRules,
        Action::ChangeRetentionRules,
    ] {
        ask(action, Place::Service, "no pool", Origin::Scene);
    }
    for action in [Action::ReadAudit, Action::ExportAudit] {
        for (name, organisation, person) in [
            ("own activity", organisation, subject),
            ("own organisation", organisation, ""),
            ("another organisation", "\u{2013}", ""),
        ] {
            ask(action, Place::Trail { organisation, person }, name, Origin::Scene);
        }
    }
    rows
}

fn takes_pool(action: Action) -> bool {
    !matches!(
        action,
        Action::Compare
            | Action::ReadProof
            | Action::ReadAudit
            | Action::ExportAudit
            | Action::ApproveOperatingPoint
            | Action::ListOperatingPoints
            | Action::ReadRetentionRules
            | Action::ChangeRetentionRules
    )
}

/// A caller to ask about who need not exist: a person with these roles at a system whose agreement covers everything,
/// or with `agreed` under the agreement of that system.
///
/// # Errors
/// [`PolicyError`], which a test rules out.
pub fn imagined(
    purposes: &Purposes,
    agreed: Option<Arc<System>>,
    roles: &[Role],
    organisation: Option<&str>,
) -> Result<Caller, PolicyError> {
    let mut person = probes::person(roles.iter().copied());
    let mut system = match agreed {
        Some(system) => system,
        None => Arc::new(probes::system(purposes, false)?),
    };
    match organisation {
        Some(organisation) => person.organisation = organisation.to_owned(),
        None => {
            if let Some(first) = system.agreement.organisations.first() {
                person.organisation.clone_from(first);
            }
        }
    }
    if system.agreement.id == probes::NO_AGREEMENT {
        Arc::make_mut(&mut system).agreement.organisations.insert(person.organisation.clone());
    }
    Ok(Caller { system, person: Some(person) })
}
