//! `likeness backup`: through the server, or on the data folder itself when no server runs.

use std::path::PathBuf;

use clap::Args;
use likeness_proto::v1::{BackedUpPool, CreateBackupRequest, CreateBackupResponse};
use likeness_server::service::{BackupMade, BackupRequest, offline};
use serde_json::{Value, json};

use super::{
    connect::Connection,
    context::AssumedContext,
    failure::{Exit, Failure},
    json as part, output,
    pool::offline::{asked, on_data},
    profile::Profile,
    text::{grouped, plain},
    wording,
};

const PURPOSE: &str = "system_administration";

/// A backup to make.
#[derive(Args, Debug)]
pub struct BackupArgs {
    /// A folder that is not there yet, on the server's machine and outside its data folder
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// Leave out profile, certificates and token issuer, whose private keys are then to be kept separately
    #[arg(long)]
    without_credentials: bool,
    #[command(flatten)]
    context: AssumedContext,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl BackupArgs {
    /// Whether results go out as JSON.
    pub fn json(&self) -> bool {
        self.json
    }
}

/// Makes a backup.
///
/// # Errors
/// The service refuses or fails, or no server answers and the data folder is not here.
pub async fn run(args: BackupArgs, profile: &Profile) -> Result<Exit, Failure> {
    let context = args.context.wire(profile, PURPOSE, "a backup from the command line");
    let to = std::path::absolute(&args.to)
        .map_err(|error| Failure::usage(format!("`{}` is no path: {error}", args.to.display())))?;
    let destination = to.to_str().ok_or_else(|| Failure::usage("the path of the backup is not UTF-8"))?;
    let answer = match Connection::open(profile).await {
        Ok(connection) => {
            let request = CreateBackupRequest {
                context: Some(context),
                destination: destination.to_owned(),
                without_credentials: args.without_credentials,
            };
            // Without a time limit: copying takes as long as there is to copy.
            connection.backup().create_backup(tonic::Request::new(request)).await?.into_inner()
        }
        Err(unreachable) => {
            let request = BackupRequest {
                destination: destination.to_owned(),
                without_credentials: args.without_credentials,
            };
            let asked = asked(context);
            let made = on_data(profile, unreachable, move |data, token| {
                offline::back_up(&data, &token, &asked, &request)
            })
            .await?;
            response(&made)
        }
    };
    show(&answer, args.json)?;
    Ok(Exit::Done)
}

fn response(made: &BackupMade) -> CreateBackupResponse {
    CreateBackupResponse {
        destination: made.folder.display().to_string(),
        manifest_digest: made.digest.clone(),
        files: made.manifest.files,
        bytes: made.manifest.bytes,
        pools: made
            .manifest
            .pools
            .iter()
            .map(|pool| BackedUpPool {
                name: pool.name.to_string(),
                subjects: pool.subjects,
                images: pool.images,
                images_enrolled: pool.enrolled,
                erased_meanwhile: pool.erased_meanwhile,
            })
            .collect(),
        audit_size: made.manifest.audit.size,
        audit_root: made.root.to_vec().into(),
        receipt: None,
    }
}

fn show(made: &CreateBackupResponse, json: bool) -> Result<(), Failure> {
    if json {
        return output::json(&json!({
            "destination": made.destination,
            "manifest_digest": made.manifest_digest,
            "files": made.files,
            "bytes": made.bytes,
            "pools": made.pools.iter().map(|pool| json!({
                "name": pool.name,
                "subjects": pool.subjects,
                "images": pool.images,
                "images_enrolled": pool.images_enrolled,
                "erased_meanwhile": pool.erased_meanwhile,
            })).collect::<Value>(),
            "audit_size": made.audit_size,
            "audit_root": hex::encode(&made.audit_root),
            "receipt": part::maybe_receipt(made.receipt.as_ref()),
        }));
    }
    output::line(&format!(
        "Backup in {}: {} files, {} bytes.",
        plain(&made.destination),
        grouped(made.files),
        grouped(made.bytes)
    ))?;
    for pool in &made.pools {
        let gone = match pool.erased_meanwhile {
            0 => String::new(),
            gone => format!("; {} erased meanwhile, and not in it", grouped(gone)),
        };
        output::line(&format!(
            "  {}: {} subjects, {} images, {} searchable{gone}",
            plain(&pool.name),
            grouped(pool.subjects),
            grouped(pool.images),
            grouped(pool.images_enrolled)
        ))?;
    }
    output::line(&format!("  the audit log up to entry {}", grouped(made.audit_size)))?;
    output::line(&format!("  digest of its description: {}", plain(&made.manifest_digest)))?;
    output::line(
        "The keys are not in it, and must not lie beside it: without `keys/` it cannot be read, with them the erased could be.",
    )?;
    made.receipt.as_ref().map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))
}
