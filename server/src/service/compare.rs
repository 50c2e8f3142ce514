//! One image against another. Touches no pool and stores neither.
use bytes::Bytes;
use likeness_matcher::{pipeline::Analysed, quality::QualityPolicy, select::Selection};

use super::{
    Algorithm, Answer, Asked, ProbeFace, ProbeSource, Refusal, Rendered, Service, Unanswered, case::Case,
    enrol::selection_note, fields::Fields,
};
use crate::{
    audit::Phase,
    authorise::{Action, Permit, Place},
};

/// A comparison as it was sent; nothing in it is checked.
#[derive(Debug, Clone)]
pub struct CompareRequest {
    /// One image.
    pub image_a: Bytes,
    /// The other.
    pub image_b: Bytes,
    /// Where they came from; absent when the request left it out.
    pub source: Option<ProbeSource>,
    /// Which face of the one is meant.
    pub selection_a: Selection,
    /// Which face of the other.
    pub selection_b: Selection,
}

/// The result of a comparison.
#[derive(Debug, Clone)]
pub struct CompareAnswer {
    /// Larger is more alike.
    pub similarity: f64,
    /// At or above the pack's published threshold.
    pub above_threshold: bool,
    /// That threshold.
    pub threshold: f64,
    /// The exact algorithm.
    pub algorithm: Algorithm,
    /// Faces and quality of the one image.
    pub a: ProbeFace,
    /// Faces and quality of the other.
    pub b: ProbeFace,
    /// What a similarity means.
    pub similarity_meaning: String,
}

impl Service {
    /// Compares two images.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn compare<M>(
        &self,
        asked: Asked,
        request: CompareRequest,
        render: impl FnOnce(&CompareAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::Compare, asked);
        case.probe_source(&request.source.clone().unwrap_or_default());
        match self.compared(&mut case, token.as_deref(), &request) {
            Ok(answer) => {
                let mut entry = case.entry(Phase::Single, None, None);
                entry.notes.insert("similarity".to_owned(), format!("{:.6}", answer.similarity));
                let rendered = render(&answer);
                case.answer(entry, Some(both(&request)), rendered)
            }
            Err(refusal) => Err(case.refuse(None, refusal)),
        }
    }

    fn compared(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        request: &CompareRequest,
    ) -> Result<CompareAnswer, Refusal> {
        let (caller, context) = case.introduce(token)?;
        let mut fields = Fields::default();
        for (name, image) in [("image_a", &request.image_a), ("image_b", &request.image_b)] {
            if image.is_empty() {
                fields.missing(name);
            }
        }
        match &request.source {
            Some(source) => source.check(&mut fields),
            None => ["source.source_type", "source.acquired_under", "source.investigation_ref"]
                .into_iter()
                .for_each(|name| fields.missing(name)),
        }
        fields.finish()?;
        let _permit: Permit = case.admit_elsewhere(&caller, Place::Service, &context)?;
        case.note("selection_a", selection_note(&request.selection_a));
        case.note("selection_b", selection_note(&request.selection_b));
        let a = self.side("image_a", &request.image_a, &request.selection_a)?;
        case.in_time()?;
        let b = self.side("image_b", &request.image_b, &request.selection_b)?;
        case.in_time()?;
        let similarity = a
            .embedding
            .similarity(&b.embedding, self.engine.metric())
            .map_err(|error| Refusal::fault("spaces_differ", &error))?;
        let threshold = self.engine.threshold().similarity;
        Ok(CompareAnswer {
            similarity,
            above_threshold: similarity >= threshold,
            threshold,
            algorithm: self.engine.algorithm(),
            a: ProbeFace::of(&a),
            b: ProbeFace::of(&b),
            similarity_meaning: self.engine.similarity_meaning(),
        })
    }

    fn side(&self, name: &str, image: &[u8], selection: &Selection) -> Result<Analysed, Refusal> {
        self.engine
            .analyse(image, selection, &QualityPolicy::default())
            .map_err(|refusal| refusal.about(name))
    }
}

/// Both images as one piece of content: each preceded by its length in eight bytes, most significant first.
fn both(request: &CompareRequest) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(request.image_a.len() + request.image_b.len() + 16);
    for image in [&request.image_a, &request.image_b] {
        bytes.extend_from_slice(&(image.len() as u64).to_be_bytes());
        bytes.extend_from_slice(image);
    }
    bytes
}
