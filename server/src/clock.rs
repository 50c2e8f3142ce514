//! What time is it: a seam, so that retention and expiry can be tested without waiting.

use jiff::{SignedDuration, Timestamp};
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
}
