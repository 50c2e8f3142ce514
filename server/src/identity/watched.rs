//! A file that decides who may call, looked at on every call: a revocation needs no restart.
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

/// How a file's text becomes what it means.
type Read<T> = Box<dyn Fn(&Path) -> Result<T, String> + Send + Sync>;

/// What a file looked like when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    bytes: u64,
    #[cfg(unix)]
    inode: u64,
}

/// A file and what it last meant.
pub struct Watched<T> {
    path: PathBuf,
    read: Read<T>,
    state: Mutex<State<T>>,
}

struct State<T> {
    stamp: Option<Stamp>,
    /// What it means, or why it cannot be told. Never what it meant before: a revocation must not be lost to a typing error.
    now: Result<Arc<T>, String>,
    /// What it meant when it was last understood.
    understood: Arc<T>,
}

/// What a file means, and what it meant before when that has just changed.
pub struct Seen<T> {
    /// What it means now.
    pub now: Arc<T>,
    /// What it meant until this look; none when nothing changed.
    pub before: Option<Arc<T>>,
}

impl<T> Watched<T> {
    /// Reads the file for the first time. One that is absent is read as `absent`, when there is such a meaning.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn open(
        path: PathBuf,
        read: impl Fn(&Path) -> Result<T, String> + Send + Sync + 'static,
    ) -> Result<Watched<T>, String> {
        let stamp = stamp(&path).map_err(|error| told(&path, &error))?;
        let first = Arc::new(read(&path)?);
        let state = State { stamp, now: Ok(Arc::clone(&first)), understood: first };
        Ok(Watched { path, read: Box::new(read), state: Mutex::new(state) })
    }

    /// What the file means at this moment. Whether it changed costs one look at its size and time.
    ///
    /// # Errors
    /// Why it cannot be told: then nobody may call until the file is put right.
    pub fn look(&self) -> Result<Seen<T>, String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = None;
        match stamp(&self.path) {
            Err(error) => {
                state.stamp = None;
                state.now = Err(told(&self.path, &error));
            }
            Ok(found) if found != state.stamp || state.now.is_err() => {
                state.stamp = found;
                let read = (self.read)(&self.path).map(Arc::new);
                match &read {
                    Ok(now) => before = Some(std::mem::replace(&mut state.understood, Arc::clone(now))),
                    Err(error) => {
                        tracing::error!(file = %self.path.display(), error, "nobody may call until this file is put right");
                    }
                }
                state.now = read;
            }
            Ok(_) => {}
        }
        match &state.now {
            Ok(now) => Ok(Seen { now: Arc::clone(now), before }),
            Err(error) => Err(error.clone()),
        }
    }
}

fn stamp(path: &Path) -> io::Result<Option<Stamp>> {
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some(Stamp {
        modified: found.modified()?,
        bytes: found.len(),
        #[cfg(unix)]
        inode: std::os::unix::fs::MetadataExt::ino(&found),
    }))
}

fn told(path: &Path, error: &io::Error) -> String {
    format!("cannot read `{}`: {error}", path.display())
}
