//! A record's retention in words and as JSON.

use likeness_proto::v1::{Assessment, Receipt, RecordRetention, RecordState};
use likeness_server::retention::Facts;
use serde_json::{Value, json};

use crate::cli::{failure::Failure, json as part, output, text::plain, wording};

/// The state in words. Only the last is deletion, and only the last is called so.
pub fn state(state: i32) -> &'static str {
    match RecordState::try_from(state) {
        Ok(RecordState::Active) => "active",
        Ok(RecordState::BeyondUse) => "beyond use",
        Ok(RecordState::Erasing) => "being erased",
        Ok(RecordState::Erased) => "erased",
        Ok(RecordState::Unspecified) | Err(_) => "not known",
    }
}

/// The state as JSON has it.
pub fn state_code(state: i32) -> Value {
    match RecordState::try_from(state) {
        Ok(RecordState::Active) => "active".into(),
        Ok(RecordState::BeyondUse) => "beyond_use".into(),
        Ok(RecordState::Erasing) => "erasing".into(),
        Ok(RecordState::Erased) => "erased".into(),
        Ok(RecordState::Unspecified) | Err(_) => Value::Null,
    }
}

/// JSON that came as text; null where there is none.
pub fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// What the rules say, in a few words.
pub fn verdict(assessed: &Assessment) -> String {
    let rule = plain(&assessed.rule);
    match assessed.disposition.as_str() {
        "due" => format!("due since {} by rule `{rule}`", plain(&assessed.due_since)),
        "held" => format!("kept by the legal hold `{}`", plain(&assessed.held_by)),
        "retain" => format!("retained by rule `{rule}`"),
        other => format!("{} by rule `{rule}`", plain(other)),
    }
}

/// An assessment that may be absent.
pub fn assessment_json(found: Option<&Assessment>) -> Value {
    found.map_or(Value::Null, |a| {
        json!({
            "disposition": a.disposition, "rule": a.rule, "due_since": part::text(&a.due_since),
            "held_by": part::text(&a.held_by), "mopi_group": (a.mopi_group != 0).then_some(a.mopi_group),
            "outcome_status": a.outcome_status, "next_review_on": part::text(&a.next_review_on),
            "review_overdue": a.review_overdue, "chase_on": part::text(&a.chase_on),
            "changes_on": part::text(&a.changes_on), "age_band_at_capture": a.age_band_at_capture,
            "application_test": part::text(&a.application_test), "presumption_from": part::text(&a.presumption_from),
            "explanation": a.explanation, "rules_digest": a.rules_digest,
        })
    })
}

/// A record as JSON.
pub fn to_json(record: &RecordRetention) -> Value {
    json!({
        "pool": record.pool,
        "subject_id": record.subject_id,
        "state": state_code(record.state),
        "state_since": part::text(&record.state_since),
        "erase_at": part::text(&record.erase_at),
        "assessment": assessment_json(record.assessment.as_ref()),
        "facts": parsed(&record.facts_json),
    })
}

/// Prints a record and the receipt.
///
/// # Errors
/// Standard output cannot be written.
pub fn print(record: Option<RecordRetention>, receipt: Option<&Receipt>, json: bool) -> Result<(), Failure> {
    let Some(record) = record else { return Err(Failure::fault("the server gave no record")) };
    if json {
        return output::json(
            &json!({ "retention": to_json(&record), "receipt": part::maybe_receipt(receipt) }),
        );
    }
    output::line(&to_text(&record))?;
    receipt.map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))
}

/// A record in words.
pub fn to_text(record: &RecordRetention) -> String {
    let mut lines = vec![format!(
        "Subject {} in `{}`: {}",
        plain(&record.subject_id),
        plain(&record.pool),
        state(record.state)
    )];
    if !record.erase_at.is_empty() {
        lines.push(format!(
            "Out of use since {}, to be erased {}",
            plain(&record.state_since),
            plain(&record.erase_at)
        ));
    }
    if let Some(assessed) = &record.assessment {
        lines.extend(assessment(assessed));
    }
    match serde_json::from_str::<Facts>(&record.facts_json) {
        Ok(facts) => lines.extend(self::facts(&facts)),
        // Of a later version, say: shown as they came, rather than left out.
        Err(_) => lines.push(format!("Facts: {}", plain(&record.facts_json))),
    }
    lines.join("\n")
}

fn assessment(assessed: &Assessment) -> Vec<String> {
    let mut lines = vec![verdict(assessed)];
    let group = match assessed.mopi_group {
        0 => "no MoPI group".to_owned(),
        group => format!("MoPI group {group}"),
    };
    lines.push(format!(
        "{group}, outcome {}, age at capture {}",
        plain(&assessed.outcome_status),
        plain(&assessed.age_band_at_capture)
    ));
    let overdue = if assessed.review_overdue { ", overdue" } else { "" };
    lines.push(format!("Next review {}{overdue}", plain(&assessed.next_review_on)));
    if !assessed.chase_on.is_empty() {
        lines.push(format!("No outcome is known: to be asked for from {}", plain(&assessed.chase_on)));
    }
    if !assessed.changes_on.is_empty() {
        lines.push(format!("Changes by itself on {}", plain(&assessed.changes_on)));
    }
    lines.push(format!(
        "On an application for deletion today: presumption of deletion from {}, test for a refusal {}",
        plain(&assessed.presumption_from),
        plain(&assessed.application_test)
    ));
    lines.push("Why:".to_owned());
    lines.extend(assessed.explanation.iter().map(|sentence| format!("  {}", plain(sentence))));
    lines.push(format!("Rules: digest {}", plain(&assessed.rules_digest)));
    lines
}

fn facts(facts: &Facts) -> Vec<String> {
    let born = facts.date_of_birth.map_or_else(|| "not known".to_owned(), |born| born.to_string());
    let mut lines = vec![format!(
        "Category {}, born {born}, collected {}",
        facts.category.code(),
        facts.first_collected_on
    )];
    for event in &facts.events {
        let outcome = event.outcome_on.map_or_else(String::new, |on| format!(" on {on}"));
        lines.push(format!(
            "Event `{}` of {}, {}: {}{outcome}",
            plain(&event.reference),
            plain(&event.force),
            event.occurred_on,
            event.outcome.code()
        ));
    }
    for review in &facts.reviews {
        let next = review.next_review_on.map_or_else(String::new, |next| format!(", again on {next}"));
        let decision = serde_json::to_value(review.decision).unwrap_or_default();
        lines.push(format!(
            "Review of {} by {}: {}{next}",
            review.on,
            plain(&review.author),
            plain(decision.as_str().unwrap_or_default())
        ));
    }
    for hold in &facts.holds {
        let until = match &hold.lifted {
            Some(lifted) => format!("lifted on {}", lifted.on),
            None => format!("until {}", hold.expires_on),
        };
        lines.push(format!("Legal hold `{}` of {}, {until}", plain(&hold.id), plain(&hold.authority)));
    }
    if let Some(closed) = &facts.closed {
        lines.push(format!("Closed on {}: {}", closed.on, closed.reason.code()));
    }
    lines
}
