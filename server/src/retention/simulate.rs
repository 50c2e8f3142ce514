//! What other rules would change, before they are in force (R36).
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Assessment, Disposition, Facts, RuleSet, WouldBe, assess};
use crate::pool::PoolKind;

/// What becomes different for one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Under the rules in force.
    pub before: Assessment,
    /// Under the other ones.
    pub after: Assessment,
    /// One sentence for each thing that differs. Never empty.
    pub why: Vec<String>,
}

impl Change {
    /// Whether the record would become due, or would be without its hold, and is not now.
    pub fn becomes_due(&self) -> bool {
        !due(&self.before.disposition) && due(&self.after.disposition)
    }

    /// Whether the record is due now, or would be without its hold, and would be retained.
    pub fn becomes_retained(&self) -> bool {
        due(&self.before.disposition) && !due(&self.after.disposition)
    }
}

fn due(disposition: &Disposition) -> bool {
    matches!(disposition, Disposition::Due { .. } | Disposition::Held { would_be: WouldBe::Due { .. }, .. })
}

fn said(disposition: &Disposition) -> String {
    match disposition {
        Disposition::Retain => "retained".to_owned(),
        Disposition::Due { since } => format!("due since {since}"),
        Disposition::Held { by, would_be: WouldBe::Retain } => format!("held by {by}, retained without it"),
        Disposition::Held { by, would_be: WouldBe::Due { since } } => {
            format!("held by {by}, due since {since} without it")
        }
    }
}

/// What is different for a record when `new` takes the place of `old` on the day `today`; `None` when nothing is.
///
/// Two assessments that differ only in the wording of their explanations are the same.
pub fn simulate(old: &RuleSet, new: &RuleSet, kind: PoolKind, facts: &Facts, today: Date) -> Option<Change> {
    let before = assess(old, kind, facts, today);
    let after = assess(new, kind, facts, today);
    let mut why = Vec::new();
    let mut differs = |what: &str, was: String, is: String| {
        if was != is {
            why.push(format!("{what}: {was}, then {is}"));
        }
    };
    let date = |date: Option<Date>| date.map_or_else(|| "none".to_owned(), |date| date.to_string());
    differs("disposition", said(&before.disposition), said(&after.disposition));
    differs("rule", before.rule.clone(), after.rule.clone());
    differs("next review", before.next_review_on.to_string(), after.next_review_on.to_string());
    differs("review overdue", before.overdue_review.to_string(), after.overdue_review.to_string());
    differs("outcome chased", date(before.chase_on), date(after.chase_on));
    differs("changes by itself", date(before.changes_on), date(after.changes_on));
    let asks = |assessment: &Assessment| {
        let presumption = &assessment.presumption;
        format!("{} ({:?}) from {}", presumption.rule, presumption.test, presumption.open_from)
    };
    differs("on application", asks(&before), asks(&after));
    differs("age at capture", before.age_band.code().to_owned(), after.age_band.code().to_owned());
    (!why.is_empty()).then_some(Change { before, after, why })
}
