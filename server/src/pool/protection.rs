//! Protected views (R21): subjects whose existence is suppressed for everybody who was not given the right to see them, or of
//! whom such a person learns only whom to ask.
//!
//! A [`Reader`] hides them unless it is [unveiled](Reader::unveiled) with a permit of its own, so that no way of reading a
//! pool can forget them. A mark that is past its review stays: a date that was forgotten must not expose a witness.
use std::{
    collections::HashMap,
    fmt,
    str::FromStr,
    sync::{Arc, PoisonError},
};

use jiff::civil::Date;
use likeness_matcher::index::SubjectKey;
use serde::{Deserialize, Serialize};

use super::{Pool, PoolError, Reader, Writer};
use crate::{
    authorise::{Action, Permit},
    ids::SubjectId,
    records::RecordError,
};

/// What somebody without the right is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProtectedView {
    /// What they would be told if there were no such subject.
    ExistenceSuppressed,
    /// That there may be something, and which unit to ask; nothing of what there is.
    ContactOwner,
}

impl ProtectedView {
    /// Both.
    pub const ALL: [ProtectedView; 2] = [ProtectedView::ExistenceSuppressed, ProtectedView::ContactOwner];

    /// The name in requests, the log and on the command line.
    pub fn code(self) -> &'static str {
        match self {
            ProtectedView::ExistenceSuppressed => "existence_suppressed",
            ProtectedView::ContactOwner => "contact_owner",
        }
    }
}

impl fmt::Display for ProtectedView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for ProtectedView {
    type Err = ();

    fn from_str(code: &str) -> Result<Self, ()> {
        ProtectedView::ALL.into_iter().find(|view| view.code() == code).ok_or(())
    }
}

/// The mark of a subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protection {
    /// What others are told.
    pub view: ProtectedView,
    /// The unit that answers for the record and is told of every hit.
    pub owner: String,
    /// Why, in words. Told to nobody but holders of the right.
    pub reason: String,
    /// When somebody must have looked at it again. The mark stays until then and after.
    pub review_due: Date,
    /// The last day of the mark, when it has one; from the next day on the service lifts it.
    pub ends_on: Option<Date>,
}

/// What was kept from somebody, for the record and for the owner. Nothing of the subject but its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Withheld {
    /// The subject.
    pub subject: SubjectId,
    /// Which view it is under.
    pub view: ProtectedView,
    /// The unit that answers for it.
    pub owner: String,
}

/// What a reader finds when it looks for one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sighted<T> {
    /// It is there.
    Seen(T),
    /// It is there, under a protected view that hides it from this reader.
    Withheld(Withheld),
    /// It is not there.
    Absent,
}

impl<T> Sighted<T> {
    /// What is seen.
    pub fn seen(self) -> Option<T> {
        match self {
            Sighted::Seen(found) => Some(found),
            Sighted::Withheld(_) | Sighted::Absent => None,
        }
    }
}

/// Every mark of a pool, in memory: each search asks.
#[derive(Debug, Default)]
pub(super) struct Marks {
    by_row: HashMap<SubjectKey, (SubjectId, Arc<Protection>)>,
    by_id: HashMap<SubjectId, Arc<Protection>>,
}

impl Marks {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn of(&self, subject: SubjectId) -> Option<&Arc<Protection>> {
        self.by_id.get(&subject)
    }

    pub(super) fn withheld(&self, row: SubjectKey) -> Option<Withheld> {
        self.by_row.get(&row).map(|(subject, mark)| withheld(*subject, mark))
    }
}

fn withheld(subject: SubjectId, mark: &Protection) -> Withheld {
    Withheld { subject, view: mark.view, owner: mark.owner.clone() }
}

/// Whether a permit opens the pool without its veil by itself: keeping records, looking after marks, and the service's own
/// upkeep. Nobody is shown a record by these, except whoever may mark them.
fn sees_through(permit: &Permit) -> bool {
    permit.purpose().is_none() || matches!(permit.action(), Action::Enrol | Action::Protect)
}

impl Pool {
    /// Reads the marks from the records.
    pub(super) fn load_marks(&self) -> Result<(), PoolError> {
        let mut marks = Marks::default();
        for stored in self.records.marks()? {
            let mark = Arc::new(self.seal_of(stored.subject)?.open_mark(&stored.sealed)?);
            marks.by_row.insert(SubjectKey(stored.row.0), (stored.subject, Arc::clone(&mark)));
            marks.by_id.insert(stored.subject, mark);
        }
        *self.marks.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(marks);
        Ok(())
    }

    pub(super) fn marks_now(&self) -> Arc<Marks> {
        Arc::clone(&self.marks.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The marks that this permit does not lift.
    pub(super) fn veil(&self, permit: &Permit) -> Option<Arc<Marks>> {
        (!sees_through(permit)).then(|| self.marks_now())
    }

    /// Whether a subject is under a protected view. For upkeep: works before the index is loaded.
    pub(crate) fn marked(
        &self,
        permit: &Permit,
        subject: SubjectId,
    ) -> Result<Option<ProtectedView>, PoolError> {
        self.admit(permit)?;
        Ok(self.marks_now().of(subject).map(|mark| mark.view))
    }
}

impl<'a> Reader<'a> {
    /// The same reader without the veil over protected views, for whoever was given that right in this pool.
    ///
    /// # Errors
    /// [`PoolError::WrongPermit`] for any other permit.
    pub fn unveiled(self, permit: &Permit) -> Result<Reader<'a>, PoolError> {
        self.pool.admit(permit)?;
        match permit.action() {
            Action::SeeProtected => Ok(Reader { veil: None, ..self }),
            _ => Err(PoolError::WrongPermit { pool: self.pool.definition.name.clone() }),
        }
    }

    /// The mark of a subject that this reader sees.
    pub fn protection(&self, subject: SubjectId) -> Option<Arc<Protection>> {
        match &self.veil {
            Some(veil) if veil.of(subject).is_some() => None,
            _ => self.pool.marks_now().of(subject).cloned(),
        }
    }

    /// What hides a subject from this reader.
    pub(super) fn veiled(&self, subject: SubjectId) -> Option<Withheld> {
        Some(withheld(subject, self.veil.as_ref()?.of(subject)?))
    }

    /// Every mark that this reader sees, in no order.
    pub fn protections(&self) -> Vec<(SubjectId, Arc<Protection>)> {
        let marks = self.pool.marks_now();
        let seen = marks.by_id.iter().filter(|(subject, _)| self.veiled(**subject).is_none());
        seen.map(|(subject, mark)| (*subject, Arc::clone(mark))).collect()
    }
}

impl Writer<'_> {
    /// Puts a subject under a protected view, changes its mark, or (`None`) lifts it. Every later reading goes by it.
    ///
    /// # Errors
    /// [`PoolError`] when the permit is not for this, or records or keys fail; nothing changed then.
    pub fn protect(
        &self,
        permit: &Permit,
        subject: SubjectId,
        mark: Option<&Protection>,
    ) -> Result<(), PoolError> {
        let pool = self.reader.pool;
        pool.admit(permit)?;
        if permit.action() != Action::Protect {
            return Err(PoolError::WrongPermit { pool: pool.definition.name.clone() });
        }
        match mark {
            Some(mark) => {
                let sealed = pool.seal_of(subject)?.seal_mark(mark)?;
                if !pool.records.put_mark(subject, &sealed)? {
                    return Err(RecordError::Malformed { what: "a mark without a subject" }.into());
                }
            }
            None => _ = pool.records.lift_mark(subject)?,
        }
        // From the records, which are the truth; until this is done, readers go by what held before.
        pool.load_marks().inspect_err(|_| pool.set_out_of_step())
    }
}
