//! The end of a search: rank, record, answer.
use std::collections::BTreeSet;

use jiff::civil::Date;
use likeness_matcher::{index::Exactness, pipeline::Analysed};

use super::{
    CandidateFound, Decided, Points, PoolOutcome, SearchAnswer, SearchRequest, Searched, exactness, merge,
};
use crate::{
    audit::{
        AuditError, Candidate, Content, Entry, Operation, Outcome, Phase, PoolTouched, Receipt, Submission,
    },
    pool::{OpenedImage, ProtectedView, Which, Withheld},
    records::State,
    service::{
        Answer, ProbeFace, Refusal, RefusalKind, Rendered, Service, Unanswered,
        case::{Case, kept_back, named, recorded, touched},
    },
};

impl Service {
    #[expect(
        clippy::too_many_arguments,
        reason = "the last step brings together what the earlier ones found"
    )]
    pub(super) fn conclude<M>(
        &self,
        mut case: Case<'_>,
        request: &SearchRequest,
        decided: Vec<Decided>,
        points: &Points,
        analysed: &Analysed,
        searched: Vec<Option<Searched>>,
        limit: usize,
        render: impl Fn(&SearchAnswer, &[Receipt]) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let galleries: Vec<Option<u64>> =
            searched.iter().map(|pool| pool.as_ref().map(|pool| pool.gallery)).collect();
        let exactness: Vec<Option<Exactness>> =
            searched.iter().map(|pool| pool.as_ref().map(|pool| pool.exactness)).collect();
        let withheld: Vec<Vec<Withheld>> = searched
            .iter()
            .map(|pool| pool.as_ref().map(|pool| pool.withheld.clone()).unwrap_or_default())
            .collect();
        let candidates = match self.rank(&decided, points, searched, limit) {
            Ok(candidates) => candidates,
            Err(refusal) => return Err(self.refuse_search(case, &decided, refusal)),
        };
        let mut entries = match pool_entries(&case, &decided, &galleries, &withheld, &candidates) {
            Ok(entries) => entries,
            Err(refusal) => return Err(self.refuse_search(case, &decided, refusal)),
        };
        for (entry, exactness) in entries.iter_mut().zip(&exactness) {
            entry.notes.extend(exactness::notes(exactness.as_ref()));
        }
        let answer = SearchAnswer {
            candidates,
            mode: points.mode,
            points: points.used(&decided),
            pools: decided
                .into_iter()
                .zip(galleries)
                .zip(exactness)
                .zip(&withheld)
                .map(|(((pool, gallery), exactness), withheld)| PoolOutcome {
                    exactness,
                    pool: pool.name,
                    searched: pool.admitted.map(|_| gallery.unwrap_or_default()),
                    contact_owners: owners(withheld),
                })
                .collect(),
            algorithm: points.engine.algorithm(),
            probe: ProbeFace::of(analysed),
            similarity_meaning: points.engine.similarity_meaning(),
            threshold: points.engine.threshold().similarity,
        };
        let probe = Some(request.probe.to_vec());
        if let [_] = entries.as_slice() {
            // One pool: its event is the event of the request, and its receipt the receipt of the answer.
            let rendered = render(&answer, &[]);
            let Some(entry) = entries.into_iter().next() else {
                return Err(
                    case.refuse(None, Refusal::new(RefusalKind::Fault, "no_entry", "the service failed"))
                );
            };
            return case.answer(entry, probe, rendered);
        }
        // Several: the pools' events first, then that of the whole, whose stored answer holds the pools' receipts.
        let mut whole = case.entry(Phase::Single, Some(Outcome::Answered), None);
        whole.operation = Operation::Combination;
        whole.counts.insert("pools_named".to_owned(), answer.pools.len() as u64);
        whole.counts.insert(
            "pools_searched".to_owned(),
            answer.pools.iter().filter(|pool| pool.searched.is_ok()).count() as u64,
        );
        whole.counts.insert("candidates".to_owned(), answer.candidates.len() as u64);
        whole.notes.extend(exactness::notes(answer.exactness()));
        let per_pool = self.record(
            entries
                .into_iter()
                .map(|mut entry| {
                    entry.related = Some(whole.event_id);
                    Submission::from(entry)
                })
                .collect(),
        )?;
        let rendered = render(&answer, &per_pool);
        let content = Content { probe, request: case.take_request(), response: Some(rendered.bytes) };
        let receipt = self.record_one(Submission { entry: whole, content })?;
        Ok(Answer::with_pools(rendered.message, receipt, per_pool))
    }

    /// Ranks what the pools gave. Whoever was put out of use since the index was asked is not shown.
    fn rank(
        &self,
        decided: &[Decided],
        points: &Points,
        searched: Vec<Option<Searched>>,
        limit: usize,
    ) -> Result<Vec<CandidateFound>, Refusal> {
        let threshold = points.engine.threshold().similarity;
        let galleries: Vec<u64> =
            searched.iter().map(|pool| pool.as_ref().map(|pool| pool.gallery).unwrap_or_default()).collect();
        let lists =
            searched.into_iter().map(|pool| pool.map(|pool| pool.found).unwrap_or_default()).collect();
        let names: Vec<&str> = decided.iter().map(|pool| pool.name.as_str()).collect();
        let mut candidates = Vec::new();
        for (at, found) in merge::merge(&names, lists, limit) {
            let Ok((pool, permit)) = &decided[at].admitted else { continue };
            let retained = pool.retained(permit, Which::Id(found.image.subject))?;
            let Some(retained) = retained.filter(|found| found.kept.state == State::Active) else { continue };
            candidates.push(CandidateFound {
                rank: u32::try_from(candidates.len() + 1).unwrap_or(u32::MAX),
                assessment: self.assessed(pool, &retained).0,
                pool: pool.definition().name.clone(),
                kind: pool.definition().kind,
                age_days: age_days(&found.image, self.today()),
                image: found.image,
                subject: found.subject,
                protection: found.protection,
                similarity: found.similarity,
                above_threshold: found.similarity >= threshold,
                meaning: points.meaning(at, found.similarity, galleries[at]),
            });
        }
        Ok(candidates)
    }

    /// One entry per pool named, and one of the whole when there are several; the answer is the refusal.
    pub(super) fn refuse_search(
        &self,
        mut case: Case<'_>,
        decided: &[Decided],
        refusal: Refusal,
    ) -> Unanswered {
        if let [only] = decided {
            case.decided(only.decision.as_ref());
            return case.refuse(touched_or_named(only, None), refusal);
        }
        let mut whole = case.entry(Phase::Single, Some(refusal.kind.outcome()), None);
        whole.operation = Operation::Combination;
        whole.refusal = Some(refusal.audit_code().to_owned());
        let mut submissions: Vec<Submission> = decided
            .iter()
            .map(|pool| {
                let why = pool.admitted.as_ref().err().unwrap_or(&refusal);
                let mut entry =
                    case.entry(Phase::Single, Some(why.kind.outcome()), touched_or_named(pool, None));
                entry.refusal = Some(why.audit_code().to_owned());
                entry.related = Some(whole.event_id);
                entry.decision = pool.decision.as_ref().map(recorded);
                entry.into()
            })
            .collect();
        let content = Content { request: case.take_refused_request(), ..Content::default() };
        submissions.push(Submission { entry: whole, content });
        match self.record(submissions).map(|mut receipts| receipts.pop()) {
            Ok(Some(receipt)) => {
                Unanswered::Refused { refusal: Box::new(refusal), receipt: Box::new(receipt) }
            }
            Ok(None) => Unanswered::Unrecorded(AuditError::Invalid("the log gave no receipt")),
            Err(unanswered) => unanswered,
        }
    }
}

fn touched_or_named(pool: &Decided, gallery: Option<u64>) -> Option<PoolTouched> {
    match &pool.admitted {
        Ok((pool, _)) => Some(touched(pool, gallery)),
        Err(_) => named(&pool.name),
    }
}

/// One entry per pool of the request: what it showed, or that it was denied.
fn pool_entries(
    case: &Case<'_>,
    decided: &[Decided],
    galleries: &[Option<u64>],
    withheld: &[Vec<Withheld>],
    candidates: &[CandidateFound],
) -> Result<Vec<Entry>, Refusal> {
    let mut entries = Vec::with_capacity(decided.len());
    for ((pool, gallery), withheld) in decided.iter().zip(galleries).zip(withheld) {
        let outcome =
            pool.admitted.as_ref().err().map_or(Outcome::Answered, |refusal| refusal.kind.outcome());
        let mut entry = case.entry(Phase::Single, Some(outcome), touched_or_named(pool, *gallery));
        entry.refusal = pool.admitted.as_ref().err().map(|refusal| refusal.audit_code().to_owned());
        entry.decision = pool.decision.as_ref().map(recorded);
        entry.withheld = withheld.iter().map(kept_back).collect();
        if pool.sees.is_some() {
            entry.notes.insert("sees_protected".to_owned(), "true".to_owned());
        }
        for shown in candidates.iter().filter(|shown| shown.pool.as_str() == pool.name) {
            let candidate = Candidate::new(shown.rank, shown.image.id, shown.image.subject, shown.similarity)
                .map_err(|error| Refusal::fault("similarity_not_finite", &error))?;
            entry.candidates.push(candidate);
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Whom to ask, for those views that say so.
fn owners(withheld: &[Withheld]) -> Vec<String> {
    let named = withheld.iter().filter(|kept| kept.view == ProtectedView::ContactOwner);
    named.map(|kept| kept.owner.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}

fn age_days(image: &OpenedImage, today: Date) -> Option<u32> {
    let days = image.record.capture_date?.until(today).ok()?.get_days();
    // A capture date of tomorrow (another time zone) counts as today.
    u32::try_from(days.max(0)).ok()
}
