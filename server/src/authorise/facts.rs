//! A question in Cedar's words: principal, action, resource, context, and what is known of each.
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression, Schema,
};

use super::{Action, Place, PolicyError, Purposes, Question};
use crate::{
    identity::{Actor, Role, System},
    pool::PoolKind,
};

/// Said of an action that such a caller, or in such a place, cannot even ask for.
pub(super) const NOT_APPLICABLE: &str = "nobody can ask for this here";

/// Why a question cannot be put; it is denied.
pub(super) type Broken = String;

/// The names that questions are put in, made once.
pub(super) struct Names {
    person: EntityTypeName,
    system: EntityTypeName,
    pool: EntityTypeName,
    trail: EntityTypeName,
    service_type: EntityTypeName,
    service: EntityUid,
    actions: BTreeMap<Action, EntityUid>,
    roles: BTreeMap<Role, EntityUid>,
    kinds: BTreeMap<PoolKind, EntityUid>,
    /// Which principals and resources each action takes: the schema's own table, looked up once.
    takes: BTreeMap<Action, (BTreeSet<EntityTypeName>, BTreeSet<EntityTypeName>)>,
}

impl Names {
    pub(super) fn new(schema: &Schema) -> Result<Names, PolicyError> {
        let name = |text: &str| -> Result<EntityTypeName, PolicyError> {
            text.parse().map_err(|error| PolicyError::Schema(format!("`{text}`: {error}")))
        };
        let (action, role, kind) =
            (name("Likeness::Action")?, name("Likeness::Role")?, name("Likeness::Kind")?);
        let actions: BTreeMap<Action, EntityUid> =
            Action::ALL.into_iter().map(|at| (at, uid(&action, at.code()))).collect();
        let mut takes = BTreeMap::new();
        for (at, action) in &actions {
            let known = |error: &dyn std::fmt::Display| PolicyError::Schema(format!("`{at}`: {error}"));
            let principals = schema.principals_for_action(action).ok_or_else(|| known(&"no principals"))?;
            let resources = schema.resources_for_action(action).ok_or_else(|| known(&"no resources"))?;
            takes.insert(*at, (principals.cloned().collect(), resources.cloned().collect()));
        }
        Ok(Names {
            takes,
            person: name("Likeness::Person")?,
            system: name("Likeness::System")?,
            pool: name("Likeness::Pool")?,
            trail: name("Likeness::Trail")?,
            service: uid(&name("Likeness::Service")?, ""),
            service_type: name("Likeness::Service")?,
            actions,
            roles: Role::ALL.into_iter().map(|at| (at, uid(&role, at.code()))).collect(),
            kinds: PoolKind::ALL.into_iter().map(|at| (at, uid(&kind, at.code()))).collect(),
        })
    }

    /// The question and everything it is about.
    pub(super) fn put(
        &self,
        question: &Question<'_>,
        purposes: &Purposes,
    ) -> Result<(Request, Entities), Broken> {
        let (principals, resources) = self.takes.get(&question.action).ok_or("an action without a name")?;
        let asks = if question.caller.person.is_some() { &self.person } else { &self.system };
        let at = match question.place {
            Place::Service => &self.service_type,
            Place::Pool(_) => &self.pool,
            Place::Trail { .. } => &self.trail,
        };
        // What the policies were checked for is what they are asked: the schema knows no such question.
        if !principals.contains(asks) || !resources.contains(at) {
            return Err(NOT_APPLICABLE.to_owned());
        }
        let system = self.system(&question.caller.system)?;
        let system_uid = system.uid();
        let mut entities = Vec::with_capacity(3);
        let principal = match &question.caller.person {
            Some(actor) => {
                let person = self.person(actor)?;
                let principal = person.uid();
                entities.push(person);
                principal
            }
            None => system_uid.clone(),
        };
        entities.push(system);
        let resource = match question.place {
            Place::Service => self.service.clone(),
            Place::Pool(facts) => {
                let kind = self.kinds.get(&facts.kind).ok_or("a kind of pool without a name")?;
                let pool = entity(
                    uid(&self.pool, facts.name.as_str()),
                    [
                        ("kind", text(facts.kind.code())),
                        ("purposes", set(facts.purposes.iter().map(|purpose| purpose.code()))),
                    ],
                    HashSet::from([kind.clone()]),
                )?;
                let resource = pool.uid();
                entities.push(pool);
                resource
            }
            Place::Trail { organisation, person } => {
                let trail = entity(
                    uid(&self.trail, ""),
                    [("organisation", text(organisation)), ("person", text(person))],
                    HashSet::new(),
                )?;
                let resource = trail.uid();
                entities.push(trail);
                resource
            }
        };
        let context = Context::from_pairs([
            ("system".to_owned(), RestrictedExpression::new_entity_uid(system_uid)),
            ("purpose".to_owned(), text(question.purpose.code())),
            (
                "operational".to_owned(),
                RestrictedExpression::new_bool(purposes.is_operational(question.purpose)),
            ),
            ("origin".to_owned(), text(question.origin.code())),
            ("now".to_owned(), RestrictedExpression::new_long(question.now.as_second())),
        ])
        .map_err(|error| error.to_string())?;
        let action = self.actions.get(&question.action).ok_or("an action without a name")?.clone();
        // Not against the schema: that took ten times as long as the decision. The policies are held to the schema when
        // they load; that requests are, too, is for the table above to keep, and a policy that stumbles over one denies.
        let request =
            Request::new(principal, action, resource, context, None).map_err(|error| error.to_string())?;
        let entities = Entities::from_entities(entities, None).map_err(|error| error.to_string())?;
        Ok((request, entities))
    }

    fn person(&self, actor: &Actor) -> Result<Entity, Broken> {
        let roles = actor.roles.iter().filter_map(|role| self.roles.get(role)).cloned().collect();
        let trained = actor.trained_until.map_or(0, |until| until.as_second());
        entity(
            uid(&self.person, &actor.subject),
            [
                ("subject", text(&actor.subject)),
                ("organisation", text(&actor.organisation)),
                ("service_account", RestrictedExpression::new_bool(actor.service_account)),
                ("trained_until", RestrictedExpression::new_long(trained)),
            ],
            roles,
        )
    }

    fn system(&self, system: &System) -> Result<Entity, Broken> {
        let agreement = &system.agreement;
        entity(
            uid(&self.system, &system.name),
            [
                ("feed", RestrictedExpression::new_bool(system.feed)),
                ("organisations", set(agreement.organisations.iter().map(String::as_str))),
                ("purposes", set(agreement.purposes.iter().map(String::as_str))),
                ("kinds", set(agreement.kinds.iter().map(|kind| kind.code()))),
                ("expires", RestrictedExpression::new_long(agreement.expires_at().as_second())),
                ("review_due", RestrictedExpression::new_long(agreement.review_due_at().as_second())),
            ],
            HashSet::new(),
        )
    }
}

fn uid(of: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(of.clone(), EntityId::new(id))
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

fn set<'a>(values: impl Iterator<Item = &'a str>) -> RestrictedExpression {
    RestrictedExpression::new_set(values.map(text))
}

fn entity<const N: usize>(
    uid: EntityUid,
    attributes: [(&str, RestrictedExpression); N],
    parents: HashSet<EntityUid>,
) -> Result<Entity, Broken> {
    let attributes: HashMap<String, RestrictedExpression> =
        attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Entity::new(uid, attributes, parents).map_err(|error| error.to_string())
}
