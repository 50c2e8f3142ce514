//! The rules, read from `anomalies.toml`.

use crate::ids::SubjectId;
use jiff::{SignedDuration, civil::Weekday, tz::TimeZone};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

/// The rules that this program was built with.
pub const DEFAULT: &str = include_str!("../../../config/anomalies.toml");

/// Why rules are refused.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Not TOML, or an unknown or missing key.
    #[error("the anomaly rules are not valid; `server/config/anomalies.toml` is the reference")]
    Malformed(#[from] Box<toml::de::Error>),
    /// The file cannot be read.
    #[error("the anomaly rules `{file}` cannot be read: {source}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A value that makes no sense.
    #[error("anomaly rule `{rule}`: {why}")]
    Wrong {
        /// The rule's name.
        rule: String,
        /// What is wrong.
        why: &'static str,
    },
}

/// All rules.
#[derive(Debug, Clone)]
pub struct AnomalyRules {
    pub(super) zone: TimeZone,
    pub(super) rules: Vec<(String, Rule)>,
    pub(super) declared: BTreeMap<String, HashSet<SubjectId>>,
}

/// What one rule looks for.
#[derive(Debug, Clone)]
pub(super) enum Rule {
    OutOfHours { from: i8, until: i8, days_off: BTreeSet<i8> },
    DeclaredSubject,
    RepeatedSubject(Rate),
    Burst(Rate),
    Refusals(Rate),
    RefusalCodes(Rate, BTreeSet<String>),
    AuditorDenied,
    Disclosure,
    ProtectedView,
    SettingsChanged,
}

/// So many within so long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) count: usize,
    pub(super) within: SignedDuration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    time_zone: String,
    rule: Vec<Named>,
    #[serde(default)]
    declared: BTreeMap<String, Vec<SubjectId>>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(flatten)]
    rule: RawRule,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum RawRule {
    OutOfHours { from_hour: i8, until_hour: i8, days_off: Vec<String> },
    DeclaredSubject {},
    RepeatedSubject { count: u32, within_minutes: u32 },
    Burst { count: u32, within_minutes: u32 },
    Refusals { count: u32, within_minutes: u32 },
    RefusalCodes { codes: BTreeSet<String>, count: u32, within_minutes: u32 },
    AuditorDenied {},
    Disclosure {},
    ProtectedView {},
    SettingsChanged {},
}

impl AnomalyRules {
    /// The rules in `folder`, or those that this program was built with.
    ///
    /// # Errors
    /// [`RulesError`] for a file that is there and not valid.
    pub fn find(folder: &Path) -> Result<Self, RulesError> {
        let file = folder.join("anomalies.toml");
        match std::fs::read_to_string(&file) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::parse(DEFAULT),
            Err(source) => Err(RulesError::Unreadable { file: file.display().to_string(), source }),
        }
    }

    /// Reads rules.
    ///
    /// # Errors
    /// [`RulesError`] for an unknown key or kind, or a value that makes no sense.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let raw: Raw = toml::from_str(text).map_err(Box::new)?;
        let wrong = |rule: &str, why| RulesError::Wrong { rule: rule.to_owned(), why };
        if raw.version != 1 {
            return Err(wrong("version", "this program reads version 1"));
        }
        let zone =
            TimeZone::get(&raw.time_zone).map_err(|_| wrong("time_zone", "there is no such time zone"))?;
        let mut rules = Vec::new();
        for Named { name, rule } in raw.rule {
            let rate = |count: u32, minutes: u32| {
                if count == 0 || count > MOST_COUNTED || minutes == 0 {
                    return Err(wrong(&name, "`count` must be 1 to 10,000 and `within_minutes` at least 1"));
                }
                Ok(Rate { count: count as usize, within: SignedDuration::from_mins(i64::from(minutes)) })
            };
            let rule = match rule {
                RawRule::OutOfHours { from_hour, until_hour, days_off } => {
                    if !(0..=24).contains(&from_hour)
                        || !(0..=24).contains(&until_hour)
                        || from_hour >= until_hour
                    {
                        return Err(wrong(&name, "hours go from 0 to 24, `from_hour` before `until_hour`"));
                    }
                    let days = days_off.iter().map(|day| weekday(day));
                    let days_off =
                        days.collect::<Option<_>>().ok_or_else(|| wrong(&name, "an unknown day"))?;
                    Rule::OutOfHours { from: from_hour, until: until_hour, days_off }
                }
                RawRule::DeclaredSubject {} => Rule::DeclaredSubject,
                RawRule::RepeatedSubject { count, within_minutes } => {
                    Rule::RepeatedSubject(rate(count, within_minutes)?)
                }
                RawRule::Burst { count, within_minutes } => Rule::Burst(rate(count, within_minutes)?),
                RawRule::Refusals { count, within_minutes } => Rule::Refusals(rate(count, within_minutes)?),
                RawRule::RefusalCodes { codes, count, within_minutes } => {
                    Rule::RefusalCodes(rate(count, within_minutes)?, codes)
                }
                RawRule::AuditorDenied {} => Rule::AuditorDenied,
                RawRule::Disclosure {} => Rule::Disclosure,
                RawRule::ProtectedView {} => Rule::ProtectedView,
                RawRule::SettingsChanged {} => Rule::SettingsChanged,
            };
            rules.push((name, rule));
        }
        let declared =
            raw.declared.into_iter().map(|(person, ids)| (person, ids.into_iter().collect())).collect();
        Ok(Self { zone, rules, declared })
    }

    /// Names of the rules, in their order.
    pub fn names(&self) -> Vec<&str> {
        self.rules.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Starts to watch with nothing seen yet.
    pub fn watch(&self) -> super::Watch {
        super::Watch::new(self.clone())
    }
}

/// Most events that one rule keeps in mind for one person.
const MOST_COUNTED: u32 = 10_000;

/// From Monday, 1.
fn weekday(name: &str) -> Option<i8> {
    let day = match name {
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        "saturday" => Weekday::Saturday,
        "sunday" => Weekday::Sunday,
        _ => return None,
    };
    Some(day.to_monday_one_offset())
}
