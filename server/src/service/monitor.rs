//! Whether an approved operating point still holds (R67): control images are compared with a pool and counted. Nobody is shown.
use std::sync::Arc;

use bytes::Bytes;
use likeness_matcher::{pipeline::AnalyseError, quality::QualityPolicy, select::Selection};

use super::{
    Answer, Asked, Refusal, Rendered, Service, Unanswered,
    case::{Case, named, touched},
    fields::Fields,
};
use crate::{
    audit::Phase,
    authorise::{Action, Permit},
    points::{ControlSet, Drift, FEWEST_CONTROLS, Kept, State},
    pool::Pool,
};

/// Most control images of one call.
const MOST_CONTROLS: usize = 512;

/// A check as it was sent; nothing in it is checked.
#[derive(Debug, Clone)]
pub struct CheckRequest {
    /// Id of the operating point.
    pub id: String,
    /// Name of the pool.
    pub pool: String,
    /// Control images; none: only the pool's size is looked at.
    pub controls: Vec<Bytes>,
    /// The signed control set that has them.
    pub control_set: String,
}

/// What a check found.
#[derive(Debug, Clone)]
pub struct CheckAnswer {
    /// The pool.
    pub pool: String,
    /// The operating point.
    pub kept: Arc<Kept>,
    /// Control images compared.
    pub controls: u64,
    /// Those of them without a usable face.
    pub failed: u64,
    /// What it came to.
    pub drift: Drift,
}

impl Service {
    /// Checks an approved operating point against a pool of today.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn check_point<M>(
        &self,
        asked: Asked,
        request: &CheckRequest,
        render: impl FnOnce(&CheckAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::MonitorPool, asked);
        match self.checked(&mut case, token.as_deref(), request) {
            Ok((pool, answer)) => {
                let mut entry =
                    case.entry(Phase::Single, None, Some(touched(&pool, Some(answer.drift.gallery))));
                entry.notes.insert("operating_point".to_owned(), answer.kept.id.to_string());
                entry.notes.insert("drift".to_owned(), answer.drift.state().to_owned());
                for (number, alert) in answer.drift.alerts.iter().enumerate() {
                    entry.notes.insert(format!("alert_{}", number + 1), alert.clone());
                }
                entry.counts.insert("controls".to_owned(), answer.controls);
                entry.counts.insert("controls_failed".to_owned(), answer.failed);
                if !answer.drift.alerts.is_empty() {
                    tracing::warn!(
                        pool = %pool.definition().name,
                        operating_point = %answer.kept.id,
                        "an operating point does not hold any more: {}",
                        answer.drift.alerts.join("; ")
                    );
                }
                let rendered = render(&answer);
                case.answer(entry, None, rendered)
            }
            Err(refusal) => Err(case.refuse(named(&request.pool), refusal)),
        }
    }

    fn checked(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        request: &CheckRequest,
    ) -> Result<(Arc<Pool>, CheckAnswer), Refusal> {
        let (caller, context) = case.introduce(token)?;
        let mut fields = Fields::default();
        fields.text("pool", &request.pool, 1, 64);
        let count = request.controls.len();
        if count > MOST_CONTROLS || (1..FEWEST_CONTROLS).contains(&count) {
            fields.wrong(format!(
                "`control_images` has {count} images; a check takes {FEWEST_CONTROLS} to {MOST_CONTROLS}, so that its counts tell \
                 nothing about one of them, or none to look at the pool's size only"
            ));
        }
        fields.finish()?;
        let (pool, permit) = case.admit(&caller, &request.pool, &context)?;
        let kept = self.point(&request.id)?;
        self.check_state(&kept, &pool)?;
        self.check_controls(&kept, request)?;
        let (gallery, counts, failed) = self.count(case, &kept, &pool, &permit, &request.controls)?;
        let drift = kept.point.drift(gallery, count as u64, &counts);
        let answer = CheckAnswer { pool: request.pool.clone(), kept, controls: count as u64, failed, drift };
        Ok((pool, answer))
    }

    fn check_state(&self, kept: &Kept, pool: &Pool) -> Result<(), Refusal> {
        let state = kept.state(self.situation(&pool.space().to_string()));
        let fits = kept.point.applies_to.pool_kinds.contains(&pool.definition().kind);
        if state == State::InForce && fits {
            return Ok(());
        }
        let why = if state == State::InForce { "for another kind of pool" } else { state.code() };
        Err(Refusal::invalid(
            "no_operating_point",
            format!(
                "the operating point `{}` is not in force for this pool ({}), so there is nothing to check; `likeness operating-point \
                 list` shows those that are",
                kept.id,
                why.replace('_', " ")
            ),
        ))
    }

    /// Every image is one that the tester signed, and none comes twice.
    fn check_controls(&self, kept: &Kept, request: &CheckRequest) -> Result<(), Refusal> {
        if request.controls.is_empty() {
            return Ok(());
        }
        let refused = |said: String| Refusal::invalid("control_set_not_valid", said);
        let set = ControlSet::open(&request.control_set, &kept.tester_key).map_err(|error| {
            refused(format!(
                "the control set must be signed by the tester who signed the operating point: {error}"
            ))
        })?;
        let mut seen = std::collections::HashSet::new();
        for (number, image) in request.controls.iter().enumerate() {
            if !set.has(image) {
                return Err(refused(format!(
                    "control image {} is not in the signed set: any other image would make this a search for the person on it",
                    number + 1
                )));
            }
            if !seen.insert(image) {
                return Err(refused(format!("control image {} comes twice", number + 1)));
            }
        }
        Ok(())
    }

    /// The pool's size, controls at or above each level, and controls without a usable face.
    fn count(
        &self,
        case: &Case<'_>,
        kept: &Kept,
        pool: &Pool,
        permit: &Permit,
        controls: &[Bytes],
    ) -> Result<(u64, Vec<u64>, u64), Refusal> {
        let levels = kept.point.levels();
        let mut counts = vec![0; if controls.is_empty() { 0 } else { levels.len() }];
        let mut failed = 0;
        let engine = self.engine_of(pool)?;
        let reader = pool.reader(permit)?;
        super::search::refuse_approximate(&reader)?;
        for image in controls {
            case.in_time()?;
            let analysed = match engine.try_analyse(image, &Selection::Largest, &QualityPolicy::default())? {
                Ok(analysed) => analysed,
                Err(AnalyseError::Rejected(_)) => {
                    failed += 1;
                    continue;
                }
                Err(fault @ AnalyseError::Fault(_)) => return Err(fault.into()),
            };
            let best = reader
                .search(&analysed.embedding, 1, case.deadline())?
                .hits
                .first()
                .map(|hit| hit.similarity);
            for (count, level) in counts.iter_mut().zip(&levels) {
                *count += u64::from(best.is_some_and(|best| best >= *level));
            }
        }
        Ok((reader.gallery_size()?, counts, failed))
    }
}
