//! Encoding a pool's sealed originals with the algorithm it moves to, piece by piece, until none waits.
//!
//! What is to be done is read from the records each time, so that a crash at any point loses at most one piece of work.
use std::sync::Arc;

use likeness_matcher::{
    detect::BoundingBox, embed::Embedding, pipeline::AnalyseError, quality::QualityPolicy, select::Selection,
};

use super::ERASED_AT_ONCE;
use crate::{
    audit::{Entry, Outcome, Phase, Submission},
    authorise::{Action, Permit},
    pool::{Pool, PoolError},
    records::Unencoded,
    service::{Engine, Refusal, Service, Unanswered, case::touched},
};

/// The name of this upkeep in the log.
const RPC: &str = "likeness/migration";
const WHY: &str = "the service carries on with a migration that a person began";
/// Images encoded and recorded together.
const PIECE: usize = 32;

impl Service {
    /// Carries on with every migration for one piece of work; says whether there was any.
    ///
    /// # Errors
    /// What stopped it. It is tried again: nothing is lost.
    pub fn carry_on_migrations(&self) -> Result<bool, Unanswered> {
        let mut worked = self.look_at_live_probes();
        for pool in self.pools() {
            let permit = Permit::for_upkeep(&pool.definition().name, Action::MigratePool, WHY);
            worked |= self.carry_on(&pool, &permit)?;
        }
        Ok(worked)
    }

    fn carry_on(&self, pool: &Arc<Pool>, permit: &Permit) -> Result<bool, Unanswered> {
        if !pool.take_pending() {
            return Ok(false);
        }
        // A pool that is out of step says so to everybody who asks; there is nothing to carry on with.
        let found = pool.reader(permit).and_then(|reader| reader.to_encode(PIECE));
        let Ok(Some((migration, waiting))) = found else { return Ok(false) };
        if !migration.retiring && waiting.is_empty() {
            return Ok(false);
        }
        pool.set_pending();
        let mut intent = Entry::new(self.clock.now(), RPC, Action::MigratePool.operation(), Phase::Intent);
        intent.pool = Some(touched(pool, None));
        intent.notes.insert("migration".to_owned(), migration.event.to_string());
        intent.notes.insert("to_space".to_owned(), migration.other.space.clone());
        intent.images = waiting.iter().map(|at| at.image).collect();
        self.record_one(Submission::from(intent.clone()))?;
        let done = if migration.retiring {
            pool.writer(permit)
                .and_then(|writer| writer.retire(ERASED_AT_ONCE))
                .map(|_| 0)
                .map_err(Refusal::from)
        } else {
            self.encode(pool, permit, &waiting)
        };
        let mut outcome = intent
            .to_outcome(self.clock.now(), if done.is_ok() { Outcome::Answered } else { Outcome::Failed });
        match &done {
            Ok(refused) => _ = outcome.counts.insert("refused".to_owned(), *refused),
            Err(refusal) => outcome.refusal = Some(refusal.audit_code().to_owned()),
        }
        self.record_one(Submission::from(outcome))?;
        Ok(done.is_ok())
    }

    /// Encodes a piece; says how many images were refused.
    fn encode(&self, pool: &Arc<Pool>, permit: &Permit, waiting: &[Unencoded]) -> Result<u64, Refusal> {
        let Some(space) = pool.other_space() else { return Ok(0) };
        let engine = self.engine_with(space)?;
        // Half of the sessions, so that searches find some free.
        let workers = (self.config.matcher.sessions / 2).clamp(1, waiting.len().max(1));
        let next = std::sync::atomic::AtomicUsize::new(0);
        let made = std::thread::scope(|scope| {
            let work = || {
                let mut made = Vec::new();
                while let Some(at) = waiting.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    made.push((at.clone(), encode_one(&engine, pool, permit, at)?));
                }
                Ok::<_, Refusal>(made)
            };
            let running: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            let mut all = Vec::with_capacity(waiting.len());
            for worker in running {
                let broken =
                    || Refusal::new(crate::service::RefusalKind::Fault, "broke_off", "encoding broke off");
                all.extend(worker.join().map_err(|_| broken())??);
            }
            Ok::<_, Refusal>(all)
        })?;
        pool.writer(permit)?.put_encoded(&made)?;
        Ok(made.iter().filter(|(_, made)| made.is_err()).count() as u64)
    }
}

/// An embedding, or the code of the refusal: the same bytes would be refused again.
fn encode_one(
    engine: &Engine,
    pool: &Pool,
    permit: &Permit,
    at: &Unencoded,
) -> Result<Result<Embedding, String>, Refusal> {
    let reader = pool.reader(permit)?;
    let Some(image) = reader.image(at.image)?.seen() else {
        return Err(PoolError::Disagrees {
            pool: pool.definition().name.clone(),
            what: format!("image {} is no longer recorded", at.image),
        }
        .into());
    };
    let bytes = reader.image_bytes(&image)?;
    embed_again(engine, &bytes, image.record.face.bounding_box)
}

/// Encodes the face at a place that another algorithm's detector found: it may see other faces, in another order.
///
/// # Errors
/// The refusal when the image is not at fault.
pub(in crate::service) fn embed_again(
    engine: &Engine,
    image: &[u8],
    face: BoundingBox,
) -> Result<Result<Embedding, String>, Refusal> {
    let lenient = QualityPolicy::new(Vec::new()).map_err(|error| Refusal::fault("quality_policy", &error))?;
    match engine.try_analyse(image, &Selection::Box(face), &lenient)? {
        Ok(analysed) => Ok(Ok(analysed.embedding)),
        Err(AnalyseError::Rejected(rejection)) => Ok(Err(rejection.code().to_owned())),
        Err(AnalyseError::Fault(fault)) => Err(fault.into()),
    }
}
