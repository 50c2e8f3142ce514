//! `retention events`: custody events and outcomes of a force, a file at a time.
//!
//! The whole file is read and checked before the first line is sent. What the service refuses is said with its line, and the rest
//! goes on: the same file can be sent again, for an event with the same reference replaces the one before.

use std::path::PathBuf;

use clap::Args;
use likeness_proto::v1::{AlterRetentionRequest, alter_retention_request::Alteration};
use serde_json::{Value, json};

use super::{client, context, words};
use crate::cli::{
    connect,
    context::AssumedContext,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::{grouped, plain},
};
use read::Line;

mod read;

/// How often progress is said.
const EVERY: u64 = 1000;

/// A file of events.
#[derive(Args, Debug)]
pub struct EventsArgs {
    /// The pool
    pool: String,
    /// CSV with a header: subject_id or subject_reference, event_reference, force, occurred_on, offences (CODE:GROUP, several
    /// separated by `;`), outcome, and if need be outcome_on, serious, prison (yes or no)
    #[arg(long, value_name = "CSV")]
    file: PathBuf,
    #[command(flatten)]
    context: AssumedContext,
}

/// What became of the file.
#[derive(Debug, Default)]
struct Tally {
    recorded: u64,
    due: u64,
    refused: u64,
}

impl Tally {
    fn exit(&self) -> Exit {
        match (self.refused, self.recorded) {
            (0, _) => Exit::Done,
            (_, 0) => Exit::Refused,
            _ => Exit::Partial,
        }
    }
}

/// Sends the events, in the order of the file.
///
/// # Errors
/// The file is not what it should be (nothing was sent then), or the service cannot be asked any further.
pub async fn run(args: EventsArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let lines = read::file(&args.file)?;
    let total = lines.len() as u64;
    let mut client = client(profile).await?;
    let (mut tally, mut results) = (Tally::default(), Vec::new());
    for (done, line) in (1..).zip(lines) {
        let number = line.number;
        match send(&mut client, &args, line, profile).await {
            Ok((verdict, due, receipt)) => {
                tally.recorded += 1;
                tally.due += u64::from(due);
                if json {
                    results.push(
                        json!({ "line": number, "recorded": true, "verdict": verdict, "receipt": receipt }),
                    );
                } else {
                    output::line(&format!("line {number}: recorded, {verdict}"))?;
                }
            }
            Err(failure) if failure.exit() == Exit::Refused => {
                tally.refused += 1;
                let why = failure.summary().to_owned();
                if json {
                    results.push(json!({ "line": number, "recorded": false, "why": why }));
                } else {
                    output::line(&format!("line {number}: {}", plain(&why)))?;
                }
            }
            Err(failure) => {
                return Err(failure.showing(format!(
                    "  stopped at line {number}: {} recorded, {} refused before it; send the file again when this is put right",
                    grouped(tally.recorded),
                    grouped(tally.refused)
                )));
            }
        }
        if done % EVERY == 0 {
            output::note(&format!("{} of {} events", grouped(done), grouped(total)));
        }
    }
    if json {
        output::json(&json!({
            "recorded": tally.recorded, "due": tally.due, "refused": tally.refused, "lines": Value::Array(results),
        }))?;
    } else {
        output::line(&format!(
            "{} events recorded, {} refused; {} times nothing retains the record any more, and it leaves search within moments",
            grouped(tally.recorded),
            grouped(tally.refused),
            grouped(tally.due)
        ))?;
    }
    Ok(tally.exit())
}

/// Sends one line: what the rules make of the record then, whether it is due, and the receipt.
async fn send(
    client: &mut likeness_proto::v1::retention_service_client::RetentionServiceClient<connect::Link>,
    args: &EventsArgs,
    line: Line,
    profile: &Profile,
) -> Result<(String, bool, Value), Failure> {
    let request = AlterRetentionRequest {
        context: context(&args.context, profile, "custody events of a force recorded"),
        pool: args.pool.clone(),
        subject: Some(line.subject),
        alteration: Some(Alteration::CustodyEvent(line.event)),
    };
    let answer = client.alter_retention(connect::call(request)).await?.into_inner();
    let assessed = answer.retention.and_then(|record| record.assessment).unwrap_or_default();
    Ok((
        words::verdict(&assessed),
        assessed.disposition == "due",
        part::maybe_receipt(answer.receipt.as_ref()),
    ))
}

#[cfg(test)]
mod tests;
