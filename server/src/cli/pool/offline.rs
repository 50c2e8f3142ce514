//! Pools without a server: on the data folder itself, through the same service core and its authorisation and audit.

use std::path::PathBuf;

use likeness_proto::v1::{
    Algorithm, CreatePoolRequest, Pool, PoolKind as WireKind, QualityLimit, Receipt, RequestContext,
};
use likeness_server::{
    pool::{NewPool, PoolKind, PoolSummary, QualityRule},
    service::offline::{self, OfflineContext, OfflineError},
};

use super::Answered;
use crate::cli::{
    failure::{Exit, Failure},
    output,
    profile::Profile,
};

/// Makes a pool on the data folder of the profile.
///
/// # Errors
/// `unreachable` when there is no such folder here; otherwise what the service core says.
pub async fn create(
    profile: &Profile,
    request: CreatePoolRequest,
    unreachable: Failure,
) -> Result<Answered<Pool>, Failure> {
    let kind = kind(request.kind())?;
    let new = NewPool {
        name: request.name,
        kind,
        rationale: request.rationale,
        purposes: request.purposes,
        quality: request.quality_policy.into_iter().map(rule).collect(),
    };
    let asked = asked(request.context.unwrap_or_default());
    let summary =
        on_data(profile, unreachable, move |data, token| offline::create_pool(&data, &token, &asked, &new))
            .await?;
    Ok(Answered { value: pool(summary), receipt: None::<Receipt> })
}

/// Lists the pools of the data folder of the profile.
///
/// # Errors
/// As [`create`].
pub async fn list(
    profile: &Profile,
    context: RequestContext,
    unreachable: Failure,
) -> Result<Answered<Vec<Pool>>, Failure> {
    let asked = asked(context);
    let found =
        on_data(profile, unreachable, move |data, token| offline::list_pools(&data, &token, &asked)).await?;
    Ok(Answered { value: found.into_iter().map(pool).collect(), receipt: None })
}

/// Drops a pool of the data folder of the profile; no server may run on it.
///
/// # Errors
/// As [`create`].
pub async fn remove(
    profile: &Profile,
    name: String,
    context: RequestContext,
    running: Failure,
) -> Result<Answered<Pool>, Failure> {
    let asked = asked(context);
    let summary =
        on_data(profile, running, move |data, token| offline::drop_pool(&data, &token, &asked, &name))
            .await?;
    Ok(Answered { value: pool(summary), receipt: None })
}

/// Does a job on the data folder of the profile, when no server answers and the folder is here.
///
/// # Errors
/// As [`create`].
pub async fn on_data<T: Send + 'static>(
    profile: &Profile,
    unreachable: Failure,
    job: impl FnOnce(PathBuf, String) -> Result<T, OfflineError> + Send + 'static,
) -> Result<T, Failure> {
    let here =
        profile.data_dir.clone().filter(|data| unreachable.exit() == Exit::Unreachable && data.is_dir());
    let Some(data) = here else {
        return Err(unreachable);
    };
    output::note(&format!("No server answers; working on the data folder {} itself.", data.display()));
    let token = profile.token.clone();
    tokio::task::spawn_blocking(move || job(data, token))
        .await
        .map_err(|_| Failure::fault("the work on the data folder was interrupted"))?
        .map_err(|error| failure(error, unreachable))
}

fn failure(error: OfflineError, unreachable: Failure) -> Failure {
    match error {
        // Another process holds the data folder, so a server is starting, stopping, or listening elsewhere.
        OfflineError::Locked { .. } => unreachable,
        OfflineError::Refused { code, message, event_id, denied } => {
            let exit = if denied { Exit::Denied } else { Exit::Refused };
            Failure::new(exit, format!("refused ({code}): {message} (recorded as event {event_id})"))
        }
        other => Failure::fault(other.to_string()),
    }
}

/// The same context for the service core.
pub fn asked(context: RequestContext) -> OfflineContext {
    OfflineContext {
        system_name: context.system_name,
        reference_id: context.reference_id,
        purpose_code: context.purpose_code,
        justification: context.justification,
    }
}

fn kind(kind: WireKind) -> Result<PoolKind, Failure> {
    match kind {
        WireKind::Unspecified => Err(Failure::usage("the kind of the pool is not given")),
        WireKind::Custody => Ok(PoolKind::Custody),
        WireKind::Person => Ok(PoolKind::Person),
        WireKind::MissingPerson => Ok(PoolKind::MissingPerson),
        WireKind::UnidentifiedPerson => Ok(PoolKind::UnidentifiedPerson),
        WireKind::UnidentifiedRemains => Ok(PoolKind::UnidentifiedRemains),
    }
}

fn wire_kind(kind: PoolKind) -> WireKind {
    match kind {
        PoolKind::Custody => WireKind::Custody,
        PoolKind::Person => WireKind::Person,
        PoolKind::MissingPerson => WireKind::MissingPerson,
        PoolKind::UnidentifiedPerson => WireKind::UnidentifiedPerson,
        PoolKind::UnidentifiedRemains => WireKind::UnidentifiedRemains,
    }
}

/// Limits from the command line are 0 to 100 by the parser.
fn rule(limit: QualityLimit) -> QualityRule {
    let scalar = |value: Option<u32>| value.map(|value| u8::try_from(value).unwrap_or(u8::MAX));
    QualityRule {
        refuse_below: scalar(limit.refuse_below),
        flag_below: scalar(limit.flag_below),
        component: limit.component,
    }
}

fn pool(summary: PoolSummary) -> Pool {
    Pool {
        name: summary.name.to_string(),
        kind: wire_kind(summary.kind).into(),
        rationale: summary.rationale,
        purposes: summary.purposes,
        algorithm: Some(Algorithm {
            pack: summary.pack,
            space_id: summary.space_id,
            matcher_version: summary.matcher_version,
        }),
        subjects: summary.subjects,
        images_held: summary.images_held,
        images_enrolled: summary.images_enrolled,
        created_at: summary.created_at.to_string(),
        quality_policy: summary
            .quality
            .into_iter()
            .map(|rule| QualityLimit {
                component: rule.component,
                refuse_below: rule.refuse_below.map(u32::from),
                flag_below: rule.flag_below.map(u32::from),
            })
            .collect(),
    }
}
