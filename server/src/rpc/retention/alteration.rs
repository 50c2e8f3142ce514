//! An alteration as the wire has it, read into what it means. What is wrong with it is said, and refused where it is recorded.
use jiff::civil::Date;
use likeness_proto::v1::{self, alter_retention_request::Alteration as Sent};

use crate::{
    retention::{
        Answer, ClosureReason, CustodyEvent, CustodyOutcome, Decision, MopiGroup, NracAnswers, Offence,
        SubjectCategory,
    },
    service::Alteration,
};

pub(super) fn read(sent: Option<Sent>) -> Result<Alteration, String> {
    match sent {
        None => Err("missing: `alteration`: what is to be changed".to_owned()),
        Some(Sent::CustodyEvent(event)) => custody_event(event).map(Alteration::CustodyEvent),
        Some(Sent::Category(code)) => SubjectCategory::ALL
            .into_iter()
            .find(|category| category.code() == code)
            .map(Alteration::Category)
            .ok_or_else(|| one_of("category", SubjectCategory::ALL.map(SubjectCategory::code))),
        Some(Sent::DateOfBirth(text)) if text == "unknown" => Ok(Alteration::DateOfBirth(None)),
        Some(Sent::DateOfBirth(text)) => Ok(Alteration::DateOfBirth(Some(date("date_of_birth", &text)?))),
        Some(Sent::Close(close)) => Ok(Alteration::Close {
            reason: ClosureReason::ALL
                .into_iter()
                .find(|reason| reason.code() == close.reason)
                .ok_or_else(|| one_of("close.reason", ClosureReason::ALL.map(ClosureReason::code)))?,
            on: date("close.on", &close.on)?,
        }),
        Some(Sent::Reopen(true)) => Ok(Alteration::Reopen),
        Some(Sent::Reopen(false)) => Err("`reopen` is true or left out".to_owned()),
        Some(Sent::Review(review)) => self::review(review),
        Some(Sent::PlaceHold(hold)) => Ok(Alteration::PlaceHold {
            expires_on: date("place_hold.expires_on", &hold.expires_on)?,
            id: hold.id,
            authority: hold.authority,
            scope: hold.scope,
            reason: hold.reason,
        }),
        Some(Sent::LiftHold(hold)) => Ok(Alteration::LiftHold { id: hold.id, reason: hold.reason }),
    }
}

fn custody_event(event: v1::CustodyEvent) -> Result<CustodyEvent, String> {
    let outcome = CustodyOutcome::ALL
        .into_iter()
        .find(|outcome| outcome.code() == event.outcome)
        .ok_or_else(|| one_of("custody_event.outcome", CustodyOutcome::ALL.map(CustodyOutcome::code)))?;
    let offences = event.offences.into_iter().enumerate().map(|(at, offence)| {
        let group = u8::try_from(offence.mopi_group)
            .ok()
            .and_then(|number| MopiGroup::try_from(number).ok())
            .ok_or_else(|| format!("`custody_event.offences[{at}].mopi_group` is 1, 2, 3 or 4"))?;
        Ok(Offence { code: offence.code, group, recordable: offence.recordable })
    });
    Ok(CustodyEvent {
        offences: offences.collect::<Result<_, String>>()?,
        reference: event.reference,
        force: event.force,
        occurred_on: date("custody_event.occurred_on", &event.occurred_on)?,
        outcome,
        outcome_on: match event.outcome_on.as_str() {
            "" => None,
            text => Some(date("custody_event.outcome_on", text)?),
        },
        serious: event.serious,
        prison: event.prison,
    })
}

fn review(review: v1::RetentionReview) -> Result<Alteration, String> {
    let mut answers = NracAnswers { necessity: review.necessity, ..NracAnswers::default() };
    for (criterion, answer) in review.criteria {
        let answer = Answer { yes: answer.yes, text: answer.text };
        let place = match criterion.as_str() {
            "serious_harm" => &mut answers.serious_harm,
            "children_or_vulnerable" => &mut answers.children_or_vulnerable,
            "breach_of_trust" => &mut answers.breach_of_trust,
            "links_that_raise_risk" => &mut answers.links_that_raise_risk,
            "substance_misuse" => &mut answers.substance_misuse,
            "mental_state" => &mut answers.mental_state,
            _ => {
                let names =
                    NracAnswers::default().each().map(|(name, _)| name.trim_start_matches("answers."));
                return Err(format!("a key of `review.criteria` is none of {}", names.join(", ")));
            }
        };
        *place = answer;
    }
    Ok(Alteration::Review {
        answers: Box::new(answers),
        decision: match review.decision.as_str() {
            "retain" => Decision::Retain,
            "dispose" => Decision::Dispose,
            _ => return Err("`review.decision` is retain or dispose".to_owned()),
        },
        next_review_on: match review.next_review_on.as_str() {
            "" => None,
            text => Some(date("review.next_review_on", text)?),
        },
    })
}

fn date(field: &str, text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| format!("`{field}` is a date, YYYY-MM-DD"))
}

fn one_of<const N: usize>(field: &str, codes: [&str; N]) -> String {
    format!("`{field}` is one of {}", codes.join(", "))
}
