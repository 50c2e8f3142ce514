//! `retention rules | simulate | activate`: the rule file in force, what another would change, and putting it in force.

use std::{
    fs,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
};

use clap::Args;
use likeness_proto::v1::{
    ActivateRulesRequest, AffectedRecord, GetRulesRequest, Receipt, RetentionRules, SimulateRulesRequest,
    SimulateRulesResponse,
};
use serde_json::{Value, json};

use super::{client, context, words};
use crate::cli::{
    connect,
    context::AssumedContext,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::{grouped, plain},
    wording,
};

/// Rules to read.
#[derive(Args, Debug)]
pub struct RulesArgs {
    /// An earlier version: its digest; left out, the rules in force
    #[arg(long, value_name = "DIGEST", default_value = "", hide_default_value = true)]
    digest: String,
    /// Print them for people, as Markdown, and not as the file
    #[arg(long)]
    markdown: bool,
    #[command(flatten)]
    context: AssumedContext,
}

/// A simulation.
#[derive(Args, Debug)]
pub struct SimulateArgs {
    /// The pool
    pool: String,
    /// The other rule file, TOML
    #[arg(long, value_name = "FILE")]
    rules: PathBuf,
    #[command(flatten)]
    context: AssumedContext,
}

/// Other rules.
#[derive(Args, Debug)]
pub struct ActivateArgs {
    /// The rule file, TOML
    #[arg(long, value_name = "FILE")]
    rules: PathBuf,
    #[command(flatten)]
    context: AssumedContext,
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("cannot read the rules `{}` as text: {error}", path.display()))
            .advise("write the rules in force to a file with `likeness retention rules`, and change that")
    })
}

/// Prints the rules. Their text goes to standard output alone, so that it can be kept as a file.
///
/// # Errors
/// The service refuses or fails.
pub async fn show(args: RulesArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let request = GetRulesRequest {
        context: context(&args.context, profile, "the retention rules read"),
        digest: args.digest,
    };
    let answer = client(profile).await?.get_rules(connect::call(request)).await?.into_inner();
    let rules = answer.rules.unwrap_or_default();
    if json {
        output::json(&to_json(&rules, answer.receipt.as_ref()))?;
    } else {
        output::note(&heading(&rules));
        let text = if args.markdown { &rules.rendered } else { &rules.text };
        if args.markdown || io::stdout().is_terminal() {
            for line in text.lines() {
                output::line(&plain(line))?;
            }
        } else {
            // Byte for byte, so that the file that is kept has the digest of the rules.
            output::line(text.strip_suffix('\n').unwrap_or(text))?;
        }
        if let Some(receipt) = &answer.receipt {
            output::note(&wording::receipt_line(receipt));
        }
    }
    Ok(Exit::Done)
}

/// Puts rules in force.
///
/// # Errors
/// The file cannot be read, or the service refuses or fails.
pub async fn activate(args: ActivateArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let rules = read(&args.rules)?;
    let context = args.context.wire(
        profile,
        "system_administration",
        "retention rules activated from the command line",
    );
    let request = ActivateRulesRequest { context: Some(context), rules };
    let answer = client(profile).await?.activate_rules(connect::call(request)).await?.into_inner();
    let rules = answer.rules.unwrap_or_default();
    if json {
        output::json(&to_json(&rules, answer.receipt.as_ref()))?;
    } else {
        output::line(&heading(&rules))?;
        output::line("The server looks at every record again; `likeness retention report POOL` follows it.")?;
        answer.receipt.as_ref().map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))?;
    }
    Ok(Exit::Done)
}

/// Says what other rules would change.
///
/// # Errors
/// The file cannot be read, or the service refuses or fails.
pub async fn simulate(args: SimulateArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let request = SimulateRulesRequest {
        context: context(&args.context, profile, "other retention rules simulated"),
        pool: args.pool,
        rules: read(&args.rules)?,
    };
    let answer = client(profile).await?.simulate_rules(connect::call(request)).await?.into_inner();
    if json {
        output::json(&json!({
            "digest_now": answer.digest_now, "digest_then": answer.digest_then, "looked_at": answer.looked_at,
            "changed": answer.changed, "become_due": answer.become_due, "become_retained": answer.become_retained,
            "affected": answer.affected.iter().map(affected_json).collect::<Value>(),
            "receipt": part::maybe_receipt(answer.receipt.as_ref()),
        }))?;
    } else {
        output::line(&simulated(&answer))?;
        answer.receipt.as_ref().map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))?;
    }
    Ok(Exit::Done)
}

fn heading(rules: &RetentionRules) -> String {
    format!(
        "Retention rules {}, {}: digest {}",
        plain(&rules.version),
        if rules.active { "in force" } else { "not in force any more" },
        plain(&rules.digest)
    )
}

fn to_json(rules: &RetentionRules, receipt: Option<&Receipt>) -> Value {
    json!({
        "rules": {
            "digest": rules.digest, "version": rules.version, "active": rules.active, "text": rules.text,
            "rendered": rules.rendered,
        },
        "receipt": part::maybe_receipt(receipt),
    })
}

fn affected_json(record: &AffectedRecord) -> Value {
    json!({
        "subject_id": record.subject_id,
        "before": words::assessment_json(record.before.as_ref()),
        "after": words::assessment_json(record.after.as_ref()),
        "why": record.why,
    })
}

fn simulated(answer: &SimulateRulesResponse) -> String {
    let mut lines = Vec::new();
    for record in &answer.affected {
        let verdict = |found: Option<&likeness_proto::v1::Assessment>| {
            found.map_or_else(|| "not known".to_owned(), words::verdict)
        };
        lines.push(format!(
            "{}: {} -> {}",
            plain(&record.subject_id),
            verdict(record.before.as_ref()),
            verdict(record.after.as_ref())
        ));
        lines.extend(record.why.iter().map(|why| format!("  {}", plain(why))));
    }
    let told = answer.affected.len() as u64;
    if told < answer.changed {
        lines.push(format!("The first {} are listed.", grouped(told)));
    }
    lines.push(format!(
        "{} records looked at, {} would change: {} would become due, {} that are due would be retained. Nothing was changed.",
        grouped(answer.looked_at),
        grouped(answer.changed),
        grouped(answer.become_due),
        grouped(answer.become_retained)
    ));
    lines.join("\n")
}
