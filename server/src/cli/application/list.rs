//! `application list | statistics`: what waits, and how many there were.

use clap::{Args, ValueEnum};
use likeness_proto::v1::{
    ApplicationLine, ForceApplications, GetApplicationStatisticsRequest, ListApplicationsRequest,
};
use serde_json::{Value, json};

use super::{client, context};
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

/// Which applications.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Waiting {
    /// Not decided yet, or appealed against
    #[default]
    Open,
    /// The same, and the time for the decision is over
    Overdue,
    /// Agreed, and the record is not erased yet
    Agreed,
    /// Every one about a record that is still there
    All,
}

impl Waiting {
    fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Overdue => "overdue",
            Self::Agreed => "agreed",
            Self::All => "all",
        }
    }
}

/// A list.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// The pool
    pool: String,
    /// Which applications
    #[arg(long, value_enum, default_value_t)]
    list: Waiting,
    /// Every one, not only the first hundred
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    context: AssumedContext,
}

/// The counts.
#[derive(Args, Debug)]
pub struct StatisticsArgs {
    /// The pool
    pool: String,
    /// As they may be published: no count of 1 to 4, and none from which one could be worked out
    #[arg(long)]
    publishable: bool,
    #[command(flatten)]
    context: AssumedContext,
}

/// Lists, page by page.
///
/// # Errors
/// The service refuses or fails.
pub async fn list(args: ListArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let mut client = client(profile).await?;
    let (mut after, mut found, mut shown) = (0, Vec::new(), 0);
    loop {
        let request = ListApplicationsRequest {
            context: context(&args.context, profile, "a list of applications for deletion"),
            pool: args.pool.clone(),
            list: args.list.code().to_owned(),
            after,
            limit: if args.all { PAGE } else { 0 },
        };
        let page = client.list_applications(connect::call(request)).await?.into_inner();
        if json {
            found.extend(page.lines.iter().map(to_json));
        } else {
            if shown == 0 && !page.lines.is_empty() {
                output::line(&row(["application", "subject", "received", "decide by", "state", "force"]))?;
            }
            for line in &page.lines {
                output::line(&text(line))?;
            }
        }
        shown += page.lines.len() as u64;
        after = page.next;
        if args.all && page.next != 0 {
            continue;
        }
        let more = page.next != 0;
        if json {
            let receipt = part::maybe_receipt(page.receipt.as_ref());
            output::json(&json!({
                "list": args.list.code(), "applications": found, "more": more, "receipt": receipt,
            }))?;
        } else {
            if shown == 0 {
                output::line(&format!("No application in `{}` is on this list.", plain(&args.pool)))?;
            }
            if more {
                output::line(&format!("The first {}; `--all` lists every one.", grouped(shown)))?;
            }
            page.receipt.as_ref().map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))?;
        }
        return Ok(Exit::Done);
    }
}

/// Counts.
///
/// # Errors
/// The service refuses or fails.
pub async fn statistics(args: StatisticsArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let request = GetApplicationStatisticsRequest {
        context: context(&args.context, profile, "applications for deletion counted"),
        pool: args.pool,
        publishable: args.publishable,
    };
    let answer =
        client(profile).await?.get_application_statistics(connect::call(request)).await?.into_inner();
    if json {
        output::json(&json!({
            "publishable": answer.publishable,
            "forces": answer.forces.iter().map(counts_json).collect::<Value>(),
            "receipt": part::maybe_receipt(answer.receipt.as_ref()),
        }))?;
        return Ok(Exit::Done);
    }
    if answer.forces.is_empty() {
        output::line("No application was received.")?;
    } else {
        output::line(&table(&answer.forces))?;
    }
    if answer.publishable {
        output::line("`-`: withheld, because it is small or another count could be worked out from it.")?;
    } else {
        output::line(
            "Exact counts, not for publication; `--publishable` gives those that may be published.",
        )?;
    }
    answer.receipt.as_ref().map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))?;
    Ok(Exit::Done)
}

fn to_json(line: &ApplicationLine) -> Value {
    json!({
        "application_id": line.id,
        "subject_id": line.subject_id,
        "force": line.force,
        "received_on": line.received_on,
        "state": line.state,
        "decide_by": part::text(&line.decide_by),
        "overdue": line.overdue,
    })
}

/// Columns of fixed width: pages are printed as they come.
fn row(cells: [&str; 6]) -> String {
    let [application, subject, received, decide, state, force] = cells;
    format!("{application:<36}  {subject:<36}  {received:<10}  {decide:<10}  {state:<18}  {force}")
        .trim_end()
        .to_owned()
}

fn text(line: &ApplicationLine) -> String {
    let state = if line.overdue { format!("{}, overdue", line.state) } else { line.state.clone() };
    let decide = if line.decide_by.is_empty() { "-" } else { line.decide_by.as_str() };
    row([
        &plain(&line.id),
        &plain(&line.subject_id),
        &plain(&line.received_on),
        &plain(decide),
        &plain(&state),
        &plain(&line.force),
    ])
}

fn counts(force: &ForceApplications) -> [Option<u64>; 7] {
    [
        force.received,
        force.agreed,
        force.refused,
        force.undecided,
        force.overtaken,
        force.appealed,
        force.overdue,
    ]
}

fn counts_json(force: &ForceApplications) -> Value {
    let [received, agreed, refused, undecided, overtaken, appealed, overdue] = counts(force);
    json!({
        "force": force.force, "received": received, "agreed": agreed, "refused": refused, "undecided": undecided,
        "overtaken": overtaken, "appealed": appealed, "overdue": overdue,
    })
}

/// The counts of each force; `-` for what is withheld.
pub fn table(forces: &[ForceApplications]) -> String {
    let mut table = output::table([
        "force",
        "received",
        "agreed",
        "refused",
        "undecided",
        "overtaken",
        "appealed",
        "overdue",
    ]);
    for force in forces {
        let shown = counts(force).map(|count| count.map_or_else(|| "-".to_owned(), grouped));
        let cells: Vec<String> = std::iter::once(plain(&force.force)).chain(shown).collect();
        table.add_row(cells);
    }
    table.trim_fmt()
}
