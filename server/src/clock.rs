//! What time is it: a seam, so that retention and expiry can be tested without waiting.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use std::sync::{Mutex, PoisonError};

/// A source of the current time, in UTC.
pub trait Clock: Send + Sync {
    /// The time now. Successive calls may go back when the system clock is set; nothing here may
    /// rely on the order of two readings (the audit log orders by index, not by time).
    fn now(&self) -> Timestamp;
}

/// The machine's own clock.
#[derive(Copy, Clone, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still until it is set. For tests and for replaying old requests.
#[derive(Debug)]
pub struct FixedClock(Mutex<Timestamp>);

impl FixedClock {
    /// A clock that shows `at`.
    pub fn at(at: Timestamp) -> Self {
        Self(Mutex::new(at))
    }

    /// Shows `at` from now on.
    pub fn set(&self, at: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    /// Moves the hands by `by`; stays where it is when the result is out of `Timestamp`'s range.
    pub fn advance(&self, by: SignedDuration) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *shown = shown.checked_add(by).unwrap_or(*shown);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The calendar of the place whose law is applied: which day a moment belongs to, and when a day begins.
///
/// Periods of the retention rules run in whole days of this place; what is recorded carries moments in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar(TimeZone);

impl Calendar {
    /// The calendar of a zone of the IANA database, such as `Europe/London`; `None` when there is no such zone.
    #[must_use]
    pub fn of(zone: &str) -> Option<Self> {
        TimeZone::get(zone).ok().map(Self)
    }

    /// The day of a moment.
    #[must_use]
    pub fn day(&self, moment: Timestamp) -> Date {
        moment.to_zoned(self.0.clone()).date()
    }

    /// The first moment of a day; the last of all when there is none so late.
    #[must_use]
    pub fn start_of(&self, day: Date) -> Timestamp {
        day.to_zoned(self.0.clone()).map_or(Timestamp::MAX, |start| start.timestamp())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_told() {
        let clock = FixedClock::at("2026-01-02T03:04:05Z".parse().unwrap());
        assert_eq!(clock.now(), clock.now());
        clock.advance(SignedDuration::from_secs(60));
        assert_eq!(clock.now().to_string(), "2026-01-02T03:05:05Z");
        clock.set(Timestamp::MAX);
        clock.advance(SignedDuration::from_secs(1));
        assert_eq!(clock.now(), Timestamp::MAX);
    }

    #[test]
    fn days_are_those_of_the_place() {
        let london = Calendar::of("Europe/London").unwrap();
        for (moment, day) in [
            ("2026-01-31T23:59:59Z", "2026-01-31"),
            // Summer time begins on 29 March and ends on 25 October.
            ("2026-03-28T23:59:59Z", "2026-03-28"),
            ("2026-03-29T22:59:59Z", "2026-03-29"),
            ("2026-03-29T23:00:00Z", "2026-03-30"),
            ("2026-10-24T23:00:00Z", "2026-10-25"),
            ("2026-10-25T23:59:59Z", "2026-10-25"),
        ] {
            assert_eq!(london.day(moment.parse().unwrap()).to_string(), day, "{moment}");
        }
        for (day, start) in [("2026-03-29", "2026-03-29T00:00:00Z"), ("2026-03-30", "2026-03-29T23:00:00Z")] {
            let day = day.parse().unwrap();
            assert_eq!(london.start_of(day), start.parse().unwrap());
            assert_eq!(london.day(london.start_of(day)), day);
        }
        assert_eq!(Calendar::of("Europe/Nowhere"), None);
        assert_eq!(london.start_of(Date::MAX), Timestamp::MAX);
    }
}
