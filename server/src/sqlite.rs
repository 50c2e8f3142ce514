//! SQLite files as this project uses them: durable on commit, wiped on deletion, one writer and many readers.
//!
//! Write-ahead logging with `synchronous=FULL`: one sync per commit, and readers never wait for the writer.
//! `secure_delete=ON`: deleted content is overwritten, because "erased" is a promise.

use crate::durable::{self, FileError};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a statement waits for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Reader connections kept open; more are opened while needed and closed afterwards.
const IDLE_READERS: usize = 8;
/// Pages that are copied in one step.
const PAGES_AT_A_TIME: std::ffi::c_int = 4096;

/// What went wrong with a database file.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The file could not be made or is not private.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is missing, or it holds something else.
    #[error("`{}` is not {expected}; restore it from a backup, or point to another data folder", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
        /// What it should have been.
        expected: &'static str,
    },
    /// A newer program wrote the file, or one so old that its format is not known.
    #[error("`{}` has format version {found}, this program knows version {known}", file.display())]
    Version {
        /// The file.
        file: PathBuf,
        /// Version in the file's header.
        found: i32,
        /// Version this program writes.
        known: i32,
    },
    /// Other connections kept the write-ahead log in use, so deleted content may still be in it.
    #[error("the write-ahead log is in use; deleted content may still be in it, try again")]
    LogInUse,
    /// SQLite refused: disk full, file damaged, constraint broken.
    #[error("database: {0}")]
    Sql(#[from] rusqlite::Error),
}

/// What a kind of database file looks like.
#[derive(Debug)]
pub(crate) struct Format {
    /// Said in errors, for example `a record file`.
    pub what: &'static str,
    /// SQLite's `application_id`: tells our kinds of file apart.
    pub application_id: i32,
    /// SQLite's `user_version`: raised with every change of `tables`.
    pub version: i32,
    /// Statements that make an empty file of this kind.
    pub tables: &'static str,
    /// Bytes per page; large values suit large blobs.
    pub page_bytes: u32,
}

/// How a file of an older version becomes one of the next.
#[derive(Debug)]
pub(crate) struct Upgrade {
    /// The version it starts from; it gives the one after.
    pub from: i32,
    /// What is done, in one transaction.
    pub statements: &'static str,
}

/// An open database file.
#[derive(Debug)]
pub(crate) struct Database {
    file: PathBuf,
    // Dropped before the writer, which as the last to close moves the log into the file and removes it; a read-only
    // connection cannot.
    idle: Mutex<Vec<Connection>>,
    writer: Mutex<Connection>,
}

impl Database {
    /// Makes the file with the tables of `format`; refuses to touch an existing one.
    pub fn create(file: &Path, format: &Format) -> Result<Self, DatabaseError> {
        durable::create_file(file, b"")?;
        let mut connection = Connection::open(file)?;
        connection.pragma_update(None, "page_size", format.page_bytes)?;
        set_up(&connection, true)?;
        let transaction = connection.transaction()?;
        transaction.execute_batch(format.tables)?;
        transaction.pragma_update(None, "application_id", format.application_id)?;
        transaction.pragma_update(None, "user_version", format.version)?;
        transaction.commit()?;
        Ok(Self::of(file, connection))
    }

    /// Opens an existing file; the format is checked before anything else.
    pub fn open(file: &Path, format: &Format) -> Result<Self, DatabaseError> {
        if !file.is_file() {
            return Err(DatabaseError::Foreign { file: file.into(), expected: format.what });
        }
        durable::check_private(file, 0o600)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        check_format(&connection, file, format)?;
        set_up(&connection, true)?;
        Ok(Self::of(file, connection))
    }

    /// As [`Database::open`], after taking a file of an older version through `upgrades`, each in one transaction.
    pub fn open_upgrading(file: &Path, format: &Format, upgrades: &[Upgrade]) -> Result<Self, DatabaseError> {
        for upgrade in upgrades {
            let older = Format { what: format.what, version: upgrade.from, tables: "", ..*format };
            match Self::open(file, &older) {
                Ok(database) => {
                    let mut connection = database.connection();
                    let transaction = connection.transaction()?;
                    transaction.execute_batch(upgrade.statements)?;
                    transaction.pragma_update(None, "user_version", upgrade.from + 1)?;
                    transaction.commit()?;
                }
                // Of another version: the next step, or the final opening, says what to make of it.
                Err(DatabaseError::Version { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Self::open(file, format)
    }

    fn of(file: &Path, connection: Connection) -> Self {
        Self { file: file.into(), writer: Mutex::new(connection), idle: Mutex::default() }
    }

    /// Runs `work` in one transaction. Durable when this returns `Ok`; no trace of it when `Err`, unless the
    /// error is one of the commit itself (then it may or may not have happened).
    pub fn write<T, E: From<DatabaseError>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.connection();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(DatabaseError::from)?;
        let done = work(&transaction)?;
        transaction.commit().map_err(DatabaseError::from)?;
        Ok(done)
    }

    /// A connection for reading; sees everything committed before this call.
    pub fn reader(&self) -> Result<Reader<'_>, DatabaseError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = Connection::open_with_flags(&self.file, flags)?;
                set_up(&connection, false)?;
                connection
            }
        };
        Ok(Reader { idle: &self.idle, connection: Some(connection) })
    }

    /// Moves everything from the write-ahead log to the file and empties the log, so that content deleted before
    /// is in neither. (Blocks the file system frees are not overwritten by it.)
    pub fn forget_log(&self) -> Result<(), DatabaseError> {
        let busy: i64 =
            self.connection().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy == 0 { Ok(()) } else { Err(DatabaseError::LogInUse) }
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic while writing has rolled its transaction back on unwinding: the connection is sound.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection lent for reading.
pub(crate) struct Reader<'a> {
    idle: &'a Mutex<Vec<Connection>>,
    connection: Option<Connection>,
}

impl Deref for Reader<'_> {
    type Target = Connection;

    #[expect(clippy::expect_used, reason = "INVARIANT: only `drop` takes the connection away")]
    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("a reader has its connection until it is dropped")
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = self.connection.take().filter(|_| idle.len() < IDLE_READERS) {
            idle.push(connection);
        }
    }
}

/// Opens a file that another process may be writing, or that lies on a read-only medium, without changing it.
pub(crate) fn open_read_only(file: &Path, format: &Format) -> Result<Connection, DatabaseError> {
    if !file.is_file() {
        return Err(DatabaseError::Foreign { file: file.into(), expected: format.what });
    }
    let connection = connect_to_read(file)?;
    check_format(&connection, file, format)?;
    set_up(&connection, false)?;
    Ok(connection)
}

fn connect_to_read(file: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if with_suffix(file, "-wal").exists() {
        Connection::open_with_flags(file, flags)
    } else {
        // While a file is open for writing it has a write-ahead log. Without one the file alone is the whole
        // database, and reading it needs no lock, no shared-memory file, and no right to write in its folder.
        Connection::open_with_flags(immutable_uri(file), flags | OpenFlags::SQLITE_OPEN_URI)
    }
}

/// A database that may be in use, as it is at one moment: what is in its write-ahead log included, whatever is written later not.
#[derive(Debug)]
pub(crate) struct Snapshot {
    source: Connection,
}

impl Snapshot {
    /// Holds the database still for this reader. While it is held, [`Database::forget_log`] of the same file fails.
    pub fn take(file: &Path) -> Result<Self, DatabaseError> {
        if !file.is_file() {
            return Err(DatabaseError::Foreign { file: file.into(), expected: "a database" });
        }
        let source = connect_to_read(file)?;
        set_up(&source, false)?;
        // A transaction begins with its first reading.
        source.execute_batch("BEGIN")?;
        source.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(Self { source })
    }

    /// To read it.
    pub fn connection(&self) -> &Connection {
        &self.source
    }

    /// Writes it to a new private file, which needs no log of its own.
    pub fn write_to(&self, to: &Path) -> Result<(), DatabaseError> {
        durable::create_file(to, b"")?;
        let mut copy = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let backup = Backup::new(&self.source, &mut copy)?;
        // The copy is nobody else's and the source is held still: anything but progress is an error.
        while backup.step(PAGES_AT_A_TIME)? == StepResult::More {}
        drop(backup);
        copy.close().map_err(|(_, error)| error)?;
        Ok(())
    }
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_os_string();
    name.push(suffix);
    name.into()
}

fn immutable_uri(file: &Path) -> String {
    let escaped: String = file.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{escaped}?immutable=1")
}

fn check_format(connection: &Connection, file: &Path, format: &Format) -> Result<(), DatabaseError> {
    let application_id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application_id != format.application_id {
        return Err(DatabaseError::Foreign { file: file.into(), expected: format.what });
    }
    let found: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found != format.version {
        return Err(DatabaseError::Version { file: file.into(), found, known: format.version });
    }
    Ok(())
}

fn set_up(connection: &Connection, writes: bool) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    if writes {
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // The log is cut back to this size when it has been worked off.
        connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    }
    Ok(())
}

/// Milliseconds since 1970, as times are stored.
pub(crate) fn to_ms(time: jiff::Timestamp) -> i64 {
    time.as_millisecond()
}

/// The time stored as milliseconds since 1970.
pub(crate) fn from_ms(milliseconds: i64) -> Result<jiff::Timestamp, rusqlite::Error> {
    jiff::Timestamp::from_millisecond(milliseconds)
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, milliseconds))
}

/// A row number as stored; SQLite makes them from 1 up.
pub(crate) fn to_row(row: u64) -> Result<i64, rusqlite::Error> {
    // No such row can exist, so any number that is never used finds nothing.
    i64::try_from(row).map_err(|_| rusqlite::Error::QueryReturnedNoRows)
}

/// A row number or count read from the database.
pub(crate) fn from_row(row: i64) -> Result<u64, rusqlite::Error> {
    u64::try_from(row).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, row))
}
