//! `likeness audit replay`: what was shown, byte for byte.

use std::path::PathBuf;

use clap::Args;
use likeness_proto::v1::ReplayRequest;

use super::context::AuditContext;
use crate::cli::{
    connect::{self, Connection},
    failure::{Exit, Failure},
    output,
    profile::Profile,
    text::grouped,
};

/// A replay.
#[derive(Args, Debug)]
pub struct ReplayArgs {
    /// The event, as its receipt names it
    event: String,
    #[command(flatten)]
    context: AuditContext,
    /// Write the encoded message that was sent here; its type is said
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Also write the probe image here
    #[arg(long, value_name = "FILE")]
    probe: Option<PathBuf>,
}

/// Brings the bytes back into private files.
///
/// # Errors
/// The service refuses or fails, or a file cannot be written.
pub async fn run(args: ReplayArgs, profile: &Profile, connection: &Connection) -> Result<Exit, Failure> {
    let request = ReplayRequest {
        context: Some(args.context.wire(profile)),
        event_id: args.event.clone(),
        with_probe: args.probe.is_some(),
    };
    let answer = connection.audit().replay(connect::call(request)).await?.into_inner();
    output::private_file(&args.output, &answer.response)?;
    output::line(&format!(
        "{}: {} bytes of {}, as sent for {}",
        args.output.display(),
        grouped(answer.response.len() as u64),
        answer.response_type,
        answer.rpc
    ))?;
    if let Some(path) = &args.probe {
        output::private_file(path, &answer.probe)?;
        output::line(&format!(
            "{}: {} bytes, the probe",
            path.display(),
            grouped(answer.probe.len() as u64)
        ))?;
    }
    Ok(Exit::Done)
}
