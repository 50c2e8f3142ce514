//! Moving a pool to another algorithm: start, look, go over, go back, retire. Each is announced and recorded; encoding goes
//! on by itself ([`encode`]), and live probes are searched for with both ([`shadow`]).
use std::sync::Arc;

use super::{
    Answer, Asked, Engine, Refusal, RefusalKind, Rendered, Service, Unanswered,
    case::{Case, named, touched},
};
use crate::{
    audit::{Content, Outcome, Phase, Submission},
    authorise::{Action, Permit},
    pool::{MigrationStatus, Pool, PoolError},
    records::RecordError,
};

mod encode;
mod shadow;

pub(super) use encode::embed_again;
pub(super) use shadow::Shadow;

/// Inactive templates erased in one transaction.
const ERASED_AT_ONCE: usize = 2000;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MigrationStep {
    /// Begin to move to this model pack.
    Start {
        /// Its name.
        pack: String,
    },
    /// Say how far it is.
    Status,
    /// Go over.
    Switch {
        /// Images that the new algorithm refused and that may leave search.
        accept_refused: u64,
    },
    /// Go back.
    RollBack {
        /// Images that the old algorithm refused since the switch and that may leave search.
        accept_refused: u64,
    },
    /// Erase the inactive templates and end.
    Retire,
}

/// Where a pool stands on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct MigrationAnswer {
    /// The pool.
    pub pool: String,
    /// Where it stands.
    pub status: MigrationStatus,
}

impl MigrationAnswer {
    /// The state in one word.
    pub fn state(&self) -> &'static str {
        match &self.status.migration {
            None => "none",
            Some(migration) if migration.retiring => "retiring",
            Some(migration) if migration.switched => "switched",
            Some(_) if self.status.completeness.waiting > 0 => "encoding",
            Some(_) => "ready",
        }
    }
}

impl Service {
    /// Does one step of a migration, or looks at it.
    ///
    /// # Errors
    /// [`Unanswered`] when the step is not possible now, denied, or fails.
    pub fn migrate<M>(
        &self,
        asked: Asked,
        pool: &str,
        step: &MigrationStep,
        render: impl FnOnce(&MigrationAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let action = if *step == MigrationStep::Status { Action::ListPools } else { Action::MigratePool };
        let mut case = Case::begin(self, action, asked);
        let decided = case.introduce(token.as_deref()).and_then(|(caller, context)| {
            let (pool, permit) = case.admit(&caller, pool, &context)?;
            let engine = match step {
                MigrationStep::Start { pack } => Some(self.target(&mut case, &pool, pack)?),
                _ => None,
            };
            Ok((pool, permit, engine))
        });
        let (pool, permit, engine) = match decided {
            Ok(decided) => decided,
            Err(refusal) => return Err(case.refuse(named(pool), refusal)),
        };
        if *step == MigrationStep::Status {
            return match look(&pool, &permit) {
                Ok(answer) => {
                    let entry = case.entry(Phase::Single, None, Some(touched(&pool, None)));
                    let rendered = render(&answer);
                    case.answer(entry, None, rendered)
                }
                Err(refusal) => Err(case.refuse(Some(touched(&pool, None)), refusal)),
            };
        }
        self.step(case, &pool, &permit, step, engine, render)
    }

    /// The engine to move to: loaded now, so that a pack that cannot run is refused before anything is announced.
    fn target(&self, case: &mut Case<'_>, pool: &Pool, pack: &str) -> Result<Arc<Engine>, Refusal> {
        if pack.is_empty() {
            return Err(Refusal::invalid("missing_field", "missing: `pack`"));
        }
        let engine = self.open_pack(pack).map_err(|error| {
            Refusal::invalid("pack_unusable", format!("the model pack cannot be used: {error}"))
        })?;
        if engine.space() == pool.space() {
            return Err(Refusal::invalid(
                "same_algorithm",
                "the pool is searched with this very algorithm already",
            ));
        }
        case.note("to_pack", engine.pack());
        case.note("to_space", engine.space().to_string());
        Ok(engine)
    }

    fn step<M>(
        &self,
        mut case: Case<'_>,
        pool: &Arc<Pool>,
        permit: &Permit,
        step: &MigrationStep,
        engine: Option<Arc<Engine>>,
        render: impl FnOnce(&MigrationAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let about = Some(touched(pool, None));
        // The turn first: what is checked now still holds when it is carried out.
        let writer = match pool.writer(permit) {
            Ok(writer) => writer,
            Err(error) => return Err(case.refuse(about, error.into())),
        };
        let checked =
            writer.migration_status().map_err(Refusal::from).and_then(|status| possible(step, &status));
        if let Err(refusal) = checked {
            return Err(case.refuse(about, refusal));
        }
        let intent = case.entry(Phase::Intent, None, about);
        self.record_one(Submission::from(intent.clone()))?;
        let done = match step {
            MigrationStep::Start { .. } => match engine {
                Some(engine) => writer.begin_migration(engine.geometry(), intent.event_id, self.clock.now()),
                None => Err(RecordError::NotMigrating.into()),
            },
            MigrationStep::Switch { accept_refused } | MigrationStep::RollBack { accept_refused } => {
                writer.exchange(*accept_refused)
            }
            // In pieces while there is time; the rest follows without being asked.
            MigrationStep::Retire => loop {
                match writer.retire(ERASED_AT_ONCE) {
                    Ok(false) if case.in_time().is_ok() => {}
                    ended => break ended.map(|_| ()),
                }
            },
            MigrationStep::Status => Ok(()),
        };
        drop(writer);
        let answer = match done.map_err(refusal_of).and_then(|()| look(pool, permit)) {
            Ok(answer) => answer,
            Err(refusal) => return Err(case.fail(&intent, refusal)),
        };
        let mut entry = intent.to_outcome(self.clock.now(), Outcome::Answered);
        entry.notes.insert("state".to_owned(), answer.state().to_owned());
        entry.notes.insert("active_space".to_owned(), answer.status.active.space.clone());
        entry.counts.insert("images".to_owned(), answer.status.completeness.images);
        let rendered = render(&answer);
        let content = Content { probe: None, request: case.take_request(), response: Some(rendered.bytes) };
        let receipt = self.record_one(Submission { entry, content })?;
        Ok(Answer::new(rendered.message, receipt))
    }
}

fn look(pool: &Pool, permit: &Permit) -> Result<MigrationAnswer, Refusal> {
    Ok(MigrationAnswer {
        pool: pool.definition().name.to_string(),
        status: pool.reader(permit)?.migration_status()?,
    })
}

/// Whether a step can be taken from here.
fn possible(step: &MigrationStep, status: &MigrationStatus) -> Result<(), Refusal> {
    let not_now = |message: &str| Err(Refusal::invalid("migration_state", message.to_owned()));
    match (step, &status.migration) {
        (MigrationStep::Start { .. }, None) | (MigrationStep::Status, _) => Ok(()),
        (MigrationStep::Start { .. }, Some(_)) => Err(Refusal::new(
            RefusalKind::AlreadyExists,
            "migration_under_way",
            "the pool is on its way to another algorithm already; `likeness pool migrate POOL status` says where it stands",
        )),
        (_, None) => {
            not_now("no migration is under way; begin one with `likeness pool migrate POOL start --to PACK`")
        }
        (_, Some(migration)) if migration.retiring && *step != MigrationStep::Retire => {
            not_now("the inactive templates are being erased; there is no way back")
        }
        (MigrationStep::Switch { .. }, Some(migration)) if migration.switched => {
            not_now("the pool went over already; `rollback` goes back, `retire` makes it final")
        }
        (MigrationStep::RollBack { .. }, Some(migration)) if !migration.switched => not_now(
            "the pool did not go over, so there is nothing to go back from; `retire` gives the migration up",
        ),
        (MigrationStep::Switch { accept_refused } | MigrationStep::RollBack { accept_refused }, Some(_)) => {
            let refused = status.completeness.refused.values().sum();
            let waiting = status.completeness.waiting;
            if waiting > 0 || refused > *accept_refused { Err(incomplete(waiting, refused)) } else { Ok(()) }
        }
        (MigrationStep::Retire, Some(_)) => Ok(()),
    }
}

fn refusal_of(error: PoolError) -> Refusal {
    match error {
        PoolError::Records(RecordError::Incomplete { waiting, refused }) => incomplete(waiting, refused),
        other => other.into(),
    }
}

fn incomplete(waiting: u64, refused: u64) -> Refusal {
    if waiting > 0 {
        return Refusal::invalid(
            "migration_incomplete",
            format!(
                "{waiting} images are not encoded yet; `likeness pool migrate POOL status` says when they are"
            ),
        );
    }
    Refusal::invalid(
        "migration_refused_images",
        format!(
            "the other algorithm could not encode {refused} images, which would leave search; look at them with `likeness pool \
             migrate POOL status`, and state with `--accept-refused {refused}` that this is accepted"
        ),
    )
}
