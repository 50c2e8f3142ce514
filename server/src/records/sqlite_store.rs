//! The record store as one SQLite file per pool.

use super::{
    Committed, Counts, EnrolledTemplate, ImageRow, NewImage, NewSubject, PoolMeta, RecordError, RecordStore,
    StoredImage, StoredSubject, read, write,
};
use crate::ids::{ImageId, SubjectId};
use crate::keys::KeyCheck;
use crate::seal::LookupDigest;
use crate::sqlite::{Database, Format, Upgrade, from_ms, to_ms};
use rusqlite::{Connection, params};
use std::collections::BTreeSet;
use std::path::Path;

pub(super) const FORMAT: Format = Format {
    what: "a record file",
    application_id: 0x4c4b_5245,
    version: 4,
    // AUTOINCREMENT: a number is never given twice, so a stale index row cannot point to another person's image.
    tables: "CREATE TABLE pool (
                 one INTEGER PRIMARY KEY CHECK (one = 1),
                 name TEXT NOT NULL, kind TEXT NOT NULL, space TEXT NOT NULL,
                 key_check BLOB NOT NULL CHECK (length(key_check) = 32),
                 created_ms INTEGER NOT NULL,
                 active_pack TEXT, active_space TEXT
             ) STRICT;
             CREATE TABLE subject (
                 row INTEGER PRIMARY KEY AUTOINCREMENT,
                 id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
                 reference BLOB NOT NULL UNIQUE CHECK (length(reference) = 32),
                 details BLOB NOT NULL,
                 created_ms INTEGER NOT NULL,
                 state INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2)),
                 state_ms INTEGER,
                 erase_ms INTEGER, why TEXT,
                 facts BLOB,
                 rules TEXT, look_on TEXT, due_on TEXT, review_on TEXT, chase_on TEXT
             ) STRICT;
             CREATE TABLE image (
                 row INTEGER PRIMARY KEY AUTOINCREMENT,
                 id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
                 subject INTEGER NOT NULL REFERENCES subject(row),
                 source BLOB NOT NULL UNIQUE CHECK (length(source) = 32),
                 content BLOB NOT NULL CHECK (length(content) = 32),
                 record BLOB NOT NULL,
                 held INTEGER NOT NULL CHECK (held IN (0, 1)),
                 enrolled INTEGER NOT NULL CHECK (enrolled IN (0, 1)),
                 template BLOB,
                 collected_ms INTEGER NOT NULL,
                 other BLOB,
                 other_refused TEXT,
                 CHECK (enrolled = (template IS NOT NULL)),
                 CHECK (held = 1 OR enrolled = 0)
             ) STRICT;
             CREATE INDEX image_of_subject ON image(subject);
             CREATE INDEX subject_out_of_use ON subject(state, erase_ms) WHERE state <> 0;
             CREATE INDEX subject_rules ON subject(rules);
             CREATE INDEX subject_look ON subject(look_on);
             CREATE INDEX subject_due ON subject(due_on) WHERE due_on IS NOT NULL;
             CREATE INDEX subject_review ON subject(review_on);
             CREATE INDEX subject_chase ON subject(chase_on) WHERE chase_on IS NOT NULL;
             CREATE INDEX image_enrolled ON image(row) WHERE enrolled = 1;
             CREATE TABLE migration (
                 one INTEGER PRIMARY KEY CHECK (one = 1),
                 pack TEXT NOT NULL, space TEXT NOT NULL,
                 switched INTEGER NOT NULL CHECK (switched IN (0, 1)),
                 retiring INTEGER NOT NULL CHECK (retiring IN (0, 1)),
                 started_ms INTEGER NOT NULL, event BLOB NOT NULL CHECK (length(event) = 16),
                 probes INTEGER NOT NULL DEFAULT 0, same_first INTEGER NOT NULL DEFAULT 0,
                 places INTEGER NOT NULL DEFAULT 0, shared INTEGER NOT NULL DEFAULT 0,
                 refused INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0
             ) STRICT;
             CREATE TABLE protected (
                 subject INTEGER PRIMARY KEY REFERENCES subject(row) ON DELETE CASCADE,
                 mark BLOB NOT NULL
             ) STRICT;
             CREATE TABLE application (
                 number INTEGER PRIMARY KEY AUTOINCREMENT,
                 id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
                 subject INTEGER NOT NULL REFERENCES subject(row),
                 force TEXT NOT NULL, state TEXT NOT NULL,
                 appealed INTEGER NOT NULL CHECK (appealed IN (0, 1)),
                 received_on TEXT NOT NULL, decide_by TEXT,
                 sealed BLOB NOT NULL
             ) STRICT;
             CREATE INDEX application_of_subject ON application(subject);
             CREATE INDEX application_open ON application(decide_by) WHERE decide_by IS NOT NULL;
             CREATE TABLE application_tally (
                 force TEXT NOT NULL, state TEXT NOT NULL,
                 appealed INTEGER NOT NULL CHECK (appealed IN (0, 1)),
                 number INTEGER NOT NULL CHECK (number > 0),
                 PRIMARY KEY (force, state, appealed)
             ) STRICT, WITHOUT ROWID;",
    page_bytes: 4096,
};

/// From version 1, which had no room for a second algorithm, 2, which had none for protected views and kept everything for ever,
/// and 3, which had none for applications for deletion.
pub(super) const UPGRADES: [Upgrade; 3] = [FROM_1, FROM_2, FROM_3];

const FROM_1: Upgrade = Upgrade {
    from: 1,
    statements: "ALTER TABLE pool ADD COLUMN active_pack TEXT;
             ALTER TABLE pool ADD COLUMN active_space TEXT;
             ALTER TABLE image ADD COLUMN other BLOB;
             ALTER TABLE image ADD COLUMN other_refused TEXT;
             CREATE TABLE migration (
                 one INTEGER PRIMARY KEY CHECK (one = 1),
                 pack TEXT NOT NULL, space TEXT NOT NULL,
                 switched INTEGER NOT NULL CHECK (switched IN (0, 1)),
                 retiring INTEGER NOT NULL CHECK (retiring IN (0, 1)),
                 started_ms INTEGER NOT NULL, event BLOB NOT NULL CHECK (length(event) = 16),
                 probes INTEGER NOT NULL DEFAULT 0, same_first INTEGER NOT NULL DEFAULT 0,
                 places INTEGER NOT NULL DEFAULT 0, shared INTEGER NOT NULL DEFAULT 0,
                 refused INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0
             ) STRICT;",
};

const FROM_2: Upgrade = Upgrade {
    from: 2,
    statements: "ALTER TABLE subject ADD COLUMN state INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2));
             ALTER TABLE subject ADD COLUMN state_ms INTEGER;
             ALTER TABLE subject ADD COLUMN erase_ms INTEGER;
             ALTER TABLE subject ADD COLUMN why TEXT;
             ALTER TABLE subject ADD COLUMN facts BLOB;
             ALTER TABLE subject ADD COLUMN rules TEXT;
             ALTER TABLE subject ADD COLUMN look_on TEXT;
             ALTER TABLE subject ADD COLUMN due_on TEXT;
             ALTER TABLE subject ADD COLUMN review_on TEXT;
             ALTER TABLE subject ADD COLUMN chase_on TEXT;
             CREATE INDEX subject_out_of_use ON subject(state, erase_ms) WHERE state <> 0;
             CREATE INDEX subject_rules ON subject(rules);
             CREATE INDEX subject_look ON subject(look_on);
             CREATE INDEX subject_due ON subject(due_on) WHERE due_on IS NOT NULL;
             CREATE INDEX subject_review ON subject(review_on);
             CREATE INDEX subject_chase ON subject(chase_on) WHERE chase_on IS NOT NULL;
             CREATE TABLE protected (
                 subject INTEGER PRIMARY KEY REFERENCES subject(row) ON DELETE CASCADE,
                 mark BLOB NOT NULL
             ) STRICT;",
};

const FROM_3: Upgrade = Upgrade {
    from: 3,
    statements: "CREATE TABLE application (
                 number INTEGER PRIMARY KEY AUTOINCREMENT,
                 id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
                 subject INTEGER NOT NULL REFERENCES subject(row),
                 force TEXT NOT NULL, state TEXT NOT NULL,
                 appealed INTEGER NOT NULL CHECK (appealed IN (0, 1)),
                 received_on TEXT NOT NULL, decide_by TEXT,
                 sealed BLOB NOT NULL
             ) STRICT;
             CREATE INDEX application_of_subject ON application(subject);
             CREATE INDEX application_open ON application(decide_by) WHERE decide_by IS NOT NULL;
             CREATE TABLE application_tally (
                 force TEXT NOT NULL, state TEXT NOT NULL,
                 appealed INTEGER NOT NULL CHECK (appealed IN (0, 1)),
                 number INTEGER NOT NULL CHECK (number > 0),
                 PRIMARY KEY (force, state, appealed)
             ) STRICT, WITHOUT ROWID;",
};

/// A [`RecordStore`] in a file.
#[derive(Debug)]
pub struct SqliteRecords {
    pub(super) database: Database,
    meta: PoolMeta,
}

impl SqliteRecords {
    /// Makes the record file of a new pool; refuses when the file exists.
    pub fn create(file: &Path, meta: &PoolMeta) -> Result<Self, RecordError> {
        let database = Database::create(file, &FORMAT)?;
        database.write(|transaction| -> Result<(), RecordError> {
            transaction.execute(
                "INSERT INTO pool (one, name, kind, space, key_check, created_ms) VALUES (1, ?1, ?2, ?3, ?4, ?5)",
                params![
                    meta.pool.as_str(),
                    meta.kind,
                    meta.space,
                    meta.key_check.as_bytes(),
                    to_ms(meta.created_at)
                ],
            )?;
            Ok(())
        })?;
        Self::with_meta(database)
    }

    /// Opens the record file of a pool. The caller compares [`RecordStore::meta`] with what it expects, and opens
    /// the pool's key with the check value in it.
    pub fn open(file: &Path) -> Result<Self, RecordError> {
        Self::with_meta(Database::open_upgrading(file, &FORMAT, &UPGRADES)?)
    }

    fn with_meta(database: Database) -> Result<Self, RecordError> {
        let meta = read_meta(&*database.reader()?)?;
        Ok(Self { database, meta })
    }
}

fn read_meta(connection: &Connection) -> Result<PoolMeta, RecordError> {
    let malformed = RecordError::Malformed { what: "the pool's description" };
    let mut statement = connection.prepare("SELECT name, kind, space, key_check, created_ms FROM pool")?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Err(malformed) };
    let name: String = row.get(0)?;
    Ok(PoolMeta {
        pool: name.parse().map_err(|_| malformed)?,
        kind: row.get(1)?,
        space: row.get(2)?,
        key_check: KeyCheck::from_bytes(row.get(3)?),
        created_at: from_ms(row.get(4)?)?,
    })
}

impl RecordStore for SqliteRecords {
    fn meta(&self) -> &PoolMeta {
        &self.meta
    }

    fn commit_enrolments(
        &self,
        subjects: &[NewSubject],
        images: &[NewImage],
    ) -> Result<Committed, RecordError> {
        self.database.write(|transaction| {
            Ok(Committed {
                subjects: write::subjects(transaction, subjects)?,
                images: write::images(transaction, images)?,
            })
        })
    }

    fn set_enrolled(&self, image: ImageId, sealed_template: Option<&[u8]>) -> Result<bool, RecordError> {
        self.database.write(|transaction| write::set_enrolled(transaction, image, sealed_template))
    }

    fn subject(&self, subject: SubjectId) -> Result<Option<StoredSubject>, RecordError> {
        read::subject(&*self.database.reader()?, subject)
    }

    fn subjects_by_reference(
        &self,
        digests: &[LookupDigest],
    ) -> Result<Vec<Option<StoredSubject>>, RecordError> {
        read::subjects_by_reference(&*self.database.reader()?, digests)
    }

    fn image(&self, image: ImageId) -> Result<Option<StoredImage>, RecordError> {
        read::image(&*self.database.reader()?, image)
    }

    fn images_by_source(&self, digests: &[LookupDigest]) -> Result<Vec<Option<StoredImage>>, RecordError> {
        read::images_by_source(&*self.database.reader()?, digests)
    }

    fn images_by_row(&self, rows: &[ImageRow]) -> Result<Vec<Option<StoredImage>>, RecordError> {
        read::images_by_row(&*self.database.reader()?, rows)
    }

    fn images_of(&self, subject: SubjectId) -> Result<Vec<StoredImage>, RecordError> {
        read::images_of(&*self.database.reader()?, subject)
    }

    fn template(&self, image: ImageId) -> Result<Option<Vec<u8>>, RecordError> {
        read::template(&*self.database.reader()?, image)
    }

    fn enrolled_after(
        &self,
        after: Option<ImageRow>,
        limit: usize,
    ) -> Result<Vec<EnrolledTemplate>, RecordError> {
        read::enrolled_after(&*self.database.reader()?, after, limit)
    }

    fn image_ids(&self) -> Result<BTreeSet<ImageId>, RecordError> {
        read::image_ids(&*self.database.reader()?)
    }

    fn counts(&self) -> Result<Counts, RecordError> {
        read::counts(&*self.database.reader()?)
    }
}
