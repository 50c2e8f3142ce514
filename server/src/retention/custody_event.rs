//! Why somebody was in custody, and what came of it (R27).
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    FactError,
    facts::{check_date, check_text},
};

/// Most offences of one event.
pub const MOST_OFFENCES: usize = 64;

/// MoPI group of an offence: 1 weighs heaviest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum MopiGroup {
    /// Certain public protection matters.
    One,
    /// Other sexual, violent or serious offences.
    Two,
    /// All other offences.
    Three,
    /// Matters with periods of their own.
    Four,
}

impl MopiGroup {
    /// Every group, heaviest first.
    pub const ALL: [MopiGroup; 4] = [MopiGroup::One, MopiGroup::Two, MopiGroup::Three, MopiGroup::Four];

    /// 1 to 4.
    pub fn number(self) -> u8 {
        match self {
            MopiGroup::One => 1,
            MopiGroup::Two => 2,
            MopiGroup::Three => 3,
            MopiGroup::Four => 4,
        }
    }
}

impl From<MopiGroup> for u8 {
    fn from(group: MopiGroup) -> u8 {
        group.number()
    }
}

/// Not a MoPI group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a MoPI group is 1, 2, 3 or 4")]
pub struct NoGroup;

impl TryFrom<u8> for MopiGroup {
    type Error = NoGroup;

    fn try_from(number: u8) -> Result<Self, NoGroup> {
        MopiGroup::ALL.into_iter().find(|group| group.number() == number).ok_or(NoGroup)
    }
}

/// One offence of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offence {
    /// Code of the offence in the force's own scheme, 1 to 64 characters.
    pub code: String,
    /// Its MoPI group.
    pub group: MopiGroup,
    /// Whether it is a recordable offence.
    pub recordable: bool,
}

/// What came of a custody event. An outcome that is not final is `Pending`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustodyOutcome {
    /// Not decided yet.
    Pending,
    /// No further action was taken.
    NoFurtherAction,
    /// Acquitted, or the case was stopped.
    Acquitted,
    /// A caution.
    Cautioned,
    /// A conviction.
    Convicted,
    /// A conviction that was quashed on appeal.
    Quashed,
}

impl CustodyOutcome {
    /// Every outcome.
    pub const ALL: [CustodyOutcome; 6] = [
        CustodyOutcome::Pending,
        CustodyOutcome::NoFurtherAction,
        CustodyOutcome::Acquitted,
        CustodyOutcome::Cautioned,
        CustodyOutcome::Convicted,
        CustodyOutcome::Quashed,
    ];

    /// The name used in files, on the command line and in the log.
    pub fn code(self) -> &'static str {
        match self {
            CustodyOutcome::Pending => "pending",
            CustodyOutcome::NoFurtherAction => "no_further_action",
            CustodyOutcome::Acquitted => "acquitted",
            CustodyOutcome::Cautioned => "cautioned",
            CustodyOutcome::Convicted => "convicted",
            CustodyOutcome::Quashed => "quashed",
        }
    }

    /// Whether the person stands convicted or cautioned.
    pub fn stands(self) -> bool {
        matches!(self, CustodyOutcome::Cautioned | CustodyOutcome::Convicted)
    }

    /// Whether it ended without a conviction or caution.
    pub fn is_not_convicted(self) -> bool {
        matches!(self, CustodyOutcome::NoFurtherAction | CustodyOutcome::Acquitted | CustodyOutcome::Quashed)
    }
}

/// One time in custody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustodyEvent {
    /// The force's reference of the event, such as the custody record number; 1 to 256 characters, unique in the record.
    pub reference: String,
    /// The force, 1 to 64 characters.
    pub force: String,
    /// Day of the event.
    pub occurred_on: Date,
    /// What the person was held for, at most 64.
    pub offences: Vec<Offence>,
    /// What came of it.
    pub outcome: CustodyOutcome,
    /// Day of the outcome; absent while it is pending.
    pub outcome_on: Option<Date>,
    /// The offence is a serious violent, sexual or terrorism offence.
    #[serde(default)]
    pub serious: bool,
    /// A prison sentence was passed.
    #[serde(default)]
    pub prison: bool,
}

impl CustodyEvent {
    /// The heaviest group of its offences.
    pub fn group(&self) -> Option<MopiGroup> {
        self.offences.iter().map(|offence| offence.group).min()
    }

    /// Whether any of its offences is recordable.
    pub fn recordable(&self) -> bool {
        self.offences.iter().any(|offence| offence.recordable)
    }

    /// Whether it is among those for which the under-18 presumption after conviction does not hold.
    pub fn grave(&self) -> bool {
        self.serious || self.prison
    }

    /// Whether the fields agree with each other and with the calendar.
    ///
    /// # Errors
    /// [`FactError`] for the first field that is wrong.
    pub fn check(&self, today: Date) -> Result<(), FactError> {
        check_text("event.reference", &self.reference, 1, 256)?;
        check_text("event.force", &self.force, 1, 64)?;
        check_date("event.occurred_on", self.occurred_on, today)?;
        if self.offences.len() > MOST_OFFENCES {
            return Err(FactError::TooMany { field: "event.offences", most: MOST_OFFENCES });
        }
        for offence in &self.offences {
            check_text("event.offences.code", &offence.code, 1, 64)?;
        }
        if self.offences.is_empty() && (self.outcome.stands() || self.outcome == CustodyOutcome::Quashed) {
            return Err(FactError::NoOffence);
        }
        match (self.outcome, self.outcome_on) {
            (CustodyOutcome::Pending, None) => Ok(()),
            (CustodyOutcome::Pending, Some(_)) => Err(FactError::PendingWithDate),
            (_, None) => Err(FactError::OutcomeWithoutDate),
            (_, Some(on)) => {
                check_date("event.outcome_on", on, today)?;
                if on < self.occurred_on {
                    return Err(FactError::Order { field: "event.outcome_on", earlier: "event.occurred_on" });
                }
                Ok(())
            }
        }
    }
}
