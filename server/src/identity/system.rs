//! A calling system as it is registered (R74): whom to call, how its reference ids look, and the agreement it works under.
use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{pool::PoolKind, text};

/// Longest name of a system, in characters: what a request's context may hold.
pub const MAX_NAME_CHARS: usize = 64;
/// Longest other text of a registration, in characters.
const MAX_TEXT_CHARS: usize = 256;
/// Most organisations, purposes or certificates in one registration.
const MAX_LIST: usize = 256;
/// Largest compiled reference format, in bytes.
const MAX_FORMAT_BYTES: usize = 256 * 1024;

/// A registered system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// The name it gives in every request, 1 to 64 characters.
    pub name: String,
    /// Who answers for it: a mailbox or telephone that is read.
    pub contact: String,
    /// How its reference ids look.
    pub reference_format: ReferenceFormat,
    /// True when it may enrol without a person at the keyboard.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub feed: bool,
    /// SHA-256 of the client certificates it may come with, lower-case hex.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub certificates: BTreeSet<String>,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// When it was revoked; a revoked system is refused and its registration kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// The data-sharing agreement it works under.
    pub agreement: Agreement,
}

/// A data-sharing agreement: a grant of access, with its reasons, its scope and its end (R18, R19).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// Its reference.
    pub id: String,
    /// The power under which data is shared.
    pub legal_basis: String,
    /// Where the case for access is filed.
    pub business_case: String,
    /// Who approved it.
    pub approved_by: String,
    /// The organisations whose people may act through the system.
    pub organisations: BTreeSet<String>,
    /// Purpose codes it covers.
    pub purposes: BTreeSet<String>,
    /// Kinds of pool it covers.
    pub kinds: BTreeSet<PoolKind>,
    /// The first day on which it is no longer in force (UTC).
    pub expires: Date,
    /// The first day on which access is suspended unless it was reviewed (UTC).
    pub review_due: Date,
}

/// Why a registration is not accepted. Each says what to change.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SystemError {
    /// A text that is empty, too long or has hidden characters.
    #[error("`{field}` must have 1 to {most} characters, none of them control or invisible characters")]
    Text {
        /// Which.
        field: &'static str,
        /// Its limit.
        most: usize,
    },
    /// A list that is empty or too long.
    #[error("`{field}` must list 1 to {MAX_LIST}")]
    List {
        /// Which.
        field: &'static str,
    },
    /// A purpose that is not in the controlled list.
    #[error("`{0}` is not one of the controlled purposes")]
    Purpose(String),
    /// Something that is no SHA-256 of a certificate.
    #[error("`{0}` is not the SHA-256 of a certificate: 64 lower-case hexadecimal digits")]
    Certificate(String),
    /// A format that is no regular expression.
    #[error("the reference format `{format}` is not a regular expression that can be used: {reason}")]
    Format {
        /// As given.
        format: String,
        /// Why not.
        reason: String,
    },
}

impl Agreement {
    /// The first moment at which it is no longer in force.
    pub fn expires_at(&self) -> Timestamp {
        midnight(self.expires)
    }

    /// The first moment at which it is overdue for review.
    pub fn review_due_at(&self) -> Timestamp {
        midnight(self.review_due)
    }
}

/// Midnight UTC at the start of a day. A date beyond the range of moments counts as long past: access ends.
fn midnight(date: Date) -> Timestamp {
    date.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |moment| moment.timestamp())
}

impl System {
    /// Checks a registration.
    ///
    /// # Errors
    /// [`SystemError`]: the first thing that is wrong.
    pub fn check(&self, is_purpose: impl Fn(&str) -> bool) -> Result<(), SystemError> {
        let agreement = &self.agreement;
        for (field, value, most) in [
            ("name", &self.name, MAX_NAME_CHARS),
            ("contact", &self.contact, MAX_TEXT_CHARS),
            ("agreement.id", &agreement.id, MAX_TEXT_CHARS),
            ("agreement.legal_basis", &agreement.legal_basis, MAX_TEXT_CHARS),
            ("agreement.business_case", &agreement.business_case, MAX_TEXT_CHARS),
            ("agreement.approved_by", &agreement.approved_by, MAX_TEXT_CHARS),
        ] {
            usable(field, value, most)?;
        }
        for organisation in &agreement.organisations {
            usable("agreement.organisations", organisation, MAX_TEXT_CHARS)?;
        }
        for (field, length) in [
            ("agreement.organisations", agreement.organisations.len()),
            ("agreement.purposes", agreement.purposes.len()),
            ("agreement.kinds", agreement.kinds.len()),
        ] {
            if !(1..=MAX_LIST).contains(&length) {
                return Err(SystemError::List { field });
            }
        }
        if let Some(unknown) = agreement.purposes.iter().find(|code| !is_purpose(code)) {
            return Err(SystemError::Purpose(unknown.clone()));
        }
        if self.certificates.len() > MAX_LIST {
            return Err(SystemError::List { field: "certificates" });
        }
        let digest = |text: &str| {
            text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        match self.certificates.iter().find(|text| !digest(text)) {
            Some(wrong) => Err(SystemError::Certificate(wrong.clone())),
            None => Ok(()),
        }
    }
}

fn usable(field: &'static str, value: &str, most: usize) -> Result<(), SystemError> {
    let length = value.chars().count();
    if value.trim().is_empty() || length > most || value.chars().any(text::is_hidden) {
        return Err(SystemError::Text { field, most });
    }
    Ok(())
}

/// How a system's reference ids look: a regular expression that the whole id must match.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReferenceFormat {
    source: String,
    whole: Regex,
}

impl ReferenceFormat {
    /// Any id of 1 to 128 characters.
    pub const ANY: &'static str = ".{1,128}";

    /// True when the whole id fits.
    pub fn fits(&self, reference: &str) -> bool {
        self.whole.is_match(reference)
    }

    /// The expression as registered.
    pub fn as_str(&self) -> &str {
        &self.source
    }
}

impl FromStr for ReferenceFormat {
    type Err = SystemError;

    fn from_str(source: &str) -> Result<Self, SystemError> {
        let failed = |reason: String| SystemError::Format { format: source.to_owned(), reason };
        if source.is_empty() || source.chars().count() > MAX_TEXT_CHARS {
            return Err(failed(format!("it must have 1 to {MAX_TEXT_CHARS} characters")));
        }
        // Alone first: `a)|(b` must not become valid by being wrapped.
        Regex::new(source).map_err(|error| failed(error.to_string()))?;
        let whole = RegexBuilder::new(&format!("^(?:{source})$"))
            .size_limit(MAX_FORMAT_BYTES)
            .build()
            .map_err(|error| failed(error.to_string()))?;
        Ok(ReferenceFormat { source: source.to_owned(), whole })
    }
}

impl TryFrom<String> for ReferenceFormat {
    type Error = SystemError;

    fn try_from(source: String) -> Result<Self, SystemError> {
        source.parse()
    }
}

impl From<ReferenceFormat> for String {
    fn from(format: ReferenceFormat) -> String {
        format.source
    }
}

impl fmt::Display for ReferenceFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl PartialEq for ReferenceFormat {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for ReferenceFormat {}
