//! `retention run`: applies the rules to a pool now.

use clap::Args;
use likeness_proto::v1::{RunRetentionRequest, RunRetentionResponse};
use serde_json::json;

use super::{client, context};
use crate::cli::{
    connect,
    context::AssumedContext,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::grouped,
    wording,
};

/// A run.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// The pool
    pool: String,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    context: AssumedContext,
}

/// Runs, and says what was done.
///
/// # Errors
/// The service refuses or fails; `already_running` while another run goes on.
pub async fn run(args: RunArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let dry_run = args.dry_run;
    let request = RunRetentionRequest {
        context: context(&args.context, profile, "the retention rules applied"),
        pool: args.pool,
        dry_run,
    };
    let done = client(profile).await?.run_retention(connect::call(request)).await?.into_inner();
    if json {
        output::json(&json!({
            "dry_run": dry_run, "assessed": done.assessed, "beyond_use": done.beyond_use, "erased": done.erased,
            "put_off": done.put_off, "receipt": part::maybe_receipt(done.receipt.as_ref()),
        }))?;
    } else {
        output::line(&text(&done, dry_run))?;
        done.receipt.as_ref().map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))?;
    }
    Ok(Exit::Done)
}

/// What was done, or would be.
pub fn text(done: &RunRetentionResponse, dry_run: bool) -> String {
    format!(
        "{}: {} assessed, {} put beyond use, {} erased, {} kept from erasure by a hold",
        if dry_run { "A run now would do this, and has not" } else { "Done" },
        grouped(done.assessed),
        grouped(done.beyond_use),
        grouped(done.erased),
        grouped(done.put_off)
    )
}
