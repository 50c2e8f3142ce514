//! Where the image bytes lie: one sealed blob per image.
//!
//! Behind the `object_store` interface, so that a site may keep them in an S3-compatible store; here in a
//! local folder. Blobs are sealed before they come here: this module never sees an image.

use crate::durable::{self, FileError};
use crate::ids::ImageId;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStoreExt, PutPayload};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

/// Files written at the same time: enough to overlap their syncs, few enough for a spinning disk.
const PARALLEL: usize = 16;

/// What went wrong with blobs.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The folder could not be made or read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The blob store refused: disk full, no permission, not reachable.
    #[error("blob store: {0}")]
    Store(#[from] object_store::Error),
    /// The threads that read and write could not be started, or one of them stopped.
    #[error("blob store: {0}")]
    Thread(String),
}

/// What [`Blobs::reconcile`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Files that belonged to no record; they are gone now.
    pub removed: u64,
    /// Recorded images whose blob is missing: data loss, to be reported.
    pub missing: Vec<ImageId>,
}

/// The sealed image bytes of one pool.
///
/// A blob whose [`put`](Blobs::put) returned is on stable storage, file and folder. Calls block; use them
/// on a thread that may.
#[derive(Debug)]
pub struct Blobs {
    folder: PathBuf,
    store: Arc<LocalFileSystem>,
    /// `object_store` is async. A runtime of its own keeps its file work off the server's threads, and lets these
    /// calls be made from any thread. `Some` until dropped.
    runtime: Option<Runtime>,
}

impl Blobs {
    /// Opens the folder, making it when it is missing.
    pub fn open(folder: &Path) -> Result<Self, BlobError> {
        durable::create_dir(folder)?;
        durable::check_private(folder, 0o700)?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(PARALLEL)
            .thread_name("blobs")
            .build()
            .map_err(|error| BlobError::Thread(error.to_string()))?;
        Ok(Self { folder: folder.into(), store: Arc::new(store), runtime: Some(runtime) })
    }

    /// Keeps sealed blobs, side by side. When this fails, some may have been kept: [`Blobs::reconcile`] removes them.
    pub fn put(&self, blobs: Vec<(ImageId, Vec<u8>)>) -> Result<(), BlobError> {
        self.block_on(async {
            let mut writes = JoinSet::new();
            for (image, sealed) in blobs {
                let store = self.store.clone();
                writes.spawn(async move { store.put(&key(image), PutPayload::from(sealed)).await });
            }
            while let Some(written) = writes.join_next().await {
                written.map_err(|error| BlobError::Thread(error.to_string()))??;
            }
            Ok(())
        })
    }

    /// The sealed blob; `None` when there is none.
    pub fn get(&self, image: ImageId) -> Result<Option<Vec<u8>>, BlobError> {
        self.block_on(async {
            match self.store.get(&key(image)).await {
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error.into()),
                Ok(found) => Ok(Some(found.bytes().await?.into())),
            }
        })
    }

    /// Removes a blob; `false` when there was none.
    pub fn remove(&self, image: ImageId) -> Result<bool, BlobError> {
        self.block_on(async {
            match self.store.delete(&key(image)).await {
                Err(object_store::Error::NotFound { .. }) => Ok(false),
                Err(error) => Err(error.into()),
                Ok(()) => Ok(true),
            }
        })
    }

    /// Overwrites blobs and removes them, side by side; says how many there were. What a write that was cut short left under
    /// their names goes, too. When this returns, the removal is on stable storage.
    ///
    /// The bytes are sealed and their key is gone by then; overwriting them is for whoever does not want to rely on that. (On media
    /// and file systems that write elsewhere the old block may survive.)
    pub fn erase(&self, images: &[ImageId]) -> Result<u64, BlobError> {
        let per_thread = images.len().div_ceil(PARALLEL).max(1);
        let erased: Result<Vec<u64>, BlobError> = std::thread::scope(|scope| {
            let workers: Vec<_> = images
                .chunks(per_thread)
                .map(|images| scope.spawn(|| images.iter().map(|image| self.erase_one(*image)).sum()))
                .collect();
            let stopped = |_| Err(BlobError::Thread("a thread that erased blobs stopped".into()));
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(stopped)).collect()
        });
        Ok(erased?.into_iter().sum())
    }

    fn erase_one(&self, image: ImageId) -> Result<u64, BlobError> {
        let file = self.file(image);
        let mut there = 0;
        // `object_store` writes under the name with `#` and a number, and renames.
        let name = image.to_string();
        if let Some(folder) = file.parent()
            && let Ok(entries) = std::fs::read_dir(folder)
        {
            for entry in entries.flatten() {
                let found = entry.file_name();
                let found = found.to_string_lossy();
                if found.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('#')) {
                    durable::overwrite_and_remove(&entry.path())?;
                }
            }
        }
        if file.exists() {
            durable::overwrite_and_remove(&file)?;
            there = 1;
        }
        Ok(there)
    }

    /// Whether nothing is left of an image.
    pub fn is_gone(&self, image: ImageId) -> bool {
        !self.file(image).exists()
    }

    /// Compares the folder with the images that are recorded. Run it at start, before anything is written:
    /// a crash between blob and record leaves blobs that nobody will ever ask for, or half-written files.
    pub fn reconcile(&self, recorded: &BTreeSet<ImageId>) -> Result<Reconciled, BlobError> {
        // On the file system and not through the store, which hides the files of interrupted writes.
        let mut found = Reconciled::default();
        let mut present = BTreeSet::new();
        let mut orphans = Vec::new();
        for entry in walkdir::WalkDir::new(&self.folder).min_depth(1) {
            let entry = entry.map_err(|error| BlobError::Thread(error.to_string()))?;
            if entry.file_type().is_dir() {
                continue;
            }
            let image = entry.file_name().to_str().and_then(|name| name.parse::<ImageId>().ok());
            match image.filter(|image| recorded.contains(image) && entry.path() == self.file(*image)) {
                Some(image) => _ = present.insert(image),
                None => orphans.push(entry.into_path()),
            }
        }
        found.missing = recorded.difference(&present).copied().collect();
        // A crash leaves orphans and loses nothing. When something is missing, too, this is not what a crash leaves: it may
        // be another pool's folder, and its images are not ours to remove.
        if found.missing.is_empty() {
            for orphan in orphans {
                durable::remove(&orphan)?;
                found.removed += 1;
            }
        }
        Ok(found)
    }

    fn file(&self, image: ImageId) -> PathBuf {
        self.folder.join(key(image).as_ref())
    }

    fn block_on<T>(&self, work: impl Future<Output = Result<T, BlobError>>) -> Result<T, BlobError> {
        match &self.runtime {
            Some(runtime) => runtime.block_on(work),
            None => Err(BlobError::Thread("it is closed".into())),
        }
    }
}

impl Drop for Blobs {
    fn drop(&mut self) {
        // Dropping a runtime waits for its threads, which an async caller must not; nothing is in flight, because
        // every call waits for its own work.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The path of an image's file within the folder.
pub(crate) fn file_name(image: ImageId) -> String {
    key(image).to_string()
}

/// `<last two digits>/<id>`. The first digits of a UUIDv7 are the time and stay the same for years.
fn key(image: ImageId) -> Key {
    let name = image.to_string();
    Key::from(format!("{}/{name}", &name[name.len() - 2..]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn blobs_come_back_after_reopening_and_orphans_go() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("blobs");
        let ids: Vec<ImageId> = (0..40).map(|_| ImageId::at(Timestamp::now())).collect();
        let blobs = Blobs::open(&root).unwrap();
        blobs.put(ids.iter().map(|id| (*id, id.as_bytes().repeat(50))).collect()).unwrap();
        drop(blobs);

        let blobs = Blobs::open(&root).unwrap();
        for id in &ids {
            assert_eq!(blobs.get(*id).unwrap().unwrap(), id.as_bytes().repeat(50));
        }
        let orphan = root.join(key(ids[1]).as_ref());
        std::fs::write(root.join(format!("{}#1", key(ids[0]).as_ref())), b"interrupted write").unwrap();
        std::fs::write(root.join("stray"), b"x").unwrap();
        assert!(blobs.remove(ids[0]).unwrap());
        assert!(!blobs.remove(ids[0]).unwrap());
        assert_eq!(blobs.get(ids[0]).unwrap(), None);
        let mut recorded: BTreeSet<ImageId> = ids.iter().copied().collect();
        recorded.remove(&ids[1]);
        // With an image missing this may be another pool's folder: nothing is removed.
        let found = blobs.reconcile(&recorded).unwrap();
        assert_eq!(found, Reconciled { removed: 0, missing: vec![ids[0]] });
        assert!(orphan.exists());
        recorded.remove(&ids[0]);
        assert_eq!(blobs.reconcile(&recorded).unwrap(), Reconciled { removed: 3, missing: vec![] });
        assert!(!orphan.exists());
        assert_eq!(blobs.reconcile(&recorded).unwrap().removed, 0);
    }

    #[test]
    fn works_from_inside_a_runtime_and_drops_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("blobs");
        let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let blobs = Arc::new(Blobs::open(&root).unwrap());
            let image = ImageId::at(Timestamp::now());
            let writer = blobs.clone();
            let written = tokio::task::spawn_blocking(move || writer.put(vec![(image, vec![1, 2, 3])])).await;
            written.unwrap().unwrap();
            drop(blobs);
        });
    }

    #[test]
    fn a_blob_that_cannot_be_written_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("blobs");
        let blobs = Blobs::open(&root).unwrap();
        let image = ImageId::at(Timestamp::now());
        // A file where the sub-folder should be: also root cannot write through it.
        std::fs::write(root.join(key(image).as_ref().split('/').next().unwrap()), b"").unwrap();
        assert!(matches!(blobs.put(vec![(image, vec![1])]), Err(BlobError::Store(_))));
    }
}
