//! Applications for deletion (R29): what was said lies sealed under the subject's own key; beside it stand the force, the state
//! and the dates, so that what waits can be found, and counted, without a key.
//!
//! They go with the subject. What statistics need of them is added to a tally by force and state, in the transaction that removes
//! the subject: a number there belongs to nobody.

use super::{Marks, RecordError, SqliteRecords, retention};
use crate::{
    ids::{ApplicationId, SubjectId},
    retention::application::{ApplicationState, ApplicationTally},
    sqlite::{from_row, to_row},
};
use jiff::civil::Date;
use rusqlite::{OptionalExtension, Row, Transaction, params};

/// An application as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredApplication {
    /// Its id.
    pub id: ApplicationId,
    /// Its number in this pool, from 1; never used twice. Of no account in one that is put.
    pub number: u64,
    /// Whose record it is about.
    pub subject: SubjectId,
    /// The force that decides.
    pub force: String,
    /// Where it stands.
    pub state: ApplicationState,
    /// Whether it was appealed against.
    pub appealed: bool,
    /// When it was received.
    pub received_on: Date,
    /// The last day for what is to be decided next.
    pub decide_by: Option<Date>,
    /// The application, sealed under the subject's key.
    pub sealed: Vec<u8>,
}

/// Which applications.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ApplicationList {
    /// Something is to be decided.
    Open,
    /// The same, and the time for it is over.
    Overdue,
    /// Agreed, and the record is not erased yet.
    Agreed,
    /// Every one.
    All,
}

/// Applications about one pool's subjects. The same promises as [`super::RecordStore`].
pub trait ApplicationRecords {
    /// Keeps an application, new or changed, and in the same step what else it changes of how long the subject is kept: facts and
    /// what the rules say of them. `false` when there is no such subject or its erasure has begun; nothing is kept then.
    fn put_application(
        &self,
        application: &StoredApplication,
        retention: Option<(&[u8], &Marks)>,
    ) -> Result<bool, RecordError>;

    /// The application with this id, unless the erasure of its subject has begun: it cannot be opened any more then.
    fn application(&self, id: ApplicationId) -> Result<Option<StoredApplication>, RecordError>;

    /// Every application about a subject, in the order they were received; none once its erasure has begun.
    fn applications_of(&self, subject: SubjectId) -> Result<Vec<StoredApplication>, RecordError>;

    /// The next `limit` applications of a list after number `after`, ascending.
    fn applications(
        &self,
        list: ApplicationList,
        today: Date,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredApplication>, RecordError>;

    /// Whether an application about the subject was agreed.
    fn has_agreed_application(&self, subject: SubjectId) -> Result<bool, RecordError>;

    /// How many there are, and were, that stand alike.
    fn application_tallies(&self, today: Date) -> Result<Vec<ApplicationTally>, RecordError>;
}

const STORED: &str =
    "SELECT application.id, application.number, subject.id, application.force, application.state,
        application.appealed, application.received_on, application.decide_by, application.sealed
    FROM application JOIN subject ON subject.row = application.subject";

impl ApplicationRecords for SqliteRecords {
    fn put_application(
        &self,
        application: &StoredApplication,
        retention: Option<(&[u8], &Marks)>,
    ) -> Result<bool, RecordError> {
        self.database.write(|transaction| {
            let put = transaction.execute(
                "INSERT INTO application (id, subject, force, state, appealed, received_on, decide_by, sealed)
                 SELECT ?1, row, ?3, ?4, ?5, ?6, ?7, ?8 FROM subject WHERE id = ?2 AND state <> 2
                 ON CONFLICT (id) DO UPDATE SET state = excluded.state, appealed = excluded.appealed,
                     decide_by = excluded.decide_by, sealed = excluded.sealed",
                params![
                    application.id.as_bytes(),
                    application.subject.as_bytes(),
                    application.force,
                    application.state.code(),
                    application.appealed,
                    application.received_on.to_string(),
                    application.decide_by.map(|date| date.to_string()),
                    application.sealed
                ],
            )?;
            if put == 0 {
                return Ok(false);
            }
            match retention {
                Some((facts, marks)) => retention::put_facts(transaction, application.subject, facts, marks),
                None => Ok(true),
            }
        })
    }

    fn application(&self, id: ApplicationId) -> Result<Option<StoredApplication>, RecordError> {
        let reader = self.database.reader()?;
        let statement = format!("{STORED} WHERE application.id = ?1 AND subject.state <> 2");
        Ok(reader.query_row(&statement, [id.as_bytes()], stored).optional()?)
    }

    fn applications_of(&self, subject: SubjectId) -> Result<Vec<StoredApplication>, RecordError> {
        let reader = self.database.reader()?;
        let mut statement = reader.prepare(&format!(
            "{STORED} WHERE subject.id = ?1 AND subject.state <> 2 ORDER BY application.number"
        ))?;
        let found = statement.query_map([subject.as_bytes()], stored)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn applications(
        &self,
        list: ApplicationList,
        today: Date,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredApplication>, RecordError> {
        let (wanted, late) = match list {
            ApplicationList::Open => ("decide_by IS NOT NULL", None),
            ApplicationList::Overdue => ("decide_by IS NOT NULL", Some(today.to_string())),
            ApplicationList::Agreed => ("application.state IN ('agreed', 'agreed_on_appeal')", None),
            ApplicationList::All => ("application.number > 0", None),
        };
        let reader = self.database.reader()?;
        // Who is being erased is on no list any more.
        let mut statement = reader.prepare(&format!(
            "{STORED} WHERE {wanted} AND application.number > ?1 AND (?3 IS NULL OR decide_by < ?3) AND subject.state <> 2
             ORDER BY application.number LIMIT ?2"
        ))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let after = to_row(after).unwrap_or(i64::MAX);
        let found = statement.query_map(params![after, limit, late], stored)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn has_agreed_application(&self, subject: SubjectId) -> Result<bool, RecordError> {
        Ok(self.database.reader()?.query_row(
            "SELECT EXISTS (SELECT 1 FROM application JOIN subject ON subject.row = application.subject
                 WHERE subject.id = ?1 AND application.state IN ('agreed', 'agreed_on_appeal'))",
            [subject.as_bytes()],
            |row| row.get(0),
        )?)
    }

    fn application_tallies(&self, today: Date) -> Result<Vec<ApplicationTally>, RecordError> {
        let reader = self.database.reader()?;
        // One statement: a subject that is erased meanwhile is counted here or there, and not twice.
        let mut statement = reader.prepare(
            "SELECT force, state, appealed, 0, count(*), coalesce(sum(decide_by < ?1), 0) FROM application
                 GROUP BY force, state, appealed
             UNION ALL SELECT force, state, appealed, 1, number, 0 FROM application_tally",
        )?;
        let tallies = statement.query_map([today.to_string()], |row| {
            Ok(ApplicationTally {
                force: row.get(0)?,
                state: state(row, 1)?,
                appealed: row.get(2)?,
                erased: row.get(3)?,
                number: from_row(row.get(4)?)?,
                overdue: from_row(row.get(5)?)?,
            })
        })?;
        Ok(tallies.collect::<Result<_, _>>()?)
    }
}

/// Takes the applications about a subject that is being removed out, and counts them as those of nobody.
pub(super) fn count_and_remove(transaction: &Transaction<'_>, subject: i64) -> Result<(), rusqlite::Error> {
    transaction.execute(
        "INSERT INTO application_tally (force, state, appealed, number)
         SELECT force, state, appealed, count(*) FROM application WHERE subject = ?1 GROUP BY force, state, appealed
         ON CONFLICT (force, state, appealed) DO UPDATE SET number = number + excluded.number",
        [subject],
    )?;
    transaction.execute("DELETE FROM application WHERE subject = ?1", [subject])?;
    Ok(())
}

fn stored(row: &Row<'_>) -> Result<StoredApplication, rusqlite::Error> {
    let decide_by: Option<String> = row.get(7)?;
    Ok(StoredApplication {
        id: ApplicationId::from_bytes(row.get(0)?),
        number: from_row(row.get(1)?)?,
        subject: SubjectId::from_bytes(row.get(2)?),
        force: row.get(3)?,
        state: state(row, 4)?,
        appealed: row.get(5)?,
        received_on: date(&row.get::<_, String>(6)?, 6)?,
        decide_by: decide_by.map(|text| date(&text, 7)).transpose()?,
        sealed: row.get(8)?,
    })
}

fn state(row: &Row<'_>, column: usize) -> Result<ApplicationState, rusqlite::Error> {
    let code: String = row.get(column)?;
    ApplicationState::of(&code).ok_or_else(|| {
        rusqlite::Error::InvalidColumnType(column, "state".to_owned(), rusqlite::types::Type::Text)
    })
}

fn date(text: &str, column: usize) -> Result<Date, rusqlite::Error> {
    text.parse().map_err(|error: jiff::Error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}
