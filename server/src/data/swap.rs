//! All pools replaced by others in one step: whatever cuts it off, a data directory has either the old ones or the new ones.
//!
//! ```text
//! pools  pools.restoring                    the new ones are being written          cut off here: they are removed
//! pools                   pools.restored    complete: from here there is no way back  cut off here and below: it is finished
//! pools.replaced          pools.restored    the old ones stand aside
//! pools.replaced  pools                     the new ones are in place
//! pools                                     the old ones are removed
//! ```
//!
//! What is there says how far it came, so nothing else has to be remembered. Whoever takes the lock of the data directory settles it
//! first.

use super::DataDir;
use crate::durable::{self, FileError};
use std::path::PathBuf;

/// What a cut-off exchange came to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// There was none.
    Nothing,
    /// The new pools were not complete and are removed: the old ones are in place.
    Undone,
    /// The new ones are in place.
    Finished,
}

/// A point at which an exchange can be cut off.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The new pools are complete in their staging folder.
    Staged,
    /// They are declared complete: there is no way back.
    Declared,
    /// The old ones stand aside.
    Aside,
    /// The new ones are in place.
    InPlace,
    /// The old ones are removed.
    Swept,
}

impl Step {
    /// Every one, in order.
    pub const ALL: [Step; 5] = [Step::Staged, Step::Declared, Step::Aside, Step::InPlace, Step::Swept];
}

impl DataDir {
    /// Where new pools are written.
    pub(crate) fn pools_restoring(&self) -> PathBuf {
        self.path().join("pools.restoring")
    }

    fn pools_restored(&self) -> PathBuf {
        self.path().join("pools.restored")
    }

    fn pools_replaced(&self) -> PathBuf {
        self.path().join("pools.replaced")
    }
}

/// Puts the new pools, complete in [`DataDir::pools_restoring`], in the place of the old ones. The old ones still stand aside then, as
/// the sign that it was done: [`sweep`] removes them. `at` is told each step.
pub(crate) fn exchange(data: &DataDir, at: &mut dyn FnMut(Step)) -> Result<(), FileError> {
    // What stands aside from an earlier exchange would be taken for the pools of this one.
    sweep(data)?;
    durable::sync_everything(&data.pools_restoring())?;
    at(Step::Staged);
    durable::rename(&data.pools_restoring(), &data.pools_restored())?;
    at(Step::Declared);
    finish(data, at)
}

fn finish(data: &DataDir, at: &mut dyn FnMut(Step)) -> Result<(), FileError> {
    if data.pools().exists() {
        durable::rename(&data.pools(), &data.pools_replaced())?;
    }
    at(Step::Aside);
    durable::rename(&data.pools_restored(), &data.pools())?;
    at(Step::InPlace);
    Ok(())
}

/// Finishes or undoes what was cut off. Only with the lock.
pub(crate) fn settle(data: &DataDir) -> Result<Settled, FileError> {
    let unfinished = data.pools_restoring().exists();
    durable::remove_folder(&data.pools_restoring())?;
    if data.pools_restored().exists() {
        finish(data, &mut |_| ())?;
    }
    Ok(match (data.pools_replaced().exists(), unfinished) {
        (true, _) => Settled::Finished,
        (false, true) => Settled::Undone,
        (false, false) => Settled::Nothing,
    })
}

/// Makes an empty folder of pools where a disk lost it: there is then something to put the new ones in the place of.
pub(crate) fn make_place(data: &DataDir) -> Result<(), FileError> {
    // Not while an exchange is to be settled: its old pools may just stand aside.
    let cut_off = data.pools_restored().exists() || data.pools_replaced().exists();
    if cut_off || !data.config().is_file() { Ok(()) } else { durable::create_dir(&data.pools()) }
}

/// Removes the old pools, when the exchange is on record.
pub(crate) fn sweep(data: &DataDir) -> Result<(), FileError> {
    durable::remove_folder(&data.pools_replaced())
}
