//! What was asked and what was shown, byte for byte, while it is retained.
use super::{
    no_such_event,
    scope::{Scope, Sight},
    unreadable,
};
use crate::{
    audit::{Content, Phase, Receipt, StoredEntry},
    authorise::Action,
    ids::EventId,
    service::{Answer, Asked, Refusal, RefusalKind, Rendered, Service, Unanswered},
};

/// An event with its content.
#[derive(Debug, Clone)]
pub struct ReplayAnswer {
    /// The entry.
    pub stored: StoredEntry,
    /// The receipt that was issued for it: appended to `content.response` it makes the bytes that were sent.
    pub receipt: Receipt,
    /// What was asked and answered.
    pub content: Content,
}

impl Service {
    /// Brings back an event's content for an auditor.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails; `content_not_retained` when its time is over.
    pub fn replay<M>(
        &self,
        asked: Asked,
        event: &str,
        render: impl FnOnce(&ReplayAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, scope, _) = self.audit_case(Action::ReadAudit, asked)?;
        case.note("scope", scope.told());
        match self.replayed(event, &scope) {
            Ok(answer) => {
                let mut entry = case.entry(Phase::Single, None, answer.stored.entry.pool.clone());
                let shown = answer.stored.entry.candidates.iter().map(|candidate| candidate.subject_id);
                entry.subjects.extend(answer.stored.entry.subjects.iter().copied().chain(shown));
                entry.related = Some(answer.stored.entry.event_id);
                let rendered = render(&answer);
                case.answer(entry, None, rendered)
            }
            Err(refusal) => Err(case.refuse(None, refusal)),
        }
    }

    fn replayed(&self, event: &str, scope: &Scope<'_>) -> Result<ReplayAnswer, Refusal> {
        let event: EventId = event
            .parse()
            .map_err(|error| Refusal::invalid("invalid_field", format!("`event_id` is {error}")))?;
        let stored = self.audit.entry(event).map_err(unreadable)?.ok_or_else(no_such_event)?;
        if scope.sight(&stored.entry) != Sight::Shown {
            return Err(no_such_event());
        }
        if stored.entry.content.is_none() {
            return Err(Refusal::new(
                RefusalKind::NotFound,
                "no_content",
                "this event has no content: it was refused before anything was shown, or it is part of a request whose \
                 own event, named in `related`, has the content",
            ));
        }
        let receipt = self.audit.receipt(event).map_err(unreadable)?.ok_or_else(no_such_event)?;
        let content = self.audit.content(event).map_err(unreadable)?.ok_or_else(|| {
            Refusal::new(
                RefusalKind::NotFound,
                "content_not_retained",
                "the content of this event is past its retention and was forgotten; its entry stays",
            )
        })?;
        Ok(ReplayAnswer { stored, receipt, content })
    }
}
