//! `likeness audit export`: the whole log in a folder that anybody can verify with the public key.

use std::path::PathBuf;

use clap::Args;
use likeness_proto::v1::{ExportRequest, Receipt};
use likeness_server::audit::bundle::BundleWriter;
use serde_json::json;
use tonic::Request;

use super::context::AuditContext;
use crate::cli::{
    connect::Connection,
    failure::{Exit, Failure, chain},
    json as part, output,
    profile::Profile,
    text::grouped,
};

/// An export.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// Folder to make; it must not hold a bundle yet
    bundle: PathBuf,
    #[command(flatten)]
    context: AuditContext,
    /// The system or person that receives it
    #[arg(long, value_name = "NAME")]
    recipient: String,
    /// The organisation that receives it
    #[arg(long, value_name = "ORG")]
    recipient_organisation: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Fetches the log into a new folder.
///
/// # Errors
/// The service refuses or fails, or the folder cannot be written.
pub async fn run(args: ExportArgs, profile: &Profile, connection: &Connection) -> Result<Exit, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::fault(chain(error));
    let request = ExportRequest {
        context: Some(args.context.wire(profile)),
        recipient: args.recipient.clone(),
        recipient_organisation: args.recipient_organisation.clone(),
    };
    let mut parts = connection.audit().export(Request::new(request)).await?.into_inner();
    let mut bundle = BundleWriter::create(&args.bundle).map_err(|error| failed(&error))?;
    let (mut receipt, mut checkpoint, mut public_key): (Option<Receipt>, _, _) = (None, None, None);
    while let Some(part) = parts.message().await? {
        receipt = part.receipt.or(receipt);
        checkpoint = Some(part.checkpoint).filter(|text| !text.is_empty()).or(checkpoint);
        public_key = Some(part.public_key).filter(|text| !text.is_empty()).or(public_key);
        for entry in part.entries {
            match entry.expired_event_id.as_str() {
                "" => bundle.push(&entry.body, &entry.hash),
                event => bundle.push_stub(event, &entry.hash),
            }
            .map_err(|error| failed(&error))?;
        }
    }
    let checkpoint = checkpoint.ok_or_else(|| Failure::fault("the export came without its signed head"))?;
    let entries = bundle.count();
    bundle.finish(&checkpoint).map_err(|error| failed(&error))?;
    if args.json {
        output::json(&json!({
            "bundle": args.bundle.display().to_string(),
            "entries": entries,
            "public_key": public_key,
            "receipt": part::maybe_receipt(receipt.as_ref()),
        }))?;
    } else {
        output::line(&format!(
            "{}: {} entries under a signed head.\nVerify it anywhere: likeness audit verify --bundle {} --key KEYFILE\n\
             The key to hold it to is the one the operator published, not one that comes with the bundle.",
            args.bundle.display(),
            grouped(entries),
            args.bundle.display()
        ))?;
    }
    Ok(Exit::Done)
}
