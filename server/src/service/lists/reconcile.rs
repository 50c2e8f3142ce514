//! Does what the force said agree with what the national copies are?
use std::collections::BTreeMap;

use super::{DeletionListSummary, FoundList, begin, entry_about};
use crate::{
    audit::{Entry, Phase},
    authorise::{Action, Permit},
    ids::{ImageId, SubjectId},
    pool::Pool,
    records::State,
    retention::deletion_list::{Acknowledgement, Difference, NationalState},
    service::{
        Answer, Asked, Refusal, Rendered, Service, Unanswered,
        case::{Case, named},
    },
};

/// A line on which the two sides do not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// The image.
    pub image_id: String,
    /// Whose image it is, or was.
    pub subject: SubjectId,
    /// How they differ.
    pub difference: Difference,
    /// What the national copy is.
    pub national: NationalState,
    /// What the force said.
    pub acknowledgement: Option<Acknowledgement>,
}

/// Both sides of a list compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListReconciled {
    /// The list.
    pub list: DeletionListSummary,
    /// Lines on which both sides agree that the image is gone.
    pub agreed: u64,
    /// The others, in the list's order.
    pub differ: Vec<Differing>,
}

impl Service {
    /// Compares what a force said with the national copies.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn reconcile_deletion_list<M>(
        &self,
        asked: Asked,
        pool: &str,
        id: &str,
        render: impl FnOnce(&ListReconciled) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::ReadRetention, asked);
        match self.list_reconciled(&mut case, token.as_deref(), pool, id) {
            Ok((answer, entry)) => case.answer(entry, None, render(&answer)),
            Err(refusal) => Err(case.refuse(named(pool), refusal)),
        }
    }

    fn list_reconciled(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        pool: &str,
        id: &str,
    ) -> Result<(ListReconciled, Entry), Refusal> {
        let found = self.find_list(case, token, pool, id)?;
        let FoundList { pool, permit, kept, .. } = &found;
        let lines = self.lines_of(kept)?;
        let mut national = BTreeMap::new();
        for line in &lines {
            let state = self.national(pool, permit, line.subject, line.image)?;
            national.insert(line.image.to_string(), (line.subject, state));
        }
        let progress = self.progress(pool, permit, &kept.heading, &lines, false)?;
        let state = |image: &str| national.get(image).map_or(NationalState::Unknown, |(_, state)| *state);
        let compared = progress.reconcile(state);
        let mut differ = Vec::new();
        for line in progress.lines() {
            let difference = compared.differ.get(&line.image_id);
            let about = national.get(&line.image_id);
            if let (Some(difference), Some((subject, national))) = (difference, about) {
                differ.push(Differing {
                    image_id: line.image_id.clone(),
                    subject: *subject,
                    difference: *difference,
                    national: *national,
                    acknowledgement: line.acknowledgement.clone(),
                });
            }
        }
        let mut entry = entry_about(case, Phase::Single, &found, lines.iter().map(|line| line.subject));
        entry.counts.insert("agreed".to_owned(), compared.agreed);
        for differing in &differ {
            *entry.counts.entry(differing.difference.code().to_owned()).or_default() += 1;
        }
        Ok((ListReconciled { list: self.summary(kept)?, agreed: compared.agreed, differ }, entry))
    }

    /// What the national copy of an image is. One whose erasure has begun is on its way, and not gone yet.
    fn national(
        &self,
        pool: &Pool,
        permit: &Permit,
        subject: SubjectId,
        image: ImageId,
    ) -> Result<NationalState, Refusal> {
        if let Some(leaving) = pool.leaving(permit, subject)? {
            return Ok(match leaving.state {
                _ if !leaving.images.contains(&image) => NationalState::Unknown,
                State::Active => NationalState::Active,
                State::BeyondUse | State::Erasing => NationalState::BeyondUse,
            });
        }
        let name = pool.definition().name.as_str();
        let erasure =
            self.ledger.of_subject(name, subject).map_err(|error| Refusal::fault("ledger", &error))?;
        Ok(match erasure.filter(|erasure| erasure.images.contains(&image)) {
            Some(erasure) if erasure.done_at.is_some() => NationalState::Erased,
            Some(_) => NationalState::BeyondUse,
            None => NationalState::Unknown,
        })
    }
}
