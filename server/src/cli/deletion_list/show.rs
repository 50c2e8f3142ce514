//! `deletion-list list | show`: which lists there are, what became of one, and handing it over.

use std::path::{Path, PathBuf};

use clap::Args;
use likeness_proto::v1::{
    DeletionListLine, DeletionListSummary, GetDeletionListRequest, GetDeletionListResponse,
    ListDeletionListsRequest,
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

/// Lists fetched in one call: the most that the service gives.
const PAGE: u32 = 1000;

/// Which lists.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// The pool
    pool: String,
    /// Only those of this force
    #[arg(long, value_name = "FORCE", default_value = "", hide_default_value = true)]
    force: String,
    #[command(flatten)]
    context: AssumedContext,
}

/// Which list.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// The pool
    pool: String,
    /// The list
    id: String,
    /// Hand the list over to this person or unit of its force; that is recorded as a disclosure
    #[arg(long, value_name = "NAME", requires = "out")]
    recipient: Option<String>,
    /// Write the list into this folder: ID.json, ID.csv, and the signed statement ID.note
    #[arg(long, value_name = "FOLDER", requires = "recipient")]
    out: Option<PathBuf>,
    #[command(flatten)]
    context: AssumedContext,
}

/// Lists every list, page by page.
///
/// # Errors
/// The service refuses or fails.
pub async fn list(args: ListArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let mut client = client(profile).await?;
    let (mut after, mut lists) = (0, Vec::new());
    let receipt = loop {
        let request = ListDeletionListsRequest {
            context: context(&args.context, profile, "deletion lists listed"),
            pool: args.pool.clone(),
            force: args.force.clone(),
            after,
            limit: PAGE,
        };
        let page = client.list_deletion_lists(connect::call(request)).await?.into_inner();
        lists.extend(page.lists);
        after = page.next;
        if after == 0 {
            break page.receipt;
        }
    };
    if json {
        output::json(&json!({
            "lists": lists.iter().map(words::to_json).collect::<Value>(),
            "receipt": part::maybe_receipt(receipt.as_ref()),
        }))?;
    } else {
        if lists.is_empty() {
            output::line("There is no such list.")?;
        } else {
            output::line(&table(&lists))?;
        }
        words::receipt(receipt.as_ref())?;
    }
    Ok(Exit::Done)
}

fn table(lists: &[DeletionListSummary]) -> String {
    let mut table = output::table([
        "list",
        "force",
        "made",
        "acknowledge by",
        "lines",
        "open",
        "deleted",
        "retained",
        "not found",
    ]);
    for list in lists {
        let late = if list.overdue { " (over)" } else { "" };
        table.add_row([
            plain(&list.id),
            plain(&list.force),
            plain(&list.made_at),
            format!("{}{late}", plain(&list.acknowledge_by)),
            grouped(list.lines),
            grouped(list.open),
            grouped(list.deleted),
            grouped(list.retained),
            grouped(list.not_found),
        ]);
    }
    table.trim_fmt()
}

/// Shows a list; with a recipient, writes it into a folder.
///
/// # Errors
/// The service refuses or fails, or a file cannot be written.
pub async fn show(args: ShowArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let what = if args.recipient.is_some() { "a deletion list handed over" } else { "a deletion list shown" };
    let request = GetDeletionListRequest {
        context: context(&args.context, profile, what),
        pool: args.pool,
        id: args.id,
        recipient: args.recipient.unwrap_or_default(),
    };
    let read = client(profile).await?.get_deletion_list(connect::call(request)).await?.into_inner();
    let files = args.out.as_deref().map(|folder| write(folder, &read)).transpose()?;
    if json {
        output::json(&json!({
            "list": words::maybe(read.list.as_ref()),
            "lines": read.lines.iter().map(to_json).collect::<Value>(),
            "statement": read.statement,
            "files": files.map(|files| files.map(|file| file.display().to_string())),
            "receipt": part::maybe_receipt(read.receipt.as_ref()),
        }))?;
        return Ok(Exit::Done);
    }
    if let Some(list) = &read.list {
        output::line(&words::heading(list))?;
    }
    output::line(&lines(&read.lines))?;
    for file in files.iter().flatten() {
        output::line(&format!("Written: {}", file.display()))?;
    }
    words::receipt(read.receipt.as_ref())?;
    Ok(Exit::Done)
}

fn write(folder: &Path, read: &GetDeletionListResponse) -> Result<[PathBuf; 3], Failure> {
    let id = read.list.as_ref().map(|list| list.id.as_str()).unwrap_or_default();
    let plain_id =
        id.strip_prefix("dl-").is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    if !plain_id {
        return Err(Failure::fault("the server named the list in a way that no file can be named by"));
    }
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::fault(format!("cannot make the folder `{}`: {error}", folder.display())))?;
    let place = |ending: &str| folder.join(format!("{id}.{ending}"));
    let files = [place("json"), place("csv"), place("note")];
    for (file, text) in files.iter().zip([&read.list_json, &read.list_csv, &read.statement]) {
        output::private_file(file, text.as_bytes())?;
    }
    Ok(files)
}

fn to_json(line: &DeletionListLine) -> Value {
    json!({
        "image_id": line.image_id, "subject_id": line.subject_id, "answered": part::text(&line.answered),
        "answered_on": part::text(&line.answered_on), "answered_by": part::text(&line.answered_by),
        "reason": part::text(&line.reason), "erased": line.erased,
    })
}

fn lines(lines: &[DeletionListLine]) -> String {
    let mut table = output::table(["image", "subject", "the force says", "on", "by", "why", "here"]);
    for line in lines {
        table.add_row([
            plain(&line.image_id),
            plain(&line.subject_id),
            words::or_dash(&line.answered),
            words::or_dash(&line.answered_on),
            words::or_dash(&line.answered_by),
            if line.reason.is_empty() { "-".to_owned() } else { short(&line.reason, 60) },
            if line.erased { "erased" } else { "held" }.to_owned(),
        ]);
    }
    table.trim_fmt()
}
