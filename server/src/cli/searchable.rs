//! `likeness unenrol` and `likeness reenrol`: takes a held image out of search, or puts it back.

use clap::Args;
use likeness_proto::v1::SetEnrolledRequest;
use serde_json::json;

use super::{
    connect::{self, Connection},
    context::StatedContext,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::plain,
    wording,
};

/// What was typed.
#[derive(Args, Debug)]
pub struct SearchableArgs {
    /// Id of the image, as `search --json` and `subject` show it
    image_id: String,
    /// Pool that holds it
    #[arg(long, value_name = "NAME")]
    pool: String,
    #[command(flatten)]
    context: StatedContext,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Sets whether the image is searched.
///
/// # Errors
/// The service refuses or fails.
pub async fn run(args: SearchableArgs, enrolled: bool, profile: &Profile) -> Result<Exit, Failure> {
    let request = SetEnrolledRequest {
        context: Some(args.context.wire(profile)),
        pool: args.pool,
        image_id: args.image_id.clone(),
        enrolled,
    };
    let connection = Connection::open(profile).await?;
    let answer = connection.enrolment().set_enrolled(connect::call(request)).await?.into_inner();
    if args.json {
        output::json(&json!({
            "image_id": args.image_id,
            "enrolled": answer.enrolled,
            "changed": answer.changed,
            "receipt": part::maybe_receipt(answer.receipt.as_ref()),
        }))?;
        return Ok(Exit::Done);
    }
    let state = if answer.enrolled { "held and searchable" } else { "held and not searchable" };
    let before = if answer.changed { "" } else { " (as before)" };
    output::line(&format!("Image {} is {state}{before}.", plain(&args.image_id)))?;
    if let Some(receipt) = &answer.receipt {
        output::line(&wording::receipt_line(receipt))?;
    }
    Ok(Exit::Done)
}
