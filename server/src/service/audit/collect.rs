//! Everything held and recorded about one subject, for their right of access (R69).
use serde_json::{Value, json};

use super::report::Period;
use crate::{
    audit::{Entry, Outcome, Phase, Recipient},
    authorise::Action,
    ids::SubjectId,
    pool::{Applied, OpenedImage, Pool},
    service::{
        Answer, Asked, Refusal, Rendered, Service, Unanswered,
        case::{Case, named, touched},
        fields::Fields,
        subject::no_such_subject,
    },
};

/// A collection as it was sent; nothing in it is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CollectRequest {
    /// The pool.
    pub pool: String,
    /// The subject.
    pub subject: String,
    /// To whom it is given.
    pub recipient: String,
}

impl Service {
    /// Collects what is held about a subject and what the log says about them. Other persons are left out of it: candidates beside
    /// the subject, and who acted; the organisation is named.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn collect_subject<M>(
        &self,
        asked: Asked,
        request: &CollectRequest,
        render: impl FnOnce(&str) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::CollectSubject, asked);
        match self.collected(&mut case, token.as_deref(), request) {
            Ok((document, mut entry)) => {
                entry.recipient = Some(Recipient {
                    name: request.recipient.clone(),
                    organisation: "data subject".to_owned(),
                });
                let rendered = render(&document.to_string());
                case.answer(entry, None, rendered)
            }
            Err(refusal) => Err(case.refuse(named(&request.pool), refusal)),
        }
    }

    fn collected(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        request: &CollectRequest,
    ) -> Result<(Value, Entry), Refusal> {
        let (caller, _, context) = case.introduce_person(token)?;
        let mut fields = Fields::default();
        fields.text("pool", &request.pool, 1, 64);
        fields.text("recipient", &request.recipient, 1, 128);
        let id = request.subject.parse::<SubjectId>();
        match &id {
            _ if request.subject.is_empty() => fields.missing("subject_id"),
            Ok(_) => {}
            Err(error) => fields.wrong(format!("`subject_id` is {error}")),
        }
        fields.finish()?;
        let id = id.map_err(|error| Refusal::invalid("invalid_field", format!("`subject_id` is {error}")))?;
        let (pool, permit) = case.admit(&caller, &request.pool, &context)?;
        let reader = case.reader(&caller, &context, &pool, &permit)?;
        let subject = case.sighted(reader.subject(id)?, no_such_subject())?;
        let images = reader.images_of(id)?;
        let applications = pool.applications_of(&permit, id)?;
        let mut recorded = Vec::new();
        // The whole log, whoever wrote it: the right is the subject's, and nobody's name is in what is kept of an entry.
        self.scan(case, Period::default(), |entry| recorded.extend(about(entry, id)))?;
        let details = &subject.record.details;
        let document = json!({
            "subject_id": id.to_string(),
            "pool": pool.definition().name.to_string(),
            "pool_kind": pool.definition().kind.code(),
            "why_the_pool_exists": pool.definition().rationale,
            "source_system": subject.record.source_system,
            "subject_reference": subject.record.subject_reference,
            "details": {
                "display_name": details.display_name,
                "date_of_birth": details.date_of_birth.map(|date| date.to_string()),
                "attributes": details.attributes,
            },
            "images": images.iter().map(image).collect::<Vec<_>>(),
            "applications_for_deletion": applications.iter().map(application).collect::<Vec<_>>(),
            "recorded": recorded,
            "retention": retention(self, &pool),
        });
        let mut entry = case.entry(Phase::Single, None, Some(touched(&pool, None)));
        entry.subjects.push(id);
        entry.images.extend(images.iter().map(|image| image.id));
        entry.counts.insert("recorded".to_owned(), recorded_count(&document));
        Ok((document, entry))
    }
}

fn recorded_count(document: &Value) -> u64 {
    document["recorded"].as_array().map_or(0, |recorded| recorded.len() as u64)
}

fn image(image: &OpenedImage) -> Value {
    let record = &image.record;
    json!({
        "image_id": image.id.to_string(),
        "source_system": record.source_system,
        "source_reference": record.source_reference,
        "searchable": image.enrolled,
        "capture_date": record.capture_date.map(|date| date.to_string()),
        "capture_circumstance": record.capture_circumstance,
    })
}

/// What the person asked for, and what became of it; who decided is left out.
fn application(applied: &Applied) -> Value {
    let application = &applied.application;
    let appeal = application.appeal.as_ref();
    json!({
        "application_id": applied.id.to_string(),
        "force": application.force,
        "received_on": application.received_on.to_string(),
        "grounds": application.grounds,
        "state": application.state().code(),
        "decide_by": application.decide_by().map(|date| date.to_string()),
        "appeal_by": application.appeal_by.map(|date| date.to_string()),
        "reason": application.decision.as_ref().map(|decision| &decision.reason),
        "appeal_received_on": appeal.map(|appeal| appeal.received_on.to_string()),
        "appeal_grounds": appeal.map(|appeal| &appeal.grounds),
        "appeal_reason": appeal.and_then(|appeal| appeal.decision.as_ref()).map(|decision| &decision.reason),
    })
}

/// What one entry says about the subject, without anybody else.
fn about(entry: &Entry, subject: SubjectId) -> Option<Value> {
    // Why and by whom somebody is protected, or watched, is not for a document that may be read over their shoulder (DPA 2018 s.45(4)).
    if entry.rpc.starts_with("likeness.v1.ProtectionService/") || entry.rpc == "likeness/protection" {
        return None;
    }
    if entry.phase == Phase::Intent || entry.outcome != Some(Outcome::Answered) {
        return None;
    }
    let shown: Vec<Value> = entry
        .candidates
        .iter()
        .filter(|shown| shown.subject_id == subject)
        .map(|shown| json!({ "image_id": shown.image_id.to_string(), "rank": shown.rank, "similarity": shown.similarity }))
        .collect();
    if shown.is_empty() && !entry.subjects.contains(&subject) {
        return None;
    }
    Some(json!({
        "event_id": entry.event_id.to_string(),
        "occurred_at": format!("{:.3}", entry.occurred_at),
        "operation": entry.operation.code(),
        "call": entry.rpc,
        "organisation": entry.actor.as_ref().and_then(|actor| actor.organisation.clone()),
        "purpose_code": entry.purpose_code,
        "shown_as_candidate": shown,
        "recipient": entry.recipient.as_ref().map(|recipient| {
            json!({ "name": recipient.name, "organisation": recipient.organisation })
        }),
    }))
}

fn retention(service: &Service, pool: &Pool) -> Value {
    json!({
        "pool": pool.definition().name.to_string(),
        "what_searches_showed_days": service.config.audit.content_retention_days,
    })
}
