//! What a message states, read into what it means. What is wrong with it is said, and refused where it is recorded.
use jiff::civil::Date;
use likeness_proto::v1;

use crate::{
    retention::application::{Seniority, Verdict},
    service::StatedDecision,
};

/// A day that may be left out.
pub(super) fn day(field: &str, text: &str) -> Result<Option<Date>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| format!("`{field}` is a date, YYYY-MM-DD"))
}

/// A decision.
pub(super) fn decision(stated: Option<v1::StatedDecision>) -> Result<StatedDecision, String> {
    let stated = stated.ok_or("missing: `decision`: what is decided, and why")?;
    let filled = |text: String| Some(text).filter(|text| !text.is_empty());
    Ok(StatedDecision {
        verdict: Verdict::ALL
            .into_iter()
            .find(|verdict| verdict.code() == stated.verdict)
            .ok_or_else(|| one_of("decision.verdict", &Verdict::ALL.map(Verdict::code)))?,
        seniority: Seniority::ALL
            .into_iter()
            .find(|seniority| seniority.code() == stated.seniority)
            .ok_or_else(|| one_of("decision.seniority", &Seniority::ALL.map(Seniority::code)))?,
        authority: stated.authority,
        reason: stated.reason,
        policing_purpose: filled(stated.policing_purpose),
        exceptional_reason: filled(stated.exceptional_reason),
        why_highly_exceptional: filled(stated.why_highly_exceptional),
    })
}

fn one_of(field: &str, codes: &[&str]) -> String {
    format!("`{field}` is one of {}", codes.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named_and_never_repeated() {
        let stated = |verdict: &str, seniority: &str| v1::StatedDecision {
            verdict: verdict.into(),
            seniority: seniority.into(),
            ..v1::StatedDecision::default()
        };
        for (given, part) in [
            (None, "missing: `decision`"),
            (Some(stated("Jane Doe", "senior")), "`decision.verdict` is one of agreed, refused"),
            (Some(stated("refused", "Jane Doe")), "`decision.seniority` is one of handler, senior"),
        ] {
            let told = decision(given).err().unwrap_or_default();
            assert!(told.contains(part) && !told.contains("Jane"), "{told}");
        }
        assert!(
            decision(Some(stated("agreed", "handler"))).is_ok_and(|read| read.policing_purpose.is_none())
        );
        assert_eq!(day("received_on", ""), Ok(None));
        assert!(day("received_on", "yesterday").is_err_and(|told| told.contains("`received_on`")));
    }
}
