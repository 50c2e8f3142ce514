//! What is known about one record that decides how long it is kept, and how that changes.
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Closure, CustodyEvent, FactError, LegalHold, Lifted, Review, SubjectCategory};
use crate::{pool::PoolKind, text};

/// Most custody events of one record.
pub const MOST_EVENTS: usize = 256;
/// Most reviews of one record.
pub const MOST_REVIEWS: usize = 256;
/// Most holds of one record, lifted and expired ones among them.
pub const MOST_HOLDS: usize = 64;
/// Most days on which images of one record were taken.
pub const MOST_CAPTURES: usize = 1024;

/// The facts about one record. Kept sealed with the record: they say more about a person than most.
///
/// Changed only through the methods here, which refuse what is incomplete, contradicts itself or lies in the future, and
/// then leave everything as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Who the person is to the police.
    pub category: SubjectCategory,
    /// Day of birth. Without one, rules treat the person as under 18.
    pub date_of_birth: Option<Date>,
    /// Day on which the record was collected first.
    pub first_collected_on: Date,
    /// Days on which images were taken, ascending, each once.
    #[serde(default)]
    pub captures: Vec<Date>,
    /// Custody events, in the order in which they were first recorded.
    #[serde(default)]
    pub events: Vec<CustodyEvent>,
    /// Reviews, ascending.
    #[serde(default)]
    pub reviews: Vec<Review>,
    /// Holds, also those that are over.
    #[serde(default)]
    pub holds: Vec<LegalHold>,
    /// That the case is closed.
    pub closed: Option<Closure>,
}

impl Facts {
    /// A record of which only the category and the day of collection are known.
    pub fn new(category: SubjectCategory, first_collected_on: Date) -> Self {
        Self {
            category,
            date_of_birth: None,
            first_collected_on,
            captures: Vec::new(),
            events: Vec::new(),
            reviews: Vec::new(),
            holds: Vec::new(),
            closed: None,
        }
    }

    /// The day of the first image, or of collection when none has a day.
    pub fn first_captured_on(&self) -> Date {
        self.captures.iter().copied().min().unwrap_or(self.first_collected_on)
    }

    /// Sets or corrects the category.
    ///
    /// # Errors
    /// [`FactError::CategoryNotInPool`] for one that a pool of this kind never holds.
    pub fn recategorise(&mut self, category: SubjectCategory, kind: PoolKind) -> Result<(), FactError> {
        if !category.may_be_in(kind) {
            return Err(FactError::CategoryNotInPool);
        }
        self.category = category;
        Ok(())
    }

    /// Sets, corrects or removes the day of birth.
    ///
    /// # Errors
    /// [`FactError`] for a day in the future, or after an image was taken.
    pub fn set_date_of_birth(&mut self, born: Option<Date>, today: Date) -> Result<(), FactError> {
        if let Some(born) = born {
            check_date("date_of_birth", born, today)?;
            if self.captures.first().is_some_and(|first| *first < born) {
                return Err(FactError::Order { field: "captures", earlier: "date_of_birth" });
            }
        }
        self.date_of_birth = born;
        Ok(())
    }

    /// Adds a day on which an image was taken; one that is there already changes nothing.
    ///
    /// # Errors
    /// [`FactError`] for a day in the future or before the birth, or when there are too many.
    pub fn add_capture(&mut self, on: Date, today: Date) -> Result<(), FactError> {
        check_date("captures", on, today)?;
        if self.date_of_birth.is_some_and(|born| on < born) {
            return Err(FactError::Order { field: "captures", earlier: "date_of_birth" });
        }
        if let Err(at) = self.captures.binary_search(&on) {
            full("captures", self.captures.len(), MOST_CAPTURES)?;
            self.captures.insert(at, on);
        }
        Ok(())
    }

    /// Records a custody event, or replaces the one with the same reference: an outcome that was reached, offences that
    /// were classified anew on appeal, a conviction that was quashed.
    ///
    /// # Errors
    /// [`FactError`] for an event that is incomplete or in the future, or when there are too many.
    pub fn record_event(&mut self, event: CustodyEvent, today: Date) -> Result<(), FactError> {
        event.check(today)?;
        match self.events.iter_mut().find(|known| known.reference == event.reference) {
            Some(known) => *known = event,
            None => {
                full("events", self.events.len(), MOST_EVENTS)?;
                self.events.push(event);
            }
        }
        Ok(())
    }

    /// Adds a review.
    ///
    /// # Errors
    /// [`FactError`] for a review that is incomplete, in the future or before the last one, or when there are too many.
    pub fn add_review(&mut self, review: Review, today: Date) -> Result<(), FactError> {
        review.check(today)?;
        if self.reviews.last().is_some_and(|last| review.on < last.on) {
            return Err(FactError::ReviewOutOfOrder);
        }
        full("reviews", self.reviews.len(), MOST_REVIEWS)?;
        self.reviews.push(review);
        Ok(())
    }

    /// Places a hold.
    ///
    /// # Errors
    /// [`FactError`] for a hold that is incomplete, has no end or exists, or when there are too many.
    pub fn place_hold(&mut self, hold: LegalHold, today: Date) -> Result<(), FactError> {
        hold.check(today)?;
        if self.holds.iter().any(|known| known.id == hold.id) {
            return Err(FactError::HoldExists);
        }
        full("holds", self.holds.len(), MOST_HOLDS)?;
        self.holds.push(hold);
        Ok(())
    }

    /// Lifts a hold.
    ///
    /// # Errors
    /// [`FactError`] for an unknown hold, one that is lifted already, or grounds that are incomplete.
    pub fn lift_hold(&mut self, id: &str, lifted: Lifted, today: Date) -> Result<(), FactError> {
        let hold = self.holds.iter_mut().find(|hold| hold.id == id).ok_or(FactError::HoldUnknown)?;
        if hold.lifted.is_some() {
            return Err(FactError::HoldLifted);
        }
        lifted.check(hold.placed_on, today)?;
        hold.lifted = Some(lifted);
        Ok(())
    }

    /// Closes the case.
    ///
    /// # Errors
    /// [`FactError`] when it is closed already, or for a reason that a pool of this kind does not know.
    pub fn close(&mut self, closure: Closure, kind: PoolKind, today: Date) -> Result<(), FactError> {
        closure.check(today)?;
        if !closure.reason.applies_to(kind) {
            return Err(FactError::ReasonNotForKind);
        }
        if self.closed.is_some() {
            return Err(FactError::AlreadyClosed);
        }
        self.closed = Some(closure);
        Ok(())
    }

    /// Takes a closure back: the person went missing again, or it was recorded in error.
    ///
    /// # Errors
    /// [`FactError::NotClosed`].
    pub fn reopen(&mut self) -> Result<(), FactError> {
        self.closed.take().map(|_| ()).ok_or(FactError::NotClosed)
    }

    /// Whether everything here could have come about through the methods above by `today`. For facts that were not made
    /// here.
    ///
    /// # Errors
    /// [`FactError`] for the first that could not.
    pub fn check(&self, kind: PoolKind, today: Date) -> Result<(), FactError> {
        let mut again = Facts::new(self.category, self.first_collected_on);
        check_date("first_collected_on", self.first_collected_on, today)?;
        again.recategorise(self.category, kind)?;
        again.set_date_of_birth(self.date_of_birth, today)?;
        self.captures.iter().try_for_each(|on| again.add_capture(*on, today))?;
        self.events.iter().try_for_each(|event| again.record_event(event.clone(), today))?;
        self.reviews.iter().try_for_each(|review| again.add_review(review.clone(), today))?;
        self.holds.iter().try_for_each(|hold| again.place_hold(hold.clone(), today))?;
        self.closed.iter().try_for_each(|closure| again.close(closure.clone(), kind, today))
    }
}

fn full(field: &'static str, length: usize, most: usize) -> Result<(), FactError> {
    if length >= most { Err(FactError::TooMany { field, most }) } else { Ok(()) }
}

/// Text that must be there, `least` to `most` characters, none of them hidden.
pub(super) fn check_text(
    field: &'static str,
    value: &str,
    least: usize,
    most: usize,
) -> Result<(), FactError> {
    if value.trim().is_empty() {
        return Err(FactError::Missing { field });
    }
    let length = value.chars().count();
    if length < least || length > most {
        return Err(FactError::Length { field, length, least, most });
    }
    if value.chars().any(text::is_hidden) {
        return Err(FactError::Hidden { field });
    }
    Ok(())
}

/// A date that is neither in the future nor absurd.
pub(super) fn check_date(field: &'static str, date: Date, today: Date) -> Result<(), FactError> {
    if date > today {
        return Err(FactError::Future { field });
    }
    if date.year() < 1800 {
        return Err(FactError::TooEarly { field });
    }
    Ok(())
}
