//! Synthetic persons as the tests use them.
use std::{fs, path::Path};

use likeness_datasets::{Capture, Person, encode_jpeg, render};

/// The seed of every synthetic person in these tests.
pub const SEED: u64 = 20_260_415;

/// JPEG bytes of a plain capture.
#[must_use]
pub fn plain(person: u32, capture: u32) -> Vec<u8> {
    let person = Person::from_seed(SEED, u64::from(person));
    encode_jpeg(&render(&person, &Capture::plain(SEED, &person, capture)), 90).expect("a render encodes")
}

/// Writes `persons` folders with `captures` images each, as `likeness enrol` reads them.
pub fn folder(root: &Path, persons: std::ops::Range<u32>, captures: u32) {
    for person in persons {
        let folder = root.join(format!("p{person:05}"));
        fs::create_dir_all(&folder).expect("a folder");
        for capture in 0..captures {
            fs::write(folder.join(format!("{capture}.jpg")), plain(person, capture)).expect("a file");
        }
    }
}
