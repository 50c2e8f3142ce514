//! `likeness audit stats | access-list | anomalies | dpia-facts`: documents made from the log, as JSON.

use clap::Args;
use likeness_proto::v1::{GetReportRequest, get_report_request::Kind};
use serde_json::Value;

use super::context::AuditContext;
use crate::cli::{
    connect::{self, Connection},
    failure::{Exit, Failure, chain},
    output,
    profile::Profile,
};

/// A report.
#[derive(Args, Debug)]
pub struct ReportArgs {
    #[command(flatten)]
    context: AuditContext,
    /// From this time on, such as 2026-01-01T00:00:00Z [default: the beginning]
    #[arg(long, value_name = "TIME", default_value = "")]
    from: String,
    /// Before this time [default: now]
    #[arg(long, value_name = "TIME", default_value = "")]
    until: String,
}

/// Fetches and prints.
///
/// # Errors
/// The service refuses or fails.
pub async fn run(
    kind: Kind,
    args: ReportArgs,
    profile: &Profile,
    connection: &Connection,
) -> Result<Exit, Failure> {
    let request = GetReportRequest {
        context: Some(args.context.wire(profile)),
        kind: kind.into(),
        from: args.from,
        until: args.until,
    };
    let answer = connection.audit().get_report(connect::call(request)).await?.into_inner();
    let document: Value = serde_json::from_str(&answer.json)
        .map_err(|error| Failure::fault(format!("the report is not JSON: {}", chain(&error))))?;
    output::json(&document)?;
    Ok(Exit::Done)
}
