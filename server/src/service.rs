//! What the service does, without a word about the wire.
//!
//! Every operation follows one order: who asks (token), are the fields there, may they (permit), do it, record it durably,
//! answer. An [`Answer`] or a refusal can only be made with the receipt of its audit entry: no audit, no answer.
//! Everything here blocks; callers keep it off their async workers.
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    audit::{AuditLog, anomaly::AnomalyRules},
    authorise::{Action, Authoriser, Denied, Origin, Permit, Place, PoolFacts, Question},
    clock::Clock,
    config::Config,
    data::{DataDir, DataLock},
    identity::{Caller, Registry, Revocations, Verifier, Watched},
    keys::{KeyStore, PoolName},
    pool::{Pool, PoolKind},
    siem::{Feed, SiemError},
};

mod answer;
mod application;
mod audit;
mod backup;
mod case;
mod compare;
mod context;
mod decide;
mod drop_pool;
mod engine;
mod engines;
mod enrol;
mod erasure;
mod fields;
mod lists;
mod migrate;
mod monitor;
pub mod offline;
mod open;
mod points;
mod pools;
mod protect;
mod reapply;
mod recover;
mod refusal;
mod restore;
mod retain;
mod retention;
mod search;
mod set_enrolled;
mod settings;
mod source;
mod subject;
mod systems;
#[cfg(test)]
mod tests;
mod turned_away;

use case::PROTECTED;

pub use answer::{Answer, Rendered};
pub use application::{
    ApplicationAnswer, ApplicationPage, ApplicationStep, ApplicationsAnswer, ApplicationsRequest,
    Consequence, ReceiveRequest, StatedDecision, StatisticsAnswer, StepRequest,
};
pub use audit::{
    CollectRequest, EntryChoice, ExportRequest, Exported, FilterFields, HeadAnswer, LedgerLine, ProofAnswer,
    QueryAnswer, QueryRequest, ReconcileRequest, Reconciliation, ReferralBody, ReferralRequest, ReplayAnswer,
    ReportKind, ReportRequest,
};
pub use backup::{BackupMade, BackupRequest};
pub use compare::{CompareAnswer, CompareRequest};
pub use context::{Asked, Context, ContextFields, Peer};
pub use decide::{DecisionList, DecisionMade, DecisionRequest, RECORD as DECISION_RPC, Verdict};
pub use engine::{Algorithm, Engine, ProbeFace};
pub use enrol::{EnrolItem, EnrolOutcome, EnrolResult, Enrolment, GROUP, Prepared, RawDetails};
pub use erasure::{EraseError, Erased, ErasureObserver, ErasureStep};
pub use lists::{
    AcknowledgeRequest, AgeingAnswer, AgeingRequest, DeletionListMade, DeletionListRead, DeletionListSummary,
    DeletionListsAnswer, DeletionListsRequest, Differing, ForceAgeing, LateShown, LineAnswer, LineShown,
    ListFiles, ListReconciled, MOST_ANSWERS, MakeDeletionList, ReadDeletionList, Unlisted,
};
pub use migrate::{MigrationAnswer, MigrationStep};
pub use monitor::{CheckAnswer, CheckRequest};
pub use open::{OpenError, Opening};
pub use points::{PointAnswer, PointList};
pub use pools::PoolList;
pub use protect::{MarkFields, ProtectStep, ProtectedSubject};
pub use reapply::ReapplyError;
pub use refusal::{Refusal, RefusalKind, Unanswered};
pub use restore::{LossCount, Onto, PoolRestored, RestoreRequest, Restored};
pub use retain::{
    Affected, AlterRequest, Alteration, CertificateAnswer, DecideRequest, EraseAnswer, EraseRequest,
    ListAnswer, ListRequest, NumbersAnswer, NumbersRequest, NumbersShown, ReimportAnswer, RetentionAnswer,
    RetentionLine, RetentionList, RulesAnswer, RulesError, RunAnswer, RunRequest, SimulateAnswer,
    SimulateRequest, Tombstone, WithdrawnAnswer, WithdrawnRequest,
};
pub use search::{CandidateFound, ModeAsked, PoolOutcome, SearchAnswer, SearchMode, SearchRequest};
pub use set_enrolled::{SetEnrolledAnswer, SetEnrolledRequest};
pub use settings::CHANGED as SETTINGS_CHANGED;
pub use source::ProbeSource;
pub use subject::{ImageAnswer, SubjectAnswer, SubjectChoice};
pub use turned_away::TurnedAway;

/// Version of the matcher library; all crates of the workspace have one version.
pub const MATCHER_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Said with every candidate list.
pub const SEARCH_CAVEAT: &str = "A candidate is intelligence, not an identification. A trained person must compare the images, \
     and anything done because of a candidate needs corroboration. A similarity is not a probability, and the list is the \
     best there is in these pools even when the person is in none of them.";

/// Said with every comparison.
pub const COMPARE_CAVEAT: &str = "A similarity is not a probability and not an identification. A trained person must compare \
     the images, and anything done because of it needs corroboration.";

/// The service over one data directory. Holds its lock until dropped.
pub struct Service {
    data: DataDir,
    config: Config,
    clock: Arc<dyn Clock>,
    authoriser: Authoriser,
    systems: Watched<Registry>,
    revocations: Watched<Revocations>,
    verifier: Verifier,
    audit: Arc<dyn AuditLog>,
    anomaly_rules: AnomalyRules,
    keys: Arc<dyn KeyStore>,
    engine: Arc<Engine>,
    engines: engines::Engines,
    shadow: migrate::Shadow,
    points: crate::points::Store,
    ledger: crate::erasure::Ledger,
    lists: crate::lists::Lists,
    /// Deletion lists are made and acknowledged one at a time.
    listing: std::sync::Mutex<()>,
    /// Who was erased since the start: nothing about them is taken into the log any more.
    leaving: RwLock<std::collections::HashSet<crate::ids::SubjectId>>,
    erasure_observer: RwLock<Option<ErasureObserver>>,
    rules: retain::ActiveRules,
    /// Facts change one at a time.
    altering: std::sync::Mutex<()>,
    /// Erasures are carried out one batch at a time.
    erasing: std::sync::Mutex<()>,
    /// The rules are applied by one run at a time.
    running: std::sync::Mutex<()>,
    retention_wanted: tokio::sync::Notify,
    pools: RwLock<BTreeMap<PoolName, Arc<Pool>>>,
    /// The name of the stand-in for pools that do not exist.
    nowhere: PoolName,
    /// Makes pools one at a time.
    making: std::sync::Mutex<()>,
    /// Makes backups one at a time.
    copying: std::sync::Mutex<()>,
    /// Last, so that the data directory is given up after everything in it was closed.
    lock: DataLock,
}

impl Service {
    /// The configuration it runs with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The data directory.
    pub fn data(&self) -> &DataDir {
        &self.data
    }

    /// The algorithm it runs.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The audit log, to read from: the service is the only one that appends.
    pub fn audit(&self) -> &dyn AuditLog {
        self.audit.as_ref()
    }

    /// Starts the feed of security events, when one is configured.
    ///
    /// # Errors
    /// [`SiemError`] when what is configured can never work.
    pub fn start_feed(&self) -> Result<Option<Feed>, SiemError> {
        Feed::start(self.audit.clone(), &self.anomaly_rules, &self.config.siem, &self.data, &*self.clock)
    }

    fn pool(&self, name: &str) -> Option<Arc<Pool>> {
        let name: PoolName = name.parse().ok()?;
        self.pools.read().unwrap_or_else(PoisonError::into_inner).get(&name).cloned()
    }

    fn pools(&self) -> Vec<Arc<Pool>> {
        self.pools.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The policies it runs with.
    pub fn authoriser(&self) -> &Authoriser {
        &self.authoriser
    }

    /// Finds a pool and decides whether this caller may do this in it.
    ///
    /// A pool that does not exist is decided like any other, on a stand-in: the refusal then says the same and takes as long.
    fn admit(
        &self,
        caller: &Caller,
        action: Action,
        pool: &str,
        origin: Origin,
        context: &Context,
    ) -> Result<(Arc<Pool>, Permit), Denied> {
        let question = |facts| Question {
            caller,
            action,
            place: Place::Pool(facts),
            purpose: &context.purpose,
            origin,
            now: self.clock.now(),
        };
        let Some(pool) = self.pool(pool) else {
            let purposes = self.authoriser.purposes().of_kind(PoolKind::Custody);
            let facts = PoolFacts { name: &self.nowhere, kind: PoolKind::Custody, purposes: &purposes };
            return Err(Denied::unknown_pool(self.authoriser.decide(&question(facts))));
        };
        let permit = self.authoriser.authorise(&question(pool.facts()))?;
        Ok((pool, permit))
    }

    /// The right to see protected views in a pool, when this caller has it for this purpose.
    fn sees_protected(&self, caller: &Caller, context: &Context, pool: &Pool) -> Option<Permit> {
        self.admit_elsewhere(caller, Action::SeeProtected, Place::Pool(pool.facts()), context).ok()
    }

    /// Decides about something that is no pool.
    fn admit_elsewhere(
        &self,
        caller: &Caller,
        action: Action,
        place: Place<'_>,
        context: &Context,
    ) -> Result<Permit, Denied> {
        self.authoriser.authorise(&Question {
            caller,
            action,
            place,
            purpose: &context.purpose,
            origin: Origin::Scene,
            now: self.clock.now(),
        })
    }
}
