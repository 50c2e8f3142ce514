//! Making and listing pools.
use std::sync::{Arc, PoisonError};

use super::{
    Answer, Asked, Refusal, RefusalKind, Rendered, Service, Unanswered,
    case::{Case, named},
};
use crate::{
    audit::{Content, Outcome, Phase, PoolTouched, Submission},
    authorise::{Action, Permit, Place, PoolFacts},
    pool::{CheckedPool, NewPool, Pool, PoolError, PoolKind, PoolParts, PoolSummary},
};

/// The pools that a person may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolList {
    /// Sorted by name.
    pub pools: Vec<PoolSummary>,
}

impl Service {
    pub(super) fn parts<'a>(&'a self, folder: &'a std::path::Path) -> PoolParts<'a> {
        PoolParts {
            folder,
            keys: &self.keys,
            purposes: self.authoriser.purposes(),
            pack: self.engine.pack(),
            space: self.engine.space(),
            dimension: self.engine.dimension(),
            metric: self.engine.metric(),
            index: self.config.search.index,
            compressed: &self.config.search.compressed,
            others: self.engines.geometries(),
            calendar: &self.config.retention.calendar,
        }
    }

    /// Makes a pool.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn create_pool<M>(
        &self,
        asked: Asked,
        new: NewPool,
        render: impl FnOnce(&PoolSummary) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::CreatePool, asked);
        // Before the name is looked up, so that two calls cannot both find it free.
        let _turn = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted =
            named(&new.name).map(|pool| PoolTouched { kind: Some(new.kind.code().to_owned()), ..pool });
        let (checked, permit) = match self.check_pool(&mut case, token.as_deref(), new) {
            Ok(checked) => checked,
            Err(refusal) => return Err(case.refuse(wanted, refusal)),
        };
        let name = checked.name.clone();
        let mut intent = case.entry(Phase::Intent, None, wanted);
        if let Some(pool) = &mut intent.pool {
            pool.space = Some(self.engine.space().to_string());
        }
        self.record_one(Submission::from(intent.clone()))?;
        let folder = self.data.pools();
        let made = Pool::create(&self.parts(&folder), checked, self.clock.now())
            .and_then(|pool| pool.summary(&permit, None).map(|summary| (pool, summary)));
        let (pool, summary) = match made {
            Ok(made) => made,
            Err(error) => return Err(case.fail(&intent, creation_refusal(error))),
        };
        let rendered = render(&summary);
        let entry = intent.to_outcome(self.clock.now(), Outcome::Answered);
        let content = Content { probe: None, request: case.take_request(), response: Some(rendered.bytes) };
        // It exists from here on, whether or not its outcome can be recorded: leaving it out would only hide it until a restart.
        self.pools.write().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::new(pool));
        let receipt = self.record_one(Submission { entry, content })?;
        Ok(Answer::new(rendered.message, receipt))
    }

    fn check_pool(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        new: NewPool,
    ) -> Result<(CheckedPool, Permit), Refusal> {
        let (caller, context) = case.introduce(token)?;
        let kind = new.kind;
        // The right to make pools first, with the purposes of the kind: who lacks it learns nothing about names.
        let every = self.authoriser.purposes().of_kind(kind);
        let checked = CheckedPool::check(new, self.authoriser.purposes()).map_err(PoolError::from);
        let placeholder;
        let name = match &checked {
            Ok(checked) => &checked.name,
            Err(_) => {
                placeholder = "unnamed".parse().map_err(|error| Refusal::fault("pool_name", &error))?;
                &placeholder
            }
        };
        let facts = PoolFacts { name, kind, purposes: &every };
        let permit = case.admit_elsewhere(&caller, Place::Pool(facts), &context)?;
        let checked = checked?;
        if self.pool(checked.name.as_str()).is_some() {
            return Err(exists());
        }
        case.note(
            "purposes",
            checked.purposes.iter().map(|purpose| purpose.code()).collect::<Vec<_>>().join(", "),
        );
        case.note("rationale", checked.rationale.clone());
        Ok((checked, permit))
    }

    /// Lists the pools that the person's roles and purpose let them see.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied in every kind of pool, or fails.
    pub fn list_pools<M>(
        &self,
        asked: Asked,
        render: impl FnOnce(&PoolList) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::ListPools, asked);
        match self.listed(&mut case, token.as_deref()) {
            Ok(list) => {
                let mut entry = case.entry(Phase::Single, None, None);
                entry.counts.insert("pools".to_owned(), list.pools.len() as u64);
                let names: Vec<&str> = list.pools.iter().map(|pool| pool.name.as_str()).collect();
                entry.notes.insert("pools".to_owned(), names.join(" "));
                let rendered = render(&list);
                case.answer(entry, None, rendered)
            }
            Err(refusal) => Err(case.refuse(None, refusal)),
        }
    }

    fn listed(&self, case: &mut Case<'_>, token: Option<&str>) -> Result<PoolList, Refusal> {
        let (caller, context) = case.introduce(token)?;
        // Who may see no kind of pool is denied, whatever pools there are.
        let mut denied = None;
        let mut allowed = None;
        for kind in PoolKind::ALL {
            let purposes = self.authoriser.purposes().of_kind(kind);
            let facts = PoolFacts { name: &self.nowhere, kind, purposes: &purposes };
            match self.admit_elsewhere(&caller, Action::ListPools, Place::Pool(facts), &context) {
                Ok(permit) => allowed = Some(permit),
                Err(refused) => denied = Some(refused),
            }
        }
        match (allowed, denied) {
            (Some(permit), _) => case.decided(permit.decision()),
            (None, Some(denied)) => return Err(case.denied(&denied, "the operation")),
            (None, None) => {}
        }
        let mut pools = Vec::new();
        for pool in self.pools() {
            let place = Place::Pool(pool.facts());
            if let Ok(permit) = self.admit_elsewhere(&caller, Action::ListPools, place, &context) {
                let sees = self.sees_protected(&caller, &context, &pool);
                pools.push(pool.summary(&permit, sees.as_ref())?);
            }
        }
        case.in_time()?;
        Ok(PoolList { pools })
    }
}

fn exists() -> Refusal {
    Refusal::new(
        RefusalKind::AlreadyExists,
        "pool_exists",
        "there is a pool of this name already; it was left as it is",
    )
}

fn creation_refusal(error: PoolError) -> Refusal {
    match error {
        PoolError::Keys(crate::keys::KeyError::PoolExists { .. }) => Refusal::new(
            RefusalKind::AlreadyExists,
            "pool_key_exists",
            "the key store has a key of this name although there is no such pool; restore the pool, or use another name",
        ),
        other => other.into(),
    }
}
