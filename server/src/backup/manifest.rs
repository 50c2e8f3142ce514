//! What a backup says about itself.

use std::{fs, path::Path};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{BackupError, MANIFEST};
use crate::{ids::EventId, pool::CopiedPool};

/// Version of the format.
const VERSION: u32 = 1;
/// Longest manifest that is read, in bytes: a pool takes about 150.
const LONGEST: u64 = 16 << 20;

/// The newest state of the audit log in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditHead {
    /// Number of entries.
    pub size: u64,
    /// RFC 6962 Merkle tree hash over them, hex.
    pub root: String,
    /// The signed note that says so.
    pub checkpoint: String,
}

/// The content of `backup.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the format.
    pub version: u32,
    /// When the copying began.
    pub made_at: Timestamp,
    /// Version of the program that made it.
    pub program: String,
    /// The audit event that announced it.
    pub event: EventId,
    /// Entries in the audit log when the first record was read: what later entries say may not be in the records.
    pub log_size_at_start: u64,
    /// Whether profile, certificates and token issuer, with their private keys, are in it.
    pub credentials: bool,
    /// Where the log ends in it.
    pub audit: AuditHead,
    /// The pools in it.
    pub pools: Vec<CopiedPool>,
    /// Files that `SHA256SUMS` lists.
    pub files: u64,
    /// Their bytes together.
    pub bytes: u64,
    /// SHA-256 of `SHA256SUMS`, hex.
    pub sums: String,
}

impl Manifest {
    /// A description that lacks only what is known when every file is written.
    pub(crate) fn new(
        made_at: Timestamp,
        event: EventId,
        log_size_at_start: u64,
        credentials: bool,
        audit: AuditHead,
        pools: Vec<CopiedPool>,
    ) -> Self {
        Self {
            version: VERSION,
            made_at,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            event,
            log_size_at_start,
            credentials,
            audit,
            pools,
            files: 0,
            bytes: 0,
            sums: String::new(),
        }
    }

    /// The bytes of the file.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, BackupError> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| BackupError::NotABackup { path: MANIFEST.into(), why: error.to_string() })?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads the manifest of the backup in `folder`; also its digest, hex.
    pub(super) fn read(folder: &Path) -> Result<(Self, String), BackupError> {
        let path = folder.join(MANIFEST);
        let not = |why: String| BackupError::NotABackup { path: folder.to_path_buf(), why };
        let length = fs::metadata(&path)
            .map_err(|error| not(format!("`{MANIFEST}` in it cannot be read: {error}")))?
            .len();
        if length > LONGEST {
            return Err(not(format!("its `{MANIFEST}` is longer than {LONGEST} bytes")));
        }
        let bytes = fs::read(&path).map_err(super::copy_error(&path))?;
        let damaged = |what| BackupError::Damaged { path: path.clone(), what };
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version } =
            serde_json::from_slice(&bytes).map_err(|_| damaged("is not a description of a backup"))?;
        if version != VERSION {
            return Err(BackupError::Version { path, found: version, known: VERSION });
        }
        let manifest: Self =
            serde_json::from_slice(&bytes).map_err(|_| damaged("is not a description of a backup"))?;
        Ok((manifest, digest(&bytes)))
    }
}

/// SHA-256 in hex.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
