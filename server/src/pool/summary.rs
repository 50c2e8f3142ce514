//! What may be told about a pool to those who may list it.
use super::{Pool, PoolError, PoolSummary};
use crate::{
    authorise::{Action, Permit},
    records::Counts,
};

impl Pool {
    /// Numbers and definition, for those who may list the pool. Protected views count only for those who also have the
    /// permit `sees` to see them.
    ///
    /// # Errors
    /// [`PoolError::WrongPermit`] or a failing record store.
    pub fn summary(&self, permit: &Permit, sees: Option<&Permit>) -> Result<PoolSummary, PoolError> {
        self.admit(permit)?;
        let mut counts = self.records.counts()?;
        let right = |sees: &Permit| sees.action() == Action::SeeProtected && self.admit(sees).is_ok();
        if permit.purpose().is_some() && !sees.is_some_and(right) {
            let marked = self.records.marked_counts()?;
            counts.subjects = counts.subjects.saturating_sub(marked.subjects);
            counts.images = counts.images.saturating_sub(marked.images);
            counts.enrolled = counts.enrolled.saturating_sub(marked.enrolled);
        }
        Ok(PoolSummary {
            name: self.definition.name.to_string(),
            kind: self.definition.kind,
            rationale: self.definition.rationale.clone(),
            purposes: self.definition.purposes.iter().map(|purpose| purpose.code().to_owned()).collect(),
            pack: self.pack(),
            space_id: self.space().to_string(),
            matcher_version: crate::service::MATCHER_VERSION.to_owned(),
            subjects: counts.subjects,
            images_held: counts.images,
            images_enrolled: counts.enrolled,
            created_at: self.definition.created_at,
            quality: self.definition.rules.clone(),
        })
    }

    /// Everything the pool holds, for the audit log and nobody else.
    ///
    /// # Errors
    /// [`PoolError::WrongPermit`] or a failing record store.
    pub(crate) fn held(&self, permit: &Permit) -> Result<Counts, PoolError> {
        self.admit(permit)?;
        Ok(self.records.counts()?)
    }
}
