//! How long subjects are kept, and what is left of those who are no longer in use.
//!
//! Three states, and no way back from the last: *active*; *beyond use*, out of every search and every reading, still held for
//! a bounded time (R32); *erasing*, from which only the removal of the rows follows (R33). The other reads of a
//! [`super::RecordStore`] see active subjects only.

mod row;

use row::{KEPT, kept};

use super::{Counts, RecordError, SqliteRecords, StoredImage, SubjectRow, read};
use crate::ids::SubjectId;
use crate::seal::LookupDigest;
use crate::sqlite::{from_row, to_ms, to_row};
use jiff::{Timestamp, civil::Date};
use rusqlite::{OptionalExtension, Transaction, params};

/// Where a subject stands between being collected and being gone.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// In use: searched and read.
    Active = 0,
    /// Out of every search and reading, but still held; an auditor with a purpose can look until it is erased.
    BeyondUse = 1,
    /// Its erasure has begun and will be finished, whatever happens.
    Erasing = 2,
}

impl State {
    /// The name used in answers and in the log.
    pub fn code(self) -> &'static str {
        match self {
            State::Active => "active",
            State::BeyondUse => "beyond_use",
            State::Erasing => "erasing",
        }
    }
}

/// What the rules said last: dates only, so that what is due can be found without a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marks {
    /// Digest of the rule file it was assessed under.
    pub rules: String,
    /// When to look again: before that day the clock alone changes nothing. `None`: only a new event can.
    pub look_on: Option<Date>,
    /// Since when nothing retains it.
    pub due_on: Option<Date>,
    /// When the need to keep it must be reviewed (R39).
    pub review_on: Date,
    /// When its outcome must be chased (R27).
    pub chase_on: Option<Date>,
}

/// What is kept about a subject that leaves use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfUse {
    /// When it must be erased.
    pub erase_at: Timestamp,
    /// Why, without content.
    pub why: String,
}

/// A subject in any state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub id: SubjectId,
    /// Its number in this pool.
    pub row: SubjectRow,
    /// Digest of source system and subject reference.
    pub reference_digest: LookupDigest,
    /// Personal details, sealed under the subject's key.
    pub sealed_details: Vec<u8>,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// Where it stands.
    pub state: State,
    /// Since when, unless it was always active.
    pub state_at: Option<Timestamp>,
    /// When what is beyond use must be erased.
    pub erase_at: Option<Timestamp>,
    /// Why it is not in use any more, as the service wrote it; holds no content.
    pub why: Option<String>,
    /// Custody events, outcomes, reviews and holds, sealed under the subject's key.
    pub sealed_facts: Option<Vec<u8>>,
    /// What the rules said last; `None` when it was never assessed.
    pub marks: Option<Marks>,
}

/// A list that is worked through.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Worklist {
    /// Active, and nothing retains them.
    Due,
    /// Active, and the date of review is reached.
    Review,
    /// Active, without an outcome, and the date to ask for one is reached.
    Chase,
}

/// How many subjects are where.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct RetentionCounts {
    /// In use.
    pub active: u64,
    /// Beyond use.
    pub beyond_use: u64,
    /// Being erased.
    pub erasing: u64,
    /// Active, and nothing retains them.
    pub due: u64,
    /// Active, and their review is overdue.
    pub review_overdue: u64,
    /// Active, and their outcome is to be chased.
    pub to_chase: u64,
}

/// The retention of one pool's subjects. The same promises as [`super::RecordStore`].
pub trait RetentionRecords {
    /// A subject, whatever its state.
    fn kept(&self, subject: SubjectId) -> Result<Option<Kept>, RecordError>;

    /// A subject by its reference digest, whatever its state.
    fn kept_by_reference(&self, digest: &LookupDigest) -> Result<Option<Kept>, RecordError>;

    /// Whose image has this source digest, whatever the state.
    fn kept_by_source(&self, digest: &LookupDigest) -> Result<Option<Kept>, RecordError>;

    /// Images of a subject in any state, in the order they were recorded.
    fn kept_images(&self, subject: SubjectId) -> Result<Vec<StoredImage>, RecordError>;

    /// The next `limit` subjects after number `after`, whatever their state, ascending.
    fn kept_after(&self, after: Option<SubjectRow>, limit: usize) -> Result<Vec<Kept>, RecordError>;

    /// Up to `limit` subjects in use or beyond use that must be assessed: never assessed, under other rules, or their day has come.
    fn to_assess(&self, rules: &str, today: Date, limit: usize) -> Result<Vec<Kept>, RecordError>;

    /// The next `limit` subjects of a list after number `after`, ascending.
    fn worklist(
        &self,
        list: Worklist,
        today: Date,
        after: Option<SubjectRow>,
        limit: usize,
    ) -> Result<Vec<Kept>, RecordError>;

    /// Up to `limit` subjects beyond use whose time to be erased has come, longest overdue first.
    fn dwelt_out(&self, now: Timestamp, limit: usize) -> Result<Vec<Kept>, RecordError>;

    /// Every subject whose erasure has begun.
    fn erasing(&self) -> Result<Vec<SubjectId>, RecordError>;

    /// Keeps facts and what the rules say of them, in one step; `false` when there is no such subject.
    fn set_facts(&self, subject: SubjectId, sealed_facts: &[u8], marks: &Marks) -> Result<bool, RecordError>;

    /// Keeps what the rules say, for many subjects in one transaction.
    fn set_marks(&self, marks: &[(SubjectRow, Marks)]) -> Result<(), RecordError>;

    /// Puts subjects into a state, in one transaction. `out_of_use` belongs to [`State::BeyondUse`]; without one, what was kept
    /// of an earlier one stays.
    ///
    /// From [`State::Erasing`] nothing leads back: such subjects stay as they are.
    fn set_state(
        &self,
        subjects: &[SubjectId],
        state: State,
        now: Timestamp,
        out_of_use: Option<&OutOfUse>,
    ) -> Result<u64, RecordError>;

    /// Moves the day on which a subject beyond use is erased; `false` when it is not beyond use.
    fn set_erase_at(&self, subject: SubjectId, erase_at: Timestamp) -> Result<bool, RecordError>;

    /// How many are where.
    fn retention_counts(&self, today: Date) -> Result<RetentionCounts, RecordError>;

    /// Rows that are there, without those of subjects that are being erased; as searchable count those of active subjects.
    fn rows_held(&self) -> Result<Counts, RecordError>;
}

const IMAGE: &str =
    "SELECT image.id, image.row, subject.id, subject.row, image.source, image.content, image.record,
        image.enrolled, image.collected_ms
    FROM image JOIN subject ON subject.row = image.subject";

impl RetentionRecords for SqliteRecords {
    fn kept(&self, subject: SubjectId) -> Result<Option<Kept>, RecordError> {
        let reader = self.database.reader()?;
        Ok(reader.query_row(&format!("{KEPT} WHERE id = ?1"), [subject.as_bytes()], kept).optional()?)
    }

    fn kept_by_reference(&self, digest: &LookupDigest) -> Result<Option<Kept>, RecordError> {
        let reader = self.database.reader()?;
        Ok(reader.query_row(&format!("{KEPT} WHERE reference = ?1"), [digest.as_bytes()], kept).optional()?)
    }

    fn kept_by_source(&self, digest: &LookupDigest) -> Result<Option<Kept>, RecordError> {
        let reader = self.database.reader()?;
        let statement = format!("{KEPT} WHERE row = (SELECT subject FROM image WHERE source = ?1)");
        Ok(reader.query_row(&statement, [digest.as_bytes()], kept).optional()?)
    }

    fn kept_images(&self, subject: SubjectId) -> Result<Vec<StoredImage>, RecordError> {
        let reader = self.database.reader()?;
        let mut statement = reader.prepare(&format!("{IMAGE} WHERE subject.id = ?1 ORDER BY image.row"))?;
        let images = statement.query_map([subject.as_bytes()], read::stored_image)?;
        Ok(images.collect::<Result<_, _>>()?)
    }

    fn kept_after(&self, after: Option<SubjectRow>, limit: usize) -> Result<Vec<Kept>, RecordError> {
        let reader = self.database.reader()?;
        let mut statement = reader.prepare(&format!("{KEPT} WHERE row > ?1 ORDER BY row LIMIT ?2"))?;
        let found = statement.query_map(params![number(after), bounded(limit)], kept)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn to_assess(&self, rules: &str, today: Date, limit: usize) -> Result<Vec<Kept>, RecordError> {
        let reader = self.database.reader()?;
        // Three look-ups in three indexes; one condition with OR would read the whole table.
        let statement = format!(
            "{KEPT} WHERE state <> 2 AND row IN (
                 SELECT row FROM (SELECT row FROM subject WHERE rules IS NULL LIMIT ?3)
                 UNION SELECT row FROM (SELECT row FROM subject WHERE rules < ?1 OR rules > ?1 LIMIT ?3)
                 UNION SELECT row FROM (SELECT row FROM subject WHERE look_on <= ?2 LIMIT ?3))
             ORDER BY row LIMIT ?3"
        );
        let mut statement = reader.prepare(&statement)?;
        let found = statement.query_map(params![rules, today.to_string(), bounded(limit)], kept)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn worklist(
        &self,
        list: Worklist,
        today: Date,
        after: Option<SubjectRow>,
        limit: usize,
    ) -> Result<Vec<Kept>, RecordError> {
        let reader = self.database.reader()?;
        let statement =
            format!("{KEPT} WHERE state = 0 AND {} <= ?1 AND row > ?2 ORDER BY row LIMIT ?3", column(list));
        let mut statement = reader.prepare(&statement)?;
        let found = statement.query_map(params![today.to_string(), number(after), bounded(limit)], kept)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn dwelt_out(&self, now: Timestamp, limit: usize) -> Result<Vec<Kept>, RecordError> {
        let reader = self.database.reader()?;
        let statement = format!("{KEPT} WHERE state = 1 AND erase_ms <= ?1 ORDER BY erase_ms LIMIT ?2");
        let mut statement = reader.prepare(&statement)?;
        let found = statement.query_map(params![to_ms(now), bounded(limit)], kept)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn erasing(&self) -> Result<Vec<SubjectId>, RecordError> {
        let reader = self.database.reader()?;
        let mut statement = reader.prepare("SELECT id FROM subject WHERE state = 2")?;
        let found = statement.query_map([], |row| Ok(SubjectId::from_bytes(row.get(0)?)))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn set_facts(&self, subject: SubjectId, sealed_facts: &[u8], marks: &Marks) -> Result<bool, RecordError> {
        self.database.write(|transaction| put_facts(transaction, subject, sealed_facts, marks))
    }

    fn set_marks(&self, marks: &[(SubjectRow, Marks)]) -> Result<(), RecordError> {
        self.database.write(|transaction| {
            let mut update = transaction.prepare(
                "UPDATE subject SET rules = ?2, look_on = ?3, due_on = ?4, review_on = ?5, chase_on = ?6
                 WHERE row = ?1 AND state <> 2",
            )?;
            for (row, marks) in marks {
                update.execute(params![
                    to_row(row.0)?,
                    marks.rules,
                    marks.look_on.map(|date| date.to_string()),
                    marks.due_on.map(|date| date.to_string()),
                    marks.review_on.to_string(),
                    marks.chase_on.map(|date| date.to_string())
                ])?;
            }
            Ok(())
        })
    }

    fn set_state(
        &self,
        subjects: &[SubjectId],
        state: State,
        now: Timestamp,
        out_of_use: Option<&OutOfUse>,
    ) -> Result<u64, RecordError> {
        self.database.write(|transaction| {
            let mut update = transaction.prepare(
                "UPDATE subject SET state = ?2, state_ms = ?3, erase_ms = coalesce(?4, erase_ms), why = coalesce(?5, why)
                 WHERE id = ?1 AND state <> 2",
            )?;
            let mut changed = 0;
            for subject in subjects {
                changed += update.execute(params![
                    subject.as_bytes(),
                    state as i64,
                    to_ms(now),
                    out_of_use.map(|out| to_ms(out.erase_at)),
                    out_of_use.map(|out| out.why.as_str())
                ])? as u64;
            }
            Ok(changed)
        })
    }

    fn set_erase_at(&self, subject: SubjectId, erase_at: Timestamp) -> Result<bool, RecordError> {
        self.database.write(|transaction| {
            let changed = transaction.execute(
                "UPDATE subject SET erase_ms = ?2 WHERE id = ?1 AND state = 1",
                params![subject.as_bytes(), to_ms(erase_at)],
            )?;
            Ok(changed > 0)
        })
    }

    fn retention_counts(&self, today: Date) -> Result<RetentionCounts, RecordError> {
        let today = today.to_string();
        let counted: [i64; 6] = self.database.reader()?.query_row(
            "SELECT (SELECT count(*) FROM subject), (SELECT count(*) FROM subject WHERE state = 1),
                    (SELECT count(*) FROM subject WHERE state = 2),
                    (SELECT count(*) FROM subject WHERE state = 0 AND due_on <= ?1),
                    (SELECT count(*) FROM subject WHERE state = 0 AND review_on <= ?1),
                    (SELECT count(*) FROM subject WHERE state = 0 AND chase_on <= ?1)",
            [today],
            |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?]),
        )?;
        let [all, beyond_use, erasing, due, review_overdue, to_chase] = counted;
        Ok(RetentionCounts {
            active: from_row(all - beyond_use - erasing)?,
            beyond_use: from_row(beyond_use)?,
            erasing: from_row(erasing)?,
            due: from_row(due)?,
            review_overdue: from_row(review_overdue)?,
            to_chase: from_row(to_chase)?,
        })
    }

    fn rows_held(&self) -> Result<Counts, RecordError> {
        row::rows_held(&*self.database.reader()?)
    }
}

/// Keeps facts and marks, inside the caller's transaction.
pub(super) fn put_facts(
    transaction: &Transaction<'_>,
    subject: SubjectId,
    sealed_facts: &[u8],
    marks: &Marks,
) -> Result<bool, RecordError> {
    let changed = transaction.execute(
        "UPDATE subject SET facts = ?2, rules = ?3, look_on = ?4, due_on = ?5, review_on = ?6, chase_on = ?7
         WHERE id = ?1 AND state <> 2",
        params![
            subject.as_bytes(),
            sealed_facts,
            marks.rules,
            marks.look_on.map(|date| date.to_string()),
            marks.due_on.map(|date| date.to_string()),
            marks.review_on.to_string(),
            marks.chase_on.map(|date| date.to_string())
        ],
    )?;
    Ok(changed > 0)
}

fn column(list: Worklist) -> &'static str {
    match list {
        Worklist::Due => "due_on",
        Worklist::Review => "review_on",
        Worklist::Chase => "chase_on",
    }
}

/// Rows count from 1. Beyond the largest row there is nothing.
fn number(after: Option<SubjectRow>) -> i64 {
    after.map_or(0, |row| to_row(row.0).unwrap_or(i64::MAX))
}

fn bounded(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
