//! The rules as a document for people (R76).
use std::fmt::Write as _;

use super::super::{CustodyOutcome, Period};
use super::raw::{AgeTest, AppliesTo, EventTest, Every, For, From};
use super::{ApplicationTest, RuleSet};

impl RuleSet {
    /// The rules in Markdown: what is kept, why, until when, and how far each rule is confirmed. Depends on the text alone.
    pub fn render(&self) -> String {
        let mut out = String::new();
        // Writing to a `String` cannot fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let raw = &self.raw;
        let counting = raw.counting.get_ref();
        writeln!(out, "Rules {}, from {}: {}.", self.version(), self.effective_from(), self.title())?;
        writeln!(out, "SHA-256 `{}`.", hex::encode(self.digest()))?;
        writeln!(out, "\n| what | kept for | reviewed | rule |\n|---|---|---|---|")?;
        for rule in &raw.retain {
            let about = about(rule.applies_to, rule.event.as_ref());
            let review = match (rule.review_every, rule.unreviewed_due_after) {
                (None, _) => "-".to_owned(),
                (Some(every), None) => format!("after {}", span(every)),
                (Some(every), Some(after)) if after.is_empty() => {
                    format!("every {}; due when missed", span(every))
                }
                (Some(every), Some(after)) => {
                    format!("every {}; due {after} after a missed review", span(every))
                }
            };
            let length = match rule.length {
                For::Named(_) => "the clear period".to_owned(),
                For::Period(period) if period.is_empty() => "no time: due at once".to_owned(),
                For::Period(period) => period.to_string(),
                For::Age(age) => format!(
                    "until the age of {} ({} years from collection when the birth is unknown)",
                    age.until_age, age.birth_unknown_years
                ),
            };
            let from = match rule.from {
                From::FirstCollected => "from collection",
                From::Event => "from the event",
                From::Outcome => "from the outcome",
                From::LastEvent => "from the last event",
            };
            let chase =
                rule.chase_after.map(|after| format!("; outcome chased after {after}")).unwrap_or_default();
            writeln!(
                out,
                "| {} ({}{about}) | {length}, {from}{chase} | {review} | `{}` |",
                rule.title,
                pools(&rule.pools),
                rule.id.get_ref()
            )?;
        }
        writeln!(out, "\n| group | clear period | what |\n|---|---|---|")?;
        for rule in &raw.group {
            writeln!(out, "| {} | {} | {} |", rule.group.get_ref().number(), rule.clear_period, rule.title)?;
        }
        let restarts: Vec<_> =
            counting.clear_period_restarted_by.iter().map(|outcome| outcome.code()).collect();
        writeln!(
            out,
            "\nThe clear period of a record begins anew with an event whose outcome is {}.",
            restarts.join(", ")
        )?;
        writeln!(
            out,
            "A review retains until the next one, {} later at most, and {} more when that is missed.",
            counting.longest_review_interval, counting.unreviewed_due_after
        )?;
        writeln!(
            out,
            "Born on 29 February: the birthday in other years is {}.",
            counting.leap_day_birthday.text()
        )?;
        writeln!(out, "\n| closed because | kept for | can a review retain it? | rule |\n|---|---|---|---|")?;
        for rule in &raw.closed {
            let may = if rule.review_may_retain { "yes" } else { "no" };
            let length = if rule.length.is_empty() {
                "no time: due at once".to_owned()
            } else {
                rule.length.to_string()
            };
            let pools = pools(&rule.pools);
            writeln!(out, "| {} ({pools}) | {length} | {may} | `{}` |", rule.title, rule.id.get_ref())?;
        }
        writeln!(
            out,
            "\n| the person asks for deletion | to refuse needs | from when | rule |\n|---|---|---|---|"
        )?;
        for rule in &raw.application {
            let about = about(rule.applies_to, rule.event.as_ref());
            let test = match rule.test {
                ApplicationTest::None => "a reason",
                ApplicationTest::ExceptionalReason => "an exceptional reason, senior role",
                ApplicationTest::HighlyExceptionalReason => "a highly exceptional reason, senior role",
            };
            let opens = match rule.opens_after {
                None => "at once".to_owned(),
                Some(Every::Named(_)) => "after the clear period, from the last event".to_owned(),
                Some(Every::Period(period)) => format!("{period} after the outcome"),
            };
            let pools = pools(&rule.pools);
            writeln!(
                out,
                "| {} ({pools}{about}) | {test} | {opens} | `{}` |",
                rule.title,
                rule.id.get_ref()
            )?;
        }
        let limits = raw.limits.get_ref();
        writeln!(out, "\n| time limit | |\n|---|---|")?;
        for (what, period) in [
            ("beyond use, then erased", limits.beyond_use),
            ("an application is decided", limits.decide_application),
            ("an appeal is made", limits.appeal_within),
            ("an appeal is decided", limits.decide_appeal),
            ("a force acknowledges a line of its deletion list", limits.acknowledge_line),
        ] {
            writeln!(out, "| {what} within | {period} |")?;
        }
        writeln!(out, "\n| rule | status | source |\n|---|---|---|")?;
        for source in self.sources() {
            writeln!(out, "| `{}` | {} | {} |", source.rule, source.status.text(), source.source)?;
        }
        Ok(())
    }
}

fn pools(kinds: &std::collections::BTreeSet<crate::pool::PoolKind>) -> String {
    kinds.iter().map(|kind| kind.code()).collect::<Vec<_>>().join(", ")
}

fn span(every: Every) -> String {
    match every {
        Every::Named(_) => "the clear period".to_owned(),
        Every::Period(period) => Period::to_string(&period),
    }
}

/// Conditions of a rule, each after a semicolon.
fn about(applies_to: AppliesTo, event: Option<&EventTest>) -> String {
    let Some(event) = event else {
        return match applies_to {
            AppliesTo::NoEvent => "; no event".to_owned(),
            AppliesTo::OpenCase | AppliesTo::Event => String::new(),
        };
    };
    let outcomes: Vec<_> = event.outcomes.iter().copied().map(CustodyOutcome::code).collect();
    let mut said = format!("; {}", outcomes.join(", "));
    if let Some(groups) = &event.groups {
        let numbers: Vec<_> = groups.iter().map(|group| group.number().to_string()).collect();
        said.push_str(&format!("; group {}", numbers.join(", ")));
    }
    match event.age {
        Some(AgeTest::Under18) => said.push_str("; under 18 at capture"),
        Some(AgeTest::Adult) => said.push_str("; adult at capture"),
        None => {}
    }
    match event.recordable {
        Some(true) => said.push_str("; recordable"),
        Some(false) => said.push_str("; not recordable"),
        None => {}
    }
    match event.grave {
        Some(true) => said.push_str("; prison or serious"),
        Some(false) => said.push_str("; neither prison nor serious"),
        None => {}
    }
    said
}
