//! `likeness restore`: on the data folder itself, while no server runs on it.

use std::path::{Path, PathBuf};

use clap::Args;
use likeness_server::{
    data::DataDir,
    service::{
        LossCount, Onto, PoolRestored, RestoreRequest, Restored,
        offline::{self, Apart, OfflineError},
    },
};
use serde_json::{Value, json};

use super::{
    context::AssumedContext,
    failure::{Exit, Failure, chain},
    output,
    pool::offline::asked,
    profile::Profile,
    text::{grouped, plain},
};

const PURPOSE: &str = "system_administration";

/// A backup to put back.
#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// The folder that `likeness backup` made
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    /// The data folder of the service that made it, or a new folder
    #[arg(long, value_name = "DATA_DIR")]
    into: PathBuf,
    /// The key store, kept apart from the backups; for a new folder only
    #[arg(long, value_name = "FOLDER")]
    keys: Option<PathBuf>,
    /// A folder with `profile.toml`, `tls/` and `issuer/`; for a new folder and a backup made `--without-credentials` only
    #[arg(long, value_name = "FOLDER")]
    credentials: Option<PathBuf>,
    /// The digest that the backup's description must have, from the receipt or from what `backup` printed
    #[arg(long, value_name = "SHA256")]
    expect: Option<String>,
    /// Go on although what was recorded after the backup will be missing
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    context: AssumedContext,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl RestoreArgs {
    /// Whether results go out as JSON.
    pub fn json(&self) -> bool {
        self.json
    }
}

/// Puts a backup back.
///
/// # Errors
/// A server runs, the backup is damaged or of another service, keys are missing, or the person may not.
pub fn run(args: RestoreArgs, named: Option<&Path>) -> Result<Exit, Failure> {
    let live = DataDir::at(&args.into).config().is_file();
    let profile = profile(&args, named, live)?;
    let context = asked(args.context.wire(&profile, PURPOSE, "a restore from the command line"));
    let request = RestoreRequest {
        onto: if live { Onto::Live } else { Onto::New },
        expect: args.expect.clone(),
        accept_loss: args.yes,
    };
    let restored = if live {
        if args.keys.is_some() || args.credentials.is_some() {
            return Err(Failure::usage(format!(
                "`{}` is a data folder, whose keys and credentials stay: leave `--keys` and `--credentials` out",
                args.into.display()
            )));
        }
        offline::restore(&args.into, &profile.token, &context, &args.from, &request)
    } else {
        let Some(keys) = args.keys.clone() else {
            return Err(Failure::usage(format!(
                "`{}` is no data folder yet, and a backup has no keys: nothing in it can be read without them",
                args.into.display()
            ))
            .advise("name the key store that was kept apart: `--keys FOLDER`, the `keys/` of the data folder or its newest copy"));
        };
        let apart = Apart { keys, credentials: args.credentials.clone() };
        offline::restore_new(&args.into, &profile.token, &context, &args.from, &apart, &request)
    };
    show(&restored.map_err(failure)?, &args.into, args.json)?;
    Ok(Exit::Done)
}

/// Who asks: the profile that was named, else the one of the data folder, else the one in the backup or beside it.
fn profile(args: &RestoreArgs, named: Option<&Path>, live: bool) -> Result<Profile, Failure> {
    let in_backup = args.from.join("profile.toml");
    match (named, live, &args.credentials) {
        (Some(named), _, _) => Profile::find(Some(named)),
        (None, true, _) => Profile::find(Some(&args.into)),
        (None, false, Some(credentials)) => Profile::find(Some(credentials)),
        (None, false, None) => Profile::find(in_backup.is_file().then_some(in_backup.as_path())),
    }
}

fn failure(error: OfflineError) -> Failure {
    match error {
        OfflineError::Locked(path) => Failure::new(Exit::Refused, format!("`{path}` is in use"))
            .advise("stop the server that runs on it, restore, and start it again"),
        OfflineError::Refused { code, message, event_id, denied } => {
            let exit = if denied { Exit::Denied } else { Exit::Refused };
            Failure::new(exit, format!("refused ({code}): {message} (recorded as event {event_id})"))
        }
        OfflineError::Backup(error) => Failure::new(Exit::Refused, chain(&error)),
        other => Failure::fault(chain(&other)),
    }
}

fn show(restored: &Restored, into: &Path, json: bool) -> Result<(), Failure> {
    if json {
        return output::json(&to_json(restored));
    }
    output::line(&format!(
        "Restored into {}: the backup holds the log up to entry {}, the log has {} now.",
        into.display(),
        grouped(restored.log_sizes[0]),
        grouped(restored.log_sizes[1])
    ))?;
    for pool in &restored.pools {
        let PoolRestored { name, subjects, images, enrolled, erased } = pool;
        output::line(&format!(
            "  {name}: {} subjects, {} images, {} searchable",
            grouped(*subjects),
            grouped(*images),
            grouped(*enrolled)
        ))?;
        if erased.rows.subjects > 0 {
            output::line(&format!(
                "    erased since the backup, and removed again: {} subjects, {} images",
                grouped(erased.rows.subjects),
                grouped(erased.rows.images)
            ))?;
        }
    }
    for name in &restored.kept {
        output::line(&format!("  {name}: not in the backup, stays as it was"))?;
    }
    for name in &restored.dropped {
        output::line(&format!("  {name}: dropped since the backup, stays dropped"))?;
    }
    for LossCount { pool, newer } in &restored.lost {
        output::line(&match newer {
            Some((subjects, images)) => format!(
                "  {pool}: missing now, because newer than the backup: {} subjects, {} images; enrol them again",
                grouped(*subjects),
                grouped(*images)
            ),
            None => format!(
                "  {pool}: what was there could not be read; what of it was newer than the backup is missing"
            ),
        })?;
    }
    output::line(&format!("  digest of the backup's description: {}", plain(&restored.digest)))
}

fn to_json(restored: &Restored) -> Value {
    json!({
        "manifest_digest": restored.digest,
        "backup_audit_size": restored.log_sizes[0],
        "audit_size": restored.log_sizes[1],
        "pools": restored.pools.iter().map(|pool| json!({
            "name": pool.name,
            "subjects": pool.subjects,
            "images": pool.images,
            "images_enrolled": pool.enrolled,
            "erased_subjects": pool.erased.rows.subjects,
            "erased_images": pool.erased.rows.images,
            "erased_files": pool.erased.files,
        })).collect::<Value>(),
        "kept": restored.kept,
        "dropped": restored.dropped,
        "missing": restored.lost.iter().map(|lost| json!({
            "pool": lost.pool,
            "subjects": lost.newer.map(|newer| newer.0),
            "images": lost.newer.map(|newer| newer.1),
        })).collect::<Value>(),
    })
}
