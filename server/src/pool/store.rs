//! A pool that is made, opened and held in memory.
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
};

use jiff::Timestamp;
use likeness_models::{Metric, SpaceId};

use super::{
    CompressedPools, IndexOptions, PoolDefinition, PoolError, Reader, Writer,
    definition::{CheckedPool, DefinitionError},
    protection::Marks,
    sealed::SubjectSeal,
    serving::{Algorithms, Geometry, Serving},
};
use crate::{
    authorise::{Permit, PoolFacts, Purposes},
    blobs::Blobs,
    clock::Calendar,
    durable,
    ids::{ImageId, SubjectId},
    keys::{KeyError, KeyStore, PoolKey, PoolName},
    records::{AlgorithmName, MigrationRecords as _, PoolMeta, RecordStore, SqliteRecords},
};

/// Whether the index can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum State {
    /// Opened for administration: the index is empty.
    NotLoaded = 0,
    /// Index and records agree.
    Ready = 1,
    /// A write failed between the records and the index.
    OutOfStep = 2,
}

/// What every pool of one server is opened with.
pub struct PoolParts<'a> {
    /// The folder that holds the pools' folders.
    pub folder: &'a Path,
    /// The key store.
    pub keys: &'a Arc<dyn KeyStore>,
    /// The controlled list of purposes.
    pub purposes: &'a Purposes,
    /// Name of the model pack the server runs.
    pub pack: &'a str,
    /// Space of that pack.
    pub space: SpaceId,
    /// Values per template.
    pub dimension: usize,
    /// How templates compare.
    pub metric: Metric,
    /// How its pools are searched.
    pub index: IndexOptions,
    /// Those that are searched approximately.
    pub compressed: &'a CompressedPools,
    /// The other algorithms that are loaded: those of pools that moved, or are moving.
    pub others: Vec<Geometry>,
    /// In which days retention is counted.
    pub calendar: &'a Calendar,
}

/// One pool. Nothing in it can be reached without a permit for it.
pub struct Pool {
    pub(super) definition: PoolDefinition,
    pub(super) key: PoolKey,
    pub(super) keys: Arc<dyn KeyStore>,
    pub(super) records: Box<dyn RecordStore>,
    pub(super) blobs: Blobs,
    pub(super) algorithms: RwLock<Algorithms>,
    pub(super) folder: PathBuf,
    pub(super) options: IndexOptions,
    pub(super) calendar: Calendar,
    /// Whether a migration may have work to do in the background.
    pub(super) pending: AtomicBool,
    /// Subjects under a protected view.
    pub(super) marks: RwLock<Arc<Marks>>,
    pub(super) writing: Mutex<()>,
    state: AtomicU8,
}

impl Pool {
    /// Makes a pool: its key, then its folder under another name, and last the rename that makes it exist.
    pub(crate) fn create(parts: &PoolParts<'_>, new: CheckedPool, now: Timestamp) -> Result<Pool, PoolError> {
        let name = new.name.clone();
        let key = parts.keys.create_pool(&name)?;
        Pool::furnish(parts, new, key, now).inspect_err(|_| {
            // The key was made in this very call and nothing is kept under it: the name becomes free again.
            let swept = remove_folder(&staged(parts.folder, &name))
                .and_then(|()| Ok(parts.keys.destroy_pool(&name)?));
            if let Err(error) = swept {
                tracing::warn!(pool = %name, %error, "an unfinished pool could not be removed");
            }
        })
    }

    fn furnish(
        parts: &PoolParts<'_>,
        new: CheckedPool,
        key: PoolKey,
        now: Timestamp,
    ) -> Result<Pool, PoolError> {
        let definition = PoolDefinition {
            name: new.name,
            kind: new.kind,
            rationale: new.rationale,
            purposes: new.purposes,
            rules: new.rules,
            policy: new.policy,
            created_at: now,
            pack: parts.pack.to_owned(),
            space: parts.space.to_string(),
            key_check: key.check(),
        };
        let staged = staged(parts.folder, &definition.name);
        remove_folder(&staged)?;
        durable::create_dir(&staged.join("blobs"))?;
        durable::create_file(&staged.join("pool.toml"), definition.to_toml()?.as_bytes())?;
        drop(SqliteRecords::create(&staged.join("records.sqlite"), &meta(&definition))?);
        let folder = parts.folder.join(definition.name.as_str());
        publish(&staged, &folder)?;
        let pool = Pool::assemble(parts, definition, key, &folder)?;
        pool.set(State::Ready);
        Ok(pool)
    }

    /// Removes what a crash left of a pool that was being made.
    ///
    /// The key goes only when the unfinished folder proves that it was made for it: a key is never destroyed on suspicion.
    pub(crate) fn sweep_unfinished(parts: &PoolParts<'_>, name: &PoolName) -> Result<(), PoolError> {
        let staged = staged(parts.folder, name);
        if parts.folder.join(name.as_str()).exists() || !staged.exists() {
            return Ok(());
        }
        if let Ok(definition) = PoolDefinition::read(staged.join("pool.toml"), parts.purposes)
            && parts.keys.open_pool(name, &definition.key_check).is_ok()
        {
            parts.keys.destroy_pool(name)?;
        }
        remove_folder(&staged)
    }

    /// Removes what is left of a pool whose drop was cut short. A pool that still has its key was not dropped, and stays.
    pub(crate) fn finish_drop(parts: &PoolParts<'_>, name: &PoolName) -> Result<(), PoolError> {
        let file = parts.folder.join(name.as_str()).join("pool.toml");
        if !file.exists() {
            return Pool::remove_files(parts.folder, name);
        }
        let definition = PoolDefinition::read(file, parts.purposes)?;
        match parts.keys.open_pool(name, &definition.key_check) {
            Err(KeyError::UnknownPool { .. }) => Pool::remove_files(parts.folder, name),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Removes the files of a pool, durably. Its key must be gone before.
    pub(crate) fn remove_files(folder: &Path, name: &PoolName) -> Result<(), PoolError> {
        remove_folder(&folder.join(name.as_str()))?;
        let failed = |source| durable::FileError::Io { action: "sync", path: folder.to_path_buf(), source };
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        Ok(())
    }

    /// Opens the pool in `folder/name`, without its index: call [`Pool::load`] before it is searched or written.
    pub(crate) fn open(parts: &PoolParts<'_>, name: &PoolName) -> Result<Pool, PoolError> {
        let folder = parts.folder.join(name.as_str());
        let file = folder.join("pool.toml");
        let definition = PoolDefinition::read(file.clone(), parts.purposes)?;
        if definition.name != *name {
            return Err(DefinitionError::Contradiction { path: file, field: "name" }.into());
        }
        let key = parts.keys.open_pool(name, &definition.key_check)?;
        Pool::assemble(parts, definition, key, &folder)
    }

    /// Packs that must be loaded before the pool can be opened: the active one, and the one beside it.
    pub(crate) fn packs_of(
        folder: &Path,
        purposes: &Purposes,
        name: &PoolName,
    ) -> Result<Vec<String>, PoolError> {
        let folder = folder.join(name.as_str());
        let records = SqliteRecords::open(&folder.join("records.sqlite"))?;
        let active = match records.active_algorithm()? {
            Some(active) => active.pack,
            None => PoolDefinition::read(folder.join("pool.toml"), purposes)?.pack,
        };
        let other = records.migration()?.map(|migration| migration.other.pack);
        Ok(std::iter::once(active).chain(other).collect())
    }

    fn assemble(
        parts: &PoolParts<'_>,
        definition: PoolDefinition,
        key: PoolKey,
        folder: &Path,
    ) -> Result<Pool, PoolError> {
        let records = SqliteRecords::open(&folder.join("records.sqlite"))?;
        let (found, wanted) = (records.meta(), meta(&definition));
        let differs = [
            ("name", found.pool != wanted.pool),
            ("kind", found.kind != wanted.kind),
            ("space", found.space != wanted.space),
            ("key_check", found.key_check != wanted.key_check),
        ];
        if let Some((field, _)) = differs.into_iter().find(|(_, differs)| *differs) {
            return Err(DefinitionError::Contradiction { path: folder.join("pool.toml"), field }.into());
        }
        let blobs = Blobs::open(&folder.join("blobs"))?;
        let made_with = AlgorithmName { pack: definition.pack.clone(), space: definition.space.clone() };
        let active = parts.geometry(&definition.name, &records.active_algorithm()?.unwrap_or(made_with))?;
        let options = parts.compressed.options(parts.index, &definition.name);
        let other = match records.migration()?.filter(|migration| !migration.retiring) {
            Some(migration) => {
                let geometry = parts.geometry(&definition.name, &migration.other)?;
                Some(Serving::empty(geometry, options, folder)?)
            }
            None => None,
        };
        let algorithms = Algorithms { active: Serving::empty(active, options, folder)?, other };
        let pool = Pool {
            definition,
            key,
            keys: parts.keys.clone(),
            records: Box::new(records),
            blobs,
            algorithms: RwLock::new(algorithms),
            folder: folder.to_path_buf(),
            options,
            calendar: parts.calendar.clone(),
            pending: AtomicBool::new(true),
            marks: RwLock::default(),
            writing: Mutex::new(()),
            state: AtomicU8::new(State::NotLoaded as u8),
        };
        pool.load_marks()?;
        Ok(pool)
    }

    /// What the authoriser needs to know.
    pub fn facts(&self) -> PoolFacts<'_> {
        PoolFacts {
            name: &self.definition.name,
            kind: self.definition.kind,
            purposes: &self.definition.purposes,
        }
    }

    /// What the pool is.
    pub fn definition(&self) -> &PoolDefinition {
        &self.definition
    }

    /// Reading, with a permit for this pool.
    ///
    /// # Errors
    /// [`PoolError::WrongPermit`], or that the pool is not loaded or out of step.
    pub fn reader<'a>(&'a self, permit: &'a Permit) -> Result<Reader<'a>, PoolError> {
        self.admit(permit)?;
        match self.state() {
            State::Ready => Ok(Reader::new(self, self.veil(permit))),
            State::NotLoaded => Err(PoolError::NotLoaded { pool: self.definition.name.clone() }),
            State::OutOfStep => Err(PoolError::OutOfStep { pool: self.definition.name.clone() }),
        }
    }

    /// Writing, with a permit that says so. Writers of one pool take turns.
    ///
    /// # Errors
    /// As [`Pool::reader`], and for a permit that only reads.
    pub fn writer<'a>(&'a self, permit: &'a Permit) -> Result<Writer<'a>, PoolError> {
        if !permit.action().writes() {
            return Err(PoolError::WrongPermit { pool: self.definition.name.clone() });
        }
        self.reader(permit)?;
        // A writer that panicked left either nothing or a pool that is out of step, which the second look sees.
        let turn = self.writing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(Writer::new(self.reader(permit)?, turn))
    }

    /// Whether an image is recorded, and if so whether it is enrolled. For upkeep: works before the index is loaded.
    pub(crate) fn recorded(&self, permit: &Permit, image: ImageId) -> Result<Option<bool>, PoolError> {
        self.admit(permit)?;
        Ok(self.records.image(image)?.map(|image| image.enrolled))
    }

    pub(super) fn admit(&self, permit: &Permit) -> Result<(), PoolError> {
        if permit.pool() == Some(&self.definition.name) {
            Ok(())
        } else {
            Err(PoolError::WrongPermit { pool: self.definition.name.clone() })
        }
    }

    fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            1 => State::Ready,
            2 => State::OutOfStep,
            _ => State::NotLoaded,
        }
    }

    fn set(&self, state: State) {
        self.state.store(state as u8, Ordering::Release);
    }

    pub(super) fn set_ready(&self) {
        self.set(State::Ready);
    }

    /// From now on the pool answers nothing, until a restart has rebuilt its index.
    pub(super) fn set_out_of_step(&self) {
        tracing::error!(pool = %self.definition.name, "records and index are out of step; the pool answers nothing until a restart");
        self.set(State::OutOfStep);
    }

    /// True when the pool can answer.
    pub fn is_ready(&self) -> bool {
        self.state() == State::Ready
    }

    pub(super) fn seal_of(&self, subject: SubjectId) -> Result<SubjectSeal<'_>, PoolError> {
        match self.keys.subject_key(&self.key, subject)? {
            Some(key) => Ok(SubjectSeal::new(&self.definition.name, subject, key)),
            None => Err(PoolError::KeyGone { pool: self.definition.name.clone() }),
        }
    }
}

/// Names of the pools in `folder`, sorted. Refuses anything there that is not a pool.
pub(crate) fn names(folder: &Path) -> Result<BTreeSet<PoolName>, PoolError> {
    let failed = |source| durable::FileError::Io { action: "list", path: folder.to_path_buf(), source };
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let name = name.to_string_lossy();
        // What a crash left of a pool that was being made; swept with its open intent.
        if name.starts_with(STAGED) {
            continue;
        }
        names.insert(name.parse().map_err(|_| DefinitionError::Name)?);
    }
    Ok(names)
}

fn remove_folder(path: &Path) -> Result<(), PoolError> {
    match fs::remove_dir_all(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(durable::FileError::Io { action: "remove", path: path.to_path_buf(), source }.into())
        }
        _ => Ok(()),
    }
}

/// Gives a finished folder its final name, durably.
fn publish(staged: &Path, folder: &Path) -> Result<(), PoolError> {
    let failed = |source| durable::FileError::Io { action: "rename", path: staged.to_path_buf(), source };
    fs::rename(staged, folder).map_err(failed)?;
    if let Some(parent) = folder.parent() {
        fs::File::open(parent).and_then(|parent| parent.sync_all()).map_err(failed)?;
    }
    Ok(())
}

/// Start of the name of a pool's folder while it is being made; no pool name has it.
const STAGED: &str = ".new-";

fn staged(folder: &Path, name: &PoolName) -> PathBuf {
    folder.join(format!("{STAGED}{name}"))
}

fn meta(definition: &PoolDefinition) -> PoolMeta {
    PoolMeta {
        pool: definition.name.clone(),
        kind: definition.kind.code().to_owned(),
        space: definition.space.clone(),
        key_check: definition.key_check,
        created_at: definition.created_at,
    }
}
