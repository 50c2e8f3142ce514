//! `deletion-list acknowledge`: one line, or the file that a force sent back.

use std::path::PathBuf;

use clap::Args;
use jiff::civil::Date;
use likeness_proto::v1::{AcknowledgeDeletionListRequest, LineAcknowledgement};
use serde_json::json;

use super::{client, context, words};
use crate::cli::{
    connect,
    context::AssumedContext,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::grouped,
};

pub(super) mod file;

/// What a force says.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("what").args(["file", "image"]).required(true))]
#[command(group = clap::ArgGroup::new("answer").args(["deleted", "retained", "not_found"]))]
pub struct AcknowledgeArgs {
    /// The pool
    pool: String,
    /// The list
    id: String,
    /// The force's file. CSV with the columns `image_id` and `answered` (deleted, retained or not_found; empty rows are left
    /// open), and if need be `why` (it is retained) and `on`; other columns are ignored, so the list itself will do with two
    /// columns more. Or JSON (.json): an array of objects with these names
    #[arg(long, value_name = "FILE", conflicts_with = "answer")]
    file: Option<PathBuf>,
    /// One image of the list
    #[arg(long, value_name = "ID", requires = "answer")]
    image: Option<String>,
    /// The force deleted it; this is final
    #[arg(long, requires = "image")]
    deleted: bool,
    /// The force keeps it, for this reason (8 to 1,000 characters)
    #[arg(long, value_name = "REASON", requires = "image")]
    retained: Option<String>,
    /// The force has no such image
    #[arg(long, requires = "image")]
    not_found: bool,
    /// The day of it, YYYY-MM-DD [default: today]
    #[arg(long, value_name = "DATE", requires = "image")]
    on: Option<Date>,
    #[command(flatten)]
    context: AssumedContext,
}

/// Sends the acknowledgements: all of them are taken, or none.
///
/// # Errors
/// The file is not what it should be (nothing was sent then), or the service refuses or fails.
pub async fn run(args: AcknowledgeArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let lines = match (args.file, args.image) {
        (Some(path), _) => file::read(&path)?,
        (None, image) => {
            let answered = match (args.deleted, &args.retained) {
                (true, _) => "deleted",
                (false, Some(_)) => "retained",
                (false, None) => "not_found",
            };
            vec![LineAcknowledgement {
                image_id: image.unwrap_or_default(),
                answered: answered.to_owned(),
                reason: args.retained.unwrap_or_default(),
                on: args.on.map(|on| on.to_string()).unwrap_or_default(),
            }]
        }
    };
    let taken = lines.len() as u64;
    let request = AcknowledgeDeletionListRequest {
        context: context(&args.context, profile, "lines of a deletion list acknowledged"),
        pool: args.pool,
        id: args.id,
        lines,
    };
    let answer = client(profile).await?.acknowledge_deletion_list(connect::call(request)).await?.into_inner();
    if json {
        output::json(&json!({
            "taken": taken, "list": words::maybe(answer.list.as_ref()),
            "receipt": part::maybe_receipt(answer.receipt.as_ref()),
        }))?;
    } else {
        output::line(&format!("{} lines acknowledged", grouped(taken)))?;
        if let Some(list) = &answer.list {
            output::line(&words::heading(list))?;
        }
        words::receipt(answer.receipt.as_ref())?;
    }
    Ok(Exit::Done)
}
