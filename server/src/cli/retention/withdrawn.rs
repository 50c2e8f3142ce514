//! `retention withdrawn`: what an auditor sees of a record that left use.

use std::path::PathBuf;

use clap::Args;
use likeness_proto::v1::{GetWithdrawnRequest, GetWithdrawnResponse};
use serde_json::{Value, json};

use super::{client, words};
use crate::cli::{
    audit::context::AuditContext,
    connect,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::plain,
    wording,
};

/// A record that left use.
#[derive(Args, Debug)]
pub struct WithdrawnArgs {
    /// The pool
    pool: String,
    /// The subject's id
    subject: String,
    /// One of its images, whose bytes are wanted
    #[arg(long, value_name = "ID", requires = "out")]
    image: Option<String>,
    /// File for the image, readable by you only
    #[arg(long, value_name = "FILE", requires = "image")]
    out: Option<PathBuf>,
    #[command(flatten)]
    context: AuditContext,
}

/// Reads and prints.
///
/// # Errors
/// The service refuses or fails, or the file cannot be written.
pub async fn run(args: WithdrawnArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let request = GetWithdrawnRequest {
        context: Some(args.context.wire(profile)),
        pool: args.pool,
        subject_id: args.subject,
        image_id: args.image.unwrap_or_default(),
    };
    let answer = client(profile).await?.get_withdrawn(connect::call(request)).await?.into_inner();
    if let Some(file) = &args.out {
        if answer.image.is_empty() {
            return Err(Failure::new(Exit::Refused, "the record is erased: there is no image any more"));
        }
        output::private_file(file, &answer.image)?;
    }
    if json {
        output::json(&json!({
            "state": words::state_code(answer.state),
            "since": part::text(&answer.since),
            "erase_at": part::text(&answer.erase_at),
            "record": words::parsed(&answer.record_json),
            "image_ids": answer.image_ids,
            "why": words::parsed(&answer.why_json),
            "certificate": part::text(&answer.certificate),
            "receipt": part::maybe_receipt(answer.receipt.as_ref()),
        }))?;
    } else {
        output::line(&text(&answer))?;
        answer.receipt.as_ref().map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))?;
    }
    Ok(Exit::Done)
}

fn text(answer: &GetWithdrawnResponse) -> String {
    if !answer.certificate.is_empty() {
        return format!("Erased {}\n{}", plain(&answer.since), answer.certificate.trim_end());
    }
    let mut lines = vec![format!(
        "{} since {}, to be erased {}",
        words::state(answer.state),
        plain(&answer.since),
        plain(&answer.erase_at)
    )];
    if let Value::Object(why) = words::parsed(&answer.why_json) {
        let told: Vec<String> = why
            .iter()
            .filter_map(|(name, value)| Some(format!("{} {}", plain(name), plain(value.as_str()?))))
            .collect();
        lines.push(format!("Why: {}", told.join(", ")));
    }
    lines.push(format!("{:#}", words::parsed(&answer.record_json)));
    lines.join("\n")
}
