//! The layout of a data directory: the only place that spells the names of its files.
//!
//! Everything in it is private to the user that runs the service: folders 0700, files 0600. One process at a time may
//! hold it, through an exclusive lock on `lock`.
use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::durable::{self, FileError};

pub(crate) mod swap;

pub use swap::{Settled, Step};

/// Paths inside one data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir {
    path: PathBuf,
}

/// Exclusive use of a data directory, given up on drop (also when the process is killed).
#[derive(Debug)]
pub struct DataLock {
    _file: File,
    settled: Settled,
}

impl DataLock {
    /// What became of an exchange of the pools that a stop had cut off.
    pub fn settled(&self) -> Settled {
        self.settled
    }
}

/// Why a data directory cannot be used.
#[derive(Debug, Error)]
pub enum DataError {
    /// There is no `config.toml`: never initialised, or another folder.
    #[error("`{}` is not a likeness data directory: it has no config.toml; make one with `likeness init`", path.display())]
    NotInitialised {
        /// The folder that was named.
        path: PathBuf,
    },
    /// Another process holds the lock.
    #[error("`{}` is in use by another likeness process; stop it first, or work through it", path.display())]
    Locked {
        /// The data directory.
        path: PathBuf,
    },
    /// A file or folder is open to other users, or cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The operating system refused.
    #[error("cannot lock `{}`: {source}", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl DataDir {
    /// The data directory at `path`; nothing is touched.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        DataDir { path: path.into() }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `config.toml`, the server's configuration.
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// `profile.toml`, where a client on this machine finds the server and its token.
    pub fn profile(&self) -> PathBuf {
        self.path.join("profile.toml")
    }

    /// `tls/`, certificates and their keys.
    pub fn tls(&self) -> PathBuf {
        self.path.join("tls")
    }

    /// Certificate of the local authority: what a client must trust.
    pub fn ca_certificate(&self) -> PathBuf {
        self.tls().join("ca.pem")
    }

    /// Private key of the local authority.
    pub fn ca_key(&self) -> PathBuf {
        self.tls().join("ca.key")
    }

    /// The server's certificate.
    pub fn server_certificate(&self) -> PathBuf {
        self.tls().join("server.pem")
    }

    /// The server's private key.
    pub fn server_key(&self) -> PathBuf {
        self.tls().join("server.key")
    }

    /// Certificate of the first calling system: that of the profile which `init` writes.
    pub fn client_certificate(&self) -> PathBuf {
        self.tls().join("client.pem")
    }

    /// Private key of the first calling system.
    pub fn client_key(&self) -> PathBuf {
        self.tls().join("client.key")
    }

    /// Certificates of a site's own authorities for calling systems, in PEM; absent by default.
    pub fn callers_authority(&self) -> PathBuf {
        self.tls().join("clients.pem")
    }

    /// `revocations.toml`, tokens that are not accepted any more; absent until the first.
    pub fn revocations(&self) -> PathBuf {
        self.path.join("revocations.toml")
    }

    /// `issuers.toml`, issuers whose tokens are accepted beside the local one's; absent by default.
    pub fn issuers(&self) -> PathBuf {
        self.path.join("issuers.toml")
    }

    /// `issuer/`, the key pair that signs bearer tokens.
    pub fn issuer(&self) -> PathBuf {
        self.path.join("issuer")
    }

    /// Private key that signs bearer tokens. The server itself never reads it.
    pub fn issuer_key(&self) -> PathBuf {
        self.issuer().join("issuer.key")
    }

    /// Public key that checks bearer tokens.
    pub fn issuer_public(&self) -> PathBuf {
        self.issuer().join("issuer.pub")
    }

    /// `keys/`, the key store: keep it out of backups of the rest.
    pub fn keys(&self) -> PathBuf {
        self.path.join("keys")
    }

    /// `audit/`, the log and its sealed content.
    pub fn audit(&self) -> PathBuf {
        self.path.join("audit")
    }

    /// `systems.toml`, the registry of calling systems.
    pub fn systems(&self) -> PathBuf {
        self.path.join("systems.toml")
    }

    /// `policies/`, a site's own policies in place of those of the program; absent by default.
    pub fn policies(&self) -> PathBuf {
        self.path.join("policies")
    }

    /// `pools/`, one folder per pool.
    pub fn pools(&self) -> PathBuf {
        self.path.join("pools")
    }

    /// `points/`, approved operating points.
    pub fn points(&self) -> PathBuf {
        self.path.join("points")
    }

    /// `retention/`, the retention rules in force and all versions that ever were.
    pub fn retention(&self) -> PathBuf {
        self.path.join("retention")
    }

    /// `erasure/`, the ledger of erasures: never restored from a backup, so that whoever is in it stays gone.
    pub fn erasure(&self) -> PathBuf {
        self.path.join("erasure")
    }

    /// `lists/`, deletion lists for forces and what the forces said: never restored from a backup either.
    pub fn lists(&self) -> PathBuf {
        self.path.join("lists")
    }

    /// `settings`, digests of what the service ran by at its last start.
    pub fn settings(&self) -> PathBuf {
        self.path.join("settings")
    }

    /// The file whose exclusive lock means "in use".
    pub fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// Takes the exclusive lock, settles what a restore that was cut off left, and checks that the folder is private.
    ///
    /// # Errors
    /// [`DataError`] when it is not a data directory, is open to other users, or another process holds it.
    pub fn acquire(&self) -> Result<DataLock, DataError> {
        if !self.config().is_file() {
            return Err(DataError::NotInitialised { path: self.path.clone() });
        }
        let file = self.lock_file()?;
        let settled = swap::settle(self)?;
        let folders = [self.path.clone(), self.tls(), self.issuer(), self.keys(), self.audit(), self.pools()];
        for folder in folders {
            durable::check_private(&folder, 0o700)?;
        }
        durable::check_private(&self.server_key(), 0o600)?;
        Ok(DataLock { _file: file, settled })
    }

    fn lock_file(&self) -> Result<File, DataError> {
        let path = self.lock();
        let failed = |source| DataError::Lock { path: path.clone(), source };
        let file = File::open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(DataError::Locked { path: self.path.clone() }),
            Err(TryLockError::Error(source)) => Err(DataError::Lock { path, source }),
        }
    }
}
