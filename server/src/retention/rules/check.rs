//! Whether rules make sense: each alone, and all together.
use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use super::super::{ClosureReason, CustodyOutcome, MopiGroup, Period};
use super::fault::{RuleError, place};
use super::raw::{AppliesTo, EventTest, Every, For, From, RawRules, RetainRule};
use crate::{pool::PoolKind, text};

mod together;

/// A hundred years and a day can not be meant.
const LONGEST: u32 = Period::MOST_YEARS as u32 * 365;
/// Longest time to a review.
const LONGEST_REVIEW: u32 = super::super::review::MOST_REVIEW_YEARS as u32 * 365;
/// Longest time beyond use.
const LONGEST_BEYOND_USE: u32 = 90;
/// Most rules of one kind.
const MOST_RULES: usize = 256;

/// Says where something is wrong.
struct Fault<'a> {
    text: &'a str,
    rule: &'a str,
    at: usize,
}

impl<'a> Fault<'a> {
    fn of(text: &'a str, id: &'a Spanned<String>) -> Self {
        Self { text, rule: id.get_ref(), at: id.span().start }
    }

    fn table<T>(text: &'a str, rule: &'a str, table: &Spanned<T>) -> Self {
        Self { text, rule, at: table.span().start }
    }

    fn wrong(&self, field: &'static str, why: impl Into<String>) -> RuleError {
        let (line, _) = place(self.text, self.at);
        RuleError::Wrong { line, rule: self.rule.to_owned(), field, why: why.into() }
    }

    /// Refuses text that is empty, too long or contains what cannot be seen.
    fn said(&self, field: &'static str, value: &str) -> Result<(), RuleError> {
        if value.trim().is_empty() || value.chars().count() > 512 || value.chars().any(text::is_hidden) {
            return Err(self.wrong(field, "must have 1 to 512 characters, none of them hidden"));
        }
        Ok(())
    }

    fn period(&self, field: &'static str, value: Period, least: u32, most: u32) -> Result<(), RuleError> {
        let days = value.rough_days();
        if days < least || days > most {
            let bounds = format!("{value} is not between {least} and {most} days");
            return Err(self.wrong(field, bounds));
        }
        Ok(())
    }
}

/// Checks everything; the clear periods by group.
pub(super) fn check(text: &str, raw: &RawRules) -> Result<BTreeMap<MopiGroup, Period>, RuleError> {
    let fault = Fault::table(text, "format", &raw.format);
    if *raw.format.get_ref() != 1 {
        return Err(fault.wrong("format", "this program reads format 1"));
    }
    Fault::table(text, "version", &raw.version).said("version", raw.version.get_ref())?;
    Fault::table(text, "title", &raw.title).said("title", raw.title.get_ref())?;
    let clear = groups(text, raw)?;
    counting(text, raw)?;
    ids(text, raw)?;
    for rule in &raw.retain {
        retain(&Fault::of(text, &rule.id), rule, &clear)?;
    }
    for rule in &raw.application {
        let fault = Fault::of(text, &rule.id);
        matches(&fault, &rule.pools, rule.applies_to, rule.event.as_ref())?;
        let after_outcome = matches!(rule.opens_after, Some(Every::Period(_)));
        if rule.opens_after.is_some() && rule.applies_to != AppliesTo::Event {
            return Err(fault.wrong("opens_after", "is counted from an event; leave it out for other rules"));
        }
        if after_outcome && names_pending(rule.event.as_ref()) {
            return Err(fault
                .wrong("opens_after", "is counted from the outcome, which a pending event does not have"));
        }
        if let Some(Every::Period(after)) = rule.opens_after {
            fault.period("opens_after", after, 1, LONGEST)?;
        }
    }
    closed(text, raw)?;
    limits(text, raw)?;
    together::one_rule_each(text, raw)?;
    together::as_a_whole(raw, &clear)?;
    Ok(clear)
}

fn groups(text: &str, raw: &RawRules) -> Result<BTreeMap<MopiGroup, Period>, RuleError> {
    let mut clear = BTreeMap::new();
    for rule in &raw.group {
        let name = format!("group {}", rule.group.get_ref().number());
        let fault = Fault::table(text, &name, &rule.group);
        fault.said("title", &rule.title)?;
        fault.said("source", &rule.source)?;
        fault.period("clear_period", rule.clear_period, 1, LONGEST)?;
        if clear.insert(*rule.group.get_ref(), rule.clear_period).is_some() {
            return Err(fault.wrong("group", "there already is a table for this group; remove one"));
        }
    }
    match MopiGroup::ALL.into_iter().find(|group| !clear.contains_key(group)) {
        Some(group) => {
            Err(RuleError::Whole(format!("there is no [[group]] table for group {}", group.number())))
        }
        None => Ok(clear),
    }
}

fn counting(text: &str, raw: &RawRules) -> Result<(), RuleError> {
    let fault = Fault::table(text, "counting", &raw.counting);
    let counting = raw.counting.get_ref();
    fault.said("source", &counting.source)?;
    fault.period("longest_review_interval", counting.longest_review_interval, 1, LONGEST_REVIEW)?;
    fault.period("unreviewed_due_after", counting.unreviewed_due_after, 0, LONGEST_REVIEW)?;
    for outcome in [CustodyOutcome::Convicted, CustodyOutcome::Cautioned] {
        if !counting.clear_period_restarted_by.contains(&outcome) {
            let why =
                format!("`{}` must be among them, or a clear period would have no beginning", outcome.code());
            return Err(fault.wrong("clear_period_restarted_by", why));
        }
    }
    Ok(())
}

/// Every id is there once, and has a source.
fn ids(text: &str, raw: &RawRules) -> Result<(), RuleError> {
    let default = [(&raw.default.id, "the default", &raw.default.source)];
    let retain = raw.retain.iter().map(|rule| (&rule.id, rule.title.as_str(), &rule.source));
    let closed = raw.closed.iter().map(|rule| (&rule.id, rule.title.as_str(), &rule.source));
    let application = raw.application.iter().map(|rule| (&rule.id, rule.title.as_str(), &rule.source));
    let mut seen = BTreeSet::new();
    for (id, title, source) in default.into_iter().chain(retain).chain(closed).chain(application) {
        let fault = Fault::of(text, id);
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        let name = id.get_ref();
        if name.is_empty() || name.len() > 64 || !name.chars().all(allowed) {
            return Err(fault.wrong("id", "has 1 to 64 characters of a-z, 0-9, dot, hyphen and underscore"));
        }
        if super::super::assess::RESERVED.contains(&name.as_str()) {
            return Err(fault.wrong("id", "is a name that the program uses itself; choose another"));
        }
        if !seen.insert(name.as_str()) {
            return Err(fault.wrong("id", "is used twice; ids are unique in a file"));
        }
        fault.said("title", title)?;
        fault.said("source", source)?;
    }
    if seen.len() > MOST_RULES {
        return Err(RuleError::Whole(format!("there are more than {MOST_RULES} rules")));
    }
    Ok(())
}

fn names_pending(event: Option<&EventTest>) -> bool {
    event.is_some_and(|event| event.outcomes.contains(&CustodyOutcome::Pending))
}

/// Whether a rule says properly what it is about.
fn matches(
    fault: &Fault<'_>,
    pools: &BTreeSet<PoolKind>,
    applies_to: AppliesTo,
    event: Option<&EventTest>,
) -> Result<(), RuleError> {
    if pools.is_empty() {
        return Err(fault.wrong("pools", "is empty; name at least one kind of pool"));
    }
    match (applies_to, event) {
        (AppliesTo::Event, None) => return Err(fault.wrong("event", "is missing; say which events")),
        (AppliesTo::NoEvent | AppliesTo::OpenCase, Some(_)) => {
            return Err(fault.wrong("event", "belongs to rules that apply to an event; leave it out"));
        }
        _ => {}
    }
    let Some(event) = event else { return Ok(()) };
    if event.outcomes.is_empty() || event.groups.as_ref().is_some_and(BTreeSet::is_empty) {
        return Err(fault.wrong("event", "has an empty list; a condition that is left out holds for all"));
    }
    Ok(())
}

fn retain(
    fault: &Fault<'_>,
    rule: &RetainRule,
    clear: &BTreeMap<MopiGroup, Period>,
) -> Result<(), RuleError> {
    matches(fault, &rule.pools, rule.applies_to, rule.event.as_ref())?;
    let event = rule.applies_to == AppliesTo::Event;
    if !event && rule.from != From::FirstCollected {
        return Err(
            fault.wrong("from", "is counted from an event; such a rule counts from `first_collected`")
        );
    }
    if event && rule.from == From::FirstCollected {
        return Err(fault.wrong("from", "must be `event`, `outcome` or `last_event` for a rule about events"));
    }
    if rule.from == From::Outcome && names_pending(rule.event.as_ref()) {
        return Err(fault.wrong("from", "is the outcome, which a pending event does not have"));
    }
    let named = matches!(rule.length, For::Named(_)) || matches!(rule.review_every, Some(Every::Named(_)));
    if named && rule.event.as_ref().is_none_or(|event| event.groups.is_none()) {
        return Err(fault.wrong("event", "a clear period is that of a group; name the `groups`"));
    }
    if rule.chase_after.is_some() && event && !names_pending(rule.event.as_ref()) {
        return Err(fault.wrong("chase_after", "is about an outcome that is missing; leave it out here"));
    }
    if let Some(chase) = rule.chase_after {
        fault.period("chase_after", chase, 1, LONGEST_REVIEW)?;
    }
    let groups = rule.event.as_ref().and_then(|event| event.groups.clone()).unwrap_or_default();
    let of_groups = || groups.iter().filter_map(|group| clear.get(group)).map(|period| period.rough_days());
    let longest = match rule.length {
        For::Named(_) => of_groups().min().unwrap_or_default(),
        For::Period(period) => {
            fault.period("for", period, 0, LONGEST)?;
            period.rough_days()
        }
        For::Age(age) => {
            if !(1..=Period::MOST_YEARS).contains(&age.until_age)
                || !(1..=Period::MOST_YEARS).contains(&age.birth_unknown_years)
            {
                return Err(fault.wrong("for", "ages and years go from 1 to 100"));
            }
            u32::MAX
        }
    };
    if longest == 0 {
        let given = rule.review_every.is_some() || rule.unreviewed_due_after.is_some();
        return if given {
            Err(fault.wrong("review_every", "is given by a rule that does not retain; leave it out"))
        } else {
            Ok(())
        };
    }
    let review = match rule.review_every {
        None => return Err(fault.wrong("review_every", "is missing: no rule retains without a review")),
        Some(Every::Period(period)) => {
            fault.period("review_every", period, 1, LONGEST_REVIEW)?;
            period.rough_days()
        }
        Some(Every::Named(_)) => of_groups().max().unwrap_or_default(),
    };
    if review > LONGEST_REVIEW {
        return Err(fault.wrong("review_every", "is longer than ten years"));
    }
    if review > longest {
        return Err(fault.wrong("review_every", "is longer than `for`: the record would be gone before"));
    }
    match (review < longest, rule.unreviewed_due_after) {
        (true, None) => Err(fault
            .wrong("unreviewed_due_after", "is missing: say when a record is due whose review was missed")),
        (true, Some(after)) => fault.period("unreviewed_due_after", after, 0, LONGEST_REVIEW),
        (false, Some(_)) => Err(fault.wrong(
            "unreviewed_due_after",
            "has no effect where the review is at the end of `for`; leave it out",
        )),
        (false, None) => Ok(()),
    }
}

fn closed(text: &str, raw: &RawRules) -> Result<(), RuleError> {
    let mut cells = BTreeSet::new();
    for rule in &raw.closed {
        let fault = Fault::of(text, &rule.id);
        fault.period("for", rule.length, 0, LONGEST)?;
        if rule.pools.is_empty() || rule.reasons.is_empty() {
            return Err(fault.wrong("reasons", "and `pools` name at least one each"));
        }
        for kind in &rule.pools {
            for reason in &rule.reasons {
                if !reason.applies_to(*kind) {
                    let why = format!("`{}` does not apply to pools of kind `{kind}`", reason.code());
                    return Err(fault.wrong("reasons", why));
                }
                if !cells.insert((*kind, *reason)) {
                    let why = format!("another rule already decides `{}` for `{kind}`", reason.code());
                    return Err(fault.wrong("reasons", why));
                }
            }
        }
    }
    for kind in PoolKind::ALL {
        for reason in ClosureReason::ALL.into_iter().filter(|reason| reason.applies_to(kind)) {
            if !cells.contains(&(kind, reason)) {
                let what =
                    format!("no [[closed]] rule decides `{}` for pools of kind `{kind}`", reason.code());
                return Err(RuleError::Whole(what));
            }
        }
    }
    Ok(())
}

fn limits(text: &str, raw: &RawRules) -> Result<(), RuleError> {
    let fault = Fault::table(text, "limits", &raw.limits);
    let limits = raw.limits.get_ref();
    fault.said("source", &limits.source)?;
    fault.period("beyond_use", limits.beyond_use, 1, LONGEST_BEYOND_USE)?;
    fault.period("decide_application", limits.decide_application, 1, 365)?;
    fault.period("appeal_within", limits.appeal_within, 1, 365)?;
    fault.period("decide_appeal", limits.decide_appeal, 1, 365)?;
    fault.period("acknowledge_line", limits.acknowledge_line, 1, 365)
}
