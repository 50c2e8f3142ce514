//! Reads the images of a roll ahead of the stream, on a thread of its own.

use std::{fs, path::PathBuf, sync::Arc};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{
    folder,
    item::{Entry, Item, LeftOut, Unsendable},
    roll::Roll,
};
use crate::cli::{failure::Failure, picture::MAX_IMAGE_BYTES};

/// What the stream does next.
pub enum Work {
    /// An image with its bytes, or why there are none.
    Image(Box<Item>, Result<Bytes, Unsendable>),
    /// A file that is not taken for an image of a subject.
    LeftOut(PathBuf, LeftOut),
    /// The roll cannot be read further.
    Broken(Failure),
}

impl Work {
    /// Reads the file of `item`.
    pub fn read(item: Item) -> Self {
        let bytes = bytes_of(&item);
        Self::Image(Box::new(item), bytes)
    }
}

fn bytes_of(item: &Item) -> Result<Bytes, Unsendable> {
    if let Some(why) = folder::unsendable(item) {
        return Err(why);
    }
    let unreadable = |error: std::io::Error| Unsendable::Unreadable(error.to_string());
    let meta = fs::metadata(&item.file).map_err(unreadable)?;
    if !meta.is_file() {
        // A named pipe or a device would block the run or never end.
        return Err(Unsendable::Unreadable("not a regular file".to_owned()));
    }
    if meta.len() > MAX_IMAGE_BYTES {
        return Err(Unsendable::TooLarge { bytes: meta.len(), limit: MAX_IMAGE_BYTES });
    }
    fs::read(&item.file).map(Bytes::from).map_err(unreadable)
}

/// Starts reading; at most `ahead` pieces of work wait to be taken. Ends when the receiver is dropped.
pub fn start(roll: Arc<Roll>, ahead: usize) -> mpsc::Receiver<Work> {
    let (out, work) = mpsc::channel(ahead);
    tokio::task::spawn_blocking(move || {
        let entries = match roll.entries() {
            Ok(entries) => entries,
            Err(failure) => {
                let _ = out.blocking_send(Work::Broken(failure));
                return;
            }
        };
        for entry in entries {
            let work = match entry {
                Ok(Entry::Image(item)) => Work::read(*item),
                Ok(Entry::LeftOut { file, why }) => Work::LeftOut(file, why),
                Err(failure) => Work::Broken(failure),
            };
            if out.blocking_send(work).is_err() {
                return;
            }
        }
    });
    work
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn item(file: PathBuf) -> Item {
        Item { source_reference: "s/i".into(), file, ..Item::default() }
    }

    #[test]
    fn what_cannot_be_sent_says_why() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(bytes_of(&item(folder.path().into())), Err(Unsendable::Unreadable(_))));
        assert!(matches!(bytes_of(&item(folder.path().join("none"))), Err(Unsendable::Unreadable(_))));
        let big = folder.path().join("big");
        fs::File::create(&big).unwrap().set_len(MAX_IMAGE_BYTES + 1).unwrap();
        assert!(matches!(bytes_of(&item(big)), Err(Unsendable::TooLarge { .. })));
    }
}
