//! Giving a pool up: its key first, so that nothing sealed in it can be read again wherever a copy is, then its files.
use std::sync::PoisonError;

use super::{
    Answer, Asked, Refusal, Rendered, Service, Unanswered,
    case::{Case, named, touched},
    fields::Fields,
};
use crate::{
    audit::{Content, Outcome, Phase, Submission},
    authorise::Action,
    keys::PoolName,
    pool::{Pool, PoolError, PoolSummary},
};

impl Service {
    /// Drops a pool. The others are not touched: their files stay byte for byte as they are.
    ///
    /// A stop in between is finished at the next start: once the key is gone, so is the pool.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn drop_pool<M>(
        &self,
        asked: Asked,
        name: &str,
        render: impl FnOnce(&PoolSummary) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::DropPool, asked);
        let _turn = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let settled = case.introduce(token.as_deref()).and_then(|(caller, context)| {
            let mut fields = Fields::default();
            fields.text("pool", name, 1, 64);
            fields.finish()?;
            let (pool, permit) = case.admit(&caller, name, &context)?;
            let summary = pool.summary(&permit, None)?;
            let held = pool.held(&permit)?;
            Ok((pool, summary, held))
        });
        let (pool, summary, held) = match settled {
            Ok(settled) => settled,
            Err(refusal) => return Err(case.refuse(named(name), refusal)),
        };
        let mut intent = case.entry(Phase::Intent, None, Some(touched(&pool, None)));
        intent.counts.insert("subjects".to_owned(), held.subjects);
        intent.counts.insert("images".to_owned(), held.images);
        self.record_one(Submission::from(intent.clone()))?;
        let name = pool.definition().name.clone();
        if let Err(error) = self.remove_pool(&name, pool) {
            return Err(case.fail(&intent, Refusal::from(error)));
        }
        if let Err(error) = self.lists.forget_pool(name.as_str()) {
            return Err(case.fail(&intent, Refusal::fault("lists", &error)));
        }
        let rendered = render(&summary);
        let entry = intent.to_outcome(self.clock.now(), Outcome::Answered);
        let content = Content { probe: None, request: case.take_request(), response: Some(rendered.bytes) };
        let receipt = self.record_one(Submission { entry, content })?;
        Ok(Answer::new(rendered.message, receipt))
    }

    fn remove_pool(&self, name: &PoolName, pool: std::sync::Arc<Pool>) -> Result<(), PoolError> {
        self.pools.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        // Its files are closed with its last user, before they are removed.
        drop(pool);
        self.keys.destroy_pool(name)?;
        Pool::remove_files(&self.data.pools(), name)
    }
}
