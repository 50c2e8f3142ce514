//! Every way in which one policy can be a little looser: what a slip of the pen would do.
use cedar_policy::{Effect, Policy, PolicyId};
use serde_json::{Value, json};

use crate::authorise::{Action, Authoriser, Origin};
use crate::{identity::Role, pool::PoolKind};

/// A policy, loosened; `None` when it is left out.
pub(super) struct Loosened {
    /// What was done to it.
    pub(super) how: String,
    /// What became of it.
    pub(super) policy: Option<Policy>,
}

/// All of them for one policy.
pub(super) fn all(authoriser: &Authoriser, policy: &Policy) -> Vec<Loosened> {
    let json = policy.to_json().unwrap();
    let id = policy.id().clone();
    let mut found = Vec::new();
    let mut add = |how: String, changed: Value| {
        if changed != json {
            found.push(Loosened { how, policy: Some(parsed(&id, changed)) });
        }
    };
    match policy.effect() {
        Effect::Permit => {
            for part in ["principal", "resource"] {
                add(format!("any {part}"), with(&json, part, json!({"op": "All"})));
            }
            add("any action".to_owned(), with(&json, "action", json!({"op": "All"})));
            conditions(&json, "when", authoriser, &mut add);
        }
        Effect::Forbid => {
            conditions(&json, "unless", authoriser, &mut add);
            // An exception for one action, one kind of pool or one role: what a hurried change looks like.
            for action in Action::ALL {
                let name = json!({"__entity": {"type": "Likeness::Action", "id": action.code()}});
                add(
                    format!("not for {action}"),
                    excepting(&json, json!({"==": {"left": {"Var": "action"}, "right": {"Value": name}}})),
                );
            }
            found.push(Loosened { how: "left out".to_owned(), policy: None });
        }
    }
    found
}

fn parsed(id: &PolicyId, json: Value) -> Policy {
    Policy::from_json(Some(id.clone()), json.clone()).unwrap_or_else(|error| panic!("{error}: {json:#}"))
}

fn with(json: &Value, part: &str, value: Value) -> Value {
    let mut changed = json.clone();
    changed[part] = value;
    changed
}

fn excepting(json: &Value, exception: Value) -> Value {
    let mut changed = json.clone();
    changed["conditions"].as_array_mut().unwrap().push(json!({"kind": "unless", "body": exception}));
    changed
}

/// Loosens what must hold (`when` of a permission, `unless` of a prohibition).
fn conditions(json: &Value, kind: &str, authoriser: &Authoriser, add: &mut impl FnMut(String, Value)) {
    let clauses = json["conditions"].as_array().unwrap();
    for (at, clause) in clauses.iter().enumerate().filter(|(_, clause)| clause["kind"] == kind) {
        if kind == "when" {
            let mut changed = json.clone();
            changed["conditions"].as_array_mut().unwrap().remove(at);
            add(format!("without condition {at}"), changed);
        }
        for (how, body) in looser(&clause["body"], authoriser) {
            let mut changed = json.clone();
            changed["conditions"][at]["body"] = body;
            add(format!("condition {at}: {how}"), changed);
        }
    }
}

/// Expressions that hold whenever this one does, and sometimes more.
fn looser(body: &Value, authoriser: &Authoriser) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    if let Some(both) = body.get("&&") {
        for (kept, dropped) in [("left", "right"), ("right", "left")] {
            found.push((format!("without the {dropped} side"), both[kept].clone()));
        }
    }
    for (operator, sides) in [("&&", ["left", "right"]), ("||", ["left", "right"])] {
        let Some(both) = body.get(operator) else { continue };
        for side in sides {
            for (how, inner) in looser(&both[side], authoriser) {
                let mut changed = body.clone();
                changed[operator][side] = inner;
                found.push((how, changed));
            }
        }
    }
    // A list with one more word in it.
    if let Some(words) = body.pointer("/contains/left/Set").and_then(Value::as_array) {
        for word in vocabulary(body.pointer("/contains/right"), authoriser) {
            let value = json!({"Value": word});
            if !words.contains(&value) {
                let mut changed = body.clone();
                changed["contains"]["left"]["Set"].as_array_mut().unwrap().push(value);
                found.push((format!("also `{word}`"), changed));
            }
        }
    }
    // One word that becomes two.
    if let Some(word) = body.pointer("/==/right/Value").and_then(Value::as_str) {
        for other in
            vocabulary(body.pointer("/==/left"), authoriser).into_iter().filter(|other| other != word)
        {
            let mut alternative = body.clone();
            alternative["=="]["right"] = json!({"Value": other});
            let both = json!({"||": {"left": body, "right": alternative}});
            found.push((format!("also `{other}`"), both));
        }
    }
    // A role in place of, or beside, others.
    if let Some(at) = body.pointer("/in/right") {
        for role in Role::ALL {
            let entity = json!({"Value": {"__entity": {"type": "Likeness::Role", "id": role.code()}}});
            let mut roles = match at.get("Set").and_then(Value::as_array) {
                Some(roles) => roles.clone(),
                None => vec![at.clone()],
            };
            if !roles.contains(&entity) {
                roles.push(entity);
                found.push((
                    format!("also role `{role}`"),
                    json!({"in": {"left": body["in"]["left"], "right": {"Set": roles}}}),
                ));
            }
        }
    }
    found
}

/// The words that an attribute can have.
fn vocabulary(attribute: Option<&Value>, authoriser: &Authoriser) -> Vec<String> {
    match attribute.and_then(|value| value.pointer("/./attr")).and_then(Value::as_str) {
        Some("purpose") => {
            authoriser.purposes().all().into_iter().map(|purpose| purpose.code().to_owned()).collect()
        }
        Some("kind") => PoolKind::ALL.map(|kind| kind.code().to_owned()).into(),
        Some("origin") => Origin::ALL.map(|origin| origin.code().to_owned()).into(),
        // Comparisons of people and organisations have no list of words.
        _ => Vec::new(),
    }
}
