//! `retention reimports | decide`: references that came again after their person left use.

use clap::Args;
use likeness_proto::v1::{DecideReimportRequest, ListReimportsRequest, Reimport};
use serde_json::{Value, json};

use super::{client, context};
use crate::cli::{
    connect,
    context::AssumedContext,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::{grouped, plain, short},
    wording,
};

/// What was held back.
#[derive(Args, Debug)]
pub struct ReimportsArgs {
    /// The pool
    pool: String,
    /// Decided ones, too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    context: AssumedContext,
}

/// A decision.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("decision").args(["allow", "refuse"]).required(true))]
pub struct DecideArgs {
    /// The pool
    pool: String,
    /// Its number, as `retention reimports` shows it
    number: u64,
    /// Let it in when it is sent again
    #[arg(long)]
    allow: bool,
    /// Keep it out
    #[arg(long)]
    refuse: bool,
    /// Why (8 to 1,000 characters)
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    context: AssumedContext,
}

/// Lists.
///
/// # Errors
/// The service refuses or fails.
pub async fn list(args: ReimportsArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let request = ListReimportsRequest {
        context: context(&args.context, profile, "references that were held back listed"),
        pool: args.pool,
        also_decided: args.all,
    };
    let answer = client(profile).await?.list_reimports(connect::call(request)).await?.into_inner();
    if json {
        output::json(&json!({
            "reimports": answer.reimports.iter().map(to_json).collect::<Value>(),
            "receipt": part::maybe_receipt(answer.receipt.as_ref()),
        }))?;
        return Ok(Exit::Done);
    }
    if answer.reimports.is_empty() {
        output::line("Nothing that left use came in again.")?;
    } else {
        output::line(&table(&answer.reimports))?;
        output::line("`likeness retention decide POOL NUMBER --allow|--refuse --reason TEXT` decides.")?;
    }
    answer.receipt.as_ref().map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))?;
    Ok(Exit::Done)
}

/// Decides.
///
/// # Errors
/// The service refuses or fails.
pub async fn decide(args: DecideArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let request = DecideReimportRequest {
        context: context(&args.context, profile, "a decision about a reference that was held back"),
        pool: args.pool,
        id: args.number,
        allow: args.allow,
        reason: args.reason,
    };
    let answer = client(profile).await?.decide_reimport(connect::call(request)).await?.into_inner();
    let decided = answer.reimport.unwrap_or_default();
    if json {
        output::json(&json!({
            "reimport": to_json(&decided), "receipt": part::maybe_receipt(answer.receipt.as_ref()),
        }))?;
    } else {
        output::line(&outcome(&decided))?;
        answer.receipt.as_ref().map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))?;
    }
    Ok(Exit::Done)
}

/// What a decision means for whoever sends it again.
pub fn outcome(decided: &Reimport) -> String {
    if decided.decision == "allowed" {
        format!(
            "Number {} may come in: the system `{}` can send it again",
            decided.id,
            plain(&decided.system_name)
        )
    } else {
        format!("Number {} stays out, also when it is sent again", decided.id)
    }
}

fn to_json(held: &Reimport) -> Value {
    json!({
        "number": held.id,
        "system_name": held.system_name,
        "erasure_id": part::text(&held.erasure_id),
        "subject_id": part::text(&held.subject_id),
        "first_at": held.first_at,
        "last_at": held.last_at,
        "attempts": held.attempts,
        "decision": part::text(&held.decision),
        "decided_by": part::text(&held.decided_by),
        "reason": part::text(&held.reason),
        "decided_at": part::text(&held.decided_at),
    })
}

fn table(held: &[Reimport]) -> String {
    let mut table =
        output::table(["number", "system", "after", "attempts", "first", "last", "decision", "why"]);
    for one in held {
        let after = if one.erasure_id.is_empty() {
            "beyond use".to_owned()
        } else {
            format!("erasure {}", plain(&one.erasure_id))
        };
        let decision = if one.decision.is_empty() { "not decided".to_owned() } else { plain(&one.decision) };
        table.add_row([
            one.id.to_string(),
            plain(&one.system_name),
            after,
            grouped(one.attempts),
            plain(&one.first_at),
            plain(&one.last_at),
            decision,
            short(&one.reason, 60),
        ]);
    }
    table.trim_fmt()
}
