//! Callers and pools that exist only to ask the policies what they would say.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{Timestamp, civil::Date};

use super::{Action, Authoriser, Origin, Place, PolicyError, PoolFacts, Purpose, Purposes, Question};
use crate::{
    identity::{Actor, Agreement, Caller, ReferenceFormat, Role, System},
    keys::PoolName,
    pool::PoolKind,
};

/// The organisation that probes belong to.
pub(super) const ORGANISATION: &str = "probe-organisation";
/// The person that probes stand for.
pub(super) const SUBJECT: &str = "probe-person";
/// The id of an agreement that is only imagined.
pub(super) const NO_AGREEMENT: &str = "imagined";
/// Long after any date in an agreement.
const FAR: Date = Date::constant(9000, 1, 1);

/// A system whose agreement covers everything, for ever.
pub(super) fn system(purposes: &Purposes, feed: bool) -> Result<System, PolicyError> {
    let reference_format: ReferenceFormat = ReferenceFormat::ANY
        .parse()
        .map_err(|error| PolicyError::Schema(format!("the format of any reference: {error}")))?;
    Ok(System {
        name: "probe-system".to_owned(),
        contact: "none".to_owned(),
        reference_format,
        feed,
        certificates: BTreeSet::new(),
        registered_at: Timestamp::UNIX_EPOCH,
        revoked_at: None,
        agreement: Agreement {
            id: NO_AGREEMENT.to_owned(),
            legal_basis: "none".to_owned(),
            business_case: "none".to_owned(),
            approved_by: "none".to_owned(),
            organisations: BTreeSet::from([ORGANISATION.to_owned()]),
            purposes: purposes.all().into_iter().map(|purpose| purpose.code().to_owned()).collect(),
            kinds: PoolKind::ALL.into(),
            expires: FAR,
            review_due: FAR,
        },
    })
}

/// A trained person with these roles.
pub(super) fn person(roles: impl IntoIterator<Item = Role>) -> Actor {
    Actor {
        subject: SUBJECT.to_owned(),
        name: "Probe".to_owned(),
        organisation: ORGANISATION.to_owned(),
        roles: roles.into_iter().collect(),
        service_account: false,
        trained_until: Some(Timestamp::MAX),
    }
}

/// Origins that make a difference to an action.
pub(super) fn origins(action: Action) -> &'static [Origin] {
    if action == Action::Search { &Origin::ALL } else { &Origin::ALL[..1] }
}

/// What policies say in quotes and the service has no word for, by the policy's id: names of pools, persons and
/// organisations, and typing errors.
pub(super) fn unknown_words(authoriser: &Authoriser) -> BTreeMap<String, BTreeSet<String>> {
    let known = vocabulary(authoriser.purposes());
    let mut found = BTreeMap::new();
    for policy in authoriser.set().policies() {
        let mut texts = BTreeSet::new();
        for uid in policy.entity_literals() {
            let kind = uid.type_name().basename().to_owned();
            if matches!(kind.as_str(), "Pool" | "Person" | "System" | "Trail") {
                texts.insert(uid.id().unescaped().to_owned());
            }
        }
        if let Ok(json) = policy.to_json() {
            quoted(&json["conditions"], &mut texts);
        }
        texts.retain(|text| !known.contains(text));
        found.insert(AsRef::<str>::as_ref(policy.id()).to_owned(), texts);
    }
    found
}

/// The words that policies are about.
fn vocabulary(purposes: &Purposes) -> BTreeSet<String> {
    let mut words: BTreeSet<String> =
        purposes.all().into_iter().map(|purpose| purpose.code().to_owned()).collect();
    words.extend(PoolKind::ALL.map(|kind| kind.code().to_owned()));
    words.extend(Origin::ALL.map(|origin| origin.code().to_owned()));
    words.extend(Role::ALL.map(|role| role.code().to_owned()));
    words
}

/// String literals of an expression in Cedar's JSON form.
fn quoted(json: &serde_json::Value, texts: &mut BTreeSet<String>) {
    match json {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("Value", serde_json::Value::String(text)) => {
                        texts.insert(text.clone());
                    }
                    _ => quoted(value, texts),
                }
            }
        }
        serde_json::Value::Array(values) => values.iter().for_each(|value| quoted(value, texts)),
        _ => {}
    }
}

impl Authoriser {
    /// Refuses policies that permit what a red line forbids.
    ///
    /// Asks with every role alone and all together, a feed, every action and origin, and once more with every pool, person
    /// and organisation that a policy names. The red lines are looked at on every call all the same: this finds a
    /// contradiction before anything is served, it is not what enforces them.
    pub(super) fn check_red_lines(&self) -> Result<(), PolicyError> {
        let mut system = system(self.purposes(), true)?;
        let named: BTreeSet<String> = unknown_words(self).into_values().flatten().collect();
        system.agreement.organisations.extend(named.iter().cloned());
        system.agreement.purposes.extend(self.red_lines().pairs().map(|(purpose, _)| purpose.0));
        let system = Arc::new(system);
        let mut people: Vec<Actor> = Role::ALL.into_iter().map(|role| person([role])).collect();
        people.push(person(Role::ALL));
        for text in &named {
            people.push(Actor { organisation: text.clone(), ..person(Role::ALL) });
            people.push(Actor { subject: text.clone(), ..person(Role::ALL) });
        }
        let callers: Vec<Caller> = people
            .into_iter()
            .map(|person| Caller { system: Arc::clone(&system), person: Some(person) })
            .chain([Caller { system: Arc::clone(&system), person: None }])
            .collect();
        let pools: Vec<PoolName> =
            ["probe"].into_iter().chain(named.iter().map(String::as_str)).flat_map(str::parse).collect();
        for (purpose, kind) in self.red_lines().pairs() {
            let lists = BTreeSet::from([purpose.clone()]);
            for caller in &callers {
                for name in &pools {
                    let facts = PoolFacts { name, kind, purposes: &lists };
                    self.check_line(caller, facts, &purpose)?;
                }
            }
        }
        Ok(())
    }

    fn check_line(
        &self,
        caller: &Caller,
        facts: PoolFacts<'_>,
        purpose: &Purpose,
    ) -> Result<(), PolicyError> {
        for action in Action::ALL {
            for origin in origins(action) {
                let place = Place::Pool(facts);
                let now = Timestamp::UNIX_EPOCH;
                let question = Question { caller, action, place, purpose, origin: *origin, now };
                let Ok((request, entities)) = self.put(&question) else { continue };
                let decision = self.judge(&request, &entities);
                if decision.allowed
                    && let Some(line) = self.red_lines().crossed(purpose, facts.kind)
                {
                    return Err(PolicyError::CrossesRedLine {
                        action: action.code(),
                        kind: facts.kind,
                        purpose: purpose.code().to_owned(),
                        policies: decision.policies.join(", "),
                        reason: line.reason.clone(),
                    });
                }
            }
        }
        Ok(())
    }
}
