//! What a deletion list says of a person's image: sealed with the person, so that it goes when the person does.
use serde::{Serialize, de::DeserializeOwned};

use super::{Pool, PoolError, SubjectSeal};
use crate::{
    authorise::Permit,
    ids::{ImageId, SubjectId},
};

impl Pool {
    /// Seals it; `None` when the subject's key is gone, and with it whatever could be said.
    pub(crate) fn seal_listed<T: Serialize>(
        &self,
        permit: &Permit,
        list: &str,
        (subject, image): (SubjectId, ImageId),
        what: &T,
    ) -> Result<Option<Vec<u8>>, PoolError> {
        self.admit(permit)?;
        self.key_of(subject)?.map(|seal| seal.seal_listed(list, image, what)).transpose()
    }

    /// Opens it; `None` when the subject's key is gone.
    pub(crate) fn open_listed<T: DeserializeOwned>(
        &self,
        permit: &Permit,
        list: &str,
        (subject, image): (SubjectId, ImageId),
        sealed: &[u8],
    ) -> Result<Option<T>, PoolError> {
        self.admit(permit)?;
        self.key_of(subject)?.map(|seal| seal.open_listed(list, image, sealed)).transpose()
    }

    fn key_of(&self, subject: SubjectId) -> Result<Option<SubjectSeal<'_>>, PoolError> {
        let key = self.keys.subject_key(&self.key, subject)?;
        Ok(key.map(|key| SubjectSeal::new(&self.definition.name, subject, key)))
    }
}
