//! What the retention calls answer, as messages.
use jiff::civil::Date;
use likeness_proto::v1;
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    erasure::{Reimport, Resolution},
    records::State,
    retention::{Assessment, Disposition, MopiGroup, WouldBe},
    rpc::wire,
    service::{
        CertificateAnswer, EraseAnswer, ListAnswer, RetentionAnswer, RulesAnswer, SimulateAnswer,
        WithdrawnAnswer,
    },
};

pub(super) fn state(state: State) -> v1::RecordState {
    match state {
        State::Active => v1::RecordState::Active,
        State::BeyondUse => v1::RecordState::BeyondUse,
        State::Erasing => v1::RecordState::Erasing,
    }
}

fn moment(at: Option<jiff::Timestamp>) -> String {
    at.map(wire::time).unwrap_or_default()
}

fn day(date: Option<Date>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

/// Its name, since when it is due, and the hold.
fn disposition(of: &Disposition) -> (&'static str, Option<Date>, &str) {
    match of {
        Disposition::Retain => ("retain", None, ""),
        Disposition::Due { since } => ("due", Some(*since), ""),
        Disposition::Held { by, would_be: WouldBe::Retain } => ("held", None, by.as_str()),
        Disposition::Held { by, would_be: WouldBe::Due { since } } => ("held", Some(*since), by.as_str()),
    }
}

/// What is shown of it beside a candidate.
pub(in crate::rpc) fn standing(assessed: &Assessment) -> v1::RecordStanding {
    let (disposition, due_since, _) = disposition(&assessed.disposition);
    v1::RecordStanding {
        outcome_status: assessed.outcome_status.code().to_owned(),
        disposition: disposition.to_owned(),
        due_since: day(due_since),
        next_review_on: assessed.next_review_on.to_string(),
        review_overdue: assessed.overdue_review,
    }
}

pub(super) fn assessment(assessed: &Assessment, rules: &str) -> v1::Assessment {
    let (disposition, due_since, held_by) = disposition(&assessed.disposition);
    let test = serde_json::to_value(assessed.presumption.test_now()).ok();
    v1::Assessment {
        disposition: disposition.to_owned(),
        rule: assessed.rule.clone(),
        due_since: day(due_since),
        held_by: held_by.to_owned(),
        mopi_group: assessed.group.map_or(0, |group: MopiGroup| u32::from(group.number())),
        outcome_status: assessed.outcome_status.code().to_owned(),
        next_review_on: assessed.next_review_on.to_string(),
        review_overdue: assessed.overdue_review,
        chase_on: day(assessed.chase_on),
        changes_on: day(assessed.changes_on),
        age_band_at_capture: assessed.age_band.code().to_owned(),
        application_test: test.and_then(|test| Some(test.as_str()?.to_owned())).unwrap_or_default(),
        presumption_from: assessed.presumption.open_from.to_string(),
        explanation: assessed.explanation.clone(),
        rules_digest: rules.to_owned(),
    }
}

pub(super) fn retention(answer: &RetentionAnswer) -> v1::RecordRetention {
    v1::RecordRetention {
        pool: answer.pool.clone(),
        subject_id: answer.subject.to_string(),
        state: state(answer.state).into(),
        state_since: moment(answer.state_at),
        erase_at: moment(answer.erase_at),
        assessment: Some(assessment(&answer.assessment, &answer.rules)),
        facts_json: json!(answer.facts).to_string(),
    }
}

pub(super) fn list(answer: &ListAnswer) -> v1::ListRetentionResponse {
    let counts = &answer.counts;
    v1::ListRetentionResponse {
        lines: answer
            .lines
            .iter()
            .map(|line| v1::RetentionLine {
                subject_id: line.subject.to_string(),
                state: state(line.state).into(),
                erase_at: moment(line.erase_at),
                due_on: day(line.marks.as_ref().and_then(|marks| marks.due_on)),
                review_on: day(line.marks.as_ref().map(|marks| marks.review_on)),
                chase_on: day(line.marks.as_ref().and_then(|marks| marks.chase_on)),
            })
            .collect(),
        next: answer.next.unwrap_or_default(),
        active: counts.active,
        beyond_use: counts.beyond_use,
        erasing: counts.erasing,
        due: counts.due,
        review_overdue: counts.review_overdue,
        to_chase: counts.to_chase,
        receipt: None,
    }
}

pub(super) fn rules(rules: &RulesAnswer) -> v1::RetentionRules {
    v1::RetentionRules {
        digest: rules.digest.clone(),
        version: rules.version.clone(),
        active: rules.active,
        text: rules.text.clone(),
        rendered: rules.rendered.clone(),
    }
}

pub(super) fn simulated(answer: &SimulateAnswer) -> v1::SimulateRulesResponse {
    v1::SimulateRulesResponse {
        digest_now: answer.now.clone(),
        digest_then: answer.then.clone(),
        looked_at: answer.looked_at,
        changed: answer.changed,
        become_due: answer.become_due,
        become_retained: answer.become_retained,
        affected: answer
            .affected
            .iter()
            .map(|affected| v1::AffectedRecord {
                subject_id: affected.subject.to_string(),
                before: Some(assessment(&affected.change.before, &answer.now)),
                after: Some(assessment(&affected.change.after, &answer.then)),
                why: affected.change.why.clone(),
            })
            .collect(),
        receipt: None,
    }
}

pub(super) fn erased(answer: &EraseAnswer) -> v1::EraseSubjectResponse {
    let state =
        if answer.certificate.is_some() { v1::RecordState::Erased } else { v1::RecordState::BeyondUse };
    v1::EraseSubjectResponse {
        subject_id: answer.subject.to_string(),
        state: state.into(),
        erase_at: moment(answer.erase_at),
        certificate: answer.certificate.clone().unwrap_or_default(),
        receipt: None,
    }
}

pub(super) fn certificate(answer: &CertificateAnswer) -> v1::GetCertificateResponse {
    let erasure = &answer.erasure;
    v1::GetCertificateResponse {
        erasure_id: erasure.id.to_string(),
        subject_id: erasure.subject.to_string(),
        begun_at: wire::time(erasure.begun_at),
        completed_at: moment(erasure.done_at),
        certificate: erasure.certificate.clone().unwrap_or_default(),
        receipt: None,
    }
}

/// The message without the image, and the image.
pub(super) fn withdrawn(answer: WithdrawnAnswer) -> (v1::GetWithdrawnResponse, Zeroizing<Vec<u8>>) {
    match answer {
        WithdrawnAnswer::BeyondUse { subject, images, facts, why, since, erase_at, bytes } => {
            let records: Vec<_> = images
                .iter()
                .map(|image| {
                    json!({
                        "image_id": image.id,
                        "collected_at": image.collected_at,
                        "source_system": image.record.source_system,
                        "source_reference": image.record.source_reference,
                        "capture_date": image.record.capture_date,
                        "capture_circumstance": image.record.capture_circumstance,
                        "pack": image.record.pack,
                    })
                })
                .collect();
            let record = json!({ "subject": subject.record, "images": records, "facts": facts });
            let message = v1::GetWithdrawnResponse {
                state: v1::RecordState::BeyondUse.into(),
                since: moment(since),
                erase_at: moment(erase_at),
                record_json: record.to_string(),
                image_ids: images.iter().map(|image| image.id.to_string()).collect(),
                why_json: why.unwrap_or_default(),
                ..v1::GetWithdrawnResponse::default()
            };
            (message, bytes.unwrap_or_default())
        }
        WithdrawnAnswer::Erased(erasure) => {
            let message = v1::GetWithdrawnResponse {
                state: v1::RecordState::Erased.into(),
                since: moment(erasure.done_at),
                certificate: erasure.certificate.unwrap_or_default(),
                ..v1::GetWithdrawnResponse::default()
            };
            (message, Zeroizing::default())
        }
    }
}

pub(super) fn reimport(held: &Reimport) -> v1::Reimport {
    let decision = held.decision.as_ref();
    v1::Reimport {
        id: held.id,
        system_name: held.system.clone(),
        erasure_id: held.erasure.map(|id| id.to_string()).unwrap_or_default(),
        subject_id: held.subject.map(|id| id.to_string()).unwrap_or_default(),
        first_at: wire::time(held.attempted.0),
        last_at: wire::time(held.attempted.1),
        attempts: held.attempts,
        decision: decision
            .map(|decision| match decision.resolution {
                Resolution::Allowed => "allowed".to_owned(),
                Resolution::Refused => "refused".to_owned(),
            })
            .unwrap_or_default(),
        decided_by: decision.map(|decision| decision.authority.clone()).unwrap_or_default(),
        reason: decision.map(|decision| decision.reason.clone()).unwrap_or_default(),
        decided_at: moment(decision.map(|decision| decision.at)),
    }
}
