//! Recording that an event was referred to a line manager or to professional standards (R13).
use super::{
    no_such_event,
    scope::{Scope, Sight},
    unreadable,
};
use crate::{
    audit::{Phase, Recipient},
    authorise::Action,
    ids::EventId,
    service::{Answer, Asked, Refusal, Rendered, Service, Unanswered, fields::Fields},
};

/// To whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferralBody {
    /// The person's line manager.
    LineManager,
    /// The professional standards department.
    ProfessionalStandards,
}

impl ReferralBody {
    fn code(self) -> &'static str {
        match self {
            ReferralBody::LineManager => "line_manager",
            ReferralBody::ProfessionalStandards => "professional_standards",
        }
    }
}

/// A referral as it was sent; nothing in it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferralRequest {
    /// The event.
    pub event: String,
    /// To whom; none when the request left it out.
    pub body: Option<ReferralBody>,
    /// In which organisation.
    pub organisation: String,
}

impl Service {
    /// Records a referral by an auditor.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn refer<M>(
        &self,
        asked: Asked,
        request: &ReferralRequest,
        render: impl FnOnce() -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, scope, _) = self.audit_case(Action::ReadAudit, asked)?;
        match self.referred(request, &scope) {
            Ok((event, body)) => {
                case.note("body", body.code());
                let mut entry = case.entry(Phase::Single, None, None);
                entry.related = Some(event);
                entry.recipient = Some(Recipient {
                    name: body.code().to_owned(),
                    organisation: request.organisation.clone(),
                });
                case.answer(entry, None, render())
            }
            Err(refusal) => Err(case.refuse(None, refusal)),
        }
    }

    fn referred(
        &self,
        request: &ReferralRequest,
        scope: &Scope<'_>,
    ) -> Result<(EventId, ReferralBody), Refusal> {
        let mut fields = Fields::default();
        fields.text("organisation", &request.organisation, 1, 128);
        let event = request.event.parse::<EventId>();
        match &event {
            _ if request.event.is_empty() => fields.missing("event_id"),
            Ok(_) => {}
            Err(error) => fields.wrong(format!("`event_id` is {error}")),
        }
        if request.body.is_none() {
            fields.missing("body");
        }
        fields.finish()?;
        let (Ok(event), Some(body)) = (event, request.body) else { return Err(no_such_event()) };
        let stored = self.audit.entry(event).map_err(unreadable)?.ok_or_else(no_such_event)?;
        if scope.sight(&stored.entry) == Sight::Shown { Ok((event, body)) } else { Err(no_such_event()) }
    }
}
