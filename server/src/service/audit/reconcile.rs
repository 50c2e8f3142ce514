//! Does the calling system's own ledger say the same as the log (R6)?
use std::collections::{BTreeMap, BTreeSet};

use super::{
    report::Period,
    scope::{Scope, Sight},
};
use crate::{
    audit::{Entry, Phase},
    authorise::Action,
    service::{Answer, Asked, Refusal, Rendered, Service, Unanswered, case::Case, fields::Fields},
};

/// Longest ledger in one request.
const MOST_LINES: usize = 100_000;
/// Most differences listed on each side; all are counted.
const MOST_LISTED: usize = 1000;

/// One interaction: the caller's reference, and the event when it is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LedgerLine {
    /// The reference the caller sent.
    pub reference: String,
    /// The event id of the receipt; empty when there was none.
    pub event: String,
}

/// A ledger to compare with; nothing in it is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReconcileRequest {
    /// The system.
    pub system: String,
    /// RFC 3339.
    pub from: String,
    /// RFC 3339.
    pub until: String,
    /// Its ledger.
    pub ledger: Vec<LedgerLine>,
}

/// What the comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// Interactions that both have.
    pub matched: u64,
    /// Those that only the log has; the first of them.
    pub only_here: Vec<LedgerLine>,
    /// Those that only the ledger has; the first of them.
    pub only_there: Vec<LedgerLine>,
    /// How many only the log has.
    pub only_here_count: u64,
    /// How many only the ledger has.
    pub only_there_count: u64,
}

impl Service {
    /// Compares a ledger with the log for an auditor.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn reconcile<M>(
        &self,
        asked: Asked,
        request: &ReconcileRequest,
        render: impl FnOnce(&Reconciliation) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, scope, _) = self.audit_case(Action::ReadAudit, asked)?;
        case.note("scope", scope.told());
        case.note("ledger_of", crate::text::recordable(&request.system, 64).unwrap_or_default());
        match self.reconciled(&case, request, &scope) {
            Ok(found) => {
                let mut entry = case.entry(Phase::Single, None, None);
                entry.counts.insert("ledger_lines".to_owned(), request.ledger.len() as u64);
                entry.counts.insert("matched".to_owned(), found.matched);
                entry.counts.insert("only_here".to_owned(), found.only_here_count);
                entry.counts.insert("only_there".to_owned(), found.only_there_count);
                let rendered = render(&found);
                case.answer(entry, None, rendered)
            }
            Err(refusal) => Err(case.refuse(None, refusal)),
        }
    }

    fn reconciled(
        &self,
        case: &Case<'_>,
        request: &ReconcileRequest,
        scope: &Scope<'_>,
    ) -> Result<Reconciliation, Refusal> {
        let mut fields = Fields::default();
        fields.text("system_name", &request.system, 1, 64);
        let period = Period::read(&request.from, &request.until, &mut fields);
        for (name, missing) in [("from", period.from.is_none()), ("until", period.until.is_none())] {
            if missing {
                fields.missing(name);
            }
        }
        if request.ledger.len() > MOST_LINES {
            fields.wrong(format!("`ledger` has more than {MOST_LINES} lines; send a shorter period"));
        }
        fields.finish()?;
        let mut here = Vec::new();
        self.scan_scoped(case, period, scope, |entry, sight| {
            // One's own interactions count: this tells nothing but that they took place.
            if sight != Sight::Beyond && entry.system_name.as_deref() == Some(&request.system) {
                here.extend(interaction(entry));
            }
        })?;
        Ok(compare(here, &request.ledger))
    }
}

/// The interaction an entry stands for. An intent is none yet, and of a search in several pools only the event of the whole is what the
/// caller has a receipt for.
fn interaction(entry: &Entry) -> Option<LedgerLine> {
    let part = entry.phase == Phase::Single && entry.related.is_some() && entry.rpc.ends_with("/Search");
    let whole = entry.phase != Phase::Intent && !part;
    whole.then(|| LedgerLine {
        reference: entry.reference_id.clone().unwrap_or_default(),
        event: entry.event_id.to_string(),
    })
}

/// First by event; then what is left by reference, one line for one interaction: a caller that got no answer has no event id.
fn compare(here: Vec<LedgerLine>, there: &[LedgerLine]) -> Reconciliation {
    let mut found = Reconciliation::default();
    let mut events: BTreeMap<String, LedgerLine> =
        here.into_iter().map(|line| (line.event.clone(), line)).collect();
    let mut left = Vec::new();
    let mut counted = BTreeSet::new();
    for line in there {
        let same = events.get(&line.event).is_some_and(|entry| entry.reference == line.reference);
        if same {
            events.remove(&line.event);
            counted.insert(&line.event);
            found.matched += 1;
        } else if !line.event.is_empty() && counted.contains(&line.event) {
            // The same line twice: the second is in the ledger only.
            left.push(LedgerLine { event: line.event.clone(), reference: line.reference.clone() });
        } else {
            left.push(line.clone());
        }
    }
    let mut by_reference: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (event, line) in &events {
        by_reference.entry(line.reference.clone()).or_default().push(event.clone());
    }
    for line in left {
        let unanswered =
            line.event.is_empty().then(|| by_reference.get_mut(&line.reference)?.pop()).flatten();
        match unanswered {
            Some(event) => {
                events.remove(&event);
                found.matched += 1;
            }
            None => {
                found.only_there_count += 1;
                if found.only_there.len() < MOST_LISTED {
                    found.only_there.push(line);
                }
            }
        }
    }
    found.only_here_count = events.len() as u64;
    found.only_here = events.into_values().take(MOST_LISTED).collect();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(reference: &str, event: &str) -> LedgerLine {
        LedgerLine { reference: reference.to_owned(), event: event.to_owned() }
    }

    #[test]
    fn a_record_dropped_on_either_side_is_found() {
        let both: Vec<LedgerLine> = (0..20).map(|n| line(&format!("r{n}"), &format!("e{n}"))).collect();
        let all = compare(both.clone(), &both);
        assert_eq!((all.matched, all.only_here_count, all.only_there_count), (20, 0, 0));
        let mut here = both.clone();
        let lost_here = here.remove(3);
        let mut there = both.clone();
        let lost_there = there.remove(11);
        let found = compare(here, &there);
        assert_eq!(found.matched, 18);
        assert_eq!((found.only_there, found.only_here), (vec![lost_here], vec![lost_there]));
    }

    #[test]
    fn a_caller_without_an_answer_matches_by_reference_once() {
        let here = vec![line("r1", "e1"), line("r1", "e2"), line("r2", "e3")];
        let there = vec![line("r1", ""), line("r1", "e2"), line("r1", ""), line("r2", "e9")];
        let found = compare(here, &there);
        assert_eq!(found.matched, 2);
        assert_eq!(found.only_there, vec![line("r1", ""), line("r2", "e9")]);
        assert_eq!(found.only_here, vec![line("r2", "e3")]);
    }

    #[test]
    fn the_same_event_under_another_reference_or_twice_is_a_difference() {
        let found = compare(vec![line("r1", "e1")], &[line("r9", "e1")]);
        assert_eq!((found.matched, found.only_here_count, found.only_there_count), (0, 1, 1));
        let found = compare(vec![line("r1", "e1")], &[line("r1", "e1"), line("r1", "e1")]);
        assert_eq!((found.matched, found.only_here_count, found.only_there_count), (1, 0, 1));
    }
}
