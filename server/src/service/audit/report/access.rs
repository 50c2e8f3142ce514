//! Which organisations reach data (R20): for publication, so no persons, no references, no counts.
use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use crate::audit::{Entry, Outcome};

#[derive(Debug, Default)]
struct Access {
    purposes: BTreeSet<String>,
    pools: BTreeSet<String>,
    systems: BTreeSet<String>,
    since: Option<Timestamp>,
}

/// What each organisation reached.
#[derive(Debug, Default)]
pub(super) struct AccessList(BTreeMap<String, Access>);

impl AccessList {
    pub(super) fn add(&mut self, entry: &Entry) {
        let organisation = entry.actor.as_ref().and_then(|actor| actor.organisation.as_deref());
        let (Some(organisation), Some(Outcome::Answered)) = (organisation, entry.outcome) else { return };
        let access = self.0.entry(organisation.to_owned()).or_default();
        access.purposes.extend(entry.purpose_code.clone());
        access.pools.extend(entry.pool.as_ref().map(|pool| pool.name.clone()));
        access.systems.extend(entry.system_name.clone());
        let earlier = access.since.is_none_or(|since| entry.occurred_at < since);
        if earlier {
            access.since = Some(entry.occurred_at);
        }
    }

    pub(super) fn document(&self) -> Value {
        let list: Vec<Value> = self
            .0
            .iter()
            .map(|(organisation, access)| {
                json!({
                    "organisation": organisation,
                    "purposes": access.purposes,
                    "pools": access.pools,
                    "systems": access.systems,
                    // The day: a time of day could point at a person.
                    "since": access.since.map(|since| since.to_zoned(TimeZone::UTC).date().to_string()),
                })
            })
            .collect();
        json!({ "organisations": list })
    }
}
