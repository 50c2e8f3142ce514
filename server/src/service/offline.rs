//! The same operations when no server runs: in this process, on the data directory itself, with the same rules and log.
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use thiserror::Error;

mod restore;

pub use restore::{Apart, restore, restore_new};

use super::{
    Asked, BackupMade, BackupRequest, ContextFields, OpenError, Opening, Peer, PoolList, RefusalKind,
    Rendered, Service, Unanswered,
};
use crate::{
    backup::BackupError,
    clock::SystemClock,
    data::{DataDir, DataError},
    pool::{NewPool, PoolSummary},
};

/// Time for an operation without a server.
const DEADLINE: Duration = Duration::from_secs(600);

/// Who asks and why; checked like the context of a call.
pub type OfflineContext = ContextFields;

/// Why nothing was done.
#[derive(Debug, Error)]
pub enum OfflineError {
    /// A server, or another command, holds the data directory: ask the server instead.
    #[error("`{0}` is in use; ask the server that runs on it")]
    Locked(String),
    /// The service refused, and recorded that it did.
    #[error("{message} ({code}, event {event_id})")]
    Refused {
        /// A stable code.
        code: String,
        /// What to do.
        message: String,
        /// The audit event.
        event_id: String,
        /// True when it was about who asks or what they may, not about what was asked.
        denied: bool,
    },
    /// The audit log could not record the request.
    #[error("the request could not be recorded, so nothing is said about it: {0}")]
    Unrecorded(#[from] crate::audit::AuditError),
    /// The data directory cannot be opened.
    #[error(transparent)]
    Failed(#[from] Box<OpenError>),
    /// The backup cannot be used, or no data directory can be made of it.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The pools of the backup are in place, and the data directory does not open all the same.
    #[error("the backup is restored, and what is there now does not open: {0}")]
    Restored(#[source] Box<OfflineError>),
}

/// Makes a pool.
///
/// # Errors
/// [`OfflineError`] when a server runs, or the request is refused.
pub fn create_pool(
    data: &Path,
    token: &str,
    context: &OfflineContext,
    pool: &NewPool,
) -> Result<PoolSummary, OfflineError> {
    let service = open(data)?;
    let request = describe(pool);
    let asked = asked("likeness.v1.PoolService/CreatePool", token, context, request);
    let answer = service.create_pool(asked, pool.clone(), |summary| Rendered {
        bytes: describe_summary(summary),
        message: summary.clone(),
    });
    Ok(answer.map_err(unanswered)?.into_parts().0)
}

/// Lists the pools that the token's person may see.
///
/// # Errors
/// [`OfflineError`] when a server runs, or the request is refused.
pub fn list_pools(
    data: &Path,
    token: &str,
    context: &OfflineContext,
) -> Result<Vec<PoolSummary>, OfflineError> {
    let service = open(data)?;
    let asked = asked("likeness.v1.PoolService/ListPools", token, context, Vec::new());
    let answer = service.list_pools(asked, |list: &PoolList| Rendered {
        bytes: list.pools.iter().flat_map(describe_summary).collect(),
        message: list.pools.clone(),
    });
    Ok(answer.map_err(unanswered)?.into_parts().0)
}

/// Drops a pool: its key is destroyed and its files are removed.
///
/// # Errors
/// [`OfflineError`] when a server runs, or the request is refused.
pub fn drop_pool(
    data: &Path,
    token: &str,
    context: &OfflineContext,
    pool: &str,
) -> Result<PoolSummary, OfflineError> {
    let service = open(data)?;
    let asked = asked("likeness.cli/DropPool", token, context, pool.as_bytes().to_vec());
    let answer = service.drop_pool(asked, pool, |summary| Rendered {
        bytes: describe_summary(summary),
        message: summary.clone(),
    });
    Ok(answer.map_err(unanswered)?.into_parts().0)
}

/// Makes a backup.
///
/// # Errors
/// [`OfflineError`] when a server runs, or the request is refused.
pub fn back_up(
    data: &Path,
    token: &str,
    context: &OfflineContext,
    request: &BackupRequest,
) -> Result<BackupMade, OfflineError> {
    let service = open(data)?;
    let described = format!("{request:?}").into_bytes();
    let asked = asked(super::backup::RPC, token, context, described);
    let answer = service.back_up(asked, request, |made| Rendered {
        bytes: format!("{} {} files {} bytes", made.digest, made.manifest.files, made.manifest.bytes)
            .into_bytes(),
        message: made.clone(),
    });
    Ok(answer.map_err(unanswered)?.into_parts().0)
}

fn open(data: &Path) -> Result<Service, OfflineError> {
    open_for(data, Opening::Administer)
}

pub(super) fn open_for(data: &Path, opening: Opening) -> Result<Service, OfflineError> {
    Service::open(&DataDir::at(data), Arc::new(SystemClock), opening).map_err(|error| match error {
        OpenError::Data(DataError::Locked { path }) => OfflineError::Locked(path.display().to_string()),
        other => OfflineError::Failed(Box::new(other)),
    })
}

pub(super) fn asked(rpc: &'static str, token: &str, context: &OfflineContext, request: Vec<u8>) -> Asked {
    Asked {
        // Whoever may open the data directory is not asked for a certificate: the lock and the files are theirs.
        peer: Peer::Local,
        rpc,
        token: Some(token.to_owned()),
        context: context.clone(),
        deadline: Instant::now() + DEADLINE,
        request,
    }
}

pub(super) fn unanswered(unanswered: Unanswered) -> OfflineError {
    match unanswered {
        Unanswered::Unrecorded(error) => OfflineError::Unrecorded(error),
        Unanswered::Refused { refusal, receipt } => OfflineError::Refused {
            denied: matches!(refusal.kind, RefusalKind::Unauthenticated | RefusalKind::Denied),
            code: refusal.code.to_owned(),
            message: refusal.message,
            event_id: receipt.event_id().to_string(),
        },
    }
}

/// What was asked and shown, as text: there is no message on a wire here.
fn describe(pool: &NewPool) -> Vec<u8> {
    format!("{} {} {:?} {:?}", pool.name, pool.kind, pool.purposes, pool.rationale).into_bytes()
}

fn describe_summary(pool: &PoolSummary) -> Vec<u8> {
    let created: Timestamp = pool.created_at;
    format!(
        "{} {} {} subjects {} held {} enrolled {created}\n",
        pool.name, pool.kind, pool.subjects, pool.images_held, pool.images_enrolled
    )
    .into_bytes()
}
