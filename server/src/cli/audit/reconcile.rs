//! `likeness audit reconcile`: the log against a calling system's own ledger.

use std::path::{Path, PathBuf};

use clap::Args;
use likeness_proto::v1::{LedgerLine, ReconcileRequest};
use serde::Deserialize;
use serde_json::{Value, json};

use super::context::AuditContext;
use crate::cli::{
    connect::{self, Connection},
    failure::{Exit, Failure, chain},
    json as part, output,
    profile::Profile,
    text::{grouped, plain},
};

/// A comparison.
#[derive(Args, Debug)]
pub struct ReconcileArgs {
    #[command(flatten)]
    context: AuditContext,
    /// The ledger: CSV with the columns `reference_id` and `event_id` (empty where no answer came); others are ignored
    #[arg(long, value_name = "FILE")]
    ledger: PathBuf,
    /// The system whose ledger it is
    #[arg(long, value_name = "NAME")]
    system: String,
    /// Beginning of the ledger's period, such as 2026-01-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    from: String,
    /// End of the ledger's period; not included
    #[arg(long, value_name = "TIME")]
    until: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Deserialize)]
struct Row {
    reference_id: String,
    #[serde(default)]
    event_id: String,
}

/// Compares and says what is on one side only; exit code 7 when there is any difference.
///
/// # Errors
/// The ledger cannot be read, or the service refuses or fails.
pub async fn run(args: ReconcileArgs, profile: &Profile, connection: &Connection) -> Result<Exit, Failure> {
    let request = ReconcileRequest {
        context: Some(args.context.wire(profile)),
        system_name: args.system,
        from: args.from,
        until: args.until,
        ledger: read(&args.ledger)?,
    };
    let found = connection.audit().reconcile(connect::call(request)).await?.into_inner();
    if args.json {
        let lines = |lines: &[LedgerLine]| {
            let line =
                |line: &LedgerLine| json!({ "reference_id": line.reference_id, "event_id": line.event_id });
            lines.iter().map(line).collect::<Value>()
        };
        output::json(&json!({
            "matched": found.matched,
            "only_here_count": found.only_here_count,
            "only_there_count": found.only_there_count,
            "only_here": lines(&found.only_here),
            "only_there": lines(&found.only_there),
            "receipt": part::maybe_receipt(found.receipt.as_ref()),
        }))?;
    } else {
        output::line(&format!(
            "Matched: {}; only in the log: {}; only in the ledger: {}",
            grouped(found.matched),
            grouped(found.only_here_count),
            grouped(found.only_there_count)
        ))?;
        for (side, lines) in
            [("only in the log", &found.only_here), ("only in the ledger", &found.only_there)]
        {
            for line in lines {
                let (reference, event) = (plain(&line.reference_id), plain(&line.event_id));
                output::line(&format!("  {side}: reference {reference}, event {event}"))?;
            }
        }
    }
    let same = found.only_here_count == 0 && found.only_there_count == 0;
    Ok(if same { Exit::Done } else { Exit::Partial })
}

fn read(path: &Path) -> Result<Vec<LedgerLine>, Failure> {
    let unreadable = |error: csv::Error| {
        Failure::usage(format!("cannot read the ledger `{}`: {}", path.display(), chain(&error)))
            .advise("it is a CSV file whose first line names the columns `reference_id` and `event_id`")
    };
    let mut rows = csv::Reader::from_path(path).map_err(unreadable)?;
    rows.deserialize()
        .map(|row| {
            let Row { reference_id, event_id } = row.map_err(unreadable)?;
            Ok(LedgerLine { reference_id, event_id })
        })
        .collect()
}
