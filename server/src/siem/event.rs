//! What is told of an entry: who did what to which pool for which purpose, and how it ended. No image, no template, no subject, no
//! candidate, no similarity, and no free text: a justification can name people.

use crate::audit::anomaly::Flag;
use crate::audit::{Outcome, Phase, StoredEntry};
use serde_json::{Map, Value, json};

/// Every field an event can have, in the order of `docs/siem.md`.
pub const FIELDS: [&str; 22] = [
    "time",
    "event",
    "severity",
    "event_id",
    "entry_index",
    "call",
    "operation",
    "phase",
    "outcome",
    "refusal",
    "person",
    "organisation",
    "roles",
    "system_name",
    "reference_id",
    "purpose_code",
    "pool",
    "candidates",
    "recipient_organisation",
    "rule",
    "count",
    "owners",
];

/// An event on its way.
pub(super) struct Event {
    /// RFC 3339.
    pub time: String,
    /// Syslog severity: 6 informational, 5 notice, 4 warning.
    pub severity: u8,
    /// `audit` or `anomaly`.
    pub kind: &'static str,
    /// One JSON object, without a line feed.
    pub line: String,
}

/// The events of one entry: itself, and what the rules say about it.
pub(super) fn of(stored: &StoredEntry, flags: &[Flag]) -> Vec<Event> {
    let entry = &stored.entry;
    let severity = match (entry.phase, entry.outcome) {
        (Phase::Intent, _) | (_, None | Some(Outcome::Answered)) => 6,
        (_, Some(Outcome::Rejected)) => 5,
        (_, Some(Outcome::Denied | Outcome::Failed)) => 4,
    };
    let time = format!("{:.3}", entry.occurred_at);
    let phase = match entry.phase {
        Phase::Intent => "intent",
        Phase::Outcome => "outcome",
        Phase::Single => "single",
    };
    let common = json!({
        "time": time,
        "event_id": entry.event_id.to_string(),
        "entry_index": stored.index,
        "person": entry.actor.as_ref().map(|actor| &actor.subject),
        "organisation": entry.actor.as_ref().and_then(|actor| actor.organisation.as_ref()),
        "system_name": entry.system_name,
    });
    let whole = json!({
        "event": "audit",
        "severity": severity,
        "call": entry.rpc,
        "operation": entry.operation.code(),
        "phase": phase,
        "outcome": entry.outcome.map(Outcome::code),
        "refusal": entry.refusal,
        "roles": entry.actor.as_ref().map(|actor| &actor.roles),
        "reference_id": entry.reference_id,
        "purpose_code": entry.purpose_code,
        "pool": entry.pool.as_ref().map(|pool| &pool.name),
        "candidates": entry.candidates.len(),
        "recipient_organisation": entry.recipient.as_ref().map(|recipient| &recipient.organisation),
    });
    let mut events =
        vec![Event { time: time.clone(), severity, kind: "audit", line: line(&[&common, &whole]) }];
    for flag in flags {
        let flagged = json!({ "event": "anomaly", "severity": 4, "rule": flag.rule, "count": flag.count, "call": entry.rpc });
        let owners = json!({ "owners": Some(&flag.owners).filter(|owners| !owners.is_empty()) });
        events.push(Event {
            time: time.clone(),
            severity: 4,
            kind: "anomaly",
            line: line(&[&common, &flagged, &owners]),
        });
    }
    events
}

/// The members of several objects as one, without those that are null.
fn line(objects: &[&Value]) -> String {
    let members = objects.iter().filter_map(|object| object.as_object()).flatten();
    let members: Map<String, Value> = members
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Value::Object(members).to_string()
}
