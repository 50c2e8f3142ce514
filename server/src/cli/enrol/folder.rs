//! A folder per person: `FOLDER/<subject>/<image>`.

use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::item::{Entry, Item, LeftOut, Unsendable};
use crate::cli::failure::Failure;

const EXTENSIONS: [&str; 8] = ["jpg", "jpeg", "jpe", "png", "webp", "bmp", "tif", "tiff"];

/// Every file below `root` by name, so that a second run meets them in the same order.
pub fn entries(root: &Path) -> impl Iterator<Item = Result<Entry, Failure>> + Send + use<> {
    let root = root.to_owned();
    WalkDir::new(&root).min_depth(1).follow_links(true).sort_by_file_name().into_iter().filter_map(
        move |found| match found {
            Ok(entry) if entry.file_type().is_dir() => None,
            Ok(entry) => Some(Ok(judge(&entry))),
            Err(error) => {
                let path = error.path().unwrap_or(&root).display().to_string();
                let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                Some(Err(Failure::usage(format!("cannot read `{path}`: {why}"))))
            }
        },
    )
}

fn judge(entry: &DirEntry) -> Entry {
    let file = entry.path().to_owned();
    let left_out = |why| Entry::LeftOut { file: file.clone(), why };
    let name = entry.file_name();
    if name.as_encoded_bytes().first() == Some(&b'.') {
        return left_out(LeftOut::Hidden);
    }
    let extension = file.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    if !EXTENSIONS.contains(&extension.as_str()) {
        return left_out(LeftOut::NotAnImageName);
    }
    match entry.depth() {
        1 => left_out(LeftOut::NoSubjectFolder),
        2 => Entry::Image(Box::new(item(file))),
        _ => left_out(LeftOut::TooDeep),
    }
}

/// The item of `<subject>/<image>`. Names that are not text leave the references empty, which [`unsendable`] reports.
fn item(file: PathBuf) -> Item {
    let subject =
        file.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let image = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let source_reference =
        if subject.is_empty() || image.is_empty() { String::new() } else { format!("{subject}/{image}") };
    Item { subject, source_reference, file, ..Item::default() }
}

/// Why the item cannot be named to the service.
pub fn unsendable(item: &Item) -> Option<Unsendable> {
    item.source_reference.is_empty().then_some(Unsendable::NameNotText)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::fs;

    #[test]
    fn images_are_found_in_order_and_the_rest_is_reported() {
        let root = tempfile::tempdir().unwrap();
        for file in
            ["b/2.JPG", "b/1.png", "a/x.jpeg", "a/notes.txt", "a/.hidden.jpg", "stray.jpg", "a/deep/y.jpg"]
        {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let mut images = Vec::new();
        let mut left_out = Vec::new();
        for entry in entries(root.path()) {
            match entry.unwrap() {
                Entry::Image(item) => images.push((item.subject, item.source_reference)),
                Entry::LeftOut { why, .. } => left_out.push(why),
            }
        }
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(images, [pair("a", "a/x.jpeg"), pair("b", "b/1.png"), pair("b", "b/2.JPG")]);
        assert_eq!(
            left_out,
            [LeftOut::Hidden, LeftOut::TooDeep, LeftOut::NotAnImageName, LeftOut::NoSubjectFolder]
        );
    }

    #[test]
    fn a_name_that_is_not_text_is_reported() {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
        let file = Path::new("/f/s").join(OsStr::from_bytes(b"\xff.jpg"));
        assert_eq!(unsendable(&item(file)), Some(Unsendable::NameNotText));
        assert_eq!(unsendable(&item("/f/s/a.jpg".into())), None);
    }
}
