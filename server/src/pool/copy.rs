//! A pool's part of a backup: the records as they are at one moment, then every image file that they name.

use serde::{Deserialize, Serialize};

use super::{Pool, PoolError};
use crate::{
    authorise::Permit,
    backup::{BackupError, Copying},
    blobs,
    ids::ImageId,
    keys::KeyState,
    records,
};

/// How much of a pool is in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopiedPool {
    /// The pool.
    pub name: crate::keys::PoolName,
    /// Subjects.
    pub subjects: u64,
    /// Images.
    pub images: u64,
    /// Images that a search can find.
    pub enrolled: u64,
    /// Images that were erased while the copy was made, and are not in it.
    pub erased_meanwhile: u64,
}

impl Pool {
    /// Copies the pool into a backup. Enrolment, search and erasure go on meanwhile: what is recorded after the first moment is not
    /// in the copy, and an image that is erased before its turn comes is taken out of it.
    ///
    /// # Errors
    /// [`PoolError::Disagrees`] when an image has no file although it was not erased; [`BackupError`] when something cannot be copied.
    pub(crate) fn copy_into(&self, permit: &Permit, to: &mut Copying) -> Result<CopiedPool, BackupError> {
        self.admit(permit)?;
        let name = self.definition.name.clone();
        let within = |path: &str| format!("pools/{name}/{path}");
        to.file(&within("pool.toml"), &self.folder.join("pool.toml"))?;
        let path = within("records.sqlite");
        let copy = to.database(&path, &self.folder.join("records.sqlite"))?;
        let recorded = records::recorded(&copy).map_err(PoolError::from)?;
        let mut gone = Vec::new();
        for image in &recorded.images {
            let file = blobs::file_name(*image);
            if !to.file_if_there(&within(&format!("blobs/{file}")), &self.folder.join("blobs").join(&file))? {
                self.check_erased(*image)?;
                gone.push(*image);
            }
        }
        if !gone.is_empty() {
            records::take_out(&copy, &gone).map_err(PoolError::from)?;
        }
        to.seal(&path)?;
        let left = records::recorded(&copy).map_err(PoolError::from)?;
        Ok(CopiedPool {
            name,
            subjects: left.subjects.len() as u64,
            images: left.images.len() as u64,
            enrolled: left.enrolled,
            erased_meanwhile: gone.len() as u64,
        })
    }

    /// A file may be missing because its image was erased: then its record or its key is gone, too. Otherwise it is lost.
    fn check_erased(&self, image: ImageId) -> Result<(), PoolError> {
        let Some(stored) = self.records.image(image)? else { return Ok(()) };
        match self.keys.key_states(&self.key, &[stored.subject])?.first() {
            Some(KeyState::Destroyed) => Ok(()),
            _ => Err(PoolError::Disagrees {
                pool: self.definition.name.clone(),
                what: format!("the file of image {image} is missing"),
            }),
        }
    }
}
