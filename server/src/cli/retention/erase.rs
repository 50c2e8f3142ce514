//! `retention erase`: out of use until the erasure, or erased at once.

use std::path::PathBuf;

use clap::{Args, builder::PossibleValuesParser};
use likeness_proto::v1::{EraseSubjectRequest, EraseSubjectResponse};
use likeness_server::erasure::ErasureReason;
use serde_json::json;

use super::{client, context, subject::SubjectChoice, words};
use crate::cli::{
    connect,
    context::AssumedContext,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::plain,
    wording,
};

/// A record to erase.
#[derive(Args, Debug)]
pub struct EraseArgs {
    /// The pool
    pool: String,
    #[command(flatten)]
    subject: SubjectChoice,
    /// Why; it decides, too, whether the same reference is recognised when it comes again
    #[arg(long, value_parser = PossibleValuesParser::new(ErasureReason::ALL.map(ErasureReason::code)))]
    reason: String,
    /// Erase now, and not when the time beyond use is over; there is no way back
    #[arg(long)]
    at_once: bool,
    /// Write the signed certificate to a file
    #[arg(long, value_name = "FILE", requires = "at_once")]
    certificate: Option<PathBuf>,
    #[command(flatten)]
    context: AssumedContext,
}

/// Erases, and says what became of the record.
///
/// # Errors
/// The service refuses or fails, or the certificate cannot be written; it can be fetched again then.
pub async fn run(args: EraseArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let what = format!("erasure of a record ({})", args.reason);
    let request = EraseSubjectRequest {
        context: context(&args.context, profile, &what),
        pool: args.pool,
        subject: args.subject.erasing(),
        reason: args.reason,
        at_once: args.at_once,
    };
    let answer = client(profile).await?.erase_subject(connect::call(request)).await?.into_inner();
    if json {
        output::json(&json!({
            "subject_id": answer.subject_id,
            "state": words::state_code(answer.state),
            "erase_at": part::text(&answer.erase_at),
            "certificate": part::text(&answer.certificate),
            "receipt": part::maybe_receipt(answer.receipt.as_ref()),
        }))?;
    } else {
        output::line(&text(&answer))?;
        answer.receipt.as_ref().map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))?;
    }
    if let Some(file) = &args.certificate {
        output::private_file(file, answer.certificate.as_bytes()).map_err(|failure| {
            failure.advise(format!(
                "the record is erased; fetch the certificate again with `likeness retention certificate POOL {} --out FILE`",
                plain(&answer.subject_id)
            ))
        })?;
    }
    Ok(Exit::Done)
}

/// What became of the record.
pub fn text(answer: &EraseSubjectResponse) -> String {
    if answer.certificate.is_empty() {
        format!(
            "Subject {} is beyond use: in no search and no reading, and not erased yet. Erased on {}",
            plain(&answer.subject_id),
            plain(&answer.erase_at)
        )
    } else {
        format!(
            "Subject {} is erased: nothing of it is left but its certificate and log entries without content",
            plain(&answer.subject_id)
        )
    }
}
