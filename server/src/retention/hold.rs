//! Legal holds: a record that proceedings or an inquest need is not erased meanwhile (R35).
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    FactError, Period,
    facts::{check_date, check_text},
};

/// Longest hold, in years; a longer need is a new decision.
pub const MOST_HOLD_YEARS: u16 = 5;

/// That a hold was lifted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifted {
    /// The day: from then on it holds no more.
    pub on: Date,
    /// Who lifted it, 1 to 128 characters.
    pub by: String,
    /// Why, 8 to 1,000 characters.
    pub reason: String,
}

/// One hold. There is none without an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalHold {
    /// Its id, 1 to 64 characters, unique in the record.
    pub id: String,
    /// Who may demand it: the court, the coroner, the inquiry, the statute; 1 to 256 characters.
    pub authority: String,
    /// What it covers, 1 to 512 characters.
    pub scope: String,
    /// Why, 8 to 1,000 characters.
    pub reason: String,
    /// From which day.
    pub placed_on: Date,
    /// Who placed it, 1 to 128 characters.
    pub placed_by: String,
    /// The first day on which it holds no more.
    pub expires_on: Date,
    /// That it was lifted before.
    pub lifted: Option<Lifted>,
}

impl LegalHold {
    /// The first day on which it holds no more: it expired or was lifted.
    pub fn ends_on(&self) -> Date {
        self.lifted.as_ref().map_or(self.expires_on, |lifted| lifted.on.min(self.expires_on))
    }

    /// Whether it is complete.
    ///
    /// # Errors
    /// [`FactError`] for the first field that is wrong.
    pub fn check(&self, today: Date) -> Result<(), FactError> {
        check_text("hold.id", &self.id, 1, 64)?;
        check_text("hold.authority", &self.authority, 1, 256)?;
        check_text("hold.scope", &self.scope, 1, 512)?;
        check_text("hold.reason", &self.reason, 8, 1000)?;
        check_text("hold.placed_by", &self.placed_by, 1, 128)?;
        check_date("hold.placed_on", self.placed_on, today)?;
        if self.expires_on <= self.placed_on {
            return Err(FactError::HoldExpiry);
        }
        if self.expires_on > Period::years(MOST_HOLD_YEARS).after(self.placed_on) {
            return Err(FactError::HoldTooLong { years: MOST_HOLD_YEARS.cast_signed() });
        }
        self.lifted.as_ref().map_or(Ok(()), |lifted| lifted.check(self.placed_on, today))
    }
}

impl Lifted {
    pub(super) fn check(&self, placed_on: Date, today: Date) -> Result<(), FactError> {
        check_text("lifted.by", &self.by, 1, 128)?;
        check_text("lifted.reason", &self.reason, 8, 1000)?;
        check_date("lifted.on", self.on, today)?;
        if self.on < placed_on {
            return Err(FactError::Order { field: "lifted.on", earlier: "hold.placed_on" });
        }
        Ok(())
    }
}
