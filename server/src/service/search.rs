//! Looking for a probe in pools: one authorisation, one index and one audit event per pool.
use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use likeness_matcher::{
    embed::Embedding,
    index::{Exactness, Hit},
    pipeline::Analysed,
    quality::QualityPolicy,
    select::Selection,
};

use super::{
    Algorithm, Answer, Asked, Context, ProbeFace, ProbeSource, Refusal, Rendered, Service, Unanswered,
    case::{Case, named},
    fields::Fields,
};
use crate::{
    audit::Receipt,
    authorise::{Action, Decision, Origin, Permit},
    identity::Caller,
    keys::PoolName,
    points::{Kept, Meaning},
    pool::{OpenedImage, Pool, PoolError, PoolKind, Protection, Reader, SubjectRecord, Withheld},
    retention::Assessment,
};

mod conclude;
mod exactness;
mod merge;
mod threshold;

pub(super) use exactness::refuse_approximate;
pub use threshold::{ModeAsked, SearchMode};

use threshold::Points;

/// Most pools in one search.
const MAX_POOLS: usize = 16;

/// A search as it was sent; nothing in it is checked.
#[derive(Debug, Clone)]
pub struct SearchRequest {
    /// The image. Never enrolled.
    pub probe: Bytes,
    /// Where it came from; absent when the request left it out.
    pub source: Option<ProbeSource>,
    /// Which face is meant.
    pub selection: Selection,
    /// Names of the pools to search.
    pub pools: Vec<String>,
    /// Longest list wanted; 0 means the server's default.
    pub candidate_list_length: u32,
    /// Rank list or threshold.
    pub mode: ModeAsked,
}

/// One person in the list.
#[derive(Debug, Clone)]
pub struct CandidateFound {
    /// From 1.
    pub rank: u32,
    /// The pool it comes from.
    pub pool: PoolName,
    /// Its kind.
    pub kind: PoolKind,
    /// The image of this person that is most like the probe.
    pub image: OpenedImage,
    /// What is known of the person.
    pub subject: SubjectRecord,
    /// Larger is more alike.
    pub similarity: f64,
    /// At or above the pack's published threshold.
    pub above_threshold: bool,
    /// Whole days from capture to search, when the capture date is known.
    pub age_days: Option<u32>,
    /// What the similarity means at the pool's size of today.
    pub meaning: Meaning,
    /// Its protected view, for those who see it nevertheless.
    pub protection: Option<Arc<Protection>>,
    /// What the retention rules in force say of its record today (R22).
    pub assessment: Assessment,
}

/// What became of one pool of the request.
#[derive(Debug, Clone)]
pub struct PoolOutcome {
    /// The pool as named.
    pub pool: String,
    /// Searchable images compared with, or why it was not searched.
    pub searched: Result<u64, Refusal>,
    /// What is promised of its part of the list; `None` when it was not searched.
    pub exactness: Option<Exactness>,
    /// Units to ask about what is under a protected view; nothing of what there is.
    pub contact_owners: Vec<String>,
}

/// The result of a search.
#[derive(Debug, Clone)]
pub struct SearchAnswer {
    /// Best first.
    pub candidates: Vec<CandidateFound>,
    /// In the order of the request.
    pub pools: Vec<PoolOutcome>,
    /// The exact algorithm.
    pub algorithm: Algorithm,
    /// The probe's faces and quality.
    pub probe: ProbeFace,
    /// What a similarity means.
    pub similarity_meaning: String,
    /// The pack's published one-to-one threshold.
    pub threshold: f64,
    /// Rank list or threshold.
    pub mode: SearchMode,
    /// In identification: each pool that was searched, and its operating point.
    pub points: Vec<(String, Arc<Kept>)>,
}

/// A pool of the request and the decision about it.
struct Decided {
    name: String,
    admitted: Result<(Arc<Pool>, Permit), Refusal>,
    decision: Option<Decision>,
    /// The right to see protected views in it.
    sees: Option<Permit>,
}

impl Decided {
    fn reader<'p>(&'p self, pool: &'p Pool, permit: &'p Permit) -> Result<Reader<'p>, PoolError> {
        let reader = pool.reader(permit)?;
        match &self.sees {
            Some(sees) => reader.unveiled(sees),
            None => Ok(reader),
        }
    }
}

/// A pool that was searched.
struct Searched {
    gallery: u64,
    exactness: Exactness,
    /// With the active algorithm, protected views included: what another algorithm is compared with.
    hits: Vec<Hit>,
    found: Vec<merge::Found>,
    /// Met and not shown.
    withheld: Vec<Withheld>,
}

impl Service {
    /// Searches pools for a probe.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied in every pool, or fails in any pool that may be searched:
    /// a list that silently lacks a pool is never given.
    pub fn search<M>(
        &self,
        asked: Asked,
        request: SearchRequest,
        render: impl Fn(&SearchAnswer, &[Receipt]) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::Search, asked);
        case.probe_source(&request.source.clone().unwrap_or_default());
        let (caller, context, limit, mode) = match self.begin_search(&mut case, token.as_deref(), &request) {
            Ok(begun) => begun,
            Err(refusal) => {
                let pool = match request.pools.as_slice() {
                    [only] => named(only),
                    _ => None,
                };
                return Err(case.refuse(pool, refusal));
            }
        };
        let decided = self.decide(&caller, &context, &request);
        if let Some(refusal) = decided.iter().filter_map(|pool| pool.admitted.as_ref().err()).next()
            && decided.iter().all(|pool| pool.admitted.is_err())
        {
            let refusal = refusal.clone();
            return Err(self.refuse_search(case, &decided, refusal));
        }
        let looked = self.points_for(&mut case, &context, &request.mode, mode, &decided).and_then(|points| {
            let (analysed, searched) = self.look(&mut case, &request, &decided, &points, limit)?;
            Ok((points, analysed, searched))
        });
        match looked {
            Ok((points, analysed, searched)) => {
                self.conclude(case, &request, decided, &points, &analysed, searched, limit, render)
            }
            Err(refusal) => Err(self.refuse_search(case, &decided, refusal)),
        }
    }

    fn begin_search(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        request: &SearchRequest,
    ) -> Result<(Caller, Context, usize, SearchMode), Refusal> {
        let (caller, context) = case.introduce(token)?;
        let mut fields = Fields::default();
        if request.probe.is_empty() {
            fields.missing("probe");
        }
        match &request.source {
            Some(source) => source.check(&mut fields),
            None => ["source.source_type", "source.acquired_under", "source.investigation_ref"]
                .into_iter()
                .for_each(|name| fields.missing(name)),
        }
        if request.pools.is_empty() {
            fields.missing("pools");
        } else if request.pools.len() > MAX_POOLS {
            fields.wrong(format!(
                "`pools` names {} pools, but may name at most {MAX_POOLS}",
                request.pools.len()
            ));
        } else if request.pools.iter().collect::<BTreeSet<_>>().len() != request.pools.len() {
            fields.wrong("`pools` names a pool twice");
        }
        let limits = &self.config.search;
        let limit = match usize::try_from(request.candidate_list_length).unwrap_or(usize::MAX) {
            0 => limits.default_candidates,
            wanted => wanted,
        };
        if limit > limits.max_candidates {
            fields.wrong(format!(
                "`candidate_list_length` is {limit}, but may be at most {}",
                limits.max_candidates
            ));
        }
        let mode = request.mode.check(&mut fields);
        fields.finish()?;
        case.note("candidate_list_length", limit.to_string());
        case.note("mode", mode.code());
        if let Some(source) = &request.source {
            case.note("probe_origin", source.origin.code());
        }
        Ok((caller, context, limit, mode))
    }

    fn decide(&self, caller: &Caller, context: &Context, request: &SearchRequest) -> Vec<Decided> {
        let origin = request.source.as_ref().map_or(Origin::Scene, |source| source.origin);
        request
            .pools
            .iter()
            .map(|name| match self.admit(caller, Action::Search, name, origin, context) {
                Ok((pool, permit)) => Decided {
                    name: name.clone(),
                    decision: permit.decision().cloned(),
                    // Asked of everybody, so that it takes as long.
                    sees: self.sees_protected(caller, context, &pool),
                    admitted: Ok((pool, permit)),
                },
                Err(denied) => Decided {
                    name: name.clone(),
                    decision: Some(denied.decision().clone()),
                    sees: None,
                    admitted: Err(Refusal::denied(&denied, "the pool")),
                },
            })
            .collect()
    }

    /// Analyses the probe once and asks every admitted pool.
    fn look(
        &self,
        case: &mut Case<'_>,
        request: &SearchRequest,
        decided: &[Decided],
        points: &Points,
        limit: usize,
    ) -> Result<(Analysed, Vec<Option<Searched>>), Refusal> {
        case.note("selection", super::enrol::selection_note(&request.selection));
        let analysed =
            points.engine.analyse(&request.probe, &request.selection, &QualityPolicy::default())?;
        case.probe_image(analysed.media_type.as_str(), analysed.width, analysed.height);
        case.note("faces_in_probe", analysed.faces.len().to_string());
        case.in_time()?;
        let mut searched = Vec::with_capacity(decided.len());
        for (at, pool) in decided.iter().enumerate() {
            searched.push(match &pool.admitted {
                Ok((held, permit)) => {
                    let floor = points.floor(at);
                    let reader = pool.reader(held, permit)?;
                    let found = self.search_pool(case, &reader, &analysed.embedding, limit, floor)?;
                    points.still_fits(at, found.gallery)?;
                    let face = analysed.faces[analysed.chosen].bounding_box;
                    self.shadow.leave(held, permit, &request.probe, face, &found.hits);
                    Some(found)
                }
                Err(_) => None,
            });
        }
        Ok((analysed, searched))
    }

    fn search_pool(
        &self,
        case: &Case<'_>,
        reader: &Reader<'_>,
        probe: &Embedding,
        limit: usize,
        floor: Option<f64>,
    ) -> Result<Searched, Refusal> {
        let above = |similarity: f64| floor.is_none_or(|floor| similarity >= floor);
        // An image can be taken out of search between the index's answer and the look at its record. Then the list would
        // lack a person whose next best image is still searchable: ask again. Three times in a row means the pool is being
        // emptied, and leaving the vanished ones out is then the truth.
        let mut attempts = 1;
        loop {
            let (gallery, exactness) = (reader.gallery_size()?, reader.exactness());
            let mut ranked = reader.search(probe, limit, case.deadline())?;
            ranked.hits.retain(|hit| above(hit.similarity));
            ranked.unfiltered.retain(|hit| above(hit.similarity));
            let opened = reader.enrolled(&ranked.hits)?;
            if attempts < 3 && opened.iter().any(Option::is_none) {
                attempts += 1;
                continue;
            }
            let found = ranked
                .hits
                .iter()
                .zip(opened)
                .filter_map(|(hit, opened)| {
                    let (image, subject) = opened?;
                    let protection = reader.protection(image.subject);
                    let subject = subject.record;
                    Some(merge::Found { image, subject, similarity: hit.similarity, protection })
                })
                .collect();
            let mut withheld: Vec<Withheld> = ranked
                .withheld
                .into_iter()
                .filter(|(_, at)| above(*at))
                .map(|(withheld, _)| withheld)
                .collect();
            // By id, so that the log does not tell how they rank.
            withheld.sort_unstable();
            return Ok(Searched { gallery, exactness, hits: ranked.unfiltered, found, withheld });
        }
    }
}
