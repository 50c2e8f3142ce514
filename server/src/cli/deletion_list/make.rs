//! `deletion-list make`.

use clap::Args;
use jiff::civil::Date;
use likeness_proto::v1::{MakeDeletionListRequest, MakeDeletionListResponse};
use serde_json::json;

use super::{client, context, words};
use crate::cli::{
    connect,
    context::AssumedContext,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::grouped,
};

/// A list to make.
#[derive(Args, Debug)]
pub struct MakeArgs {
    /// The pool
    pool: String,
    /// The force, as custody events name it
    #[arg(long, value_name = "FORCE")]
    force: String,
    /// A system whose images are this force's where the record has no custody event. Repeatable
    #[arg(long = "system", value_name = "NAME")]
    systems: Vec<String>,
    /// Only what is due since this day or later, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    due_from: Option<Date>,
    /// Only what is due since this day or earlier, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    due_until: Option<Date>,
    /// Also images of earlier lists that were not acknowledged as deleted
    #[arg(long)]
    again: bool,
    /// Most lines of the list, 1 to 5,000 [default: 5,000]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    limit: u32,
    #[command(flatten)]
    context: AssumedContext,
}

/// Makes a list, and says what is on it.
///
/// # Errors
/// The service refuses (`nothing_to_list` when there is nothing) or fails.
pub async fn run(args: MakeArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let day = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
    let request = MakeDeletionListRequest {
        context: context(&args.context, profile, "a deletion list made"),
        pool: args.pool,
        force: args.force,
        source_systems: args.systems,
        due_from: day(args.due_from),
        due_until: day(args.due_until),
        again: args.again,
        limit: args.limit,
    };
    let made = client(profile).await?.make_deletion_list(connect::call(request)).await?.into_inner();
    if json {
        output::json(&json!({
            "list": words::maybe(made.list.as_ref()), "unattributed": made.unattributed, "held": made.held,
            "more": made.more, "receipt": part::maybe_receipt(made.receipt.as_ref()),
        }))?;
    } else {
        output::line(&text(&made))?;
        words::receipt(made.receipt.as_ref())?;
    }
    Ok(Exit::Done)
}

/// What was made, and what was left out.
pub fn text(made: &MakeDeletionListResponse) -> String {
    let mut lines = vec![made.list.as_ref().map_or_else(String::new, words::heading)];
    if made.unattributed > 0 {
        lines.push(format!(
            "Of {} more images that are to go nothing says whose they are; `--system NAME` names the force's systems",
            grouped(made.unattributed)
        ));
    }
    if made.held > 0 {
        lines.push(format!(
            "{} records beyond use are kept by a legal hold, and on no list",
            grouped(made.held)
        ));
    }
    if made.more {
        lines.push("There is more than one list takes: make another".to_owned());
    }
    lines.join("\n")
}
