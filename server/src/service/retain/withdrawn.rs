//! What an auditor sees of a record that users no longer do: all of it while it is beyond use, a tombstone for ever after (R10).
use zeroize::Zeroizing;

use super::{Service, begin};
use crate::{
    audit::{Entry, Phase},
    authorise::Action,
    erasure::Erasure,
    ids::SubjectId,
    pool::{OpenedImage, OpenedSubject, Which},
    records::State,
    retention::Facts,
    service::{
        Answer, Asked, Refusal, RefusalKind, Rendered, Unanswered,
        case::{Case, named, touched},
        fields::Fields,
        subject::{image_id, no_such_image},
    },
};

/// A look at a withdrawn record, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawnRequest {
    /// The pool.
    pub pool: String,
    /// The subject's id.
    pub subject: String,
    /// One of its images, whose bytes are wanted; empty for none.
    pub image: String,
}

/// What stays of an erased record.
pub type Tombstone = Erasure;

/// What an auditor is shown.
#[derive(Debug, Clone)]
pub enum WithdrawnAnswer {
    /// Beyond use: the whole record.
    BeyondUse {
        /// The person.
        subject: Box<OpenedSubject>,
        /// The images.
        images: Vec<OpenedImage>,
        /// What decided.
        facts: Box<Facts>,
        /// Why it left use, as it was kept.
        why: Option<String>,
        /// Since when.
        since: Option<jiff::Timestamp>,
        /// When it is erased.
        erase_at: Option<jiff::Timestamp>,
        /// The image that was asked for.
        bytes: Option<Zeroizing<Vec<u8>>>,
    },
    /// Erased: that it was, and nothing of it.
    Erased(Box<Tombstone>),
}

impl Service {
    /// Shows an auditor with an audit purpose what is left of a record that is out of use.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn read_withdrawn<M>(
        &self,
        asked: Asked,
        request: &WithdrawnRequest,
        render: impl FnOnce(WithdrawnAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::ReadWithdrawn, asked);
        match self.withdrawn(&mut case, token.as_deref(), request) {
            Ok((answer, entry)) => case.answer(entry, None, render(answer)),
            Err(refusal) => Err(case.refuse(named(&request.pool), refusal)),
        }
    }

    fn withdrawn(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        request: &WithdrawnRequest,
    ) -> Result<(WithdrawnAnswer, Entry), Refusal> {
        let (caller, context) = case.introduce(token)?;
        let mut fields = Fields::default();
        fields.text("pool", &request.pool, 1, 64);
        let parsed = request.subject.parse::<SubjectId>();
        match &parsed {
            _ if request.subject.is_empty() => fields.missing("subject_id"),
            Ok(_) => {}
            Err(error) => fields.wrong(format!("`subject_id` is {error}")),
        }
        fields.finish()?;
        let none = || {
            Refusal::new(
                RefusalKind::NotFound,
                "not_withdrawn",
                "no record of this pool with this id is out of use; a record in use is read as a subject",
            )
        };
        let id = parsed.map_err(|_| none())?;
        let (pool, permit) = case.admit(&caller, &request.pool, &context)?;
        let mut entry = case.entry(Phase::Single, None, Some(touched(&pool, None)));
        entry.subjects.push(id);
        let found = pool.retained(&permit, Which::Id(id));
        if let Ok(Some(retained)) = found
            && retained.kept.state == State::BeyondUse
        {
            let (subject, images) = pool.withdrawn(&permit, &retained.kept)?;
            let bytes = if request.image.is_empty() {
                None
            } else {
                let wanted = image_id(&request.pool, &request.image)?;
                let image = images.iter().find(|image| image.id == wanted).ok_or_else(no_such_image)?;
                Some(pool.withdrawn_bytes(&permit, image)?)
            };
            entry.images.extend(images.iter().map(|image| image.id));
            entry.notes.insert("state".to_owned(), State::BeyondUse.code().to_owned());
            let answer = WithdrawnAnswer::BeyondUse {
                subject: Box::new(subject),
                images,
                facts: Box::new(retained.facts),
                why: retained.kept.why,
                since: retained.kept.state_at,
                erase_at: retained.kept.erase_at,
                bytes,
            };
            return Ok((answer, entry));
        }
        let name = pool.definition().name.as_str();
        let erased = self.ledger.of_subject(name, id).map_err(|error| Refusal::fault("ledger", &error))?;
        let erased = erased.filter(|erased| erased.done_at.is_some()).ok_or_else(none)?;
        entry.notes.insert("state".to_owned(), "erased".to_owned());
        Ok((WithdrawnAnswer::Erased(Box::new(erased)), entry))
    }
}
