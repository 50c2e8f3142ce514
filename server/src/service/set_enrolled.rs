//! Making a held image searchable, or taking it out of search. Neither is erasure: the image stays (R81).
use std::sync::Arc;

use likeness_matcher::{embed::Embedding, quality::QualityPolicy, select::Selection};

use super::{
    Answer, Asked, Refusal, Rendered, Service, Unanswered,
    case::{Case, named, touched},
    subject::{image_id, no_such_image},
};
use crate::{
    audit::{Change, Content, Outcome, Phase, Submission},
    authorise::{Action, Permit},
    pool::{OpenedImage, Pool},
};

/// A change of searchability as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetEnrolledRequest {
    /// The pool.
    pub pool: String,
    /// The image.
    pub image_id: String,
    /// Searchable or not.
    pub enrolled: bool,
}

/// What it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetEnrolledAnswer {
    /// Searchable or not.
    pub enrolled: bool,
    /// False when it was so already.
    pub changed: bool,
}

/// Everything that is settled before the change is announced.
struct Settled {
    pool: Arc<Pool>,
    permit: Permit,
    image: OpenedImage,
    /// The template, when the image is to be searchable and is not yet.
    embedding: Option<Embedding>,
}

impl Service {
    /// Changes whether a search can find an image.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn set_enrolled<M>(
        &self,
        asked: Asked,
        request: &SetEnrolledRequest,
        render: impl FnOnce(&SetEnrolledAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::SetEnrolled, asked);
        case.note("enrolled", request.enrolled.to_string());
        let settled = match self.settle(&mut case, token.as_deref(), request) {
            Ok(settled) => settled,
            Err(refusal) => return Err(case.refuse(named(&request.pool), refusal)),
        };
        // The turn is taken before the intent, so that what was settled still holds when it is carried out.
        let writer = match settled.pool.writer(&settled.permit) {
            Ok(writer) => writer,
            Err(error) => return Err(case.refuse(named(&request.pool), error.into())),
        };
        let pool = Some(touched(&settled.pool, None));
        let now_enrolled = match writer.is_enrolled(settled.image.id) {
            Ok(Some(enrolled)) => enrolled,
            Ok(None) => return Err(case.refuse(pool, no_such_image())),
            Err(error) => return Err(case.refuse(pool, error.into())),
        };
        let mut entry = case.entry(Phase::Single, None, pool.clone());
        entry.images.push(settled.image.id);
        entry.subjects.push(settled.image.subject);
        // Between two algorithms an image may be out of search only because one of them refused it; a person's word holds for
        // the other one, too.
        let beside = !request.enrolled && settled.pool.other_space().is_some();
        if now_enrolled == request.enrolled && !beside {
            let rendered = render(&SetEnrolledAnswer { enrolled: now_enrolled, changed: false });
            return case.answer(entry, None, rendered);
        }
        if request.enrolled && settled.embedding.is_none() {
            // It was searchable when it was looked at, and was taken out since.
            return Err(case.refuse(
                pool,
                Refusal::new(
                    super::RefusalKind::Unavailable,
                    "changed_meanwhile",
                    "the image was changed meanwhile; try again",
                ),
            ));
        }
        entry.phase = Phase::Intent;
        let change =
            Change { before: Some(now_enrolled.to_string()), after: Some(request.enrolled.to_string()) };
        entry.changes.insert("enrolled".to_owned(), change);
        let intent = entry;
        self.record_one(Submission::from(intent.clone()))?;
        if let Err(error) =
            writer.set_enrolled(settled.image.id, settled.embedding.as_ref().filter(|_| request.enrolled))
        {
            return Err(case.fail(&intent, error.into()));
        }
        drop(writer);
        let rendered = render(&SetEnrolledAnswer { enrolled: request.enrolled, changed: true });
        let content = Content { probe: None, request: case.take_request(), response: Some(rendered.bytes) };
        let entry = intent.to_outcome(self.clock.now(), Outcome::Answered);
        let receipt = self.record_one(Submission { entry, content })?;
        Ok(Answer::new(rendered.message, receipt))
    }

    fn settle(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        request: &SetEnrolledRequest,
    ) -> Result<Settled, Refusal> {
        let (caller, context) = case.introduce(token)?;
        let id = image_id(&request.pool, &request.image_id)?;
        let (pool, permit) = case.admit(&caller, &request.pool, &context)?;
        let (image, embedding) = {
            let reader = case.reader(&caller, &context, &pool, &permit)?;
            let image = case.sighted(reader.image(id)?, no_such_image())?;
            let embedding = if request.enrolled && !image.enrolled {
                let bytes = reader.image_bytes(&image)?;
                // With the pack it was enrolled with, the faces come in the same order; another one is shown where the face was. It
                // passed the pool's quality policy then: what is judged now is only whether it can be embedded.
                let engine = self.engine_of(&pool)?;
                let selection = if image.record.space == engine.space().to_string() {
                    Selection::Index(image.record.face_index)
                } else {
                    Selection::Box(image.record.face.bounding_box)
                };
                let lenient = QualityPolicy::new(Vec::new())
                    .map_err(|error| Refusal::fault("quality_policy", &error))?;
                Some(engine.analyse(&bytes, &selection, &lenient)?.embedding)
            } else {
                None
            };
            (image, embedding)
        };
        case.in_time()?;
        Ok(Settled { pool, permit, image, embedding })
    }
}
