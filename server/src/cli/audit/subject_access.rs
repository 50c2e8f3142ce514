//! `likeness audit subject-access`: what is held and recorded about one subject, in a file for them.

use std::path::PathBuf;

use clap::Args;
use likeness_proto::v1::{CollectSubjectRequest, RequestContext};
use uuid::Uuid;

use crate::cli::{
    connect::{self, Connection},
    failure::{Exit, Failure},
    output,
    profile::Profile,
};

/// A collection.
#[derive(Args, Debug)]
pub struct SubjectAccessArgs {
    /// The service's id of the subject
    subject: String,
    /// Pool that holds it
    #[arg(long, value_name = "NAME")]
    pool: String,
    /// To whom it is given: the person, or who acts for them
    #[arg(long, value_name = "NAME")]
    recipient: String,
    /// The request it answers, in your own words (8 to 1,000 characters)
    #[arg(long, value_name = "TEXT")]
    justification: String,
    /// Your own id for this interaction [default: `cli-` and a new UUID]
    #[arg(long, value_name = "REF")]
    reference: Option<String>,
    /// File to write, readable by you only
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Collects into a private file.
///
/// # Errors
/// The service refuses or fails, or the file cannot be written.
pub async fn run(
    args: SubjectAccessArgs,
    profile: &Profile,
    connection: &Connection,
) -> Result<Exit, Failure> {
    let context = RequestContext {
        system_name: profile.system_name.clone(),
        reference_id: args.reference.unwrap_or_else(|| format!("cli-{}", Uuid::now_v7())),
        purpose_code: "subject_access".to_owned(),
        justification: args.justification,
    };
    let request = CollectSubjectRequest {
        context: Some(context),
        pool: args.pool,
        subject_id: args.subject,
        recipient: args.recipient,
    };
    let answer = connection.audit().collect_subject(connect::call(request)).await?.into_inner();
    output::private_file(&args.output, answer.json.as_bytes())?;
    let event = answer.receipt.map(|receipt| receipt.event_id).unwrap_or_default();
    output::line(&format!(
        "{}: what is held and recorded, without other persons. The disclosure is event {event}.",
        args.output.display()
    ))?;
    Ok(Exit::Done)
}
