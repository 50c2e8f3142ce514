//! Opening the service on a data directory: everything is checked before anything is answered.
use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, RwLock},
};

use likeness_matcher::{
    decode::Limits,
    fault::Fault,
    pipeline::{Matcher, MatcherOptions},
};
use likeness_models::{Home, HomeError, Pack, PackError, RuntimeError};
use thiserror::Error;

use super::{
    Engine, EraseError, ReapplyError, Service,
    engines::Engines,
    migrate::Shadow,
    restore,
    retain::{ActiveRules, RulesError as RetentionRulesError},
};
use crate::{
    audit::{
        AuditError, AuditLog, AuditOptions, FileAudit,
        anomaly::{AnomalyRules, RulesError},
    },
    authorise::{Action, Authoriser, Permit, PolicyError},
    clock::Clock,
    config::{Config, ConfigError},
    data::{DataDir, DataError, swap},
    erasure::{Ledger, LedgerError},
    identity::{IdentityError, Registry, Revocations, Verifier, Watched},
    ids::EventId,
    keys::{FileKeyStore, KeyError, KeyStore, PoolName},
    points::{Store, StoreError},
    pool::{Pool, PoolError, names},
};

/// What the data directory is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Everything: the matcher is loaded and every pool's index is rebuilt.
    Serve,
    /// Making and listing pools only: fast, and images are neither read nor searched.
    Administer,
    /// Replacing the pools by those of a backup: those that are there are not opened, and may be damaged.
    Restore,
}

/// Why the service does not start. There is no way to start it nevertheless.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Not a data directory, in use, or open to other users.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The policies are not valid, or permit what a red line forbids.
    #[error(transparent)]
    Policies(#[from] PolicyError),
    /// The registry of systems, or the list of revoked tokens, cannot be used.
    #[error("{0}")]
    Callers(String),
    /// The issuer's public key cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The key store cannot be opened.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The audit log cannot be opened, or is not sound.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The anomaly rules are not valid.
    #[error(transparent)]
    Anomalies(#[from] RulesError),
    /// There is no place for model packs.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The model pack cannot be used.
    #[error(transparent)]
    Pack(#[from] Box<PackError>),
    /// An approved operating point is not what was approved.
    #[error(transparent)]
    Points(#[from] StoreError),
    /// The deletion lists cannot be opened.
    #[error(transparent)]
    Lists(#[from] crate::lists::ListsError),
    /// The erasure ledger cannot be opened.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An erasure that a stop cut short could not be finished, or somebody erased is back and could not be erased again.
    #[error("an erasure could not be finished: {0}")]
    Erasure(#[from] EraseError),
    /// The retention rules are not valid.
    #[error(transparent)]
    Rules(#[from] RetentionRulesError),
    /// ONNX Runtime is not there.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The matcher cannot be loaded.
    #[error(transparent)]
    Matcher(#[from] Fault),
    /// A pool cannot be opened or does not agree with itself.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// What a restore brought back of erased people could not be removed.
    #[error(transparent)]
    Reapply(#[from] ReapplyError),
    /// What a crash left open could not be recorded.
    #[error("the operations that the last stop cut short cannot be recorded; run `likeness audit verify`")]
    Recovery,
}

impl Service {
    /// Opens the service and takes the data directory's lock.
    ///
    /// In this order: lock, configuration, rules, keys, audit log (its tail and checkpoint are checked), model pack, pools
    /// (keys, definitions, spaces), what the last stop cut short, and for serving each pool's index against its records.
    ///
    /// # Errors
    /// [`OpenError`]: the first of these that is not as it must be.
    pub fn open(data: &DataDir, clock: Arc<dyn Clock>, opening: Opening) -> Result<Service, OpenError> {
        Service::open_behind(data, clock, opening, |log| log)
    }

    /// The same with another log in front of the durable one. `benches` measures with it what durability costs; nothing in this crate
    /// uses it, and a test sees to that.
    ///
    /// # Errors
    /// As [`Service::open`].
    pub fn open_behind(
        data: &DataDir,
        clock: Arc<dyn Clock>,
        opening: Opening,
        front: impl FnOnce(Arc<dyn AuditLog>) -> Arc<dyn AuditLog>,
    ) -> Result<Service, OpenError> {
        let lock = data.acquire()?;
        let config = Config::read(&data.config())?;
        let authoriser = open_policies(data)?;
        let purposes = authoriser.purposes().clone();
        let systems = Watched::open(data.systems(), move |path| {
            Registry::read(path, |code| purposes.purpose(code).is_some()).map_err(|error| error.to_string())
        })
        .map_err(OpenError::Callers)?;
        let revocations = Watched::open(data.revocations(), Revocations::read).map_err(OpenError::Callers)?;
        let verifier = Verifier::open(data, &config.identity, clock.clone())?;
        let keys: Arc<dyn KeyStore> = Arc::new(FileKeyStore::open(&data.keys())?);
        let options = AuditOptions {
            queue_requests: config.audit.queue,
            queue_bytes: config.audit.queue_bytes,
            append_timeout: config.audit.append_timeout,
        };
        let (audit, recovery) = FileAudit::open(&data.audit(), keys.clone(), clock.clone(), options)?;
        let ledger = Ledger::open(&data.erasure())?;
        let points = Store::open(&data.points(), &audit)?;
        let anomaly_rules = AnomalyRules::find(data.path())?;
        let engine = Arc::new(open_engine(&config, &config.matcher.pack, opening)?);
        let service = Service {
            data: data.clone(),
            config,
            clock,
            authoriser,
            systems,
            revocations,
            nowhere: nowhere()?,
            verifier,
            audit: front(Arc::new(audit)),
            anomaly_rules,
            keys,
            engines: Engines::new(opening, &engine),
            shadow: Shadow::default(),
            engine,
            points,
            ledger,
            lists: crate::lists::Lists::open(&data.lists())?,
            listing: Mutex::default(),
            leaving: RwLock::default(),
            erasure_observer: RwLock::default(),
            rules: ActiveRules::open(&data.retention())?,
            altering: Mutex::default(),
            erasing: Mutex::default(),
            running: Mutex::default(),
            retention_wanted: tokio::sync::Notify::new(),
            pools: RwLock::new(BTreeMap::new()),
            making: Mutex::new(()),
            copying: Mutex::new(()),
            lock,
        };
        let mut open_intents = match opening {
            // The others wait for a start at which the pools are opened: only then is known what became of them.
            Opening::Restore => {
                recovery.open_intents.into_iter().filter(|intent| intent.entry.rpc == restore::RPC).collect()
            }
            Opening::Serve | Opening::Administer => {
                service.sweep_pools(&recovery.open_intents)?;
                service.finish_drops(&recovery.open_intents)?;
                service.open_pools()?;
                recovery.open_intents
            }
        };
        if opening != Opening::Restore {
            // Before any index is filled: whoever is erased must not get into one.
            let open: HashSet<EventId> = open_intents.iter().map(|stored| stored.entry.event_id).collect();
            let concluded = service.finish_erasures(&open)?;
            open_intents.retain(|stored| !concluded.contains(&stored.entry.event_id));
            for pool in service.pools() {
                service.reapply_erasures(&pool)?;
            }
        }
        if opening == Opening::Serve {
            service.load_pools()?;
        }
        service.close_intents(&open_intents)?;
        if opening == Opening::Serve {
            service.observe_settings()?;
        }
        // The old pools of a restore stood aside until its end is on record.
        swap::sweep(data).map_err(DataError::from)?;
        Ok(service)
    }

    fn open_pools(&self) -> Result<(), OpenError> {
        let folder = self.data.pools();
        for name in names(&folder)? {
            for pack in Pool::packs_of(&folder, self.authoriser.purposes(), &name)? {
                self.open_pack(&pack)?;
            }
            let pool = Pool::open(&self.parts(&folder), &name)?;
            self.pools
                .write()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .insert(name, Arc::new(pool));
        }
        Ok(())
    }

    fn load_pools(&self) -> Result<(), OpenError> {
        for pool in self.pools() {
            let name = &pool.definition().name;
            let why = "the index is rebuilt at start; no person asks";
            let loaded = pool.load(&Permit::for_upkeep(name, Action::Search, why))?;
            tracing::info!(pool = %name, templates = loaded.templates, orphans_removed = loaded.orphans_removed, "pool loaded");
        }
        Ok(())
    }
}

/// The policies of the data directory when it has some, otherwise those of the program.
fn open_policies(data: &DataDir) -> Result<Authoriser, PolicyError> {
    let folder = data.policies();
    let (authoriser, source) = if folder.exists() {
        (Authoriser::read(&folder)?, folder.display().to_string())
    } else {
        (Authoriser::built_in()?, "built in".to_owned())
    };
    tracing::info!(policy_set = authoriser.digest(), source, "policies loaded");
    Ok(authoriser)
}

/// A name that stands in for every pool that does not exist.
fn nowhere() -> Result<PoolName, OpenError> {
    "nowhere".parse().map_err(|_| OpenError::Recovery)
}

pub(super) fn open_engine(config: &Config, pack: &str, opening: Opening) -> Result<Engine, OpenError> {
    let home = Home::locate()?;
    let pack = Pack::open(&home, pack).map_err(Box::new)?;
    let matcher = match opening {
        Opening::Administer | Opening::Restore => None,
        Opening::Serve => {
            let options = MatcherOptions {
                sessions: config.matcher.sessions,
                queue: config.matcher.queue,
                limits: Limits {
                    max_bytes: config.limits.image_bytes,
                    max_pixels: config.limits.image_pixels,
                    max_side: config.limits.image_side_px,
                },
                wait: config.limits.request_deadline,
            };
            Some(Matcher::open(&pack, &home.runtime_library()?, &options)?)
        }
    };
    Ok(Engine::new(&pack, matcher))
}
