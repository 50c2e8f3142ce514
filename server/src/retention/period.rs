//! Lengths of time in the calendar.
use std::fmt;

use jiff::{Span, civil::Date};
use serde::{Deserialize, Serialize};

/// Years, months and days, added in this order. Never negative.
///
/// From a day that the target month does not have, the last day of that month is meant (29 February plus one year is
/// 28 February): the earlier day, so that nothing is kept longer than was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// Years.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub years: u16,
    /// Months.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub months: u16,
    /// Days.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub days: u16,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u16) -> bool {
    *number == 0
}

impl Period {
    /// Longest period that any rule may have, in years.
    pub const MOST_YEARS: u16 = 100;

    /// So many years.
    pub const fn years(years: u16) -> Self {
        Self { years, months: 0, days: 0 }
    }

    /// So many days.
    pub const fn days(days: u16) -> Self {
        Self { years: 0, months: 0, days }
    }

    /// The first day on which a period that began on `date` is over. The last day of the calendar when there is none.
    pub fn after(self, date: Date) -> Date {
        let span = Span::new().try_years(self.years).and_then(|span| span.try_months(self.months));
        let span = span.and_then(|span| span.try_days(self.days));
        span.and_then(|span| date.checked_add(span)).unwrap_or(Date::MAX)
    }

    /// About how many days it has, for comparing periods with each other: a year counts 365, a month 30.
    pub fn rough_days(self) -> u32 {
        u32::from(self.years) * 365 + u32::from(self.months) * 30 + u32::from(self.days)
    }

    /// True for no time at all.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = [(self.years, "year"), (self.months, "month"), (self.days, "day")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, unit)| format!("{count} {unit}{}", if count == 1 { "" } else { "s" }))
            .collect();
        if parts.is_empty() { f.write_str("no time") } else { f.write_str(&parts.join(" ")) }
    }
}
