//! Reading what is held about a person, and one image.
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{
    Algorithm, Answer, Asked, Context, Refusal, RefusalKind, Rendered, Service, Unanswered,
    case::{Case, named, touched},
    fields::Fields,
};
use crate::{
    audit::{Entry, Phase},
    authorise::Action,
    ids::{ImageId, SubjectId},
    pool::{OpenedImage, OpenedSubject, PoolError, Protection, Reader, Sighted},
};

/// Which person is meant, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectChoice {
    /// By the service's own id.
    Id(String),
    /// By the calling system's name for the person.
    Reference(String),
    /// The request left it out.
    Absent,
}

impl SubjectChoice {
    /// The id, when it is chosen by one; says what is missing or wrong.
    pub(super) fn check(&self, fields: &mut Fields) -> Option<SubjectId> {
        match self {
            SubjectChoice::Absent => fields.missing("subject_id or subject_reference"),
            SubjectChoice::Reference(reference) => fields.text("subject_reference", reference, 1, 256),
            SubjectChoice::Id(text) => match text.parse::<SubjectId>() {
                Ok(parsed) => return Some(parsed),
                Err(error) => fields.wrong(format!("`subject_id` is {error}")),
            },
        }
        None
    }

    /// The chosen person, as far as the reader sees; `id` is what [`SubjectChoice::check`] gave.
    pub(super) fn find(
        &self,
        reader: &Reader<'_>,
        context: &Context,
        id: Option<SubjectId>,
    ) -> Result<Sighted<OpenedSubject>, PoolError> {
        match (id, self) {
            (Some(id), _) => reader.subject(id),
            (None, SubjectChoice::Reference(reference)) => {
                reader.subject_by_reference(&context.system_name, reference)
            }
            (None, SubjectChoice::Id(_) | SubjectChoice::Absent) => Ok(Sighted::Absent),
        }
    }
}

/// What is held about a person.
#[derive(Debug, Clone)]
pub struct SubjectAnswer {
    /// The person.
    pub subject: OpenedSubject,
    /// Every image, oldest first.
    pub images: Vec<OpenedImage>,
    /// Its protected view, for those who see it nevertheless.
    pub protection: Option<Arc<Protection>>,
}

/// One image with its bytes.
#[derive(Debug, Clone)]
pub struct ImageAnswer {
    /// What is known of it.
    pub image: OpenedImage,
    /// As it came in.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl OpenedImage {
    /// The algorithm that embedded it.
    pub fn algorithm(&self) -> Algorithm {
        Algorithm {
            pack: self.record.pack.clone(),
            space_id: self.record.space.clone(),
            matcher_version: self.record.matcher_version.clone(),
        }
    }
}

impl Service {
    /// Reads a person.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn read_subject<M>(
        &self,
        asked: Asked,
        pool: &str,
        choice: &SubjectChoice,
        render: impl FnOnce(&SubjectAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::ReadSubject, asked);
        match self.subject_read(&mut case, token.as_deref(), pool, choice) {
            Ok((answer, mut entry)) => {
                entry.subjects.push(answer.subject.id);
                entry.images.extend(answer.images.iter().map(|image| image.id));
                let rendered = render(&answer);
                case.answer(entry, None, rendered)
            }
            Err(refusal) => Err(case.refuse(named(pool), refusal)),
        }
    }

    fn subject_read(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        pool: &str,
        choice: &SubjectChoice,
    ) -> Result<(SubjectAnswer, Entry), Refusal> {
        let (caller, context) = case.introduce(token)?;
        let mut fields = Fields::default();
        fields.text("pool", pool, 1, 64);
        let id = choice.check(&mut fields);
        fields.finish()?;
        let (pool, permit) = case.admit(&caller, pool, &context)?;
        let reader = case.reader(&caller, &context, &pool, &permit)?;
        let found = choice.find(&reader, &context, id)?;
        let subject = case.sighted(found, no_such_subject())?;
        let protection = reader.protection(subject.id);
        let images = reader.images_of(subject.id)?;
        case.in_time()?;
        let entry = case.entry(Phase::Single, None, Some(touched(&pool, None)));
        Ok((SubjectAnswer { subject, images, protection }, entry))
    }

    /// Reads an image. The audit keeps the answer without the image's bytes (it is in the pool, where erasure reaches it)
    /// and names the image.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn read_image<M>(
        &self,
        asked: Asked,
        pool: &str,
        image: &str,
        render: impl FnOnce(ImageAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::ReadImage, asked);
        match self.image_read(&mut case, token.as_deref(), pool, image) {
            Ok((answer, mut entry)) => {
                entry.images.push(answer.image.id);
                entry.subjects.push(answer.image.subject);
                let rendered = render(answer);
                case.answer(entry, None, rendered)
            }
            Err(refusal) => Err(case.refuse(named(pool), refusal)),
        }
    }

    fn image_read(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        pool: &str,
        image: &str,
    ) -> Result<(ImageAnswer, Entry), Refusal> {
        let (caller, context) = case.introduce(token)?;
        let id = image_id(pool, image)?;
        let (pool, permit) = case.admit(&caller, pool, &context)?;
        let reader = case.reader(&caller, &context, &pool, &permit)?;
        let image = case.sighted(reader.image(id)?, no_such_image())?;
        let bytes = reader.image_bytes(&image)?;
        case.in_time()?;
        let entry = case.entry(Phase::Single, None, Some(touched(&pool, None)));
        Ok((ImageAnswer { image, bytes }, entry))
    }
}

/// Checks the two fields that name an image.
pub(super) fn image_id(pool: &str, image: &str) -> Result<ImageId, Refusal> {
    let mut fields = Fields::default();
    fields.text("pool", pool, 1, 64);
    let parsed = image.parse::<ImageId>();
    match &parsed {
        _ if image.is_empty() => fields.missing("image_id"),
        Ok(_) => {}
        Err(error) => fields.wrong(format!("`image_id` is {error}")),
    }
    fields.finish()?;
    parsed.map_err(|error| Refusal::invalid("invalid_field", format!("`image_id` is {error}")))
}

pub(super) fn no_such_subject() -> Refusal {
    Refusal::new(RefusalKind::NotFound, "no_such_subject", "there is no such subject in this pool")
}

pub(super) fn no_such_image() -> Refusal {
    Refusal::new(RefusalKind::NotFound, "no_such_image", "there is no such image in this pool")
}
