//! How old somebody was on a day.
use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

/// When a person born on 29 February has the birthday in a year without one.
///
/// In England and Wales an age is attained at the start of the anniversary of the birth (Family Law Reform Act 1969,
/// section 9); which day that is here the Act does not say. Calendar libraries, `jiff` among them, say 28 February.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeapDayBirthday {
    /// The last day of the month: a person comes of age a day earlier.
    #[serde(rename = "28 February")]
    Before,
    /// The day after: a full year has passed.
    #[serde(rename = "1 March")]
    After,
}

impl LeapDayBirthday {
    /// How the rule file spells it.
    pub fn text(self) -> &'static str {
        match self {
            LeapDayBirthday::Before => "28 February",
            LeapDayBirthday::After => "1 March",
        }
    }
}

/// The day on which a person born on `born` attains the age of `years`; the last day of the calendar when there is none.
pub fn birthday(born: Date, years: u16, leap: LeapDayBirthday) -> Date {
    let Some(year) = i16::try_from(years).ok().and_then(|years| born.year().checked_add(years)) else {
        return Date::MAX;
    };
    let same = Date::new(year, born.month(), born.day());
    same.ok().unwrap_or_else(|| match (leap, Date::new(year, 1, 1)) {
        (_, Err(_)) => Date::MAX,
        (LeapDayBirthday::Before, Ok(_)) => date(year, 2, 28),
        (LeapDayBirthday::After, Ok(_)) => date(year, 3, 1),
    })
}

/// Age in years when the image was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgeBand {
    /// Under ten: below the age of criminal responsibility in England and Wales.
    Under10,
    /// 10 to 13.
    From10,
    /// 14 to 17.
    From14,
    /// 18 to 24.
    From18,
    /// 25 to 34.
    From25,
    /// 35 to 49.
    From35,
    /// 50 to 64.
    From50,
    /// 65 and over.
    From65,
    /// The date of birth is not recorded. Rules treat the person as under 18.
    Unknown,
}

impl AgeBand {
    /// Every band, youngest first.
    pub const ALL: [AgeBand; 9] = [
        AgeBand::Under10,
        AgeBand::From10,
        AgeBand::From14,
        AgeBand::From18,
        AgeBand::From25,
        AgeBand::From35,
        AgeBand::From50,
        AgeBand::From65,
        AgeBand::Unknown,
    ];

    /// The name used in files, on the command line and in reports.
    pub fn code(self) -> &'static str {
        match self {
            AgeBand::Under10 => "under_10",
            AgeBand::From10 => "10_to_13",
            AgeBand::From14 => "14_to_17",
            AgeBand::From18 => "18_to_24",
            AgeBand::From25 => "25_to_34",
            AgeBand::From35 => "35_to_49",
            AgeBand::From50 => "50_to_64",
            AgeBand::From65 => "65_and_over",
            AgeBand::Unknown => "unknown",
        }
    }

    /// The band of a person born on `born`, on the day `on`. A day before the birth counts as the day of birth.
    pub fn on(born: Option<Date>, on: Date, leap: LeapDayBirthday) -> Self {
        let Some(born) = born else { return AgeBand::Unknown };
        let attained = |years| on >= birthday(born, years, leap);
        let bands = [
            (65, AgeBand::From65),
            (50, AgeBand::From50),
            (35, AgeBand::From35),
            (25, AgeBand::From25),
            (18, AgeBand::From18),
            (14, AgeBand::From14),
            (10, AgeBand::From10),
        ];
        bands.into_iter().find(|(years, _)| attained(*years)).map_or(AgeBand::Under10, |(_, band)| band)
    }

    /// Whether rules treat the person as under 18: so they were, or nobody recorded how old they were.
    pub fn is_under_18(self) -> bool {
        matches!(self, AgeBand::Under10 | AgeBand::From10 | AgeBand::From14 | AgeBand::Unknown)
    }
}
