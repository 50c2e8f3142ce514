//! Files that survive a power cut and that nobody else may read.
//!
//! A file that was merely written can be empty after a crash, and a new name can be missing from its folder:
//! every function here returns after both the file and its folder are on stable storage.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What went wrong with a private file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file is there already and would have been overwritten.
    #[error("`{}` exists already; it was left as it is", .0.display())]
    Exists(PathBuf),
    /// Others than the owner may read or write the file.
    #[error("`{}` is open to other users (mode {mode:o}); run `chmod {wanted:o}` on it", path.display())]
    Exposed {
        /// The file or folder.
        path: PathBuf,
        /// Its permission bits now.
        mode: u32,
        /// The permission bits it should have.
        wanted: u32,
    },
    /// The operating system refused.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Makes the folder and its missing parents, readable by the owner only (0700). An existing folder is left as it is.
pub fn create_dir(path: &Path) -> Result<(), FileError> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_dir(parent)?;
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(source) => Err(FileError::Io { action: "create folder", path: path.into(), source }),
        Ok(()) => sync_parent(path),
    }
}

/// Writes a new file, readable by the owner only (0600).
///
/// Refuses with [`FileError::Exists`] when the file is there: a key must never be overwritten by accident.
pub fn create_file(path: &Path, content: &[u8]) -> Result<(), FileError> {
    write_new(path, content)?;
    sync_parent(path)
}

/// Replaces the file's content in one step: after a crash it holds either the old or the new bytes.
pub fn replace_file(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let staged = path.with_file_name(name);
    // A staged file is there only when an earlier replacement was cut short; its content is worth nothing.
    match fs::remove_file(&staged) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(io_error("remove", &staged)(error));
        }
        _ => {}
    }
    write_new(&staged, content)?;
    fs::rename(&staged, path).map_err(io_error("replace", path))?;
    sync_parent(path)
}

/// Removes a file; durable when it returns. The bytes stay on the medium until something else is written there.
pub fn remove(path: &Path) -> Result<(), FileError> {
    fs::remove_file(path).map_err(io_error("remove", path))?;
    sync_parent(path)
}

/// Writes zeroes over a small secret file before removing it.
///
/// On media and file systems that write elsewhere (flash, copy-on-write) the old block may survive.
pub fn overwrite_and_remove(path: &Path) -> Result<(), FileError> {
    let length = fs::metadata(path).map_err(io_error("read", path))?.len();
    let zeroes = vec![0; usize::try_from(length).unwrap_or(0)];
    let overwrite = || {
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.write_all(&zeroes)?;
        file.sync_all()
    };
    overwrite().map_err(io_error("overwrite", path))?;
    remove(path)
}

/// Brings everything that was written to the file system of `folder` to stable storage: for many new files at once, where one sync
/// each would take hours.
pub fn sync_everything(folder: &Path) -> Result<(), FileError> {
    #[cfg(target_os = "linux")]
    {
        let open = File::open(folder).map_err(io_error("sync", folder))?;
        rustix::fs::syncfs(&open).map_err(|error| io_error("sync", folder)(error.into()))
    }
    #[cfg(not(target_os = "linux"))]
    {
        for entry in walkdir::WalkDir::new(folder).contents_first(true) {
            let path = entry.map_err(|error| io_error("sync", folder)(error.into()))?.into_path();
            File::open(&path).and_then(|file| file.sync_all()).map_err(io_error("sync", &path))?;
        }
        Ok(())
    }
}

/// Gives a folder or file another name in the same file system, durably. What had that name is replaced, when it is a file.
pub fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).map_err(io_error("rename", from))?;
    sync_parent(to)
}

/// Removes a folder with everything in it, durably; one that is not there is as good as removed.
pub fn remove_folder(path: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_error("remove", path)(error)),
        Ok(()) => sync_parent(path),
    }
}

/// Reads a secret; refuses with [`FileError::Exposed`] when others may read it too.
pub fn read_private(path: &Path) -> Result<Vec<u8>, FileError> {
    check_private(path, 0o600)?;
    fs::read(path).map_err(io_error("read", path))
}

/// Refuses a file or folder that others than its owner may touch. `wanted` is named in the advice.
pub fn check_private(path: &Path, wanted: u32) -> Result<(), FileError> {
    let metadata = fs::metadata(path).map_err(io_error("read", path))?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            return Err(FileError::Exposed { path: path.into(), mode, wanted });
        }
    }
    #[cfg(not(unix))]
    let _ = (metadata, wanted);
    Ok(())
}

fn write_new(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => FileError::Exists(path.into()),
        _ => io_error("create", path)(source),
    })?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(io_error("write", path))
}

fn sync_parent(path: &Path) -> Result<(), FileError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    #[cfg(unix)]
    File::open(parent).and_then(|folder| folder.sync_all()).map_err(io_error("sync folder", parent))?;
    Ok(())
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_path_buf();
    move |source| FileError::Io { action, path, source }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_new_file_is_private_and_never_overwrites() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        create_dir(&inner).unwrap();
        create_dir(&inner).unwrap();
        let file = inner.join("secret");
        create_file(&file, b"one").unwrap();
        assert!(matches!(create_file(&file, b"two"), Err(FileError::Exists(_))));
        assert_eq!(read_private(&file).unwrap(), b"one");
        replace_file(&file, b"three").unwrap();
        fs::write(inner.join("secret.new"), b"left over").unwrap();
        replace_file(&file, b"four").unwrap();
        assert_eq!(read_private(&file).unwrap(), b"four");
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 1);
        check_private(&inner, 0o700).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_file_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        create_file(&file, b"one").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let error = read_private(&file).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}
