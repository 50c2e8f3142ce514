//! A control set: images of people who are known not to be in any pool, by their digests, signed by the tester.
//!
//! A check of an operating point compares control images with a pool and counts. Were any image accepted, the count would say
//! whether the person on it is held: a search without a purpose. So only images that the tester signed are compared, by
//! somebody who is not the tester, and always many together.
use std::{collections::BTreeSet, path::Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{InvalidRecord, SignedError, signed};
use crate::keys::{TesterKey, VerifierKey};

/// Version of the form.
const FORMAT: u32 = 1;
/// Fewest images of a check, so that a count tells nothing about one of them.
pub const FEWEST_CONTROLS: usize = 50;
/// Most images of a set.
const MOST_CONTROLS: usize = 20_000;

/// A control set, as signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlSet {
    format: u32,
    /// Who the people are, and how it is known that no pool holds them, in the tester's words.
    pub people: String,
    /// SHA-256 of each image file, hex.
    pub images: BTreeSet<String>,
}

impl ControlSet {
    /// The set of these images.
    ///
    /// # Errors
    /// [`InvalidRecord`] when there are too few or too many, or nothing is said about the people.
    pub fn of<'a>(people: &str, images: impl Iterator<Item = &'a [u8]>) -> Result<ControlSet, InvalidRecord> {
        let set =
            ControlSet { format: FORMAT, people: people.to_owned(), images: images.map(digest).collect() };
        set.check()?;
        Ok(set)
    }

    fn check(&self) -> Result<(), InvalidRecord> {
        let wrong = |what: String| Err(InvalidRecord(what));
        if self.format != FORMAT {
            return wrong("`format` of the control set is not 1, the one this program reads".to_owned());
        }
        let people = self.people.trim();
        if people.is_empty() || people.chars().count() > 1000 || people.chars().any(crate::text::is_hidden) {
            return wrong("`people` of the control set does not say who they are".to_owned());
        }
        let count = self.images.len();
        if !(FEWEST_CONTROLS..=MOST_CONTROLS).contains(&count) {
            return wrong(format!(
                "a control set has {FEWEST_CONTROLS} to {MOST_CONTROLS} different images; this one has {count}"
            ));
        }
        let hex = |text: &String| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if self.images.iter().all(hex) {
            Ok(())
        } else {
            wrong("an image of the control set has no SHA-256".to_owned())
        }
    }

    /// Signs it.
    ///
    /// # Errors
    /// [`SignedError`] for a set that is not valid.
    pub fn sign(&self, key: &TesterKey) -> Result<String, SignedError> {
        self.check()?;
        signed::sign_text(serde_json::to_string_pretty(self).map_err(signed::json)?, key)
    }

    /// Verifies and reads one.
    ///
    /// # Errors
    /// [`SignedError`]: nothing in it is to be believed then.
    pub fn open(note: &str, key: &VerifierKey) -> Result<ControlSet, SignedError> {
        let set: ControlSet = serde_json::from_str(signed::verified(note, key)?).map_err(signed::json)?;
        set.check()?;
        Ok(set)
    }

    /// True when the tester signed this image.
    pub fn has(&self, image: &[u8]) -> bool {
        self.images.contains(&digest(image))
    }
}

fn digest(image: &[u8]) -> String {
    hex::encode(Sha256::digest(image))
}

/// The images directly in a folder or one level below, by name.
///
/// # Errors
/// When the folder cannot be read.
pub fn control_files(folder: &Path) -> std::io::Result<Vec<std::path::PathBuf>> {
    const ENDINGS: [&str; 7] = ["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff"];
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_path_buf(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
            if path.is_dir() && depth < 1 {
                folders.push((path, depth + 1));
            } else if ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
