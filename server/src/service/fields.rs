//! Checking the fields of a request: all of them, so that one refusal names everything that is missing or wrong.
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

use super::{
    Refusal,
    refusal::{INVALID_FIELD, MISSING_FIELD},
};
use crate::text;

/// Collects what is wrong with a request.
#[derive(Debug, Default)]
pub(super) struct Fields {
    missing: Vec<String>,
    wrong: Vec<String>,
}

impl Fields {
    /// Text that must be there, `least` to `most` characters, none of them hidden.
    pub(super) fn text(&mut self, name: &str, value: &str, least: usize, most: usize) {
        if value.trim().is_empty() {
            self.missing.push(format!("`{name}`"));
        } else {
            self.bounded(name, value, least, most);
        }
    }

    /// Text that may be empty.
    pub(super) fn optional(&mut self, name: &str, value: &str, most: usize) {
        if !value.is_empty() {
            self.bounded(name, value, 0, most);
        }
    }

    /// An ISO date that may be empty and is not after `today` (a day's grace for time zones).
    pub(super) fn date(&mut self, name: &str, value: &str, now: Timestamp) -> Option<Date> {
        if value.is_empty() {
            return None;
        }
        let today = now.to_zoned(TimeZone::UTC).date();
        // The strict form only: jiff alone would also take `20260102`.
        let date = (value.len() == 10).then(|| Date::strptime("%Y-%m-%d", value).ok()).flatten();
        match date {
            None => self.wrong(format!("`{name}` is not a date such as 2026-01-31")),
            Some(date) if date.year() < 1800 => self.wrong(format!("`{name}` lies before the year 1800")),
            Some(date) if today.checked_add(1.day()).is_ok_and(|tomorrow| date > tomorrow) => {
                self.wrong(format!("`{name}` lies in the future"));
            }
            Some(date) => return Some(date),
        }
        None
    }

    /// Something else that must be there.
    pub(super) fn missing(&mut self, name: &str) {
        self.missing.push(format!("`{name}`"));
    }

    /// Something else that is wrong. Never repeats the value.
    pub(super) fn wrong(&mut self, what: impl Into<String>) {
        self.wrong.push(what.into());
    }

    fn bounded(&mut self, name: &str, value: &str, least: usize, most: usize) {
        let length = value.chars().count();
        if length < least || length > most {
            self.wrong.push(format!("`{name}` has {length} characters, but must have {least} to {most}"));
        }
        if value.chars().any(text::is_hidden) {
            self.wrong.push(format!("`{name}` contains control, zero-width or text-direction characters"));
        }
    }

    /// Refuses when anything is missing or wrong.
    pub(super) fn finish(self) -> Result<(), Refusal> {
        if self.missing.is_empty() && self.wrong.is_empty() {
            return Ok(());
        }
        let code = if self.missing.is_empty() { INVALID_FIELD } else { MISSING_FIELD };
        let mut said = Vec::new();
        if !self.missing.is_empty() {
            said.push(format!("missing: {}", self.missing.join(", ")));
        }
        said.extend(self.wrong);
        Err(Refusal::invalid(code, said.join("; ")))
    }
}
