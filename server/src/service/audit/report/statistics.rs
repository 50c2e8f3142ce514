//! Statistics that may be published (R13, R71): how often what was done, by whom as an organisation, never by which person.
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::suppress::{Group, LEAST, shown};
use crate::audit::{Entry, Operation, Outcome, Phase, operations};

/// An organisation or purpose that an entry does not have.
const NONE: &str = "none";
/// What the log has instead of the code that the caller was told.
const PROTECTED: &str = crate::service::PROTECTED;

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    groups: BTreeMap<&'static str, Group>,
}

impl Counts {
    pub(super) fn add(&mut self, entry: &Entry) {
        // An intent is not yet anything; its outcome is.
        let Some(outcome) = entry.outcome else { return };
        let organisation =
            entry.actor.as_ref().and_then(|actor| actor.organisation.as_deref()).unwrap_or(NONE);
        let audit = entry.rpc.starts_with("likeness.v1.AuditService/");
        self.one("by_outcome", outcome.code());
        self.one("by_operation", entry.operation.code());
        if entry.phase == Phase::Outcome || operations::of(&entry.rpc).is_some() {
            self.one("by_organisation", organisation);
        }
        if outcome != Outcome::Answered {
            self.one("refusals_by_code", told(entry));
            return;
        }
        if audit {
            self.one("audit_checks_by_organisation", organisation);
        } else {
            self.one("by_purpose", entry.purpose_code.as_deref().unwrap_or(NONE));
            if let Some(pool) = &entry.pool {
                self.one("by_pool", &pool.name);
            }
        }
        if entry.rpc.ends_with("/RecordReferral")
            && let Some(body) = entry.notes.get("body")
        {
            self.one("referrals", &format!("{organisation}: {body}"));
        }
        if entry.rpc == crate::service::DECISION_RPC
            && let (Some(verdict), Some(stage)) = (entry.notes.get("decision"), entry.notes.get("stage"))
        {
            self.one("decisions", &format!("stage {stage}: {verdict}"));
        }
        // One entry per pool searched, and one of the whole when there were several.
        if entry.rpc.ends_with("/Search") && entry.operation == Operation::Consultation {
            self.one("searches_by_organisation", organisation);
            let pool = entry.pool.as_ref().map_or(NONE, |pool| pool.name.as_str());
            self.many("candidates_shown_by_pool", pool, entry.candidates.len() as u64);
        }
        if entry.operation == Operation::Disclosure {
            let to = entry.recipient.as_ref().map_or(NONE, |recipient| recipient.organisation.as_str());
            self.one("disclosures_by_recipient_organisation", to);
        }
    }

    fn one(&mut self, group: &'static str, name: &str) {
        self.many(group, name, 1);
    }

    fn many(&mut self, group: &'static str, name: &str, count: u64) {
        *self.groups.entry(group).or_default().entry(name.to_owned()).or_default() += count;
    }

    pub(super) fn document(&self) -> Value {
        let groups: BTreeMap<&str, Value> =
            self.groups.iter().map(|(name, group)| (*name, shown(group))).collect();
        json!({ "smallest_count_shown": LEAST, "groups": groups })
    }
}

/// The code that the caller was told. What is under a protected view counts as what is not there: these numbers are published.
fn told(entry: &Entry) -> &str {
    match entry.refusal.as_deref() {
        Some(PROTECTED) if entry.rpc.ends_with("/RecordDecision") => "no_such_candidate",
        Some(PROTECTED) if entry.rpc.ends_with("/GetImage") || entry.rpc.ends_with("/SetEnrolled") => {
            "no_such_image"
        }
        Some(PROTECTED) => "no_such_subject",
        Some(code) => code,
        None => NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers_do_not_tell_a_protected_view_from_nothing() {
        let count = |hidden: bool| {
            let mut counts = Counts::default();
            for (call, absent) in [
                ("SubjectService/GetSubject", "no_such_subject"),
                ("ImageService/GetImage", "no_such_image"),
                ("EnrolmentService/SetEnrolled", "no_such_image"),
                ("AuditService/CollectSubject", "no_such_subject"),
                ("DecisionService/RecordDecision", "no_such_candidate"),
            ] {
                let rpc = format!("likeness.v1.{call}");
                let now = jiff::Timestamp::UNIX_EPOCH;
                let mut entry = Entry::new(now, &rpc, Operation::Consultation, Phase::Single);
                entry.outcome = Some(Outcome::Rejected);
                entry.refusal = Some(if hidden { PROTECTED } else { absent }.to_owned());
                (0..7).for_each(|_| counts.add(&entry));
            }
            counts.document()
        };
        assert_eq!(count(true), count(false));
        assert!(count(true).to_string().contains("no_such_candidate"));
    }
}
