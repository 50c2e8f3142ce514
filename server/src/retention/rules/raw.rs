//! The rule file as it is written. Unknown keys are refused everywhere.
use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::super::{ClosureReason, CustodyOutcome, LeapDayBirthday, MopiGroup, Period};
use super::{ApplicationTest, Confirmation};
use crate::pool::PoolKind;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RawRules {
    pub format: Spanned<u32>,
    pub version: Spanned<String>,
    pub title: Spanned<String>,
    #[serde(deserialize_with = "date")]
    pub effective_from: Date,
    pub counting: Spanned<Counting>,
    pub default: DefaultRule,
    pub group: Vec<GroupRule>,
    pub retain: Vec<RetainRule>,
    pub closed: Vec<ClosedRule>,
    pub application: Vec<ApplicationRule>,
    pub limits: Spanned<Limits>,
}

/// A TOML date, without quotes.
fn date<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    use serde::de::Error as _;
    let read = toml::value::Datetime::deserialize(deserializer)?;
    let (Some(date), None, None) = (read.date, read.time, read.offset) else {
        return Err(D::Error::custom("a date without a time is needed, such as 2026-01-31"));
    };
    let number = |number: u8| i8::try_from(number).map_err(D::Error::custom);
    let year = i16::try_from(date.year).map_err(D::Error::custom)?;
    Date::new(year, number(date.month)?, number(date.day)?).map_err(D::Error::custom)
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Counting {
    pub leap_day_birthday: LeapDayBirthday,
    pub clear_period_restarted_by: BTreeSet<CustodyOutcome>,
    pub longest_review_interval: Period,
    pub unreviewed_due_after: Period,
    pub source: String,
    pub status: Confirmation,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct DefaultRule {
    pub id: Spanned<String>,
    pub source: String,
    pub status: Confirmation,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct GroupRule {
    pub group: Spanned<MopiGroup>,
    pub title: String,
    pub clear_period: Period,
    pub source: String,
    pub status: Confirmation,
}

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum AppliesTo {
    NoEvent,
    OpenCase,
    Event,
}

/// From which day a time is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum From {
    FirstCollected,
    Event,
    Outcome,
    LastEvent,
}

/// How long: a period, the clear period of the event's group, or until an age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a period such as { years = 6 }, \"clear_period\" or { until_age = 100, birth_unknown_years = 82 }"
)]
pub(in super::super) enum For {
    Named(Named),
    Age(UntilAge),
    Period(Period),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Named {
    ClearPeriod,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct UntilAge {
    pub until_age: u16,
    pub birth_unknown_years: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum AgeTest {
    #[serde(rename = "under_18")]
    Under18,
    Adult,
}

/// Which events: all conditions that are given hold.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct EventTest {
    pub outcomes: BTreeSet<CustodyOutcome>,
    pub groups: Option<BTreeSet<MopiGroup>>,
    pub age: Option<AgeTest>,
    pub recordable: Option<bool>,
    pub grave: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RetainRule {
    pub id: Spanned<String>,
    pub title: String,
    pub pools: BTreeSet<PoolKind>,
    pub applies_to: AppliesTo,
    pub event: Option<EventTest>,
    #[serde(rename = "for")]
    pub length: For,
    pub from: From,
    pub review_every: Option<Every>,
    pub unreviewed_due_after: Option<Period>,
    pub chase_after: Option<Period>,
    pub source: String,
    pub status: Confirmation,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ClosedRule {
    pub id: Spanned<String>,
    pub title: String,
    pub pools: BTreeSet<PoolKind>,
    pub reasons: BTreeSet<ClosureReason>,
    #[serde(rename = "for")]
    pub length: Period,
    pub review_may_retain: bool,
    pub source: String,
    pub status: Confirmation,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ApplicationRule {
    pub id: Spanned<String>,
    pub title: String,
    pub pools: BTreeSet<PoolKind>,
    pub applies_to: AppliesTo,
    pub event: Option<EventTest>,
    pub test: ApplicationTest,
    pub opens_after: Option<Every>,
    pub source: String,
    pub status: Confirmation,
}

/// A period, or the clear period of the event's group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "expected a period such as { years = 6 } or \"clear_period\"")]
pub(in super::super) enum Every {
    Named(Named),
    Period(Period),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Limits {
    pub beyond_use: Period,
    pub decide_application: Period,
    pub appeal_within: Period,
    pub decide_appeal: Period,
    pub acknowledge_line: Period,
    pub source: String,
    pub status: Confirmation,
}

impl EventTest {
    /// Whether an event like this meets all conditions.
    pub fn admits(
        &self,
        outcome: CustodyOutcome,
        group: Option<MopiGroup>,
        age: AgeTest,
        recordable: bool,
        grave: bool,
    ) -> bool {
        self.outcomes.contains(&outcome)
            && self.groups.as_ref().is_none_or(|groups| group.is_some_and(|group| groups.contains(&group)))
            && self.age.is_none_or(|wanted| wanted == age)
            && self.recordable.is_none_or(|wanted| wanted == recordable)
            && self.grave.is_none_or(|wanted| wanted == grave)
    }
}
