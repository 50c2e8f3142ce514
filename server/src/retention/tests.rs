#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
use jiff::civil::Date;

use super::*;
use crate::pool::PoolKind;

mod applications;
mod changes;
mod counted;
mod counting;
mod facts;
mod lists;
mod model;
mod mutation;
mod rule_file;
mod simulated;
mod table;

/// A day, such as `2026-01-31`.
fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn shipped() -> RuleSet {
    RuleSet::shipped().unwrap()
}

/// A record in a pool of this kind, of an adult, collected on `collected`.
fn record(kind: PoolKind, collected: &str) -> Facts {
    let category = match kind {
        PoolKind::Custody | PoolKind::Person => SubjectCategory::Suspect,
        PoolKind::MissingPerson => SubjectCategory::Missing,
        PoolKind::UnidentifiedPerson | PoolKind::UnidentifiedRemains => SubjectCategory::Unidentified,
    };
    let mut facts = Facts::new(category, day(collected));
    facts.date_of_birth = Some(day("1980-06-15"));
    facts
}

fn offence(group: u8) -> Offence {
    Offence { code: format!("offence-{group}"), group: group.try_into().unwrap(), recordable: true }
}

/// An event for one recordable offence in `group`; `outcome_on` empty while it is pending.
fn event(on: &str, outcome: CustodyOutcome, outcome_on: &str, group: u8) -> CustodyEvent {
    CustodyEvent {
        reference: format!("custody-{on}"),
        force: "Test Force".to_owned(),
        occurred_on: day(on),
        offences: vec![offence(group)],
        outcome,
        outcome_on: (!outcome_on.is_empty()).then(|| day(outcome_on)),
        serious: false,
        prison: false,
    }
}

fn custody(events: &[CustodyEvent]) -> Facts {
    let mut facts = record(PoolKind::Custody, "2000-01-01");
    if let Some(first) = events.iter().map(|event| event.occurred_on).min() {
        facts.first_collected_on = first;
    }
    facts.events = events.to_vec();
    facts
}

fn answers() -> NracAnswers {
    NracAnswers { necessity: "needed for the protection of the public".to_owned(), ..NracAnswers::default() }
}

fn retain(on: &str, next: &str) -> Review {
    Review::new(day(on), "reviewer-1", answers(), Decision::Retain, Some(day(next))).unwrap()
}

fn dispose(on: &str) -> Review {
    Review::new(day(on), "reviewer-1", answers(), Decision::Dispose, None).unwrap()
}

fn hold(id: &str, placed: &str, expires: &str) -> LegalHold {
    LegalHold {
        id: id.to_owned(),
        authority: "Crown Court".to_owned(),
        scope: "all images".to_owned(),
        reason: "needed at the trial".to_owned(),
        placed_on: day(placed),
        placed_by: "officer-1".to_owned(),
        expires_on: day(expires),
        lifted: None,
    }
}

fn closure(reason: ClosureReason, on: &str) -> Closure {
    Closure { reason, on: day(on), by: "unit-1".to_owned() }
}
