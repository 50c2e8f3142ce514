//! Protected views (R21): putting a subject under one, lifting it, and listing those there are.
//!
//! Only holders of the right to see protected records come this far; to everybody else they do not exist.
use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;

use super::{
    Answer, Asked, Refusal, Rendered, Service, SubjectChoice, Unanswered,
    case::{Case, named, touched},
    fields::Fields,
    subject::no_such_subject,
};
use crate::{
    audit::{Change, Content, Entry, Operation, Outcome, Phase, Submission},
    authorise::{Action, Permit},
    pool::{OpenedSubject, Pool, ProtectedView, Protection},
};

/// The name under which the service records that it lifted a mark whose last day was over.
const ENDED: &str = "likeness/protection";
const WHY: &str = "a mark is lifted because its last day is over; no person asks";
/// Longest time to the next review, in days.
const MOST_REVIEW_DAYS: i64 = 5 * 366;
/// Longest name of an owner, in characters.
const LONGEST_OWNER: usize = 128;

/// A mark as it was sent; nothing in it is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MarkFields {
    /// What others are told; none when the request left it out.
    pub view: Option<ProtectedView>,
    /// The unit that answers for the record.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// When somebody must look at it again, YYYY-MM-DD.
    pub review_due: String,
    /// Its last day, YYYY-MM-DD, or empty.
    pub ends_on: String,
}

/// What is to become of a subject's mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProtectStep {
    /// It gets this one.
    Put(MarkFields),
    /// It is lifted.
    Lift,
}

/// A subject and its mark.
#[derive(Debug, Clone)]
pub struct ProtectedSubject {
    /// The subject.
    pub subject: OpenedSubject,
    /// Its mark; none once it is lifted.
    pub protection: Option<Arc<Protection>>,
    /// Whether the day of its review is over.
    pub review_overdue: bool,
}

impl MarkFields {
    fn check(&self, today: Date) -> Result<Protection, Refusal> {
        let mut fields = Fields::default();
        if self.view.is_none() {
            fields.missing("view");
        }
        fields.text("owner", &self.owner, 1, LONGEST_OWNER);
        fields.text("reason", &self.reason, 8, 1000);
        if self.review_due.is_empty() {
            fields.missing("review_due");
        }
        let review_due = ahead("review_due", &self.review_due, today, &mut fields);
        let ends_on = ahead("ends_on", &self.ends_on, today, &mut fields);
        if review_due.is_some_and(|due| (due - today).get_days() > MOST_REVIEW_DAYS as i32) {
            fields.wrong("`review_due` lies more than five years ahead");
        }
        fields.finish()?;
        let (Some(view), Some(review_due)) = (self.view, review_due) else {
            return Err(Refusal::invalid("missing_field", "missing: `view` or `review_due`"));
        };
        Ok(Protection { view, owner: self.owner.clone(), reason: self.reason.clone(), review_due, ends_on })
    }
}

/// A day that may be empty and is not over.
fn ahead(name: &str, value: &str, today: Date, fields: &mut Fields) -> Option<Date> {
    if value.is_empty() {
        return None;
    }
    match (value.len() == 10).then(|| Date::strptime("%Y-%m-%d", value).ok()).flatten() {
        None => fields.wrong(format!("`{name}` is not a date such as 2026-01-31")),
        Some(date) if date < today => fields.wrong(format!("`{name}` is over already")),
        Some(date) => return Some(date),
    }
    None
}

/// A field of a mark that is told in the log.
type Told = fn(&Protection) -> Option<String>;

/// What changes, field by field. The reason is free text that can name people: it stays in the sealed request and the mark.
fn changes(before: Option<&Protection>, after: Option<&Protection>) -> BTreeMap<String, Change> {
    let fields: [(&str, Told); 4] = [
        ("protected_view", |mark| Some(mark.view.code().to_owned())),
        ("owner", |mark| Some(mark.owner.clone())),
        ("review_due", |mark| Some(mark.review_due.to_string())),
        ("ends_on", |mark| mark.ends_on.map(|date| date.to_string())),
    ];
    let mut changes = BTreeMap::new();
    for (name, read) in fields {
        let change = Change { before: before.and_then(read), after: after.and_then(read) };
        if change.before != change.after {
            changes.insert(name.to_owned(), change);
        }
    }
    changes
}

impl Service {
    /// Puts a subject under a protected view, changes its mark, or lifts it.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn protect<M>(
        &self,
        asked: Asked,
        pool: &str,
        choice: &SubjectChoice,
        step: &ProtectStep,
        render: impl FnOnce(&ProtectedSubject) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::Protect, asked);
        let (held, permit, subject, mark) =
            match self.settle_mark(&mut case, token.as_deref(), pool, choice, step) {
                Ok(settled) => settled,
                Err(refusal) => return Err(case.refuse(named(pool), refusal)),
            };
        let about = Some(touched(&held, None));
        // The turn before the intent, so that what is recorded as the state before is what is changed.
        let writer = match held.writer(&permit) {
            Ok(writer) => writer,
            Err(error) => return Err(case.refuse(about, error.into())),
        };
        let before = writer.protection(subject.id);
        let mut entry = case.entry(Phase::Single, None, about);
        entry.subjects.push(subject.id);
        entry.changes = changes(before.as_deref(), mark.as_ref());
        let answer = |protection: Option<Arc<Protection>>| ProtectedSubject {
            subject: subject.clone(),
            review_overdue: false,
            protection,
        };
        let reason = |mark: Option<&Protection>| mark.map(|mark| mark.reason.clone());
        if entry.changes.is_empty() && reason(before.as_deref()) == reason(mark.as_ref()) {
            let rendered = render(&answer(before));
            return case.answer(entry, None, rendered);
        }
        entry.phase = Phase::Intent;
        let intent = entry;
        self.record_one(Submission::from(intent.clone()))?;
        if let Err(error) = writer.protect(&permit, subject.id, mark.as_ref()) {
            return Err(case.fail(&intent, error.into()));
        }
        drop(writer);
        let rendered = render(&answer(mark.map(Arc::new)));
        let content = Content { probe: None, request: case.take_request(), response: Some(rendered.bytes) };
        let entry = intent.to_outcome(self.clock.now(), Outcome::Answered);
        let receipt = self.record_one(Submission { entry, content })?;
        Ok(Answer::new(rendered.message, receipt))
    }

    fn settle_mark(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        pool: &str,
        choice: &SubjectChoice,
        step: &ProtectStep,
    ) -> Result<(Arc<Pool>, Permit, OpenedSubject, Option<Protection>), Refusal> {
        let (caller, _, context) = case.introduce_person(token)?;
        let mut fields = Fields::default();
        fields.text("pool", pool, 1, 64);
        let id = choice.check(&mut fields);
        fields.finish()?;
        let mark = match step {
            ProtectStep::Put(mark) => Some(mark.check(self.today())?),
            ProtectStep::Lift => None,
        };
        let (held, permit) = case.admit(&caller, pool, &context)?;
        let found = choice.find(&held.reader(&permit)?, &context, id)?;
        let subject = case.sighted(found, no_such_subject())?;
        case.in_time()?;
        Ok((held, permit, subject, mark))
    }

    /// Lists the subjects of a pool that are under a protected view, those whose review is due first at the top.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn protected<M>(
        &self,
        asked: Asked,
        pool: &str,
        render: impl FnOnce(&[ProtectedSubject]) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::Protect, asked);
        match self.list_protected(&mut case, token.as_deref(), pool) {
            Ok((list, mut entry)) => {
                entry.subjects.extend(list.iter().map(|at| at.subject.id));
                let rendered = render(&list);
                case.answer(entry, None, rendered)
            }
            Err(refusal) => Err(case.refuse(named(pool), refusal)),
        }
    }

    fn list_protected(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        pool: &str,
    ) -> Result<(Vec<ProtectedSubject>, Entry), Refusal> {
        let (caller, _, context) = case.introduce_person(token)?;
        let mut fields = Fields::default();
        fields.text("pool", pool, 1, 64);
        fields.finish()?;
        let (held, permit) = case.admit(&caller, pool, &context)?;
        let reader = held.reader(&permit)?;
        let today = self.today();
        let mut list = Vec::new();
        for (id, mark) in reader.protections() {
            case.in_time()?;
            // Gone since the marks were read.
            let Some(subject) = reader.subject(id)?.seen() else { continue };
            let review_overdue = mark.review_due < today;
            list.push(ProtectedSubject { subject, protection: Some(mark), review_overdue });
        }
        list.sort_by_key(|at| (at.protection.as_ref().map(|mark| mark.review_due), at.subject.id));
        Ok((list, case.entry(Phase::Single, None, Some(touched(&held, None)))))
    }

    /// Lifts every mark whose last day is over, and records each. Returns how many there were.
    ///
    /// # Errors
    /// [`Unanswered`] when the log, the records or the keys fail; the others are tried again with the next call.
    pub fn lift_ended_protections(&self) -> Result<usize, Unanswered> {
        let today = self.today();
        let mut lifted = 0;
        for pool in self.pools() {
            let permit = Permit::for_upkeep(&pool.definition().name, Action::Protect, WHY);
            // A pool that is out of step says so to everybody who asks.
            let Ok(writer) = pool.writer(&permit) else { continue };
            for (subject, mark) in writer.protections() {
                if mark.ends_on.is_none_or(|last| today <= last) {
                    continue;
                }
                let mut intent = Entry::new(self.clock.now(), ENDED, Operation::Alteration, Phase::Intent);
                intent.pool = Some(touched(&pool, None));
                intent.subjects.push(subject);
                intent.changes = changes(Some(&mark), None);
                self.record_one(Submission::from(intent.clone()))?;
                let done = writer.protect(&permit, subject, None);
                let outcome = if done.is_ok() { Outcome::Answered } else { Outcome::Failed };
                let mut entry = intent.to_outcome(self.clock.now(), outcome);
                if let Err(error) = done {
                    entry.refusal = Some(Refusal::from(error).audit_code().to_owned());
                }
                self.record_one(Submission::from(entry))?;
                lifted += 1;
            }
        }
        Ok(lifted)
    }
}
