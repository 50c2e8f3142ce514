//! An application in words and as JSON.

use likeness_proto::v1::{
    ApplicationConsequence, ApplicationDecision, DeletionApplication, DeletionPresumption, Receipt,
};
use serde_json::{Value, json};

use crate::cli::{failure::Failure, json as part, output, retention, text::plain, wording};

/// Prints an application, what becomes of the record, and the receipt.
///
/// # Errors
/// Standard output cannot be written.
pub fn print(
    application: Option<DeletionApplication>,
    follows: Option<&ApplicationConsequence>,
    receipt: Option<&Receipt>,
    json: bool,
) -> Result<(), Failure> {
    let Some(application) = application else {
        return Err(Failure::fault("the server gave no application"));
    };
    if json {
        return output::json(&json!({
            "application": to_json(&application),
            "consequence": consequence_json(follows),
            "receipt": part::maybe_receipt(receipt),
        }));
    }
    output::line(&to_text(&application))?;
    follows.map_or(Ok(()), |what| output::line(&self::follows(what)))?;
    if application.state.starts_with("agreed") {
        output::line(&format!(
            "The certificate, for the person: `likeness retention certificate {} {} --out FILE`, once it is erased",
            plain(&application.pool),
            plain(&application.subject_id)
        ))?;
    }
    receipt.map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))
}

/// What becomes of the record, in words.
pub fn follows(what: &ApplicationConsequence) -> String {
    let mut text = wording::paragraph("What follows", &what.words);
    if matches!(what.outcome.as_str(), "retained" | "held") {
        text.push_str(&format!("\nNext review of the record {}", plain(&what.next_review_on)));
    }
    text
}

/// An application in words. What a refusal must show stands there as long as somebody has to decide.
pub fn to_text(application: &DeletionApplication) -> String {
    let mut lines = vec![format!(
        "Application {} about subject {} in `{}`, to {}: {}",
        plain(&application.id),
        plain(&application.subject_id),
        plain(&application.pool),
        plain(&application.force),
        plain(&application.state).replace('_', " ")
    )];
    lines.push(format!("Received {}", plain(&application.received_on)));
    if !application.grounds.is_empty() {
        lines.push(wording::paragraph("Grounds", &application.grounds));
    }
    if !application.decide_by.is_empty() {
        let overdue = if application.overdue { ", overdue" } else { "" };
        lines.push(format!("To be decided by {}{overdue}", plain(&application.decide_by)));
        if let Some(presumption) = &application.presumption {
            lines.push(wording::paragraph("Before you decide", &presumption.words));
            lines.push(format!("  rule `{}`, test {}", plain(&presumption.rule), plain(&presumption.test)));
        }
    }
    lines.extend(application.decision.iter().flat_map(|made| decision("Decided", made)));
    if !application.appeal_by.is_empty() && application.appeal.is_none() {
        lines.push(format!("An appeal can come in until {}", plain(&application.appeal_by)));
    }
    if let Some(appeal) = &application.appeal {
        lines.push(format!("Appealed against on {}", plain(&appeal.received_on)));
        lines.push(wording::paragraph("Grounds of the appeal", &appeal.grounds));
        lines.extend(appeal.decision.iter().flat_map(|made| decision("Decided on appeal", made)));
    }
    lines.join("\n")
}

fn decision(label: &str, made: &ApplicationDecision) -> Vec<String> {
    let stated = made.stated.clone().unwrap_or_default();
    let mut lines = vec![format!(
        "{label} on {} by {} ({}; {}): {}",
        plain(&made.on),
        plain(&made.by),
        plain(&stated.seniority).replace('_', " "),
        plain(&stated.authority),
        plain(&stated.verdict)
    )];
    for (label, text) in [
        ("  Reason", &stated.reason),
        ("  Policing purpose", &stated.policing_purpose),
        ("  Exceptional reason", &stated.exceptional_reason),
        ("  Why highly exceptional", &stated.why_highly_exceptional),
    ] {
        if !text.is_empty() {
            lines.push(wording::paragraph(label, text));
        }
    }
    lines
}

/// An application as JSON.
pub fn to_json(application: &DeletionApplication) -> Value {
    let appeal = application.appeal.as_ref();
    json!({
        "application_id": application.id,
        "pool": application.pool,
        "subject_id": application.subject_id,
        "force": application.force,
        "received_on": application.received_on,
        "grounds": part::text(&application.grounds),
        "presumption": presumption_json(application.presumption.as_ref()),
        "state": application.state,
        "decide_by": part::text(&application.decide_by),
        "overdue": application.overdue,
        "decision": decision_json(application.decision.as_ref()),
        "appeal_by": part::text(&application.appeal_by),
        "appeal": appeal.map_or(Value::Null, |appeal| json!({
            "received_on": appeal.received_on,
            "grounds": appeal.grounds,
            "decide_by": appeal.decide_by,
            "decision": decision_json(appeal.decision.as_ref()),
        })),
    })
}

/// A presumption that may be absent.
pub fn presumption_json(found: Option<&DeletionPresumption>) -> Value {
    found.map_or(Value::Null, |presumption| {
        json!({
            "rule": presumption.rule, "test": presumption.test, "refusal_needs": presumption.refusal_needs,
            "refused_by": presumption.refused_by, "words": presumption.words,
        })
    })
}

/// What becomes of the record, where it was said.
pub fn consequence_json(found: Option<&ApplicationConsequence>) -> Value {
    found.map_or(Value::Null, |what| {
        json!({
            "outcome": what.outcome, "state": retention::words::state_code(what.state),
            "erased_on": part::text(&what.erased_on), "held_by": part::text(&what.held_by),
            "held_until": part::text(&what.held_until), "next_review_on": part::text(&what.next_review_on),
            "words": what.words,
        })
    })
}

fn decision_json(found: Option<&ApplicationDecision>) -> Value {
    found.map_or(Value::Null, |made| {
        let stated = made.stated.clone().unwrap_or_default();
        json!({
            "on": made.on, "by": made.by, "verdict": stated.verdict, "seniority": stated.seniority,
            "authority": stated.authority, "reason": stated.reason,
            "policing_purpose": part::text(&stated.policing_purpose),
            "exceptional_reason": part::text(&stated.exceptional_reason),
            "why_highly_exceptional": part::text(&stated.why_highly_exceptional),
        })
    })
}
