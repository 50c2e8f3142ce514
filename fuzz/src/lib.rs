//! How the targets feed a reader that wants files: in a folder of its own, which is gone afterwards.
use std::{fs, path::Path};

/// What stands between the two files of formats that have two.
pub const BETWEEN: &[u8] = b"\n----\n";

/// Writes the files, paths relative to a new folder, and calls the reader with the folder.
pub fn with_files(files: &[(&str, &[u8])], read: impl FnOnce(&Path)) {
    let Ok(folder) = tempfile::tempdir() else { return };
    for (name, bytes) in files {
        let path = folder.path().join(name);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, bytes));
        if made.is_err() {
            return;
        }
    }
    read(folder.path());
}

/// The two files of an input; without the separator, all of it is the first.
pub fn two(bytes: &[u8]) -> (&[u8], &[u8]) {
    let at = bytes.windows(BETWEEN.len()).position(|window| window == BETWEEN);
    at.map_or((bytes, &[]), |at| (&bytes[..at], &bytes[at + BETWEEN.len()..]))
}
