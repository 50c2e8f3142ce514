//! The images that are measured: synthetic persons, or files of the user's own.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use likeness_datasets::{Capture, Person, encode_jpeg, render};
use rayon::prelude::*;

/// JPEG quality of synthetic captures.
const JPEG_QUALITY: u8 = 90;

/// A plain capture of each of these synthetic persons, as JPEG files; capture 0 is the one that gets enrolled.
///
/// # Errors
/// When a render cannot be encoded.
pub fn synthetic(seed: u64, persons: std::ops::Range<u64>, capture: u32) -> anyhow::Result<Vec<Vec<u8>>> {
    let one = |index: u64| {
        let person = Person::from_seed(seed, index);
        Ok(encode_jpeg(&render(&person, &Capture::plain(seed, &person, capture)), JPEG_QUALITY)?)
    };
    persons.into_par_iter().map(one).collect()
}

/// The first `count` files of a folder and the folders in it, in the order of their paths.
///
/// # Errors
/// When a file cannot be read, or there are none.
pub fn from_folder(folder: &Path, count: usize) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot list `{}`", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let name = path.extension().unwrap_or_default().to_ascii_lowercase();
            if path.is_dir() {
                folders.push(path);
            } else if ["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff"].iter().any(|&known| name == known)
            {
                found.push(path);
            }
        }
    }
    ensure!(!found.is_empty(), "there are no images in `{}`", folder.display());
    found.sort();
    found.truncate(count);
    found
        .iter()
        .map(|path| fs::read(path).with_context(|| format!("cannot read `{}`", path.display())))
        .collect()
}
