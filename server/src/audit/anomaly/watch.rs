//! Reading entries in order and raising flags.

use super::rules::{AnomalyRules, Rate, Rule};
use crate::audit::{Entry, Operation, Outcome, Phase};
use crate::ids::{EventId, SubjectId};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

/// Persons and subjects kept in mind at once. Beyond that those seen longest ago are forgotten: memory stays bounded, and an attacker
/// who makes up persons needs as many valid tokens.
const MOST_KEPT: usize = 100_000;

/// A reason to look at an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The rule.
    pub rule: String,
    /// The entry that completed the pattern.
    pub event: EventId,
    /// When it occurred.
    pub occurred_at: Timestamp,
    /// Who acted; none when nobody was authenticated.
    pub person: Option<String>,
    /// Their organisation.
    pub organisation: Option<String>,
    /// How many entries make the pattern.
    pub count: u64,
    /// Units that answer for records under a protected view and are to be told; empty for every other rule.
    pub owners: Vec<String>,
}

impl Flag {
    /// As a JSON object.
    pub fn document(&self) -> Value {
        json!({
            "rule": self.rule,
            "event_id": self.event.to_string(),
            "occurred_at": format!("{:.3}", self.occurred_at),
            "person": self.person,
            "organisation": self.organisation,
            "count": self.count,
            "owners": self.owners,
        })
    }
}

/// What was seen so far.
#[derive(Debug)]
pub struct Watch {
    rules: AnomalyRules,
    /// Per rule, person and (where the rule looks at one) subject: the times of the last events.
    seen: HashMap<(usize, String, Option<SubjectId>), VecDeque<Timestamp>>,
}

impl Watch {
    pub(super) fn new(rules: AnomalyRules) -> Self {
        Self { rules, seen: HashMap::new() }
    }

    /// Looks at the next entry.
    pub fn observe(&mut self, entry: &Entry) -> Vec<Flag> {
        // An intent is judged by its outcome.
        if entry.phase == Phase::Intent {
            return Vec::new();
        }
        let rules = std::mem::take(&mut self.rules.rules);
        let mut flags = Vec::new();
        for (at, (name, rule)) in rules.iter().enumerate() {
            if let Some(count) = self.count(at, rule, entry) {
                flags.push(Flag {
                    rule: name.clone(),
                    event: entry.event_id,
                    occurred_at: entry.occurred_at,
                    person: entry.actor.as_ref().map(|actor| actor.subject.clone()),
                    organisation: entry.actor.as_ref().and_then(|actor| actor.organisation.clone()),
                    count,
                    owners: match rule {
                        Rule::ProtectedView => {
                            let owners = entry.withheld.iter().map(|kept| kept.owner.clone());
                            owners.collect::<BTreeSet<_>>().into_iter().collect()
                        }
                        _ => Vec::new(),
                    },
                });
            }
        }
        self.rules.rules = rules;
        flags
    }

    /// How many entries make the pattern, when this one completes it.
    fn count(&mut self, at: usize, rule: &Rule, entry: &Entry) -> Option<u64> {
        let answered = entry.outcome == Some(Outcome::Answered);
        let refused = matches!(entry.outcome, Some(Outcome::Denied | Outcome::Rejected));
        let person = entry.actor.as_ref().map_or("", |actor| actor.subject.as_str());
        match rule {
            Rule::OutOfHours { from, until, days_off } => {
                let reads = matches!(entry.operation, Operation::Consultation | Operation::Combination);
                let local = entry.occurred_at.to_zoned(self.rules.zone.clone());
                let off = days_off.contains(&local.weekday().to_monday_one_offset());
                let outside = off || !(*from..*until).contains(&local.hour());
                (answered && reads && outside && entry.actor.is_some()).then_some(1)
            }
            Rule::DeclaredSubject => {
                let own = self.rules.declared.get(person)?;
                let shown = subjects(entry).filter(|subject| own.contains(subject)).count();
                (shown > 0).then_some(shown as u64)
            }
            Rule::RepeatedSubject(rate) if answered => {
                let shown: HashSet<SubjectId> = subjects(entry).collect();
                let counts = shown
                    .into_iter()
                    .filter_map(|subject| self.rate(at, person, Some(subject), *rate, entry.occurred_at));
                counts.max()
            }
            Rule::Burst(rate) if entry.actor.is_some() => {
                self.rate(at, person, None, *rate, entry.occurred_at)
            }
            Rule::Refusals(rate) if refused => self.rate(at, person, None, *rate, entry.occurred_at),
            Rule::RefusalCodes(rate, codes)
                if entry.refusal.as_ref().is_some_and(|code| codes.contains(code)) =>
            {
                self.rate(at, person, None, *rate, entry.occurred_at)
            }
            Rule::AuditorDenied => {
                let audit = entry.rpc.starts_with("likeness.v1.AuditService/");
                (audit && entry.outcome == Some(Outcome::Denied)).then_some(1)
            }
            Rule::Disclosure => (answered && entry.operation == Operation::Disclosure).then_some(1),
            // Whoever met it, and however the request ended: that it was met is what the owner must know.
            Rule::ProtectedView => (!entry.withheld.is_empty()).then_some(entry.withheld.len() as u64),
            Rule::SettingsChanged => (entry.rpc == "likeness/configuration").then_some(1),
            Rule::RepeatedSubject(_) | Rule::Burst(_) | Rule::Refusals(_) | Rule::RefusalCodes(..) => None,
        }
    }

    /// Counts one more; the count when it reaches the rate. Then counting begins anew, so that a long series is flagged once per
    /// so many and not at each of them.
    fn rate(
        &mut self,
        at: usize,
        person: &str,
        subject: Option<SubjectId>,
        rate: Rate,
        now: Timestamp,
    ) -> Option<u64> {
        self.forget(now);
        let times = self.seen.entry((at, person.to_owned(), subject)).or_default();
        times.push_back(now);
        while times.front().is_some_and(|first| now.duration_since(*first) > rate.within) {
            times.pop_front();
        }
        if times.len() < rate.count {
            return None;
        }
        let count = times.len() as u64;
        times.clear();
        Some(count)
    }

    fn forget(&mut self, now: Timestamp) {
        if self.seen.len() < MOST_KEPT {
            return;
        }
        self.seen.retain(|_, times| !times.is_empty());
        // Half of the span between the oldest and now goes, again and again if need be.
        while self.seen.len() >= MOST_KEPT {
            let newest = |times: &VecDeque<Timestamp>| times.back().copied().unwrap_or(Timestamp::MIN);
            let Some(oldest) = self.seen.values().map(newest).min() else { return };
            let middle = oldest + now.duration_since(oldest) / 2;
            self.seen.retain(|_, times| newest(times) > middle);
        }
    }
}

/// Subjects that an entry is about.
fn subjects(entry: &Entry) -> impl Iterator<Item = SubjectId> + '_ {
    entry.candidates.iter().map(|shown| shown.subject_id).chain(entry.subjects.iter().copied())
}

#[cfg(test)]
mod tests;
