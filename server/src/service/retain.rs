//! How long people's records are kept: what is known, what the rules say, what a person decided, and what is done about it.
//!
//! The rules, the facts and what follows from both are in [`crate::retention`], which knows no store and no clock; here they meet
//! the pools, the log and the clock.
use jiff::civil::Date;

use super::{
    Asked, Refusal, RefusalKind, Service, SubjectChoice,
    case::{Case, touched},
    fields::Fields,
};
use crate::{
    audit::{Entry, Phase},
    authorise::{Action, Permit},
    identity::Caller,
    ids::SubjectId,
    pool::{Pool, Retained, Which},
    records::{Marks, State},
    retention::{Assessment, Disposition, FactError, assess},
};
use std::sync::Arc;

mod alter;
mod erase;
mod list;
mod numbers;
mod read;
mod reimport;
mod rules;
mod run;
mod simulate;
mod withdrawn;

pub use alter::{AlterRequest, Alteration};
pub use erase::{CertificateAnswer, EraseAnswer, EraseRequest};
pub use list::{ListAnswer, ListRequest, RetentionLine, RetentionList};
pub use numbers::{NumbersAnswer, NumbersRequest, NumbersShown};
pub use read::RetentionAnswer;
pub use reimport::{DecideRequest, ReimportAnswer};
pub(super) use rules::ActiveRules;
pub use rules::{RulesAnswer, RulesError};
pub(super) use run::Why;
pub use run::{RunAnswer, RunRequest};
pub use simulate::{Affected, SimulateAnswer, SimulateRequest};
pub use withdrawn::{Tombstone, WithdrawnAnswer, WithdrawnRequest};

/// A subject found for a retention call, with everything that was decided on the way.
pub(super) struct Found {
    pub(super) caller: Caller,
    pub(super) pool: Arc<Pool>,
    pub(super) permit: Permit,
    pub(super) retained: Retained,
}

impl Found {
    /// Who decides, as it is recorded in reviews and certificates: organisation and person, never a name.
    pub(super) fn authority(&self) -> String {
        authority(&self.caller)
    }
}

/// Organisation and person, or the system where it acts by itself.
pub(super) fn authority(caller: &Caller) -> String {
    match &caller.person {
        Some(person) => format!("{}/{}", person.organisation, person.subject),
        None => format!("system {}", caller.system.name),
    }
}

impl Service {
    /// Who asks, may they, and which subject is meant: in any state but that of being erased.
    pub(super) fn find_kept(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        pool: &str,
        choice: &SubjectChoice,
    ) -> Result<Found, Refusal> {
        let (caller, context) = case.introduce(token)?;
        let mut fields = Fields::default();
        fields.text("pool", pool, 1, 64);
        let mut id = None;
        match choice {
            SubjectChoice::Absent => fields.missing("subject_id or subject_reference"),
            SubjectChoice::Reference(reference) => fields.text("subject_reference", reference, 1, 256),
            SubjectChoice::Id(text) => match text.parse::<SubjectId>() {
                Ok(parsed) => id = Some(parsed),
                Err(error) => fields.wrong(format!("`subject_id` is {error}")),
            },
        }
        fields.finish()?;
        let (pool, permit) = case.admit(&caller, pool, &context)?;
        let which = match (id, choice) {
            (Some(id), _) => Which::Id(id),
            (None, SubjectChoice::Reference(reference)) => Which::Reference(&context.system_name, reference),
            (None, _) => return Err(no_such_subject()),
        };
        let retained = pool.retained(&permit, which)?.filter(|found| found.kept.state != State::Erasing);
        let retained = retained.ok_or_else(no_such_subject)?;
        Ok(Found { caller, pool, permit, retained })
    }

    pub(super) fn today(&self) -> Date {
        self.config.retention.calendar.day(self.clock.now())
    }

    /// What the rules in force say of a subject.
    pub(super) fn assessed(&self, pool: &Pool, retained: &Retained) -> (Assessment, Marks) {
        let rules = self.rules.now();
        let assessment = assess(&rules.set, pool.definition().kind, &retained.facts, self.today());
        let marks = marks(&rules.digest, &assessment);
        (assessment, marks)
    }
}

/// The dates of an assessment, for finding what is due without opening anything.
pub(super) fn marks(rules: &str, assessment: &Assessment) -> Marks {
    Marks {
        rules: rules.to_owned(),
        look_on: assessment.changes_on,
        due_on: match assessment.disposition {
            Disposition::Due { since } => Some(since),
            Disposition::Retain | Disposition::Held { .. } => None,
        },
        review_on: assessment.next_review_on,
        chase_on: assessment.chase_on,
    }
}

/// What an assessment comes to, in a word and a rule: what the log keeps of it.
pub(super) fn verdict(assessment: &Assessment) -> String {
    let word = match assessment.disposition {
        Disposition::Retain => "retained",
        Disposition::Due { .. } => "due",
        Disposition::Held { .. } => "held",
    };
    format!("{word} by {}", assessment.rule)
}

pub(super) fn no_such_subject() -> Refusal {
    Refusal::new(RefusalKind::NotFound, "no_such_subject", "there is no such subject in this pool")
}

pub(super) fn fact(error: &FactError) -> Refusal {
    Refusal::invalid("retention_fact", error.to_string())
}

pub(super) fn begin(service: &Service, action: Action, asked: Asked) -> (Case<'_>, Option<String>) {
    let token = asked.token.clone();
    (Case::begin(service, action, asked), token)
}

/// An entry about one subject.
pub(super) fn entry_about(case: &Case<'_>, phase: Phase, found: &Found) -> Entry {
    let mut entry = case.entry(phase, None, Some(touched(&found.pool, None)));
    entry.subjects.push(found.retained.kept.id);
    entry
}
