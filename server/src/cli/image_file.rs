//! `likeness image`: reads one held image into a file.

use std::path::PathBuf;

use clap::Args;
use likeness_proto::v1::GetImageRequest;
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
pub struct ImageArgs {
    /// Id of the image, as `search --json` and `subject` show it
    image_id: String,
    /// Pool that holds it
    #[arg(long, value_name = "NAME")]
    pool: String,
    /// File to write, readable by you only
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    context: StatedContext,
    /// Print JSON about it
    #[arg(long)]
    pub json: bool,
}

/// Reads the image and writes the file.
///
/// # Errors
/// The service refuses or fails, or the file cannot be written.
pub async fn run(args: ImageArgs, profile: &Profile) -> Result<Exit, Failure> {
    let request = GetImageRequest {
        context: Some(args.context.wire(profile)),
        pool: args.pool,
        image_id: args.image_id,
    };
    let connection = Connection::open(profile).await?;
    let answer = connection.image().get_image(connect::call(request)).await?.into_inner();
    output::private_file(&args.output, &answer.image)?;
    if args.json {
        output::json(&json!({
            "file": args.output.display().to_string(),
            "bytes": answer.image.len(),
            "media_type": answer.media_type,
            "subject_id": answer.subject_id,
            "face": part::maybe_face(answer.face.as_ref()),
            "receipt": part::maybe_receipt(answer.receipt.as_ref()),
        }))?;
    } else {
        output::line(&format!(
            "{} ({}, {} bytes)",
            args.output.display(),
            plain(&answer.media_type),
            answer.image.len()
        ))?;
        if let Some(receipt) = &answer.receipt {
            output::line(&wording::receipt_line(receipt))?;
        }
    }
    Ok(Exit::Done)
}
