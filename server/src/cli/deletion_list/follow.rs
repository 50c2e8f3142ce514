//! `deletion-list late | reconcile`: what was not acknowledged in time, and where the two sides do not agree.

use clap::Args;
use likeness_proto::v1::{
    GetDeletionListAgeingRequest, GetDeletionListAgeingResponse, ReconcileDeletionListRequest,
    ReconcileDeletionListResponse,
};
use serde_json::{Value, json};

use super::{client, context, words};
use crate::cli::{
    connect,
    context::AssumedContext,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::{grouped, plain, short},
};

/// Whose lines.
#[derive(Args, Debug)]
pub struct LateArgs {
    /// The pool
    pool: String,
    /// Only this force
    #[arg(long, value_name = "FORCE", default_value = "", hide_default_value = true)]
    force: String,
    #[command(flatten)]
    context: AssumedContext,
}

/// Which list.
#[derive(Args, Debug)]
pub struct ReconcileArgs {
    /// The pool
    pool: String,
    /// The list
    id: String,
    #[command(flatten)]
    context: AssumedContext,
}

/// Reports late lines; exit code 7 when there is any, or an image that leaves without having been on a list.
///
/// # Errors
/// The service refuses or fails.
pub async fn late(args: LateArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let request = GetDeletionListAgeingRequest {
        context: context(&args.context, profile, "late lines of deletion lists reported"),
        pool: args.pool,
        force: args.force,
    };
    let aged = client(profile).await?.get_deletion_list_ageing(connect::call(request)).await?.into_inner();
    if json {
        let forces = aged.forces.iter().map(|of| {
            json!({ "force": of.force, "lists": of.lists, "lines": of.lines, "most_days_late": of.most_days_late })
        });
        let late = aged.late.iter().map(|line| {
            json!({
                "list": line.list_id, "force": line.force, "image_id": line.image_id, "subject_id": line.subject_id,
                "acknowledge_by": line.acknowledge_by, "days_late": line.days_late,
            })
        });
        output::json(&json!({
            "forces": forces.collect::<Value>(), "late": late.collect::<Value>(), "unlisted": aged.unlisted,
            "unlisted_erased_at": part::text(&aged.unlisted_erased_at),
            "receipt": part::maybe_receipt(aged.receipt.as_ref()),
        }))?;
    } else {
        output::line(&ageing(&aged))?;
        words::receipt(aged.receipt.as_ref())?;
    }
    Ok(if aged.forces.is_empty() && aged.unlisted == 0 { Exit::Done } else { Exit::Partial })
}

/// The exceptions in words.
pub fn ageing(aged: &GetDeletionListAgeingResponse) -> String {
    let mut said = Vec::new();
    if aged.forces.is_empty() {
        said.push("Every line was acknowledged in time, or still is in time.".to_owned());
    } else {
        let mut table = output::table(["force", "lists", "late lines", "most days late"]);
        for of in &aged.forces {
            table.add_row([
                plain(&of.force),
                grouped(of.lists),
                grouped(of.lines),
                grouped(u64::from(of.most_days_late)),
            ]);
        }
        said.push(table.trim_fmt());
        let mut table = output::table(["list", "force", "image", "acknowledge by", "days late"]);
        for line in &aged.late {
            table.add_row([
                plain(&line.list_id),
                plain(&line.force),
                plain(&line.image_id),
                plain(&line.acknowledge_by),
                grouped(u64::from(line.days_late)),
            ]);
        }
        said.push(table.trim_fmt());
    }
    if aged.unlisted > 0 {
        said.push(format!(
            "{} images are beyond use and on no list; the first is erased {}, and from then on its force cannot be told",
            grouped(aged.unlisted),
            plain(&aged.unlisted_erased_at)
        ));
    }
    said.join("\n")
}

/// Compares; exit code 7 when there is any difference.
///
/// # Errors
/// The service refuses or fails.
pub async fn reconcile(args: ReconcileArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let request = ReconcileDeletionListRequest {
        context: context(&args.context, profile, "a deletion list reconciled"),
        pool: args.pool,
        id: args.id,
    };
    let found = client(profile).await?.reconcile_deletion_list(connect::call(request)).await?.into_inner();
    if json {
        let differ = found.differ.iter().map(|one| {
            json!({
                "image_id": one.image_id, "subject_id": one.subject_id, "difference": one.difference,
                "national": one.national, "answered": part::text(&one.answered), "reason": part::text(&one.reason),
            })
        });
        output::json(&json!({
            "list": words::maybe(found.list.as_ref()), "agreed": found.agreed, "differ": differ.collect::<Value>(),
            "receipt": part::maybe_receipt(found.receipt.as_ref()),
        }))?;
    } else {
        output::line(&compared(&found))?;
        words::receipt(found.receipt.as_ref())?;
    }
    Ok(if found.differ.is_empty() { Exit::Done } else { Exit::Partial })
}

/// The comparison in words.
pub fn compared(found: &ReconcileDeletionListResponse) -> String {
    let mut said = vec![format!(
        "Both sides agree that {} images are gone; on {} they do not agree",
        grouped(found.agreed),
        grouped(found.differ.len() as u64)
    )];
    if !found.differ.is_empty() {
        let mut table = output::table(["image", "difference", "here", "the force says", "why"]);
        for one in &found.differ {
            table.add_row([
                plain(&one.image_id),
                difference(&one.difference),
                plain(&one.national).replace('_', " "),
                words::or_dash(&one.answered),
                if one.reason.is_empty() { "-".to_owned() } else { short(&one.reason, 60) },
            ]);
        }
        said.push(table.trim_fmt());
    }
    said.join("\n")
}

fn difference(code: &str) -> String {
    match code {
        "not_acknowledged" => "the force has not said anything yet".to_owned(),
        "kept_by_the_force" => "gone here, kept by the force".to_owned(),
        "kept_nationally" => "gone at the force, in use here".to_owned(),
        "kept_by_both" => "kept by both".to_owned(),
        "unknown_nationally" => "nothing here knows the image".to_owned(),
        other => plain(other),
    }
}
