//! Committing a group: intents, then keys, files, records and index, then outcomes, then the answers.
use std::time::Instant;

use super::{EnrolOutcome, EnrolResult, Enrolment, Prepared, plan::PlannedItem};
use crate::{
    audit::{Content, Entry, Outcome, Phase, Submission},
    service::{
        Answer, Refusal, RefusalKind, Rendered, Unanswered,
        case::{Case, MOST_REFUSED_BYTES, touched},
    },
};

impl Enrolment {
    /// Stores a group of prepared items and gives one answer per item, in order.
    ///
    /// # Errors
    /// [`Unanswered`] when an item failed without being at fault, or a durable step failed: then no item of the group is
    /// acknowledged. Items that were stored nevertheless (only their outcome could not be recorded) are found again under
    /// their references.
    pub fn commit<M>(
        &self,
        group: Vec<Prepared>,
        deadline: Instant,
        render: impl Fn(&EnrolResult) -> Rendered<M>,
    ) -> Result<Vec<Answer<M>>, Unanswered> {
        let pool = || Some(touched(&self.pool, None));
        let mut case = match self.case(deadline) {
            Ok(case) => case,
            Err(refused) => {
                let (case, refusal) = *refused;
                return Err(case.refuse(pool(), refusal));
            }
        };
        let writer = match self.pool.writer(&self.permit) {
            Ok(writer) => writer,
            Err(error) => return Err(case.refuse(pool(), error.into())),
        };
        case.note("group", group.len().to_string());
        let plan = match self.plan(&writer, group).and_then(|plan| case.in_time().map(|()| plan)) {
            Ok(plan) => plan,
            Err(refusal) => return Err(case.refuse(pool(), refusal)),
        };

        let entries: Vec<Entry> = plan.items.iter().map(|item| self.item_entry(&case, item)).collect();
        let intents: Vec<Submission> = entries
            .iter()
            .filter(|entry| entry.phase == Phase::Intent)
            .cloned()
            .map(Submission::from)
            .collect();
        if !intents.is_empty() {
            self.service.record(intents)?;
        }
        if let Err(error) = writer.store(&plan.persons, &plan.images, self.service.clock.now()) {
            return Err(self.fail(&entries, error.into()));
        }
        // Others may write while this group's outcomes are being made durable.
        drop(writer);

        let mut messages = Vec::with_capacity(plan.items.len());
        let mut submissions = Vec::with_capacity(plan.items.len());
        for (item, entry) in plan.items.into_iter().zip(entries) {
            let rendered = render(&item.result);
            let content = Content {
                probe: None,
                request: Some(item.request).filter(|bytes| {
                    let refused = item.result.outcome == EnrolOutcome::Refused;
                    !(bytes.is_empty() || refused && bytes.len() > MOST_REFUSED_BYTES)
                }),
                response: Some(rendered.bytes),
            };
            let entry = match entry.phase {
                Phase::Intent => entry.to_outcome(self.service.clock.now(), Outcome::Answered),
                Phase::Outcome | Phase::Single => entry,
            };
            messages.push(rendered.message);
            submissions.push(Submission { entry, content });
        }
        let receipts = self.service.record(submissions)?;
        Ok(messages
            .into_iter()
            .zip(receipts)
            .map(|(message, receipt)| Answer::new(message, receipt))
            .collect())
    }

    /// The entry of one item: an intent when it will be written, or all there is to say.
    fn item_entry(&self, case: &Case<'_>, item: &PlannedItem) -> Entry {
        let (phase, outcome) = match (item.writes, item.result.outcome) {
            (Some(_), _) => (Phase::Intent, None),
            (None, EnrolOutcome::Refused) => (Phase::Single, Some(Outcome::Rejected)),
            (None, EnrolOutcome::Enrolled | EnrolOutcome::AlreadyEnrolled | EnrolOutcome::Held) => {
                (Phase::Single, Some(Outcome::Answered))
            }
        };
        let mut entry = case.entry(phase, outcome, Some(touched(&self.pool, None)));
        if let Some((subject, image)) = item.result.stored {
            entry.subjects.push(subject);
            entry.images.push(image);
        }
        entry.refusal = item.result.refusal.as_ref().map(|refusal| refusal.audit_code().to_owned());
        entry.notes.insert("selection".to_owned(), item.selection.clone());
        let became = match item.result.outcome {
            EnrolOutcome::Enrolled => "enrolled",
            EnrolOutcome::AlreadyEnrolled => "already_enrolled",
            EnrolOutcome::Held => "held",
            EnrolOutcome::Refused => "refused",
        };
        entry.notes.insert("result".to_owned(), became.to_owned());
        if let Some((media_type, width, height)) = item.media {
            entry.notes.insert("image".to_owned(), format!("{media_type} {width}x{height}"));
        }
        if let Some(quality) = &item.result.quality
            && !quality.flags.is_empty()
        {
            let flags: Vec<&str> = quality.flags.iter().map(|flag| flag.name()).collect();
            entry.notes.insert("quality_flags".to_owned(), flags.join(" "));
        }
        entry
    }

    /// Records that a group was not stored: every item of it, for none gets an answer.
    fn fail(&self, entries: &[Entry], refusal: Refusal) -> Unanswered {
        let submissions = entries
            .iter()
            .map(|entry| {
                let mut entry = match entry.phase {
                    Phase::Intent => entry.to_outcome(self.service.clock.now(), Outcome::Failed),
                    Phase::Outcome | Phase::Single => entry.clone(),
                };
                entry.outcome = Some(Outcome::Failed);
                entry.refusal = Some(refusal.audit_code().to_owned());
                entry.notes.insert("result".to_owned(), "not_acknowledged".to_owned());
                Submission::from(entry)
            })
            .collect();
        match self.service.record(submissions).map(|mut receipts| receipts.pop()) {
            Ok(Some(receipt)) => {
                Unanswered::Refused { refusal: Box::new(refusal), receipt: Box::new(receipt) }
            }
            Ok(None) => self.refuse(Refusal::new(RefusalKind::Fault, "empty_group", "the service failed")),
            Err(unanswered) => unanswered,
        }
    }
}
