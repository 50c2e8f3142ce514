//! The key store of a single machine: a private folder of its own, outside every backup of the data.
//!
//! `root.key`, `audit.key`, `audit.pub`, `content.sqlite`, and per pool `pools/<name>.key` and `.sqlite`.

use super::{
    KeyCheck, KeyError, KeyStore, PoolKey, PoolName, VerifierKey, content, key_file, statement, subjects,
};
use crate::durable::{self, FileError};
use crate::ids::{EventId, SubjectId};
use crate::seal::{self, SealKey};
use crate::sqlite::Database;
use ed25519_dalek::{Signer, SigningKey};
use jiff::Timestamp;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A [`KeyStore`] in a folder.
pub struct FileKeyStore {
    folder: PathBuf,
    content_wrap: SealKey,
    content: Database,
    audit: SigningKey,
    verifier: VerifierKey,
    pools: Mutex<HashMap<PoolName, Arc<Database>>>,
}

impl std::fmt::Debug for FileKeyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileKeyStore").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl FileKeyStore {
    /// Makes a new store with fresh keys in `folder`. Refuses when there is one: keys are never replaced.
    pub fn create(folder: &Path) -> Result<Self, KeyError> {
        durable::create_dir(&folder.join("pools"))?;
        key_file::create(&folder.join("root.key"), "root", &SealKey::generate()?)?;
        let audit = SealKey::generate()?;
        key_file::create(&folder.join("audit.key"), "audit", &audit)?;
        // The name becomes the log's origin line; random, so that two logs never share one.
        let name = format!("likeness-audit-{}", hex::encode(seal::random::<8>()?));
        let public = SigningKey::from_bytes(audit.expose()).verifying_key().to_bytes();
        let verifier = verifier(&name, public)?;
        durable::create_file(&folder.join("audit.pub"), format!("{verifier}\n").as_bytes())?;
        Database::create(&folder.join("content.sqlite"), &content::FORMAT)?;
        Self::open(folder)
    }

    /// Opens the store in `folder`. Refuses when other users may read a key in it.
    pub fn open(folder: &Path) -> Result<Self, KeyError> {
        durable::check_private(folder, 0o700)?;
        let root = key_file::read(&folder.join("root.key"), "root")?;
        let audit = SigningKey::from_bytes(key_file::read(&folder.join("audit.key"), "audit")?.expose());
        let text = durable::read_private(&folder.join("audit.pub"))?;
        let malformed = |why| KeyError::Malformed { file: "audit.pub".into(), why };
        let text = String::from_utf8(text).map_err(|_| malformed("it is not text"))?;
        let verifier: VerifierKey = text.parse().map_err(|_| malformed("it is not a verifier key"))?;
        if VerifierKey::new(verifier.name(), audit.verifying_key().to_bytes()).as_ref() != Some(&verifier) {
            return Err(malformed("it is not the public half of `audit.key`"));
        }
        Ok(Self {
            folder: folder.into(),
            content_wrap: root.derive("content keys"),
            content: Database::open(&folder.join("content.sqlite"), &content::FORMAT)?,
            audit,
            verifier,
            pools: Mutex::default(),
        })
    }

    fn pool_file(&self, pool: &PoolName, suffix: &str) -> PathBuf {
        self.folder.join("pools").join(format!("{pool}.{suffix}"))
    }

    pub(super) fn subjects(&self, pool: &PoolName) -> Result<Arc<Database>, KeyError> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = pools.get(pool) {
            return Ok(database.clone());
        }
        let database = Arc::new(Database::open(&self.pool_file(pool, "sqlite"), &subjects::FORMAT)?);
        pools.insert(pool.clone(), database.clone());
        Ok(database)
    }
}

fn verifier(name: &str, public: [u8; 32]) -> Result<VerifierKey, KeyError> {
    VerifierKey::new(name, public)
        .ok_or(KeyError::Malformed { file: "audit.key".into(), why: "it gives no valid public key" })
}

fn role(pool: &PoolName) -> String {
    format!("pool {pool}")
}

impl KeyStore for FileKeyStore {
    fn create_pool(&self, pool: &PoolName) -> Result<PoolKey, KeyError> {
        let file = self.pool_file(pool, "key");
        if file.exists() {
            return Err(KeyError::PoolExists { pool: pool.clone() });
        }
        // The database first: a crash in between leaves no key, so the call can be repeated.
        let database = self.pool_file(pool, "sqlite");
        if database.exists() {
            Database::open(&database, &subjects::FORMAT)?;
        } else {
            Database::create(&database, &subjects::FORMAT)?;
        }
        let key = SealKey::generate()?;
        match key_file::create(&file, &role(pool), &key) {
            Err(KeyError::File(FileError::Exists(_))) => Err(KeyError::PoolExists { pool: pool.clone() }),
            Err(error) => Err(error),
            Ok(()) => Ok(PoolKey::new(pool.clone(), &key)),
        }
    }

    fn open_pool(&self, pool: &PoolName, expected: &KeyCheck) -> Result<PoolKey, KeyError> {
        let file = self.pool_file(pool, "key");
        if !file.exists() {
            return Err(KeyError::UnknownPool { pool: pool.clone() });
        }
        let key = PoolKey::new(pool.clone(), &key_file::read(&file, &role(pool))?);
        if key.check() != *expected {
            return Err(KeyError::WrongPoolKey { pool: pool.clone() });
        }
        Ok(key)
    }

    fn destroy_pool(&self, pool: &PoolName) -> Result<(), KeyError> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let key = self.pool_file(pool, "key");
        if !key.exists() {
            return Err(KeyError::UnknownPool { pool: pool.clone() });
        }
        pools.remove(pool);
        // Overwritten before it is removed: a freed block keeps its bytes.
        durable::overwrite_and_remove(&key)?;
        for suffix in ["sqlite", "sqlite-wal", "sqlite-shm"] {
            let file = self.pool_file(pool, suffix);
            if file.exists() {
                durable::remove(&file)?;
            }
        }
        Ok(())
    }

    fn create_subject_keys(
        &self,
        pool: &PoolKey,
        subjects: &[SubjectId],
        now: Timestamp,
    ) -> Result<Vec<SealKey>, KeyError> {
        subjects::create(self.subjects(pool.pool())?.as_ref(), pool, subjects, now)
    }

    fn subject_key(&self, pool: &PoolKey, subject: SubjectId) -> Result<Option<SealKey>, KeyError> {
        subjects::get(self.subjects(pool.pool())?.as_ref(), pool, subject)
    }

    fn subject_keys(&self, pool: &PoolKey) -> Result<HashMap<SubjectId, SealKey>, KeyError> {
        subjects::all(self.subjects(pool.pool())?.as_ref(), pool)
    }

    fn destroy_subject_keys(
        &self,
        pool: &PoolKey,
        subjects: &[SubjectId],
        now: Timestamp,
    ) -> Result<u64, KeyError> {
        subjects::destroy(self.subjects(pool.pool())?.as_ref(), subjects, now)
    }

    fn put_content_keys(&self, keys: &[(EventId, SealKey)]) -> Result<(), KeyError> {
        content::put(&self.content, &self.content_wrap, keys)
    }

    fn content_key(&self, event: EventId) -> Result<Option<SealKey>, KeyError> {
        content::get(&self.content, &self.content_wrap, event)
    }

    fn newest_content_keys(&self, limit: usize) -> Result<Vec<EventId>, KeyError> {
        content::newest(&self.content, limit)
    }

    fn destroy_content_keys(&self, events: &[EventId]) -> Result<u64, KeyError> {
        content::destroy(&self.content, events)
    }

    fn destroy_content_keys_before(&self, before: Timestamp) -> Result<u64, KeyError> {
        content::destroy_before(&self.content, before)
    }

    fn audit_key(&self) -> VerifierKey {
        self.verifier.clone()
    }

    fn sign_checkpoint(&self, message: &[u8]) -> Result<[u8; 64], KeyError> {
        Ok(self.audit.sign(message).to_bytes())
    }

    fn sign_statement(&self, json: &str) -> Result<String, KeyError> {
        statement::sign(json, &self.verifier, |text| self.audit.sign(text).to_bytes())
    }

    fn sign_list(&self, statement: &str) -> Result<[u8; 64], KeyError> {
        statement::sign_list(statement, |text| self.audit.sign(text).to_bytes())
    }
}
