//! Today, and which day is the next that makes a difference.
use std::cell::Cell;

use jiff::civil::Date;

/// A day that notes the nearest later day it was compared with.
///
/// INVARIANT: an assessment learns about today only from [`Day::reached`]. All its answers stay the same until
/// [`Day::next`], and so does the assessment.
#[derive(Debug)]
pub(super) struct Day {
    today: Date,
    next: Cell<Option<Date>>,
}

impl Day {
    pub(super) fn new(today: Date) -> Self {
        Self { today, next: Cell::new(None) }
    }

    /// Whether `date` is today or has passed.
    pub(super) fn reached(&self, date: Date) -> bool {
        if date <= self.today {
            return true;
        }
        self.next.set(Some(self.next.get().map_or(date, |next| next.min(date))));
        false
    }

    /// The nearest later day of all that were asked about so far.
    pub(super) fn next(&self) -> Option<Date> {
        self.next.get()
    }
}
