//! References that came again: recognised by the digests that erasures left, held back, decided about.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{Ledger, LedgerError};
use crate::{
    ids::{ErasureId, SubjectId},
    seal::LookupDigest,
    sqlite::{from_ms, from_row, to_ms},
};

/// Who a reference belonged to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// The digest that was recognised.
    pub digest: LookupDigest,
    /// The erasure that left it.
    pub erasure: ErasureId,
}

/// What was decided about references that came again.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// They may come in as new.
    Allowed,
    /// They stay out.
    Refused,
}

/// A re-import that was held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reimport {
    /// Its number.
    pub id: u64,
    /// The pool.
    pub pool: String,
    /// The system that sent it.
    pub system: String,
    /// The erasure it would undo; `None` while the person is only beyond use.
    pub erasure: Option<ErasureId>,
    /// The subject that is beyond use.
    pub subject: Option<SubjectId>,
    /// First and last attempt.
    pub attempted: (Timestamp, Timestamp),
    /// How often.
    pub attempts: u64,
    /// What was decided, by whom and why.
    pub decision: Option<ReimportDecision>,
}

/// A decision about a re-import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReimportDecision {
    /// What.
    pub resolution: Resolution,
    /// By whom.
    pub authority: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Ledger {
    /// Whether one of these digests was left by an erasure in this pool, unless it was decided that it may come again.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn recognises(
        &self,
        pool: &str,
        digests: &[LookupDigest],
    ) -> Result<Option<Recognised>, LedgerError> {
        let reader = self.database.reader()?;
        let mut look = reader.prepare("SELECT erasure FROM mark WHERE pool = ?1 AND digest = ?2")?;
        for digest in digests {
            let found: Option<[u8; 16]> =
                look.query_row(params![pool, digest.as_bytes()], |row| row.get(0)).optional()?;
            if let Some(erasure) = found {
                return Ok(Some(Recognised { digest: *digest, erasure: ErasureId::from_bytes(erasure) }));
            }
        }
        Ok(None)
    }

    /// Notes that a reference came again, and gives the number of the question. One that was allowed in before, and left use once
    /// more since, is asked about anew; a refusal stands.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn hold_back(
        &self,
        pool: &str,
        digest: LookupDigest,
        system: &str,
        of: (Option<ErasureId>, Option<SubjectId>),
        now: Timestamp,
    ) -> Result<u64, LedgerError> {
        self.database.write(|transaction| {
            let id: i64 = transaction.query_row(
                "INSERT INTO reimport (pool, digest, system, erasure, subject, first_ms, last_ms, attempts)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 1)
                 ON CONFLICT (pool, digest) DO UPDATE SET last_ms = excluded.last_ms, attempts = attempts + 1,
                     erasure = excluded.erasure, subject = excluded.subject,
                     decision = iif(decision = 'allowed', NULL, decision),
                     authority = iif(decision = 'allowed', NULL, authority),
                     reason = iif(decision = 'allowed', NULL, reason),
                     decided_ms = iif(decision = 'allowed', NULL, decided_ms)
                 RETURNING id",
                params![
                    pool,
                    digest.as_bytes(),
                    system,
                    of.0.map(|id| *id.as_bytes()),
                    of.1.map(|id| *id.as_bytes()),
                    to_ms(now)
                ],
                |row| row.get(0),
            )?;
            Ok(from_row(id)?)
        })
    }

    /// Re-imports that were held back: those not decided yet, or all.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn held_back(&self, pool: &str, also_decided: bool) -> Result<Vec<Reimport>, LedgerError> {
        let reader = self.database.reader()?;
        let mut statement = reader.prepare(
            "SELECT id, pool, system, erasure, subject, first_ms, last_ms, attempts, decision, authority, reason, decided_ms
             FROM reimport WHERE pool = ?1 AND (?2 OR decision IS NULL) ORDER BY id",
        )?;
        let mut rows = statement.query(params![pool, also_decided])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(reimport(row)?);
        }
        Ok(found)
    }

    /// Decides about a re-import. Allowed: every mark of that erasure is forgotten. `None` when there is no such question in
    /// this pool, or it was decided before.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn decide(
        &self,
        pool: &str,
        id: u64,
        decision: &ReimportDecision,
    ) -> Result<Option<Reimport>, LedgerError> {
        let number = i64::try_from(id).unwrap_or(i64::MAX);
        let word = match decision.resolution {
            Resolution::Allowed => "allowed",
            Resolution::Refused => "refused",
        };
        let changed = self.database.write(|transaction| -> Result<usize, LedgerError> {
            let changed = transaction.execute(
                "UPDATE reimport SET decision = ?3, authority = ?4, reason = ?5, decided_ms = ?6
                 WHERE id = ?1 AND pool = ?2 AND decision IS NULL",
                params![number, pool, word, decision.authority, decision.reason, to_ms(decision.at)],
            )?;
            if changed > 0 && decision.resolution == Resolution::Allowed {
                transaction.execute(
                    "DELETE FROM mark WHERE erasure = (SELECT erasure FROM reimport WHERE id = ?1)",
                    [number],
                )?;
            }
            Ok(changed)
        })?;
        if changed == 0 {
            return Ok(None);
        }
        Ok(self.held_back(pool, true)?.into_iter().find(|reimport| reimport.id == id))
    }
}

fn reimport(row: &Row<'_>) -> Result<Reimport, LedgerError> {
    let resolution = match row.get::<_, Option<String>>(8)?.as_deref() {
        None => None,
        Some("allowed") => Some(Resolution::Allowed),
        Some("refused") => Some(Resolution::Refused),
        Some(_) => return Err(LedgerError::Malformed("decision")),
    };
    let decision = match resolution {
        None => None,
        Some(resolution) => Some(ReimportDecision {
            resolution,
            authority: row.get(9)?,
            reason: row.get(10)?,
            at: from_ms(row.get(11)?)?,
        }),
    };
    Ok(Reimport {
        id: from_row(row.get(0)?)?,
        pool: row.get(1)?,
        system: row.get(2)?,
        erasure: row.get::<_, Option<[u8; 16]>>(3)?.map(ErasureId::from_bytes),
        subject: row.get::<_, Option<[u8; 16]>>(4)?.map(SubjectId::from_bytes),
        attempted: (from_ms(row.get(5)?)?, from_ms(row.get(6)?)?),
        attempts: from_row(row.get(7)?)?,
        decision,
    })
}
