//! One version of the rules, read from a file that people can read too (R30, R36, R76).
use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{MopiGroup, Period};
use crate::pool::PoolKind;

mod check;
mod fault;
pub(super) mod raw;
mod render;

pub use fault::RuleError;
use raw::RawRules;

/// The rules that this program was built with.
pub const SHIPPED: &str = include_str!("../../retention/rules.toml");

/// Longest rule file that is read, in bytes.
pub const MOST_BYTES: usize = 256 * 1024;

/// How far a rule is checked against its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Confirmation {
    /// The source was read and says so.
    #[serde(rename = "verified")]
    Verified,
    /// Recalled, inferred or chosen: the force that uses the rule confirms or changes it.
    #[serde(rename = "to be confirmed by the force")]
    ToBeConfirmed,
}

impl Confirmation {
    /// How the rule file spells it.
    pub fn text(self) -> &'static str {
        match self {
            Confirmation::Verified => "verified",
            Confirmation::ToBeConfirmed => "to be confirmed by the force",
        }
    }
}

/// What must be shown to refuse an application for deletion (R29).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationTest {
    /// There is no presumption of deletion; a refusal needs its reason.
    None,
    /// Deleted, unless retention is necessary for a policing purpose and there is an exceptional reason.
    ExceptionalReason,
    /// The same, with the higher test for images taken under 18.
    HighlyExceptionalReason,
}

/// Where a rule comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Id of the rule.
    pub rule: String,
    /// What it says, in a few words.
    pub title: String,
    /// The text it stands on.
    pub source: String,
    /// How far it is checked.
    pub status: Confirmation,
}

/// Time limits for applications and appeals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationLimits {
    /// From receipt to decision.
    pub decide: Period,
    /// From decision to appeal.
    pub appeal: Period,
    /// From appeal to its decision.
    pub decide_appeal: Period,
}

/// One version of the rules: read, checked, and with the text it was read from.
#[derive(Debug, Clone)]
pub struct RuleSet {
    pub(super) raw: RawRules,
    pub(super) clear_periods: BTreeMap<MopiGroup, Period>,
    text: String,
}

impl RuleSet {
    /// Reads rules.
    ///
    /// # Errors
    /// [`RuleError`] with the line, the rule and the field: for an unknown key, a value that makes no sense, two rules for
    /// the same case, a rule that retains without a review, and rules that retain nobody or everybody for a lifetime.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        if text.len() > MOST_BYTES {
            return Err(RuleError::TooLong);
        }
        let raw: RawRules = toml::from_str(text).map_err(|error| RuleError::malformed(text, &error))?;
        let clear_periods = check::check(text, &raw)?;
        Ok(Self { raw, clear_periods, text: text.to_owned() })
    }

    /// The rules that this program was built with.
    ///
    /// # Errors
    /// None, as the tests of this program hold; the type is that of [`RuleSet::parse`].
    pub fn shipped() -> Result<Self, RuleError> {
        Self::parse(SHIPPED)
    }

    /// Its version, as the file names it.
    pub fn version(&self) -> &str {
        self.raw.version.get_ref()
    }

    /// What it is about.
    pub fn title(&self) -> &str {
        self.raw.title.get_ref()
    }

    /// The first day on which it may be in force.
    pub fn effective_from(&self) -> Date {
        self.raw.effective_from
    }

    /// The text it was read from: what is kept so that a past decision stays explainable.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the text.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.text.as_bytes()).into()
    }

    /// How long a record stays beyond use before it is erased; 1 to 90 days.
    pub fn beyond_use(&self) -> Period {
        self.raw.limits.get_ref().beyond_use
    }

    /// Within which time a force acknowledges a line of its deletion list.
    pub fn acknowledge_line(&self) -> Period {
        self.raw.limits.get_ref().acknowledge_line
    }

    /// Time limits for applications.
    pub fn application_limits(&self) -> ApplicationLimits {
        let limits = self.raw.limits.get_ref();
        ApplicationLimits {
            decide: limits.decide_application,
            appeal: limits.appeal_within,
            decide_appeal: limits.decide_appeal,
        }
    }

    /// The clear period of a group.
    pub fn clear_period(&self, group: MopiGroup) -> Period {
        self.clear_periods.get(&group).copied().unwrap_or_default()
    }

    /// Whether any rule retains records in pools of this kind.
    pub fn covers(&self, kind: PoolKind) -> bool {
        self.raw.retain.iter().any(|rule| rule.pools.contains(&kind))
    }

    /// Where each rule comes from, in the order of the file.
    pub fn sources(&self) -> Vec<Source> {
        let source = |rule: &str, title: &str, source: &str, status| Source {
            rule: rule.to_owned(),
            title: title.to_owned(),
            source: source.to_owned(),
            status,
        };
        let (raw, mut all) = (&self.raw, Vec::new());
        let counting = raw.counting.get_ref();
        all.push(source("counting", "How days and ages are counted", &counting.source, counting.status));
        let default = &raw.default;
        let title = "A record that no rule retains is due";
        all.push(source(default.id.get_ref(), title, &default.source, default.status));
        for rule in &raw.group {
            let id = format!("group.{}", rule.group.get_ref().number());
            all.push(source(&id, &rule.title, &rule.source, rule.status));
        }
        for rule in &raw.retain {
            all.push(source(rule.id.get_ref(), &rule.title, &rule.source, rule.status));
        }
        for rule in &raw.closed {
            all.push(source(rule.id.get_ref(), &rule.title, &rule.source, rule.status));
        }
        for rule in &raw.application {
            all.push(source(rule.id.get_ref(), &rule.title, &rule.source, rule.status));
        }
        let limits = raw.limits.get_ref();
        all.push(source("limits", "Time limits of the service", &limits.source, limits.status));
        all
    }
}
