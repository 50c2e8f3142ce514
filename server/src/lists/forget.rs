//! Erasing what lines say of somebody. That there was a line, and what became of it, stays.
use std::time::Duration;

use super::{Lists, ListsError};
use crate::{
    ids::SubjectId,
    sqlite::{DatabaseError, from_row},
};

/// How often the write-ahead log is asked for while others use it, and the pause in between.
const FORGET_TRIES: u32 = 100;
const FORGET_PAUSE: Duration = Duration::from_millis(50);

impl Lists {
    /// How many lines are, or were, about a subject.
    ///
    /// # Errors
    /// [`ListsError`].
    pub fn lines_about(&self, subject: SubjectId) -> Result<u64, ListsError> {
        let count = "SELECT count(*) FROM line WHERE subject = ?1";
        let counted = self.database.reader()?.query_row(count, [subject.as_bytes()], |row| row.get(0))?;
        Ok(from_row(counted)?)
    }

    /// Removes what lines say of these subjects, from the file and its log. That there was a line, and what became of it, stays.
    ///
    /// # Errors
    /// [`ListsError`]; it may be repeated.
    pub fn forget(&self, subjects: &[SubjectId]) -> Result<(), ListsError> {
        let changed = self.database.write(|transaction| -> Result<usize, ListsError> {
            let mut update = transaction.prepare(
                "UPDATE line SET sealed = NULL, reason = NULL
                 WHERE subject = ?1 AND (sealed IS NOT NULL OR reason IS NOT NULL)",
            )?;
            let mut changed = 0;
            for subject in subjects {
                changed += update.execute([subject.as_bytes()])?;
            }
            Ok(changed)
        })?;
        // A stop may have come between the two: what is about to be certified must not lie in the log.
        if changed > 0
            || subjects.iter().any(|subject| self.lines_about(*subject).is_ok_and(|lines| lines > 0))
        {
            self.forget_log()?;
        }
        Ok(())
    }

    /// Removes every list of a pool that was dropped: another pool may get its name.
    ///
    /// # Errors
    /// [`ListsError`]; it may be repeated.
    pub fn forget_pool(&self, pool: &str) -> Result<(), ListsError> {
        let removed = self.database.write(|transaction| -> Result<usize, ListsError> {
            transaction.execute(
                "DELETE FROM line WHERE list IN (SELECT number FROM list WHERE pool = ?1)",
                [pool],
            )?;
            Ok(transaction.execute("DELETE FROM list WHERE pool = ?1", [pool])?)
        })?;
        if removed > 0 { self.forget_log() } else { Ok(()) }
    }

    /// Looks whether any line still says something of a subject.
    ///
    /// # Errors
    /// [`ListsError::StillThere`] when one does.
    pub fn check_forgotten(&self, subject: SubjectId) -> Result<(), ListsError> {
        let says = "SELECT EXISTS (SELECT 1 FROM line WHERE subject = ?1 AND (sealed IS NOT NULL OR reason IS NOT NULL))";
        let still: bool = self.database.reader()?.query_row(says, [subject.as_bytes()], |row| row.get(0))?;
        if still { Err(ListsError::StillThere) } else { Ok(()) }
    }

    fn forget_log(&self) -> Result<(), ListsError> {
        let mut tries = 0;
        loop {
            match self.database.forget_log() {
                Err(DatabaseError::LogInUse) if tries < FORGET_TRIES => {
                    tries += 1;
                    std::thread::sleep(FORGET_PAUSE);
                }
                done => return Ok(done?),
            }
        }
    }
}
