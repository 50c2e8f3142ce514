//! `retention due | list | report`: which records need somebody, and how many.

use clap::{Args, ValueEnum};
use likeness_proto::v1::{ListRetentionRequest, ListRetentionResponse, RetentionLine};
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

/// Lines fetched in one call: the most that the service gives.
const PAGE: u32 = 1000;

/// A worklist.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Worklist {
    /// Nothing retains them any more
    #[default]
    Due,
    /// Their review is overdue
    Review,
    /// Their outcome is to be asked for
    Chase,
    /// They left use, and wait for their erasure
    BeyondUse,
}

impl Worklist {
    fn code(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Review => "review",
            Self::Chase => "chase",
            Self::BeyondUse => "beyond_use",
        }
    }
}

/// What is due.
#[derive(Args, Debug)]
pub struct DueArgs {
    /// The pool
    pool: String,
    /// Every record, not only the first hundred
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    context: AssumedContext,
}

/// A list.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// The pool
    pool: String,
    /// Which records
    #[arg(long, value_enum, default_value_t)]
    list: Worklist,
    /// Every record, not only the first hundred
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    context: AssumedContext,
}

/// The counts alone.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// The pool
    pool: String,
    #[command(flatten)]
    context: AssumedContext,
}

/// Lists what is due.
///
/// # Errors
/// The service refuses or fails.
pub async fn due(args: DueArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let args = ListArgs { pool: args.pool, list: Worklist::Due, all: args.all, context: args.context };
    list(args, profile, json).await
}

/// Lists, page by page.
///
/// # Errors
/// The service refuses or fails.
pub async fn list(args: ListArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let mut client = client(profile).await?;
    let (mut after, mut pages, mut shown) = (0, Vec::new(), 0);
    loop {
        let request = ListRetentionRequest {
            context: context(&args.context, profile, "a list of records by retention"),
            pool: args.pool.clone(),
            list: args.list.code().to_owned(),
            after,
            limit: if args.all { PAGE } else { 0 },
        };
        let page = client.list_retention(connect::call(request)).await?.into_inner();
        let over = page.next == 0 || !args.all;
        if !json {
            if shown == 0 && !page.lines.is_empty() {
                output::line(&row(["subject", "state", "due since", "review", "chase", "erased at"]))?;
            }
            for line in &page.lines {
                output::line(&text(line))?;
            }
        }
        shown += page.lines.len() as u64;
        if json {
            pages.extend(page.lines.iter().map(to_json));
        }
        after = page.next;
        if !over {
            continue;
        }
        if json {
            let mut answer = counts(&page);
            answer["list"] = args.list.code().into();
            answer["records"] = Value::Array(pages);
            answer["more"] = (page.next != 0).into();
            output::json(&answer)?;
        } else {
            if shown == 0 {
                output::line(&format!("No record of `{}` is on this list.", plain(&args.pool)))?;
            }
            if page.next != 0 {
                output::line(&format!("The first {}; `--all` lists every one.", grouped(shown)))?;
            }
            output::line(&summary(&page))?;
            page.receipt.as_ref().map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))?;
        }
        return Ok(Exit::Done);
    }
}

/// Says how many records are in which state, and on which list.
///
/// # Errors
/// The service refuses or fails.
pub async fn report(args: ReportArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let request = ListRetentionRequest {
        context: context(&args.context, profile, "a count of records by retention"),
        pool: args.pool,
        list: Worklist::Due.code().to_owned(),
        after: 0,
        limit: 1,
    };
    let page = client(profile).await?.list_retention(connect::call(request)).await?.into_inner();
    if json {
        output::json(&counts(&page))?;
    } else {
        output::line(&summary(&page))?;
        page.receipt.as_ref().map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))?;
    }
    Ok(Exit::Done)
}

fn counts(page: &ListRetentionResponse) -> Value {
    json!({
        "counts": {
            "active": page.active, "beyond_use": page.beyond_use, "erasing": page.erasing,
            "due": page.due, "review_overdue": page.review_overdue, "to_chase": page.to_chase,
        },
        "receipt": part::maybe_receipt(page.receipt.as_ref()),
    })
}

fn to_json(line: &RetentionLine) -> Value {
    json!({
        "subject_id": line.subject_id,
        "state": words::state_code(line.state),
        "due_since": part::text(&line.due_on),
        "next_review_on": part::text(&line.review_on),
        "chase_on": part::text(&line.chase_on),
        "erase_at": part::text(&line.erase_at),
    })
}

/// Columns of fixed width: pages are printed as they come.
fn row(cells: [&str; 6]) -> String {
    let [subject, state, due, review, chase, erased] = cells;
    format!("{subject:<36}  {state:<11}  {due:<10}  {review:<10}  {chase:<10}  {erased}")
        .trim_end()
        .to_owned()
}

fn text(line: &RetentionLine) -> String {
    let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { plain(text) };
    row([
        &plain(&line.subject_id),
        words::state(line.state),
        &or_dash(&line.due_on),
        &or_dash(&line.review_on),
        &or_dash(&line.chase_on),
        &or_dash(&line.erase_at),
    ])
}

fn summary(page: &ListRetentionResponse) -> String {
    format!(
        "Active: {}, of these due {}, review overdue {}, outcome to be asked for {}. Beyond use: {}. Being erased: {}.",
        grouped(page.active),
        grouped(page.due),
        grouped(page.review_overdue),
        grouped(page.to_chase),
        grouped(page.beyond_use),
        grouped(page.erasing)
    )
}
