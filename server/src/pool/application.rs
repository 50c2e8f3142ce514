//! Applications for deletion about the subjects of a pool: opened under the subject's own key, and sealed again.
use jiff::civil::Date;

use super::{Pool, PoolError};
use crate::{
    authorise::Permit,
    ids::{ApplicationId, SubjectId},
    records::{ApplicationList, Marks, StoredApplication},
    retention::{
        Facts,
        application::{ApplicationTally, DeletionApplication},
    },
};

/// An application with the subject it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its id.
    pub id: ApplicationId,
    /// Whose record it is about.
    pub subject: SubjectId,
    /// What was said.
    pub application: DeletionApplication,
}

impl Pool {
    /// The application with this id.
    ///
    /// # Errors
    /// [`PoolError`] when the records or keys fail.
    pub(crate) fn application(
        &self,
        permit: &Permit,
        id: ApplicationId,
    ) -> Result<Option<Applied>, PoolError> {
        self.admit(permit)?;
        self.records.application(id)?.map(|stored| self.opened(stored)).transpose()
    }

    /// Every application about a subject, in the order they were received.
    pub(crate) fn applications_of(
        &self,
        permit: &Permit,
        subject: SubjectId,
    ) -> Result<Vec<Applied>, PoolError> {
        self.admit(permit)?;
        self.records.applications_of(subject)?.into_iter().map(|stored| self.opened(stored)).collect()
    }

    /// Keeps an application, and with it the facts and marks of the record where it changes them; `false` when the subject is
    /// gone or being erased.
    pub(crate) fn keep_application(
        &self,
        permit: &Permit,
        applied: &Applied,
        retention: Option<(&Facts, &Marks)>,
    ) -> Result<bool, PoolError> {
        self.admit(permit)?;
        let seal = self.seal_of(applied.subject)?;
        let application = &applied.application;
        let stored = StoredApplication {
            id: applied.id,
            number: 0,
            subject: applied.subject,
            force: application.force.clone(),
            state: application.state(),
            appealed: application.appeal.is_some(),
            received_on: application.received_on,
            decide_by: application.decide_by(),
            sealed: seal.seal_application(applied.id, application)?,
        };
        let facts = retention.map(|(facts, _)| seal.seal_facts(facts)).transpose()?;
        let retention = facts.as_deref().zip(retention.map(|(_, marks)| marks));
        Ok(self.records.put_application(&stored, retention)?)
    }

    /// The next applications of a list. Nothing is opened for it.
    pub(crate) fn listed_applications(
        &self,
        permit: &Permit,
        list: ApplicationList,
        today: Date,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredApplication>, PoolError> {
        self.admit(permit)?;
        Ok(self.records.applications(list, today, after, limit)?)
    }

    /// Whether an application about the subject was agreed.
    pub(crate) fn is_applied_for(&self, permit: &Permit, subject: SubjectId) -> Result<bool, PoolError> {
        self.admit(permit)?;
        Ok(self.records.has_agreed_application(subject)?)
    }

    /// How many there are, and were, that stand alike.
    pub(crate) fn application_tallies(
        &self,
        permit: &Permit,
        today: Date,
    ) -> Result<Vec<ApplicationTally>, PoolError> {
        self.admit(permit)?;
        Ok(self.records.application_tallies(today)?)
    }

    fn opened(&self, stored: StoredApplication) -> Result<Applied, PoolError> {
        let application = self.seal_of(stored.subject)?.open_application(stored.id, &stored.sealed)?;
        Ok(Applied { id: stored.id, subject: stored.subject, application })
    }
}
